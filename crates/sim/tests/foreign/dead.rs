//! Tunnels that are up and carry nothing.

use std::time::Duration;

use adit_crypto::Rng;
use adit_sim::foreign::Profile;
use adit_sim::link::Quality;
use adit_sim::node::Node;

use super::Play;
use adit_diag::Code;

/// accel-ppp whose MPPE stays off unless our Ack of CCP takes this long.
fn racing(ready: Duration) -> Profile {
    let mut profile = Profile::accel_ppp();
    profile.quirks.early_ack = Some(ready);
    profile
}

/// A line that takes half a millisecond.
fn fast() -> Quality {
    Quality { delay: Duration::from_micros(500), jitter: Duration::ZERO, ..Quality::default() }
}

impl Play {
    /// Our side sends a datagram this often.
    fn send_every(&mut self, every: Duration, count: u32) {
        let (ours, _) = self.hosts;
        self.world.act(ours, |node, now, out| match node {
            Node::Client(client) => {
                if let Some(shell) = client.shell_mut() {
                    shell.send_traffic(now, count, every, 200);
                }
            }
            Node::Server(server) => {
                server.each(now, out, |shell, _| shell.send_traffic(now, count, every, 200));
            }
            Node::Foreign(_) | Node::Rude(_) => {}
        });
        self.wait(every * count);
    }

    /// The code of the end of the call on our side.
    fn our_code(&self) -> Option<Code> {
        match self.world.host(self.hosts.0) {
            Node::Client(client) => client.code(),
            Node::Server(server) => {
                server.past.first()?.calls().values().next()?.end.as_ref().and_then(|end| end.code)
            }
            Node::Foreign(_) | Node::Rude(_) => None,
        }
    }
}

#[test]
fn our_ack_of_ccp_is_late_enough_for_accel_ppp_on_a_fast_line() {
    for seed in 0..20 {
        let mut play = Play::new(Profile::accel_ppp(), seed, fast());
        play.connect();
        play.exchange();
        play.end(true);
    }
}

#[test]
fn a_peer_whose_mppe_is_off_is_found_and_the_client_ends_to_dial_again() {
    for seed in 0..20 {
        let mut play = Play::new(racing(Duration::from_millis(200)), seed, fast());
        play.connect();
        play.send_every(Duration::from_millis(100), 200);
        assert_eq!(play.our_code(), Some(Code::E08), "{}", play.text("not found"));
        let restarts = play.steps("client: sent CCP Configure-Request");
        assert!(restarts >= 2, "{}", play.text("CCP was not negotiated again"));
    }
}

/// A peer of any product whose MPPE fails at any time of a call, in one direction or both, at any rate of packets.
#[test]
fn a_peer_whose_mppe_fails_in_mid_call_is_found() {
    for profile in Profile::clients().into_iter().chain(Profile::servers()) {
        for seed in 0..20 {
            let mut rng = Rng::from_number(seed);
            let mut play = Play::new(profile.clone(), seed, fast());
            play.connect();
            play.exchange();
            play.wait(Duration::from_millis(rng.below(200_000)));
            let sends = rng.below(2) == 0;
            let theirs = play.hosts.1;
            play.world.act(theirs, |node, now, _| {
                let foreign = node.foreign_mut().unwrap();
                foreign.lose_mppe(now, sends);
                if sends {
                    foreign.send_traffic(now, 10_000);
                }
            });
            let every = Duration::from_millis([2, 20, 100, 1000, 2000][rng.below(5) as usize]);
            play.send_every(every, 15.max((8000 / every.as_millis()) as u32));
            play.wait(Duration::from_secs(15));
            assert_eq!(
                play.our_code(),
                Some(Code::E08),
                "{}",
                play.text(&format!("every {every:?}, {sends}"))
            );
        }
    }
}
