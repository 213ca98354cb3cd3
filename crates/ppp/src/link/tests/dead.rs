//! Tests of links that are up and carry nothing.

use core::time::Duration;

use adit_diag::Code;
use adit_wire::{cp, ppp};

use crate::link::testing::*;
use crate::link::{Command, LinkConfig, LinkEvent};

fn second() -> Duration {
    Duration::from_secs(1)
}

#[test]
fn rejected_data_renegotiates_ccp_once_and_then_ends_with_e08() {
    let mut solo = up(server());
    for n in 0..2 {
        solo.host.link.handle_command(solo.now, Command::DataRejected);
        assert!(of(&solo.collect(), ppp::CCP).is_empty(), "{n}");
    }
    solo.host.link.handle_command(solo.now, Command::DataRejected);
    let request = of(&solo.collect(), ppp::CCP).remove(0);
    assert_eq!(request.code, cp::CONFIGURE_REQUEST);
    // Rejects of packets that were under way.
    solo.host.link.handle_command(solo.now, Command::DataRejected);
    solo.give(ppp::CCP, cp::CONFIGURE_ACK, request.id, &request.data);
    solo.give(ppp::CCP, cp::CONFIGURE_REQUEST, 77, &request.data);
    for _ in 0..3 {
        assert_eq!(solo.host.code(), None);
        solo.host.link.handle_command(solo.now, Command::DataRejected);
        solo.collect();
    }
    solo.wait(20 * second());
    assert_eq!(solo.host.code(), Some(Code::E08), "{:?}", solo.host.end());
}

/// The data packets to a link are rejected, one every `apart`, until it renegotiates CCP or terminates. Before each, `before`
/// acts. Returns how many were rejected, and the code of the end.
fn reject(
    solo: &mut Solo,
    apart: Duration,
    most: u64,
    mut before: impl FnMut(&mut Solo, u64),
) -> (Option<u64>, Option<Code>) {
    for n in 1..=most {
        solo.wait(apart);
        before(solo, n);
        solo.host.link.handle_command(solo.now, Command::DataRejected);
        let sent = solo.collect();
        if of(&sent, ppp::LCP).iter().any(|packet| packet.code == cp::TERMINATE_REQUEST) {
            solo.wait(20 * second());
            return (Some(n), solo.host.code());
        }
        if let Some(request) = of(&sent, ppp::CCP).into_iter().next() {
            assert_eq!(request.code, cp::CONFIGURE_REQUEST);
            solo.give(ppp::CCP, cp::CONFIGURE_ACK, request.id, &request.data);
            solo.give(ppp::CCP, cp::CONFIGURE_REQUEST, 77, &request.data);
            return (Some(n), None);
        }
    }
    (None, solo.host.code())
}

fn decrypts(solo: &mut Solo, received: u64) {
    solo.host.link.handle_command(solo.now, Command::CountTraffic { received, sent: received });
}

#[test]
fn rejected_packets_count_however_slow_they_are() {
    for seconds in [0, 1, 3, 20, 59] {
        let mut solo = up(LinkConfig { echo: None, ..server() });
        decrypts(&mut solo, 1);
        for code in [None, Some(Code::E08)] {
            assert_eq!(reject(&mut solo, second() * seconds, 100, |_, _| {}), (Some(3), code), "{seconds}");
        }
    }
}

#[test]
fn a_pause_resets_the_count_of_rejected_packets() {
    let mut solo = up(LinkConfig { echo: None, ..server() });
    assert_eq!(reject(&mut solo, 61 * second(), 20, |_, _| {}), (None, None));
    // A renegotiation that has helped is forgotten.
    for _ in 0..5 {
        solo.wait(61 * second());
        assert_eq!(reject(&mut solo, second(), 100, |_, _| {}), (Some(3), None));
    }
}

#[test]
fn a_peer_that_encrypts_and_does_not_decrypt_is_found() {
    let mut solo = up(LinkConfig { echo: None, ..server() });
    assert_eq!(reject(&mut solo, second(), 100, decrypts), (Some(10), None));
    let found = reject(&mut solo, second(), 100, |solo, n| decrypts(solo, 100 + n));
    assert_eq!(found, (Some(10), Some(Code::E08)));
    // Packets that were rejected at once, as while the peer negotiates, show nothing.
    let mut solo = up(server());
    assert_eq!(reject(&mut solo, second() / 100, 50, decrypts), (None, None));
}

#[test]
fn a_client_answers_the_first_request_of_ccp_late() {
    let config = LinkConfig { ccp_delay: Duration::from_millis(50), ..client() };
    let mut world = World::new(server(), config);
    world.wait(Duration::from_millis(49));
    assert!(world.b.network().is_none() && world.b.position(authenticated).is_some());
    world.wait(Duration::from_millis(2));
    assert!(world.is_up() && world.b.mppe().is_some());
    // A server does not wait.
    let mut world = World::new(server(), client());
    world.wait(Duration::ZERO);
    assert!(world.is_up());
}

fn authenticated(event: &LinkEvent) -> bool {
    matches!(event, LinkEvent::Authenticated { .. })
}

/// The reports of packets without an answer.
fn reports(solo: &Solo) -> Vec<(u64, u64)> {
    let report = |event: &LinkEvent| match event {
        LinkEvent::Unanswered { sent, seconds } => Some((*sent, *seconds)),
        _ => None,
    };
    solo.host.events.iter().filter_map(report).collect()
}

/// Lets ten-second periods pass in which the peer answers LCP, and packets are counted.
fn count(solo: &mut Solo, periods: u64, received: u64, answers: bool) {
    for n in 1..=periods {
        for request in solo.wait(10 * second()) {
            if answers && request.protocol == ppp::LCP && request.code == cp::ECHO_REQUEST {
                solo.give(ppp::LCP, cp::ECHO_REPLY, request.id, &[0, 0, 0, 1]);
            }
        }
        solo.host.link.handle_command(solo.now, Command::CountTraffic { received, sent: 10 * n });
        solo.collect();
    }
}

#[test]
fn packets_that_bring_nothing_back_are_reported_once_while_lcp_is_answered() {
    let mut solo = up(server());
    count(&mut solo, 30, 0, true);
    let found = reports(&solo);
    assert!(
        matches!(found[..], [(sent, seconds)] if sent >= 20 && (30..100).contains(&seconds)),
        "{found:?}"
    );

    let mut solo = up(server());
    count(&mut solo, 30, 1, true);
    let found = reports(&solo);
    assert!(
        matches!(found[..], [(sent, seconds)] if sent >= 40 && (60..100).contains(&seconds)),
        "the peer has stopped: {found:?}"
    );
    // A packet from it, and silence again: once an hour.
    count(&mut solo, 30, 2, true);
    assert_eq!(reports(&solo).len(), 1);
    count(&mut solo, 360, 3, true);
    assert_eq!(reports(&solo).len(), 2);

    let mut solo = up(server());
    count(&mut solo, 30, 0, false);
    assert_eq!(reports(&solo), [], "the path is dead, which has a code of its own");
}
