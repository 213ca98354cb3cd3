//! A host off the path that knows the addresses and the Call ID of an encrypted session, and forges GRE packets of its
//! client.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adit_sys::ping::{Answer, Request};
use adit_testbed::{Host, wait_until};

use crate::common::*;
use crate::peer::{Gre, outsider};

const CLIENT: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 77);
/// The pings under each attack, one each 20 ms.
const PINGS: u32 = 100;
/// The most forged packets of an attack, about 20,000 a second.
const PACKETS: u32 = 60_000;

/// The number and the PPP frame of the `n`th forged packet.
type Attack = fn(n: u32) -> (u32, Vec<u8>);

fn mppe(bits: u8, n: u32) -> Vec<u8> {
    let [_, _, high, low] = n.wrapping_mul(0x9e37_79b9).rotate_left(12).to_be_bytes();
    [&[0xff, 0x03, 0x00, 0xfd, bits | high & 0x0f, low][..], &[low ^ 0x5a; 64]].concat()
}

fn scattered(n: u32) -> u32 {
    n.wrapping_mul(0x85eb_ca6b)
}

const ATTACKS: [(&str, Attack); 5] = [
    ("pairs of MPPE frames far ahead", |n| (0x0010_0000 + n / 2 * 4096 + n % 2, mppe(0x90, n))),
    ("pairs of echo replies far ahead", |n| {
        (0x0100_0000 + n / 2 * 4096 + n % 2, b"\xff\x03\xc0\x21\x0a\x77\x00\x08\x01\x02\x03\x04".to_vec())
    }),
    ("MPPE frames of any number and count", |n| (scattered(n), mppe(0x90, n))),
    ("MPPE frames of low numbers", |n| (n % 4096, mppe(0x90, n))),
    ("MPPE frames without the agreed bits", |n| (n % 4096, mppe(0x80, n))),
];

/// How many of the pings were answered.
fn answered(host: &Host) -> u32 {
    let request = Request { timeout: Duration::from_secs(1), ..Request::new(LAN_HOST) };
    (0..PINGS)
        .filter(|_| {
            std::thread::sleep(Duration::from_millis(20));
            matches!(host.try_ping(&request), Ok(Answer::Reply(_)))
        })
        .count() as u32
}

/// The packets of alice's session that were not data.
fn seen(server: &Server) -> u64 {
    let counters = server.session("alice").session.counters;
    counters.out_of_window
        + counters.decrypt_failures
        + counters.throttled
        + counters.duplicate
        + counters.rx_frames
}

#[test]
fn forged_gre_packets_do_not_disturb_an_encrypted_session() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let outsider = outsider(&server.host);
    outsider.ip(&format!("address add {CLIENT}/32 dev lo"));
    for interface in ["all", "eth9"] {
        server.host.sysctl(&format!("net.ipv4.conf.{interface}.rp_filter"), "0");
    }
    let mut alice = connect(&client_host, "alice", &[]);
    client_host.ping(LAN_HOST);
    let session = server.session("alice");
    let call_id = session.call_ids.unwrap_or_else(|| panic!("{session:?}")).0;
    let mut arrived = 0;
    for (what, attack) in ATTACKS {
        let stop = AtomicBool::new(false);
        let (answered, sent) = std::thread::scope(|scope| {
            let forger = scope.spawn(|| {
                let gre = Gre::open(&outsider, SERVER);
                let mut sent = 0;
                while sent < PACKETS && !stop.load(Ordering::Relaxed) {
                    for n in sent..sent + 20 {
                        let (seq, frame) = attack(n);
                        gre.send_from(CLIENT, call_id, seq, &frame);
                    }
                    sent += 20;
                    std::thread::sleep(Duration::from_millis(1));
                }
                sent
            });
            let answered = answered(&client_host);
            stop.store(true, Ordering::Relaxed);
            (answered, forger.join().unwrap())
        });
        assert!(answered >= PINGS * 95 / 100, "{what}: {answered} of {PINGS} pings");
        // Most forged packets did reach the session; its counters follow in a while.
        let expected = arrived + u64::from(sent) / 2;
        wait_until(what, SOON, || seen(&server) >= expected);
        arrived = seen(&server);
    }
    transfer(&client_host, &server.lan, 500_000);
    assert!(!alice.running.log().contains("retry"), "{}", alice.running.log());
    assert_eq!(alice.hang_up(), 0);
}
