//! From nothing to the network, and why not.

use adit_crypto::mppe::Strength;
use adit_diag::Code;

use crate::auth::Method;
use crate::ccp::Mode;
use crate::link::testing::*;
use crate::link::{By, LinkEvent};

#[test]
fn a_server_and_a_client_come_up_with_keys_that_fit() {
    let mut world = World::new(server(), client());
    world.talk();
    assert!(world.is_up(), "{:#?}", world.a.record());
    let (a, b) = (world.a.network().unwrap(), world.b.network().unwrap());
    assert_eq!((a.local, a.peer), (LOCAL, GIVEN));
    assert_eq!((b.local, b.peer, &b.dns[..]), (GIVEN, LOCAL, &[DNS][..]));
    let (a, b) = (world.a.mppe().unwrap(), world.b.mppe().unwrap());
    assert_eq!((a.strength, a.stateless), (Strength::Bits128, true));
    assert!(a.keys.send == b.keys.receive && a.keys.receive == b.keys.send);
    let authenticated = |host: &Host| {
        host.events.iter().find_map(|event| match event {
            LinkEvent::Authenticated { name, method, server_proved } => {
                Some((name.clone(), *method, *server_proved))
            }
            _ => None,
        })
    };
    let wanted = Some((b"User".to_vec(), Method::MsChapV2, true));
    assert_eq!((authenticated(&world.a), authenticated(&world.b)), (wanted.clone(), wanted));
    // Nothing is pending but the keep-alive.
    assert_eq!(world.a.link.poll_timeout().unwrap().1, "LCP echo");
    assert_eq!(world.now, world.start);
}

#[test]
fn the_record_reads_like_a_conversation() {
    let mut world = World::new(server(), client());
    world.talk();
    let record = world.b.record();
    for line in [
        "> LCP Configure-Request id 1: mru 1400, magic ",
        "< LCP Configure-Request id 1: mru 1400, auth mschap-v2, magic ",
        "> LCP Configure-Ack id 1: mru 1400, auth mschap-v2, magic ",
        "> CCP Configure-Request id 1: mppe 128 stateless",
        "> IPCP Configure-Request id 1: address 0.0.0.0, dns1 0.0.0.0, dns2 0.0.0.0",
        "< IPCP Configure-Reject id 1: dns2 0.0.0.0",
        "< IPCP Configure-Nak id 2: address 192.0.2.100, dns1 192.0.2.53",
        "< IPCP Configure-Ack id 3: address 192.0.2.100, dns1 192.0.2.53",
    ] {
        assert!(record.iter().any(|found| found.starts_with(line)), "{line} in {record:#?}");
    }
}
