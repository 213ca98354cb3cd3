use proptest::prelude::*;

use super::*;

/// A DHCPINFORM as Windows sends it over a tunnel: client 10.0.0.2, asking for 1 6 15 44 121 249.
fn inform(options: &[u8]) -> Vec<u8> {
    let mut data = vec![0; FIXED];
    data[..8].copy_from_slice(&[1, 8, 6, 0, 0xde, 0xad, 0xbe, 0xef]);
    data[10] = 0x80;
    data[12..16].copy_from_slice(&[10, 0, 0, 2]);
    data[28..34].copy_from_slice(&[0, 0x53, 0x45, 0, 0, 0]);
    data[236..].copy_from_slice(&MAGIC);
    data.extend_from_slice(options);
    data
}

const WINDOWS: &[u8] =
    &[53, 1, 8, 61, 7, 8, 0, 0x53, 0x45, 0, 0, 0, 55, 6, 1, 6, 15, 44, 121, 249, 43, 0, 255];

fn ack() -> Ack {
    Ack {
        server: Some(Ipv4Addr::new(10, 0, 0, 1)),
        dns: vec![Ipv4Addr::new(10, 0, 0, 53), Ipv4Addr::new(10, 0, 0, 54)],
        domain: "example.org".to_owned(),
        wins: vec![Ipv4Addr::new(10, 0, 0, 44)],
        routes: vec![
            Route {
                network: Ipv4Addr::new(192, 168, 128, 0),
                prefix: 17,
                gateway: Ipv4Addr::new(10, 0, 0, 1),
            },
            Route { network: Ipv4Addr::UNSPECIFIED, prefix: 0, gateway: Ipv4Addr::new(10, 0, 0, 1) },
        ],
    }
}

fn options(data: &[u8]) -> Vec<(u8, Vec<u8>)> {
    Options::new(data).unwrap().map(|(code, value)| (code, value.to_vec())).collect()
}

#[test]
fn c231_inform_of_windows_is_read() {
    let data = inform(WINDOWS);
    assert!(is_inform(&data));
    let inform = Inform::parse(&data).unwrap();
    assert_eq!((inform.xid, inform.ciaddr), (0xdead_beef, Ipv4Addr::new(10, 0, 0, 2)));
    assert_eq!(inform.to_string(), "DHCPINFORM from 10.0.0.2, asks for 1 6 15 44 121 249");
    assert!(inform.wants(249) && !inform.wants(3));
}

#[test]
fn c231_ack_has_the_options_asked_for() {
    let answer = ack().emit(&Inform::parse(&inform(WINDOWS)).unwrap());
    assert_eq!(answer[0], 2);
    assert_eq!(answer[4..8], [0xde, 0xad, 0xbe, 0xef]);
    assert_eq!(answer[12..20], [10, 0, 0, 2, 0, 0, 0, 0], "ciaddr as asked, no yiaddr");
    let routes = vec![17, 192, 168, 128, 10, 0, 0, 1, 0, 10, 0, 0, 1];
    assert_eq!(
        options(&answer),
        [
            (53, vec![5]),
            (54, vec![10, 0, 0, 1]),
            (1, vec![255; 4]),
            (6, vec![10, 0, 0, 53, 10, 0, 0, 54]),
            (15, b"example.org".to_vec()),
            (44, vec![10, 0, 0, 44]),
            (121, routes.clone()),
            (249, routes),
        ]
    );
    assert_eq!(answer.last(), Some(&255));
}

#[test]
fn only_what_was_asked_for_and_only_what_is_known() {
    let few = Inform::parse(&inform(&[53, 1, 8, 55, 1, 6])).unwrap();
    let codes = |ack: &Ack, inform| options(&ack.emit(inform)).iter().map(|o| o.0).collect::<Vec<_>>();
    assert_eq!(codes(&ack(), &few), [53, 54, 6]);
    let any = Inform::parse(&inform(&[53, 1, 8])).unwrap();
    assert_eq!(codes(&Ack::default(), &any), [53, 1]);
}

#[test]
fn the_answer_fits_and_long_routes_are_split() {
    let many = Ack { routes: vec![ack().routes[0]; 60], ..ack() };
    let any = Inform::parse(&inform(&[53, 1, 8])).unwrap();
    assert!(many.emit(&any).len() <= 576 - 28);
    assert!(!options(&many.emit(&any)).iter().any(|o| o.0 == 121));
    let roomy = Inform::parse(&inform(&[53, 1, 8, 57, 2, 0x10, 0])).unwrap();
    let answer = many.emit(&roomy);
    let pieces: Vec<_> = options(&answer).into_iter().filter(|o| o.0 == 121).map(|o| o.1.len()).collect();
    assert_eq!(pieces, [255, 225]);
}

#[test]
fn other_messages_are_refused() {
    assert_eq!(Inform::parse(&inform(&[53, 1, 1])).unwrap_err().field, "DHCP Message Type");
    assert_eq!(Inform::parse(&inform(&[])).unwrap_err().field, "DHCP Message Type");
    assert_eq!(Inform::parse(&inform(WINDOWS)[..239]).unwrap_err().field, "message");
    let mut data = inform(WINDOWS);
    data[236] = 0;
    assert_eq!(Inform::parse(&data).unwrap_err().field, "magic cookie");
    assert!(!is_inform(&data));
    let mut data = inform(WINDOWS);
    data[0] = 2;
    assert_eq!(Inform::parse(&data).unwrap_err().field, "op");
}

proptest! {
    #[test]
    fn any_options_parse_or_are_refused(tail in proptest::collection::vec(any::<u8>(), 0..80)) {
        let data = inform(&tail);
        prop_assert_eq!(is_inform(&inform(&[&[53, 1, 8][..], &tail].concat())), true);
        if let Ok(inform) = Inform::parse(&data) {
            prop_assert!(ack().emit(&inform).len() <= usize::from(inform.max_size));
            let _ = inform.to_string();
        }
    }
}
