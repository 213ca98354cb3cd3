//! A tunnel that is up and carries nothing, because MPPE is not up at the server.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use adit_testbed::wait_until;
use adit_tunnel::path::PathCommand;
use adit_wire::lcp::ProtocolReject;
use adit_wire::{cp, ppp};

use crate::common::{PASSWORD, SOON, dial, neighbours};
use crate::peers::drive::Came;
use crate::peers::{Manners, server};

/// How often the keys of MPPE are refused: when CCP is up, and when the client negotiates it again.
const REFUSED: u32 = 2;

/// A server whose MPPE stays off in the first call, as that of accel-ppp may: it rejects every data packet.
fn without_mppe_at_first() -> Manners {
    let keys = Arc::new(AtomicU32::new(0));
    let given = Arc::clone(&keys);
    Manners {
        path: Box::new(move |command| match command {
            PathCommand::Encryption(Some(_)) if given.fetch_add(1, Ordering::Relaxed) < REFUSED => {
                PathCommand::Encryption(None)
            }
            other => other,
        }),
        data_came: Box::new(move |frame| match ppp::frame(frame) {
            Ok((protocol @ ppp::COMPRESSED, information)) if keys.load(Ordering::Relaxed) <= REFUSED => {
                let reject = ProtocolReject { protocol, information }.to_vec(1400);
                Came::Answer(cp::frame(ppp::LCP, cp::PROTOCOL_REJECT, 1, &reject))
            }
            _ => Came::Pass,
        }),
        ..Manners::default()
    }
}

#[test]
fn a_client_whose_packets_are_rejected_names_the_fault_and_dials_again() {
    let (client_host, server_host) = neighbours();
    let _server = server::start(&server_host, server::link(), without_mppe_at_first());
    let mut client = dial(&client_host, "203.0.113.10", "alice", PASSWORD, &["--routes", "10.88.0.0/24"]);
    client.running.wait_for("connected", SOON);
    let mut ping = client_host.spawn(Command::new("ping").args(["-i", "0.5", "-c", "200", "10.88.0.1"]));
    client.running.wait_for("FAIL  E08", SOON);
    client.running.wait_for("retry in", SOON);
    let connected = || client.running.log().matches("connected in").count();
    wait_until("a second call", SOON, || connected() == 2);
    ping.kill();
    let answer = client_host.sh("ping -c 3 -i 0.2 -W 2 10.88.0.1");
    assert!(answer.contains(" 0% packet loss"), "{answer}");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(connected(), 2, "{}", client.running.log());
    assert_eq!(client.hang_up(), 0);
}
