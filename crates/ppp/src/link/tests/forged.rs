//! Tests of control frames in clear on an encrypted link: forged ones have no effect, genuine ones are obeyed.

use core::time::Duration;

use adit_diag::Code;
use adit_wire::{cp, ppp};
use proptest::prelude::*;

use crate::link::testing::*;
use crate::link::{Command, Link, LinkConfig, LinkEvent};

/// A frame of the class that can end or degrade a link: protocol, code, data.
type Forged = (u16, u8, Vec<u8>);

fn forged_frames() -> Vec<Forged> {
    let mut frames = vec![
        (ppp::LCP, cp::CONFIGURE_REQUEST, octets("0506478a3c1e")),
        (ppp::LCP, cp::CONFIGURE_REQUEST, Vec::new()),
        (ppp::CCP, cp::CONFIGURE_REQUEST, octets("120601000060")),
        (ppp::CCP, cp::CONFIGURE_REQUEST, Vec::new()),
        (ppp::IPCP, cp::CONFIGURE_REQUEST, octets("0306c6336401")),
        (ppp::IPCP, cp::CONFIGURE_REQUEST, Vec::new()),
        (ppp::IPV6CP, cp::CONFIGURE_REQUEST, octets("010a02aabbfffeccddee")),
    ];
    for rejected in [ppp::LCP, ppp::CHAP, ppp::CCP, ppp::IPCP, ppp::IPV6CP] {
        frames.push((ppp::LCP, cp::PROTOCOL_REJECT, rejected.to_be_bytes().to_vec()));
    }
    for protocol in [ppp::LCP, ppp::CCP, ppp::IPCP, ppp::IPV6CP] {
        frames.push((protocol, cp::TERMINATE_REQUEST, b"forged".to_vec()));
        frames.push((protocol, cp::TERMINATE_ACK, Vec::new()));
        for code in cp::CONFIGURE_REQUEST..=cp::CODE_REJECT {
            frames.push((protocol, cp::CODE_REJECT, vec![code, 1, 0, 4]));
        }
    }
    frames
}

fn with_ipv6(config: LinkConfig) -> LinkConfig {
    LinkConfig { ipv6: true, ..config }
}

/// Two links that are up and encrypted.
fn both_up() -> World {
    let mut world = World::new(with_ipv6(server()), with_ipv6(client()));
    world.seconds(2);
    assert!(world.is_up() && world.a.mppe().is_some() && world.b.mppe().is_some());
    world
}

/// Whether the event shows a link that was disturbed.
fn disturbs(event: &LinkEvent) -> bool {
    matches!(
        event,
        LinkEvent::Encryption(_)
            | LinkEvent::NetworkDown
            | LinkEvent::NetworkUp(_)
            | LinkEvent::LcpUp { .. }
            | LinkEvent::Ended(_)
    )
}

fn disturbances(host: &Host) -> usize {
    host.events.iter().filter(|event| disturbs(event)).count()
}

fn forged_count(host: &Host) -> u64 {
    let reported = host.events.iter().rev().find_map(|event| match event {
        LinkEvent::Forged { frames } => Some(*frames),
        _ => None,
    });
    reported.unwrap_or(0)
}

fn victim(world: &mut World, at_server: bool) -> &mut Host {
    if at_server { &mut world.a } else { &mut world.b }
}

fn inject(world: &mut World, at_server: bool, (protocol, code, data): &Forged, id: u8) {
    let (now, frame) = (world.now, cp::frame(*protocol, *code, id, data));
    victim(world, at_server).link.handle_input(now, &frame);
}

#[test]
fn no_forged_frame_disturbs_a_link_whose_peer_is_alive() {
    for at_server in [true, false] {
        for forged in forged_frames() {
            let mut world = both_up();
            let before = (disturbances(&world.a), disturbances(&world.b));
            for id in 0..4 {
                inject(&mut world, at_server, &forged, id);
                world.wait(Duration::from_millis(1500));
            }
            world.seconds(60);
            let after = (disturbances(&world.a), disturbances(&world.b));
            assert_eq!(after, before, "{at_server} {forged:?} {:#?}", world.a.record());
            let (now, frame) = (world.now, cp::frame(ppp::LCP, cp::TERMINATE_REQUEST, 9, b""));
            let host = victim(&mut world, at_server);
            host.link.handle_input(now, &frame);
            world.seconds(120);
            // A Code-Reject of a code that is not needed has no effect and needs no verification.
            let count = forged_count(victim(&mut world, at_server));
            assert_eq!(count, 5, "{at_server} {forged:?}");
        }
    }
}

#[test]
fn every_frame_is_obeyed_after_two_seconds_if_the_peer_is_silent() {
    for at_server in [true, false] {
        for forged in forged_frames() {
            let mut world = both_up();
            let before = disturbances(victim(&mut world, at_server));
            world.loss = 100;
            inject(&mut world, at_server, &forged, 99);
            world.wait(Duration::from_millis(1999));
            assert_eq!(disturbances(victim(&mut world, at_server)), before, "too early: {forged:?}");
            world.wait(Duration::from_millis(1));
            let host = victim(&mut world, at_server);
            assert!(disturbances(host) > before, "{at_server} {forged:?} {:#?}", host.record());
            assert_eq!(forged_count(host), 0);
        }
    }
}

#[test]
fn a_frame_inside_mppe_is_obeyed_at_once() {
    for (protocol, code, data) in forged_frames() {
        let mut world = both_up();
        let before = disturbances(&world.a);
        let frame = cp::frame(protocol, code, 99, &data);
        world.a.link.handle_proven_input(world.now, &frame);
        world.talk();
        assert!(disturbances(&world.a) > before, "{protocol:04x} {code} {:#?}", world.a.record());
    }
}

#[test]
fn a_terminated_link_is_acknowledged_and_ends_when_the_peer_is_silent_for_two_seconds() {
    let mut solo = up(server());
    let sent = solo.give(ppp::LCP, cp::TERMINATE_REQUEST, 9, b"User request");
    assert_eq!(sent.iter().map(|packet| packet.code).collect::<Vec<_>>(), [cp::ECHO_REQUEST]);
    let sent = solo.wait(Duration::from_millis(1999));
    assert_eq!(sent.iter().map(|packet| packet.code).collect::<Vec<_>>(), [cp::ECHO_REQUEST; 2]);
    assert!(solo.host.network().is_some());
    let sent = solo.wait(Duration::from_millis(1));
    assert_eq!(
        sent.iter().map(|packet| (packet.code, packet.id)).collect::<Vec<_>>(),
        [(cp::TERMINATE_ACK, 9)]
    );
    assert_eq!(solo.host.code(), None);
    assert!(solo.host.end().is_some());
}

#[test]
fn a_frame_that_decrypts_shows_that_the_peer_is_alive() {
    for more in [0, 1] {
        let mut solo = up(server());
        solo.host.link.handle_command(solo.now, Command::CountTraffic { received: 40, sent: 40 });
        solo.give(ppp::LCP, cp::TERMINATE_REQUEST, 9, b"");
        // The caller reports the number when it is asked: at the beginning, and before the end.
        solo.host.link.handle_command(solo.now, Command::CountTraffic { received: 50, sent: 50 });
        solo.wait(Duration::from_millis(1950));
        let asked = solo.host.events.iter().filter(|event| matches!(event, LinkEvent::CountTraffic)).count();
        assert_eq!(asked, 2);
        solo.host.link.handle_command(solo.now, Command::CountTraffic { received: 50 + more, sent: 60 });
        solo.wait(Duration::from_secs(10));
        assert_eq!(solo.host.end().is_none(), more > 0);
    }
}

#[test]
fn only_an_answer_to_a_fresh_request_counts() {
    let mut solo = up(server());
    let old = solo.wait(Duration::from_secs(31)).remove(0);
    assert_eq!(old.code, cp::ECHO_REQUEST);
    let sent = solo.give(ppp::LCP, cp::TERMINATE_REQUEST, 9, b"");
    let fresh = sent[0].clone();
    assert_ne!(fresh.id, old.id);
    for id in 0..=u8::MAX {
        if id != fresh.id {
            solo.give(ppp::LCP, cp::ECHO_REPLY, id, &MAGIC.to_be_bytes());
        }
    }
    assert_eq!(forged_count(&solo.host), 0, "neither a guess nor a late answer");
    // The Magic-Number of the answer does not matter.
    solo.give(ppp::LCP, cp::ECHO_REPLY, fresh.id, &[1, 2, 3, 4]);
    assert_eq!(forged_count(&solo.host), 1);
    solo.wait(Duration::from_secs(20));
    assert!(solo.host.network().is_some());
}

#[test]
fn a_slow_path_gets_three_round_trip_times() {
    let mut solo = up(server());
    let echo = solo.wait(Duration::from_secs(30)).remove(0);
    solo.wait(Duration::from_millis(1500));
    solo.give(ppp::LCP, cp::ECHO_REPLY, echo.id, &MAGIC.to_be_bytes());
    solo.give(ppp::LCP, cp::TERMINATE_REQUEST, 9, b"");
    solo.wait(Duration::from_millis(4499));
    assert!(solo.host.end().is_none());
    solo.wait(Duration::from_millis(1));
    assert!(solo.host.end().is_some());
}

#[test]
fn a_late_timer_does_not_shorten_the_time_that_the_peer_has() {
    let mut solo = up(server());
    solo.give(ppp::LCP, cp::TERMINATE_REQUEST, 9, b"");
    solo.now += Duration::from_secs(20);
    solo.host.link.handle_timeout(solo.now);
    let echo = solo.collect().pop().unwrap();
    assert!(solo.host.link.poll_timeout().is_some_and(|(due, _)| due > solo.now));
    solo.give(ppp::LCP, cp::ECHO_REPLY, echo.id, &MAGIC.to_be_bytes());
    solo.wait(Duration::from_secs(5));
    assert!(solo.host.network().is_some() && solo.host.end().is_none());
}

#[test]
fn the_end_on_the_control_connection_confirms_a_held_terminate_request() {
    let mut solo = up(server());
    solo.give(ppp::LCP, cp::TERMINATE_REQUEST, 9, &octets("478a3c1e003ccd7400000397"));
    solo.host.link.handle_command(solo.now, Command::LowerDown);
    solo.collect();
    assert_eq!(solo.host.end().unwrap().detail, "the client ended the link: Windows error 919");
}

#[test]
fn a_flood_of_forged_frames_causes_few_echo_requests_and_reports() {
    let mut world = both_up();
    let before = world.a.sent.len();
    for n in 0..6000u32 {
        inject(&mut world, true, &(ppp::LCP, cp::TERMINATE_REQUEST, n.to_be_bytes().to_vec()), n as u8);
        world.wait(Duration::from_millis(10));
    }
    assert!(world.is_up());
    let sent = world.a.sent.len() - before;
    assert!(sent <= 65, "{sent} frames in a minute");
    let reports = world.a.events.iter().filter(|event| matches!(event, LinkEvent::Forged { .. })).count();
    assert!(reports <= 2, "{reports}");
    let noted = world.a.record().iter().filter(|line| line.contains("Terminate-Request")).count();
    assert_eq!(noted, 0, "the record keeps what is genuine");
    world.seconds(2);
    world.a.link.handle_command(world.now, Command::LowerDown);
    world.talk();
    assert_eq!(forged_count(&world.a), 6000);
}

#[test]
fn a_peer_that_restarts_lcp_is_followed() {
    let mut solo = up(server());
    let options = octets("0506478a3c1e");
    solo.give(ppp::LCP, cp::CONFIGURE_REQUEST, 99, &options);
    let sent = solo.wait(Duration::from_secs(2));
    let lcp: Vec<_> =
        of(&sent, ppp::LCP).into_iter().filter(|packet| packet.code < cp::ECHO_REQUEST).collect();
    assert_eq!((lcp[0].code, lcp[1].code), (cp::CONFIGURE_REQUEST, cp::CONFIGURE_ACK));
}

/// A peer whose LCP stays Opened answers Echo-Requests while it restarts CCP or IPCP.
#[test]
fn a_peer_that_restarts_ccp_or_ipcp_and_persists_is_followed() {
    for (protocol, options) in [(ppp::CCP, "120601000040"), (ppp::CCP, ""), (ppp::IPCP, "030600000000")] {
        for every in [1u64, 3] {
            let mut solo = up(server());
            let mut followed = None;
            for id in 0..=15 / every as u8 {
                let mut sent = solo.give(protocol, cp::CONFIGURE_REQUEST, 90 + id, &octets(options));
                sent.extend(solo.wait(Duration::from_secs(every)));
                for echo in sent.iter().filter(|packet| packet.code == cp::ECHO_REQUEST) {
                    solo.give(ppp::LCP, cp::ECHO_REPLY, echo.id, &MAGIC.to_be_bytes());
                }
                let asks =
                    |packet: &&Sent| (packet.protocol, packet.code) == (protocol, cp::CONFIGURE_REQUEST);
                followed = followed.or_else(|| sent.iter().find(asks).cloned());
                if followed.is_some() {
                    break;
                }
            }
            let request = followed.unwrap_or_else(|| panic!("{protocol:04x} {:#?}", solo.host.record()));
            solo.answer(&request);
            let good = if protocol == ppp::CCP { "120601000040" } else { "0306c0000264" };
            solo.give(protocol, cp::CONFIGURE_REQUEST, 120, &octets(good));
            assert!(solo.host.network().is_some() && solo.host.mppe().is_some());
        }
    }
}

#[test]
fn persistent_requests_disturb_a_link_every_two_minutes_and_not_at_all_while_frames_decrypt() {
    for busy in [true, false] {
        let mut world = both_up();
        let before = disturbances(&world.a);
        let ask: Forged = (ppp::CCP, cp::CONFIGURE_REQUEST, octets("120601000040"));
        for n in 0..600 {
            inject(&mut world, true, &ask, n as u8);
            world.wait(Duration::from_millis(1000));
            if busy && n % 4 == 0 {
                let count = Command::CountTraffic { received: n + 1, sent: n };
                world.a.link.handle_command(world.now, count);
            }
        }
        assert!(world.is_up() && world.a.mppe().is_some() && world.b.mppe().is_some());
        // Encryption goes down and up again.
        let times = (disturbances(&world.a) - before) / 2;
        assert!(if busy { times == 0 } else { (1..=5).contains(&times) }, "{times}");
    }
}

/// How often data was stopped.
fn stops(host: &Host) -> usize {
    let stops = |event: &&LinkEvent| match event {
        LinkEvent::NetworkDown | LinkEvent::Encryption(None) => true,
        LinkEvent::NetworkUp(network) => network.ipv6.is_none(),
        _ => false,
    };
    host.events.iter().filter(stops).count()
}

#[test]
fn persistent_requests_of_any_options_do_not_stop_the_data_of_an_idle_link() {
    let requests = [
        (ppp::IPCP, "030600000000"),
        (ppp::IPCP, "0306c0000205"),
        (ppp::IPCP, ""),
        (ppp::IPV6CP, "010a0000000000000000"),
        (ppp::IPV6CP, "010a02aabbfffeccddee"),
        (ppp::IPV6CP, ""),
        (ppp::CCP, "120601000040"),
        (ppp::CCP, "120600000020"),
        (ppp::CCP, ""),
    ];
    for (protocol, options) in requests {
        for to_a in [true, false] {
            for (every, awakes) in [(1u64, false), (3, false), (4, true)] {
                let mut world = both_up();
                let before = (stops(&world.a), stops(&world.b));
                let ask: Forged = (protocol, cp::CONFIGURE_REQUEST, octets(options));
                for n in 0..120 / every {
                    inject(&mut world, to_a, &ask, n as u8);
                    world.wait(Duration::from_secs(every));
                    // The user of an idle link sends again, and the attack goes on.
                    if awakes && n * every > 20 {
                        for host in [&mut world.a, &mut world.b] {
                            let count = Command::CountTraffic { received: n, sent: n };
                            host.link.handle_command(world.now, count);
                        }
                    }
                }
                world.seconds(40);
                let case = format!("{protocol:04x} {options} to a: {to_a}, every {every} s");
                assert_eq!((stops(&world.a), stops(&world.b)), before, "{case}");
                assert!(world.is_up() && world.a.mppe().is_some() && world.b.mppe().is_some(), "{case}");
            }
        }
    }
}

#[test]
fn a_lost_ack_of_ipcp_is_repeated_although_the_link_is_up() {
    let mut solo = up(server());
    let before = disturbances(&solo.host);
    let sent = solo.give(ppp::IPCP, cp::CONFIGURE_REQUEST, 1, &octets("0306c0000264"));
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].protocol, sent[0].code, sent[0].id), (ppp::IPCP, cp::CONFIGURE_ACK, 1));
    assert_eq!(disturbances(&solo.host), before);
}

#[test]
fn a_forged_challenge_is_answered_and_no_result_of_it_ends_the_link() {
    let mut world = both_up();
    let before = disturbances(&world.b);
    for n in 0..200u8 {
        let mut value = vec![16];
        value.extend([n; 16]);
        for data in [value, vec![1, n], vec![0]] {
            inject(&mut world, false, &(ppp::CHAP, 1, data), n);
            inject(
                &mut world,
                false,
                &(ppp::CHAP, 3, b"S=00112233445566778899AABBCCDDEEFF00112233".to_vec()),
                n,
            );
            inject(&mut world, false, &(ppp::CHAP, 4, b"E=691 R=0 C=00 V=3 M=no".to_vec()), n);
        }
        world.wait(Duration::from_millis(400));
    }
    world.seconds(60);
    assert_eq!(disturbances(&world.b), before, "{:?}", world.b.end());
    // A genuine one is answered afterwards.
    let asked = world.a.asked;
    world.a.link.handle_command(world.now, Command::Rechallenge);
    world.seconds(5);
    assert_eq!((world.a.asked, world.is_up()), (asked + 1, true));
}

#[test]
fn forged_rejects_of_unknown_protocols_do_not_end_an_idle_link() {
    let mut world = both_up();
    for n in 0..200u8 {
        inject(&mut world, true, &(ppp::LCP, cp::PROTOCOL_REJECT, vec![0x4a, (n << 1) | 1, 1, 2]), n);
        world.wait(Duration::from_millis(500));
    }
    assert!(world.is_up());
}

/// The peer would take such rejects as a sign that this end decrypts to noise.
#[test]
fn forged_data_in_clear_is_not_reflected_as_protocol_reject() {
    let mut solo = up(server());
    for protocol in [0x4aa1u16, 0x0017, 0x00c1, 0xfe5b] {
        let frame = [&protocol.to_be_bytes()[..], &[0x45, 0, 0, 40, 1, 2, 3]].concat();
        assert_eq!(solo.raw(&frame).len(), 0, "{protocol:#06x}");
    }
    // A protocol that a peer begins is rejected.
    let sent = solo.give(ppp::IPV6CP, cp::CONFIGURE_REQUEST, 1, &octets("010a02aabbfffeccddee"));
    assert_eq!((sent[0].protocol, sent[0].code), (ppp::LCP, cp::PROTOCOL_REJECT));
}

/// Rejects of control protocols may be answers to forged requests, whatever is sent meanwhile.
#[test]
fn reflected_rejects_of_control_protocols_are_no_noise() {
    for (protocol, is_noise) in [(0x80c1u16, false), (0x4aa1, true)] {
        let mut solo = up(server());
        for n in 0..30u64 {
            let traffic = Command::CountTraffic { received: 0, sent: n * 2 };
            solo.host.link.handle_command(solo.now, traffic);
            solo.give(ppp::LCP, cp::PROTOCOL_REJECT, n as u8, &protocol.to_be_bytes());
            solo.wait(Duration::from_millis(500));
        }
        assert_eq!(solo.host.code() == Some(Code::E05), is_noise, "{protocol:#06x}");
    }
}

#[test]
fn reset_requests_are_answered_in_limits() {
    let mut solo = up(server());
    let answered: usize =
        (0..500u16).map(|n| solo.give(ppp::CCP, cp::RESET_REQUEST, n as u8, &[]).len()).sum();
    assert_eq!(answered, 20);
    solo.wait(Duration::from_secs(1));
    assert_eq!(solo.give(ppp::CCP, cp::RESET_REQUEST, 1, &[]).len(), 1);
}

#[test]
fn a_server_that_refuses_a_later_login_ends_the_client_with_that_reason() {
    let mut world = both_up();
    world.a.refuses = true;
    world.a.link.handle_command(world.now, Command::Rechallenge);
    world.seconds(30);
    assert_eq!((world.a.code(), world.b.code()), (Some(Code::A01), Some(Code::A01)));
}

/// Sends a link whatever an attacker may send, and lets time pass.
fn attack(world: &mut World, at_server: bool, steps: &[(usize, u8, u8, Vec<u8>, u64)]) {
    let class = forged_frames();
    let protocols = [ppp::LCP, ppp::CCP, ppp::IPCP, ppp::IPV6CP, ppp::CHAP, ppp::PAP, 0x4aa1];
    for (which, code, id, data, wait) in steps {
        let forged = match class.get(*which) {
            Some(forged) => forged.clone(),
            None => (protocols[which % protocols.len()], *code, data.clone()),
        };
        inject(world, at_server, &forged, *id);
        world.wait(Duration::from_millis(*wait));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_off_path_attacker_never_takes_a_link_down(
        at_server: bool,
        steps in prop::collection::vec(
            (0..100_usize, 0..17_u8, any::<u8>(), prop::collection::vec(any::<u8>(), 0..40), 0..3000_u64),
            1..80,
        ),
    ) {
        let mut world = both_up();
        attack(&mut world, at_server, &steps);
        world.seconds(40);
        prop_assert!(world.a.end().is_none(), "{:?}", world.a.end());
        prop_assert!(world.b.end().is_none(), "{:?}", world.b.end());
        prop_assert!(world.is_up() && world.a.mppe().is_some() && world.b.mppe().is_some());
        // A genuine end is obeyed all the same.
        world.b.link.handle_command(world.now, Command::Close { reason: "user-request".to_owned() });
        world.seconds(10);
        prop_assert!(world.a.end().is_some() && world.b.end().is_some());
    }
}

/// The type is not larger than needed: a server has thousands of links.
#[test]
fn a_link_without_a_challenge_keeps_no_memory_for_one() {
    assert!(size_of::<Link>() < 1500, "{}", size_of::<Link>());
}
