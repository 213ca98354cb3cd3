//! Packets that an attacker forges in the name of a client: an encrypted session survives them, and they are reported.

use std::time::Duration;

use adit_testbed::wait_until;

use crate::common::*;
use crate::peer::{Gre, outsider};

/// Longer than the interval at which the server reads its counters.
const COUNTED: Duration = Duration::from_secs(20);

/// The number of GRE packets with data that the client has sent, which is the sequence number of its next one.
fn next_sequence(server: &Server) -> u32 {
    let counters = || server.session("alice").session.counters;
    let mut last = None;
    wait_until("an idle session", COUNTED, || {
        let counters = counters();
        let sum = counters.rx_packets + counters.rx_frames + counters.not_up + counters.decrypt_failures;
        std::thread::sleep(Duration::from_secs(6));
        last.replace(sum) == Some(sum)
    });
    u32::try_from(last.unwrap()).unwrap()
}

#[test]
fn a_forged_terminate_request_and_a_flood_neither_end_nor_hide_a_session() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let mut alice = connect(&client_host, "alice", &[]);
    client_host.ping(LAN_HOST);
    let call_id = server.session("alice").call_ids.unwrap().0;
    let sequence = next_sequence(&server);
    // From the client's address, as a host with a spoofed source address would send it.
    let attacker = Gre::open(&client_host, SERVER);
    attacker.send_as(call_id, sequence, b"\xff\x03\xc0\x21\x05\x01\x00\x04");
    wait_until("the report", SOON, || server.status().drops.forged > 0);
    let status = server.status();
    assert!(status.warnings.iter().any(|warning| warning.code.as_str() == "G10"), "{:?}", status.warnings);
    let shown = |session: adit_api::session::SessionDetail| {
        session.steps.iter().any(|step| step.text == "forged control frames ignored: 1")
    };
    assert!(shown(server.session("alice")));
    assert!(server.adit(&["log"]).stdout.contains("session.forged"), "{}", server.adit(&["log"]).stdout);
    client_host.ping(LAN_HOST);
    assert!(!alice.running.log().contains("retry"), "{}", alice.running.log());

    // Blind packets to all Call IDs, for longer than the interval of the counters.
    let mut outsider = Gre::open(&outsider(&server.host), SERVER);
    let unknown = call_id.wrapping_add(7);
    let begin = std::time::Instant::now();
    wait_until("the event", COUNTED, || {
        while begin.elapsed() < Duration::from_secs(15) {
            for _ in 0..100 {
                outsider.send(unknown, b"\xff\x03\xc0\x21\x05\x01\x00\x04");
            }
            std::thread::sleep(Duration::from_millis(20));
            if begin.elapsed().as_millis() % 1000 < 25 {
                break;
            }
        }
        server.adit(&["log"]).stdout.contains("gre.flood")
    });
    let warnings = server.status().warnings;
    assert!(
        warnings.iter().any(|warning| warning.text.contains("with the Call ID of no call")),
        "{warnings:?}"
    );
    client_host.ping(LAN_HOST);
    assert_eq!(alice.hang_up(), 0);
    wait_until("the end", SOON, || server.sessions().is_empty());
}
