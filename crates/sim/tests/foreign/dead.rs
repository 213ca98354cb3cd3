//! Tunnels that are up and carry nothing.

use std::time::Duration;

use adit_sim::client::ClientHost;
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
    fn send_for(&mut self, seconds: u32) {
        let (ours, _) = self.hosts;
        let every = Duration::from_millis(100);
        self.world.act(ours, |node, now, _| {
            if let Some(shell) = node.client_mut().and_then(ClientHost::shell_mut) {
                shell.send_traffic(now, 10 * seconds, every, 200);
            }
        });
        self.wait(Duration::from_secs(seconds.into()));
    }

    fn client_code(&self) -> Option<Code> {
        match self.world.host(self.hosts.0) {
            Node::Client(client) => client.code(),
            Node::Server(_) | Node::Foreign(_) | Node::Rude(_) => None,
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
        play.send_for(20);
        assert_eq!(play.client_code(), Some(Code::E08), "{}", play.text("not found"));
        let restarts = play.steps("client: sent CCP Configure-Request");
        assert!(restarts >= 2, "{}", play.text("CCP was not negotiated again"));
    }
}
