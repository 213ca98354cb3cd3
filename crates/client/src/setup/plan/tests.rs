use super::*;

const TUN: u32 = 9;

fn plan(routes: Option<&[&str]>) -> Plan {
    Plan {
        interface: "adit0".to_owned(),
        server: Ipv4Addr::new(203, 0, 113, 10),
        local: Ipv4Addr::new(10, 99, 0, 14),
        peer: Ipv4Addr::new(10, 99, 0, 1),
        mtu: 1400,
        routes: routes.map(|all| all.iter().map(|net| net.parse().unwrap()).collect()),
        dns: Vec::new(),
        domains: Vec::new(),
    }
}

fn hop() -> Hop {
    Hop {
        interface: 2,
        name: "eth0".to_owned(),
        gateway: Some("192.168.1.1".parse().unwrap()),
        source: Some("192.168.1.23".parse().unwrap()),
        mtu: 1500,
        local: false,
    }
}

fn home() -> Vec<InUse> {
    vec![InUse {
        network: "192.168.1.0/24".parse().unwrap(),
        purpose: Purpose::Address,
        interface: "eth0".to_owned(),
    }]
}

fn through(steps: &Steps) -> Vec<String> {
    assert!(steps.through_tunnel.iter().all(|r| r.interface == Some(TUN) && r.source.is_some()));
    steps.through_tunnel.iter().map(|r| r.destination.to_string()).collect()
}

#[test]
fn a_split_tunnel_takes_its_networks_and_nothing_else() {
    let steps =
        Steps::new(&plan(Some(&["192.168.10.5/24", "10.0.0.0/8", "10.0.0.0/8"])), TUN, &hop(), &home(), &[])
            .unwrap();
    assert_eq!(through(&steps), ["10.0.0.0/8", "192.168.10.0/24"]);
    assert_eq!(steps.to_server, None);
    assert_eq!((steps.address.to_string().as_str(), steps.peer), ("10.99.0.14/32", Some(plan(None).peer)));
}

#[test]
fn everything_leaves_the_default_route_alone_and_the_server_outside() {
    for routes in [None, Some(&["0.0.0.0/0"][..])] {
        let steps = Steps::new(&plan(routes), TUN, &hop(), &home(), &[]).unwrap();
        assert_eq!(through(&steps), ["0.0.0.0/1", "128.0.0.0/1"]);
        let to_server = steps.to_server.unwrap();
        assert_eq!(to_server.to_string(), "203.0.113.10/32 via 192.168.1.1 on interface 2");
    }
}

#[test]
fn a_network_that_holds_the_server_needs_the_way_to_it() {
    let steps = Steps::new(&plan(Some(&["203.0.113.0/24"])), TUN, &hop(), &home(), &[]).unwrap();
    assert!(steps.to_server.is_some());
    let on_this_host = Hop { local: true, ..hop() };
    let steps = Steps::new(&plan(Some(&["203.0.113.0/24"])), TUN, &on_this_host, &home(), &[]).unwrap();
    assert_eq!(steps.to_server, None);
    let on_link = Hop { gateway: None, ..hop() };
    let steps = Steps::new(&plan(None), TUN, &on_link, &home(), &[]).unwrap();
    assert_eq!(steps.to_server.unwrap().gateway, None);
}

#[test]
fn a_server_that_uses_its_outer_address_inside_is_not_routed_into_itself() {
    let same = Plan { peer: plan(None).server, ..plan(Some(&["10.0.0.0/8"])) };
    let steps = Steps::new(&same, TUN, &hop(), &home(), &[]).unwrap();
    assert_eq!(steps.peer, None);
    assert!(steps.to_server.is_some());
}

#[test]
fn a_peer_with_the_address_of_the_home_router_does_not_take_it_away() {
    let router = Plan { peer: Ipv4Addr::new(192, 168, 1, 1), ..plan(Some(&["10.0.0.0/8"])) };
    assert_eq!(Steps::new(&router, TUN, &hop(), &home(), &[]).unwrap().peer, None);
}

#[test]
fn the_office_network_at_home_is_an_error_and_a_part_of_it_is_not() {
    let error = Steps::new(&plan(Some(&["192.168.1.0/24"])), TUN, &hop(), &home(), &[]).unwrap_err();
    assert_eq!(error.code(), Some(Code::I03));
    assert!(error.to_string().contains("192.168.1.0/24 itself, on eth0"), "{error}");
    for fine in ["192.168.0.0/16", "192.168.1.20/32"] {
        assert_eq!(through(&Steps::new(&plan(Some(&[fine])), TUN, &hop(), &home(), &[]).unwrap()), [fine]);
    }
    assert!(Steps::new(&plan(None), TUN, &hop(), &home(), &[]).is_ok());
}

#[test]
fn name_servers_are_asked_through_the_tunnel() {
    let with_dns = |routes| Plan {
        dns: vec![
            Ipv4Addr::new(192, 168, 10, 5),
            Ipv4Addr::new(10, 99, 0, 1),
            Ipv4Addr::new(203, 0, 113, 10),
        ],
        ..plan(routes)
    };
    let steps = Steps::new(&with_dns(Some(&["10.0.0.0/8"])), TUN, &hop(), &home(), &[]).unwrap();
    assert_eq!(through(&steps), ["10.0.0.0/8", "192.168.10.5/32"]);
    let steps = Steps::new(&with_dns(None), TUN, &hop(), &home(), &[]).unwrap();
    assert_eq!(through(&steps), ["0.0.0.0/1", "128.0.0.0/1"]);
}

#[test]
fn an_inner_address_that_is_needed_outside_is_refused() {
    let address = |text: &str| text.parse::<Ipv4Addr>().unwrap();
    let needed = [
        (address("192.168.1.23"), Need::Own("eth0".to_owned())),
        (address("192.168.1.1"), Need::Router),
        (address("192.168.1.53"), Need::NameServer),
    ];
    let with = |local: &str| {
        let plan = Plan { local: address(local), ..plan(Some(&["10.0.0.0/8"])) };
        Steps::new(&plan, TUN, &hop(), &home(), &needed)
    };
    for (local, why) in [
        ("192.168.1.1", "this host's router"),
        ("192.168.1.23", "on eth0"),
        ("192.168.1.53", "name server"),
        ("203.0.113.10", "the server's own address"),
        ("10.99.0.1", "inside the tunnel"),
        ("127.0.0.1", "no address of a host"),
        ("224.0.0.5", "no address of a host"),
        ("0.0.0.0", "no address of a host"),
    ] {
        let error = with(local).unwrap_err();
        assert_eq!(error.code(), Some(Code::I03), "{local}");
        assert!(error.to_string().contains(why), "{local}: {error}");
    }
    for fine in ["10.99.0.14", "192.168.1.24"] {
        assert!(with(fine).is_ok(), "{fine}");
    }
}

#[test]
fn the_text_lists_the_routes() {
    let text = |routes| Steps::new(&plan(routes), TUN, &hop(), &home(), &[]).unwrap().text;
    assert_eq!(text(Some(&["192.168.10.0/24", "10.0.0.0/8"])), "192.168.10.0/24, 10.0.0.0/8");
    assert_eq!(text(Some(&[])), "10.99.0.1 alone");
    assert!(text(None).starts_with("all of IPv4"));
}
