//! Forged control frames in clear, and genuine ones, with every peer profile.

use std::time::Duration;

use adit_crypto::Rng;
use adit_sim::client::ClientHost;
use adit_sim::foreign::{Foreign, Profile};
use adit_sim::forger;
use adit_sim::link::Quality;
use adit_sim::node::Node;
use adit_wire::{cp, ppp};

use super::Play;

/// Datagrams in each direction, one every 20 ms.
pub(crate) const MANY: u32 = 500;

pub(crate) fn profiles() -> Vec<Profile> {
    Profile::clients().into_iter().chain(Profile::servers()).collect()
}

impl Play {
    fn forge(&mut self, frame: &[u8]) {
        self.world.act(self.hosts.0, |node, now, out| match node {
            Node::Client(client) => {
                if let Some(shell) = client.shell_mut() {
                    shell.handle_forged(now, frame, out);
                }
            }
            Node::Server(server) => server.each(now, out, |shell, out| shell.handle_forged(now, frame, out)),
            Node::Foreign(_) | Node::Rude(_) => {}
        });
    }

    pub(crate) fn send_many(&mut self) {
        let (ours, theirs) = self.hosts;
        let every = Duration::from_millis(20);
        self.world.act(ours, |node, now, out| match node {
            Node::Client(client) => client.shell_mut().unwrap().send_traffic(now, MANY, every, 200),
            Node::Server(server) => {
                server.each(now, out, |shell, _| shell.send_traffic(now, MANY, every, 200));
            }
            Node::Foreign(_) | Node::Rude(_) => {}
        });
        self.world.act(theirs, |node, now, _| node.foreign_mut().unwrap().send_traffic(now, MANY));
    }

    pub(crate) fn act(&mut self, act: impl FnOnce(&mut adit_sim::foreign::Ppp, std::time::Instant)) {
        self.world.act(self.hosts.1, |node, now, out| node.foreign_mut().unwrap().act(now, out, act));
    }

    pub(crate) fn is_alive(&self) -> bool {
        let (ours, theirs) = self.hosts;
        Play::ours_is_up(&self.world, ours) && Play::theirs_is_up(&self.world, theirs)
    }

    /// After [`Play::send_many`].
    pub(crate) fn must_keep_95_percent(&self, what: &str) {
        assert!(self.is_alive(), "{}", self.text(&format!("{what}: down")));
        let theirs = self.world.host(self.hosts.1).foreign().unwrap().outcome.received.len();
        let (ours, damaged) = self.ours_received();
        let (enough, ours) = (MANY as usize * 95 / 100, ours.len());
        assert!(
            theirs >= enough && ours >= enough,
            "{}",
            self.text(&format!("{what}: they received {theirs}, we {ours}"))
        );
        assert_eq!(damaged, None);
    }
}

/// Dials with every profile and number, hands the session to `act`, and ends it, in turn from either side.
pub(crate) fn each(profiles: Vec<Profile>, numbers: u64, salt: u64, act: impl Fn(&mut Play, &mut Rng, u64)) {
    for profile in profiles {
        for number in 0..numbers {
            let mut play = Play::new(profile.clone(), number, Quality::default());
            let mut rng = Rng::from_number(number ^ salt);
            play.connect();
            act(&mut play, &mut rng, number);
            play.end(number % 2 == 0);
        }
    }
}

#[test]
fn a_session_with_traffic_keeps_95_percent_under_forged_frames() {
    each(profiles(), 12, 0xf0f0, |play, rng, seed| {
        play.send_many();
        for _ in 0..100 {
            play.forge(&forger::frame(rng));
            play.wait(Duration::from_millis(rng.below(200)));
        }
        play.wait(Duration::from_secs(12));
        play.must_keep_95_percent(&format!("seed {seed}"));
    });
}

#[test]
fn an_idle_session_survives_forged_frames() {
    each(profiles(), 12, 0x0f0f, |play, rng, _| {
        play.exchange();
        for _ in 0..60 {
            play.forge(&forger::frame(rng));
            play.wait(Duration::from_millis(rng.below(3000)));
        }
        play.wait(Duration::from_secs(30));
        assert!(play.is_alive(), "{}", play.text("down"));
        play.exchange_again();
    });
}

/// The attacks of the report: each of them once ended a session.
#[test]
fn the_attacks_that_once_ended_a_session_do_not() {
    let many = |protocol, code, data: &[u8], count: u8| -> Vec<Vec<u8>> {
        (0..count).map(|id| cp::frame(protocol, code, id, data)).collect()
    };
    let attacks = [
        many(ppp::LCP, cp::TERMINATE_REQUEST, b"", 1),
        many(ppp::LCP, cp::CONFIGURE_REQUEST, &[], 4),
        many(ppp::CCP, cp::TERMINATE_REQUEST, b"", 1),
        many(ppp::CCP, cp::CONFIGURE_REQUEST, &[18, 6, 1, 0, 0, 0x40], 1),
        many(ppp::IPCP, cp::TERMINATE_REQUEST, b"", 1),
        many(ppp::LCP, cp::PROTOCOL_REJECT, &ppp::CCP.to_be_bytes(), 1),
        many(ppp::LCP, cp::PROTOCOL_REJECT, &[0x4a, 0xa1], 20),
    ];
    for profile in profiles() {
        for attack in &attacks {
            let mut play = Play::new(profile.clone(), 3, Quality::default());
            play.connect();
            play.exchange();
            for frame in attack {
                play.forge(frame);
                play.wait(Duration::from_millis(100));
            }
            play.wait(Duration::from_secs(20));
            assert!(play.is_alive(), "{}", play.text("down"));
            play.exchange_again();
            play.end(true);
        }
    }
}

#[test]
fn a_peer_that_restarts_lcp_is_followed() {
    for profile in profiles() {
        for idle in [Duration::from_secs(1), Duration::from_secs(100)] {
            let mut play = Play::new(profile.clone(), 5, Quality::default());
            play.connect();
            play.exchange();
            play.wait(idle);
            play.act(|ppp, now| ppp.restart_lcp(now));
            play.wait(Duration::from_secs(20));
            assert!(play.is_alive(), "{}", play.text("not up again"));
            play.exchange_again();
            play.end(false);
        }
    }
}

#[test]
fn a_peer_that_restarts_ccp_is_followed() {
    for profile in profiles() {
        let mut play = Play::new(profile.clone(), 5, Quality::default());
        play.connect();
        play.exchange();
        play.wait(Duration::from_secs(20));
        let before = play.steps("encrypt ok");
        play.act(|ppp, now| ppp.restart_ccp(now));
        play.wait(Duration::from_secs(15));
        assert_eq!(play.steps("encrypt ok"), before + 1, "{}", play.text("no new keys"));
        play.exchange_again();
        play.end(true);
    }
}

#[test]
fn a_server_that_challenges_again_is_answered() {
    for profile in Profile::servers() {
        let mut play = Play::new(profile.clone(), 5, Quality::default());
        play.connect();
        play.exchange();
        for _ in 0..5 {
            play.act(|ppp, now| ppp.rechallenge(now));
            play.wait(Duration::from_secs(60));
            let foreign: &Foreign = play.world.host(play.hosts.1).foreign().unwrap();
            assert_eq!(foreign.ppp().unwrap().open_rechallenges(), 0, "{}", play.text("not answered"));
        }
        play.exchange_again();
        play.end(true);
    }
}

/// A peer that terminates LCP and sends nothing on the control connection.
#[test]
fn an_end_by_lcp_alone_frees_the_session_after_two_seconds() {
    for profile in profiles() {
        let mut play = Play::new(profile.clone(), 5, Quality::default());
        play.connect();
        play.exchange();
        play.wait(Duration::from_secs(30));
        play.act(|ppp, _| ppp.terminate());
        play.wait(Duration::from_millis(2500));
        match play.world.host(play.hosts.0) {
            Node::Client(client) => {
                let ended = client.shell().unwrap().calls().values().all(|call| call.end.is_some());
                assert!(ended || ClientHost::is_over(client), "{}", play.text("not ended"));
            }
            Node::Server(server) => assert_eq!(server.in_use(), (0, 0), "{}", play.text("not freed")),
            Node::Foreign(_) | Node::Rude(_) => {}
        }
    }
}
