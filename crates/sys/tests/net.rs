//! Interfaces, addresses and routes of a real kernel.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::net::IpAddr;
use std::time::Duration;

use adit_diag::Code;
use adit_sys::Kind;
use adit_sys::net::{Net, OWNER, Route, RouteKind};
use adit_testbed::{Host, wait_until, wire};
use ipnet::IpNet;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

/// A host on a wire to a router, and the conversation with its kernel.
fn host() -> (Host, Host, Net) {
    let (host, router) = (Host::new("host"), Host::new("router"));
    wire((&host, "eth0", "192.0.2.1/24"), (&router, "eth0", "192.0.2.254/24"));
    let net = host.run(|| Net::open().unwrap());
    (host, router, net)
}

fn without_ipv6(host: &Host) {
    host.sysctl("net.ipv6.conf.all.disable_ipv6", "1");
}

#[test]
fn interfaces_are_listed_as_ip_link_shows_them() {
    let (host, _router, net) = host();
    host.ip("link set dev eth0 mtu 1400");
    let all = net.interfaces().unwrap();
    let names: Vec<_> = all.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["lo", "eth0"]);
    assert!(all[0].loopback && all[0].kind.is_none());
    let eth0 = net.interface("eth0").unwrap();
    assert_eq!((eth0.mtu, eth0.up, eth0.running, eth0.kind.as_deref()), (1400, true, true, Some("veth")));
    let none = net.interface("eth1").unwrap_err();
    assert_eq!(none.kind(), Kind::NotFound);
    assert_eq!(
        none.to_string(),
        "cannot use interface \"eth1\": no such interface; see `ip link` for the names"
    );
}

#[test]
fn an_interface_is_brought_up_and_down_and_resized() {
    let (host, _router, net) = host();
    let index = net.interface("eth0").unwrap().index;
    net.set_mtu(index, 1280).unwrap();
    net.set_up(index, false).unwrap();
    let eth0 = net.interface("eth0").unwrap();
    assert_eq!((eth0.mtu, eth0.up), (1280, false));
    net.set_up(index, true).unwrap();
    assert!(host.ip("link show dev eth0").contains("mtu 1280"));
    assert!(net.interface("eth0").unwrap().up);
    assert_eq!(net.set_up(999, true).unwrap_err().kind(), Kind::NotFound);
    assert!(net.set_mtu(index, 1).unwrap_err().tried().starts_with("cannot set the MTU"));
}

#[test]
fn addresses_come_and_go() {
    let (host, _router, net_) = host();
    without_ipv6(&host);
    let index = net_.interface("eth0").unwrap().index;
    net_.add_address(index, net("10.1.2.3/24"), None).unwrap();
    net_.add_address(index, net("10.9.0.14/32"), Some(ip("10.9.0.1"))).unwrap();
    let shown = host.ip("-4 address show dev eth0");
    assert!(shown.contains("inet 10.1.2.3/24 brd 10.1.2.255 scope"), "{shown}");
    assert!(shown.contains("inet 10.9.0.14 peer 10.9.0.1/32"), "{shown}");
    let own: Vec<_> = net_.addresses().unwrap().into_iter().filter(|a| a.interface == index).collect();
    assert_eq!(
        own.iter().map(|a| a.address).collect::<Vec<_>>(),
        [net("192.0.2.1/24"), net("10.1.2.3/24"), net("10.9.0.14/32")]
    );
    assert_eq!(own[2].peer, Some(ip("10.9.0.1")));
    assert_eq!(net_.add_address(index, net("10.1.2.3/24"), None).unwrap_err().kind(), Kind::Exists);
    net_.del_address(index, net("10.1.2.3/24"), None).unwrap();
    net_.del_address(index, net("10.9.0.14/32"), Some(ip("10.9.0.1"))).unwrap();
    assert_eq!(net_.del_address(index, net("10.1.2.3/24"), None).unwrap_err().kind(), Kind::NotFound);
    assert_eq!(net_.addresses().unwrap().iter().filter(|a| a.interface == index).count(), 1);
}

#[test]
fn ipv6_addresses_and_routes_work_as_well() {
    let (_host, _router, net_) = host();
    let index = net_.interface("eth0").unwrap().index;
    net_.add_address(index, net("fd00::1/64"), None).unwrap();
    net_.add_route(&Route::new(net("2001:db8::/32"), index).via(Some(ip("fd00::2")))).unwrap();
    // The address may be used once the kernel has put it in place, which is a task of its own for IPv6.
    let hop = || net_.route_to(ip("2001:db8::9")).unwrap();
    wait_until("the address", Duration::from_secs(20), || hop().source == Some(ip("fd00::1")));
    assert_eq!((hop().gateway, hop().name.as_str()), (Some(ip("fd00::2")), "eth0"));
}

#[test]
fn routes_are_added_found_and_removed() {
    let (host, _router, net_) = host();
    without_ipv6(&host);
    let index = net_.interface("eth0").unwrap().index;
    let route = Route {
        metric: 50,
        mtu: Some(1300),
        ..Route::new(net("10.0.0.0/8"), index).via(Some(ip("192.0.2.254")))
    };
    net_.add_route(&route).unwrap();
    let shown = host.ip("route show 10.0.0.0/8");
    assert!(shown.starts_with("10.0.0.0/8 via 192.0.2.254 dev eth0 proto 173 metric 50 mtu 1300"), "{shown}");
    assert!(net_.routes().unwrap().contains(&route), "{:?}", net_.routes());
    assert_eq!(net_.add_route(&route).unwrap_err().kind(), Kind::Exists);

    let hop = net_.route_to(ip("10.7.7.7")).unwrap();
    assert_eq!(
        (hop.gateway, hop.source, hop.mtu, hop.local),
        (route.gateway, Some(ip("192.0.2.1")), 1300, false)
    );
    let hop = net_.route_to(ip("192.0.2.77")).unwrap();
    assert_eq!((hop.gateway, hop.mtu), (None, 1500));
    assert!(net_.route_to(ip("192.0.2.1")).unwrap().local);
    let none = net_.route_to(ip("203.0.113.5")).unwrap_err();
    assert_eq!(none.to_string(), "cannot find a route to 203.0.113.5: Network is unreachable");

    net_.del_route(&route).unwrap();
    assert_eq!(net_.del_route(&route).unwrap_err().kind(), Kind::NotFound);
    assert!(!net_.routes().unwrap().contains(&route));
}

#[test]
fn only_our_own_routes_are_removed() {
    let (host, _router, net_) = host();
    let index = net_.interface("eth0").unwrap().index;
    host.ip("route add 10.0.0.0/8 via 192.0.2.254");
    let ours = Route::new(net("10.0.0.0/8"), index).via(Some(ip("192.0.2.254")));
    assert_eq!(ours.owner, OWNER);
    assert_eq!(net_.del_route(&ours).unwrap_err().kind(), Kind::NotFound);
    assert!(host.ip("route show 10.0.0.0/8").contains("192.0.2.254"));
}

#[test]
fn a_route_is_replaced_in_one_step() {
    let (host, _router, net_) = host();
    let index = net_.interface("eth0").unwrap().index;
    host.ip("route add default via 192.0.2.254");
    let old = net_
        .routes()
        .unwrap()
        .into_iter()
        .find(|r| r.is_default() && r.destination.addr().is_ipv4())
        .unwrap();
    assert_eq!((old.gateway, old.kind), (Some(ip("192.0.2.254")), RouteKind::Unicast));
    net_.replace_route(&Route::new(net("0.0.0.0/0"), index).via(Some(ip("192.0.2.253")))).unwrap();
    assert_eq!(net_.route_to(ip("203.0.113.5")).unwrap().gateway, Some(ip("192.0.2.253")));
    net_.replace_route(&old).unwrap();
    assert_eq!(host.ip("route show default").trim(), "default via 192.0.2.254 dev eth0");
}

#[test]
fn a_route_over_several_routers_is_several_routes() {
    let (host, _router, net_) = host();
    host.ip("route add 10.0.0.0/8 nexthop via 192.0.2.253 nexthop via 192.0.2.254");
    host.ip("route add unreachable 10.64.0.0/16");
    let gateways: Vec<_> = net_
        .routes()
        .unwrap()
        .into_iter()
        .filter(|r| r.destination == net("10.0.0.0/8"))
        .map(|r| r.gateway.unwrap().to_string())
        .collect();
    assert_eq!(gateways, ["192.0.2.253", "192.0.2.254"]);
    let refused = net_.routes().unwrap().into_iter().find(|r| r.destination == net("10.64.0.0/16")).unwrap();
    assert_eq!(refused.kind, RouteKind::Refused);
}

#[test]
fn it_works_inside_a_runtime_and_on_many_threads() {
    let (_host, _router, net_) = host();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { assert_eq!(net_.interfaces().unwrap().len(), 2) });
    std::thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| (0..50).for_each(|_| assert!(!net_.routes().unwrap().is_empty())));
        }
    });
}

#[test]
fn without_the_capability_the_error_names_it() {
    const INSIDE: &str = "ADIT_TEST_WITHOUT_CAPABILITY";
    if std::env::var_os(INSIDE).is_some() {
        let net_ = Net::open().unwrap();
        let error = net_.add_route(&Route::new(net("10.0.0.0/8"), 1)).unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::NotPermitted, Some(Code::S08)));
        println!("seen: {error}");
        return;
    }
    let mut command = std::process::Command::new("setpriv");
    command.args(["--bounding-set=-net_raw,-net_admin", "--inh-caps=-net_raw,-net_admin"]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", "without_the_capability_the_error_names_it", "--nocapture"]);
    let output = Host::new("host").command(command.env(INSIDE, "1"));
    assert!(output.ok && output.stdout.contains("CAP_NET_ADMIN"), "{output}");
}
