//! GRE packets that an attacker forges, and genuine events meanwhile, with every peer profile.

use std::time::Duration;

use adit_crypto::Rng;
use adit_sim::attacker::{Attack, Target, burst, pick};
use adit_sim::client::ClientHost;
use adit_sim::foreign::{Foreign, Profile};
use adit_sim::link::Quality;
use adit_sim::node::Node;
use adit_sim::packet::{Body, Packet};
use adit_sim::scenario::{CLIENT, SERVER};

use super::forged::{each, profiles};
use super::{DATAGRAMS, Play, bad};

/// Both modes of every profile.
fn variants() -> Vec<Profile> {
    profiles().into_iter().flat_map(|profile| [profile.clone(), profile.stateful()]).collect()
}

impl Play {
    /// Forges a burst of one of these kinds for our end of the call, while it is up.
    fn strike(&mut self, rng: &mut Rng, attacks: &[Attack]) {
        let attack = pick(rng, attacks).unwrap();
        let (ours, theirs) = self.hosts;
        let place = match self.world.host(ours) {
            Node::Client(client) => client.shell().and_then(|shell| shell.place()),
            Node::Server(server) => server.live().find_map(|shell| shell.place()),
            Node::Foreign(_) | Node::Rude(_) => None,
        };
        let Some((call_id, _)) = place else { return };
        let near = self.world.host(theirs).foreign().unwrap().number();
        let (src, dst) = if self.profile.server { (SERVER, CLIENT) } else { (CLIENT, SERVER) };
        for octets in burst(rng, attack, Target { call_id: call_id.get(), near }) {
            self.world.inject(ours, Packet { src, dst, body: Body::Gre(octets) });
        }
    }

    /// Forges bursts at random times for so long.
    fn under(&mut self, rng: &mut Rng, attacks: &[Attack], duration: Duration) {
        let until = self.world.now() + duration;
        while self.world.now() < until {
            self.strike(rng, attacks);
            self.wait(Duration::from_millis(rng.below(200)));
        }
    }

    fn foreign(&mut self, act: impl FnOnce(&mut Foreign, std::time::Instant)) {
        self.world.act(self.hosts.1, |node, now, _| act(node.foreign_mut().unwrap(), now));
    }
}

#[test]
fn each_attack_alone_leaves_95_percent() {
    each(variants(), Attack::ALL.len() as u64, 0xface, |play, rng, n| {
        play.send_many();
        let attack = Attack::ALL[n as usize];
        play.under(rng, &[attack], Duration::from_secs(10));
        play.wait(Duration::from_secs(12));
        play.must_keep_95_percent(&format!("{attack:?}"));
    });
}

#[test]
fn all_attacks_together_leave_95_percent() {
    each(variants(), 5, 0xcafe, |play, rng, seed| {
        play.send_many();
        play.under(rng, &Attack::ALL, Duration::from_secs(10));
        play.wait(Duration::from_secs(12));
        play.must_keep_95_percent(&format!("seed {seed}"));
    });
}

#[test]
fn an_idle_session_survives_all_attacks() {
    each(variants(), 6, 0x1d1e, |play, rng, seed| {
        play.exchange();
        for _ in 0..100 {
            play.strike(rng, &Attack::ALL);
            play.wait(Duration::from_millis(rng.below(5000)));
        }
        play.wait(Duration::from_secs(12));
        assert!(play.is_alive(), "{}", play.text(&format!("seed {seed}: down")));
        play.exchange_again();
    });
}

/// On a line that loses a part of the packets anyway: what is forged ends no session.
#[test]
fn a_bad_line_under_attack_stays_up() {
    for profile in profiles() {
        for seed in 0..8 {
            let mut play = Play::new(profile.clone(), seed, bad());
            let mut rng = Rng::from_number(seed ^ 0xbad);
            play.connect();
            play.under(&mut rng, Attack::DATA, Duration::from_secs(5));
            play.exchange();
            play.under(&mut rng, Attack::DATA, Duration::from_secs(5));
            assert!(play.is_alive(), "{}", play.text(&format!("seed {seed}: down")));
            play.end(seed % 2 == 0);
        }
    }
}

#[test]
fn a_peer_that_restarts_lcp_or_ccp_under_attack_is_followed() {
    each(profiles(), 6, 0xcc9, |play, rng, seed| {
        play.exchange();
        play.under(rng, Attack::DATA, Duration::from_secs(5));
        match seed % 3 {
            0 => play.act(|ppp, now| ppp.restart_lcp(now)),
            1 => play.act(|ppp, now| ppp.restart_ccp(now)),
            // All of it is new: its GRE numbers, too.
            _ => {
                play.foreign(|foreign, _| foreign.renumber(0x4000_0000));
                play.act(|ppp, now| ppp.restart_lcp(now));
            }
        }
        play.under(rng, Attack::DATA, Duration::from_secs(15));
        assert!(play.is_alive(), "{}", play.text(&format!("seed {seed}: not up again")));
        play.under(rng, &Attack::ALL, Duration::from_secs(3));
        play.wait(Duration::from_secs(12));
        assert!(play.is_alive(), "{}", play.text(&format!("seed {seed}: down")));
        play.exchange_again();
    });
}

#[test]
fn a_challenge_under_attack_is_answered() {
    each(Profile::servers(), 3, 0xc4a9, |play, rng, _| {
        play.exchange();
        for _ in 0..3 {
            play.act(|ppp, now| ppp.rechallenge(now));
            play.under(rng, Attack::DATA, Duration::from_secs(6));
            let foreign = play.world.host(play.hosts.1).foreign().unwrap();
            assert_eq!(foreign.ppp().unwrap().open_rechallenges(), 0, "{}", play.text("not answered"));
        }
        play.exchange_again();
    });
}

/// New numbers, or many lost packets: the next packets arrive, all but the first ones.
#[test]
fn a_jump_of_the_numbers_under_attack_is_followed() {
    each(profiles(), 8, 0x1a57, |play, rng, seed| {
        play.exchange();
        play.under(rng, &Attack::ALL, Duration::from_secs(3));
        let before = play.ours_received().0.len();
        play.foreign(|foreign, now| match seed % 4 {
            0 => foreign.renumber(0),
            1 => foreign.renumber(0xffff_fff0),
            2 => foreign.lose(now, 2000),
            _ => {
                foreign.lose(now, 2000);
                foreign.renumber(0x8000_0000);
            }
        });
        let theirs = play.hosts.1;
        play.world.act(theirs, |node, now, _| node.foreign_mut().unwrap().send_traffic(now, DATAGRAMS));
        play.under(rng, Attack::DATA, Duration::from_secs(3));
        let after = play.ours_received().0.len();
        assert!(
            after - before >= DATAGRAMS as usize - 1,
            "{}",
            play.text(&format!("seed {seed}: {} of {DATAGRAMS}", after - before))
        );
        play.wait(Duration::from_secs(12));
    });
}

/// A peer without power: what an attacker sends in its name does not keep the session.
#[test]
fn a_dead_peer_is_noticed_under_attack() {
    for profile in profiles() {
        for seed in 0..4 {
            let mut play = Play::new(profile.clone(), seed, Quality::default());
            let mut rng = Rng::from_number(seed ^ 0xdead);
            play.connect();
            play.exchange();
            play.foreign(|foreign, _| foreign.die());
            let attacks = if seed % 2 == 0 { Attack::DATA } else { &Attack::ALL };
            for _ in 0..60 {
                play.strike(&mut rng, attacks);
                play.wait(Duration::from_secs(4));
            }
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
}
