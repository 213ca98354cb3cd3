//! Our server with other people's clients, our client with other people's servers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod dead;
mod forged;
mod gre;

use std::sync::Arc;
use std::time::Duration;

use adit_crypto::Rng;
use adit_diag::Code;
use adit_ppp::ccp::Stateful;
use adit_sim::client::ClientHost;
use adit_sim::foreign::{Foreign, Profile};
use adit_sim::inner::SECRET;
use adit_sim::link::Quality;
use adit_sim::middlebox::Middlebox;
use adit_sim::node::Node;
use adit_sim::scenario::{CLIENT, SERVER, Scenario};
use adit_sim::server::ServerHost;
use adit_sim::tamper::Tamper;
use adit_sim::world::World;
use adit_tunnel::events::{Command, Why};
use adit_wire::pptp::{DisconnectResult, Message};

const DATAGRAMS: u32 = 20;

/// A line that loses, doubles and reorders.
fn bad() -> Quality {
    let (delay, jitter) = (Duration::from_millis(40), Duration::from_millis(30));
    Quality { delay, jitter, loss: 60, duplicate: 50, reorder: 100, ..Quality::default() }
}

struct Play {
    world: World<Node>,
    /// Ours, theirs.
    hosts: (usize, usize),
    profile: Profile,
    lossy: bool,
}

impl Play {
    /// Our server and their client, or the other way round.
    fn new(profile: Profile, seed: u64, line: Quality) -> Play {
        Play::with(profile, seed, line, 0, 0)
    }

    /// The same, with so many GRE packets out of a thousand damaged.
    fn damaged(profile: Profile, seed: u64, line: Quality, gre: u16) -> Play {
        Play::with(profile, seed, line, gre, 0)
    }

    /// The same, with so many further rounds at our server before a login is good.
    fn with(profile: Profile, seed: u64, line: Quality, gre: u16, rounds: u8) -> Play {
        let mut rng = Rng::from_number(seed);
        let mut scenario = Scenario::plain(seed, &mut rng);
        if !profile.is_stateless() {
            Arc::make_mut(&mut scenario.server.link).mppe.stateful = Stateful::Prefer;
            Arc::make_mut(&mut scenario.clients[0].link).mppe.stateful = Stateful::Prefer;
        }
        scenario.service.rounds = rounds;
        let mut world = World::new(rng.fork(), true);
        let lossy = line.loss > 0;
        let server_site = world.add_site(Vec::new(), Quality::default(), Quality::default());
        let tamper = Middlebox::Tamper(Box::new(Tamper::new(rng.fork(), gre, 0)));
        let client_site = world.add_site(vec![tamper], line.clone(), line);
        let foreign = |rng: &mut Rng, address| {
            let host = Foreign::new(profile.clone(), address, "alice", "correct horse", rng.fork());
            Node::Foreign(Box::new(host))
        };
        let hosts = if profile.server {
            let theirs = world.add_host(server_site, foreign(&mut rng, SERVER));
            let config = scenario.clients[0].clone();
            let client = ClientHost::new(CLIENT, 40_000, SERVER, config, rng.fork());
            (world.add_host(client_site, Node::Client(client)), theirs)
        } else {
            let theirs = world.add_host(client_site, foreign(&mut rng, CLIENT));
            let server = ServerHost::new(SERVER, scenario.server, scenario.service, rng.fork());
            (world.add_host(server_site, Node::Server(server)), theirs)
        };
        for host in [SERVER, CLIENT] {
            world.watch.swear(host, SECRET);
        }
        Play { world, hosts, profile, lossy }
    }

    fn wait(&mut self, duration: Duration) {
        let until = self.world.now() + duration;
        self.world.run(until, |_| false).unwrap();
    }

    /// IP passes on our side, encrypted.
    fn ours_is_up(world: &World<Node>, ours: usize) -> bool {
        let encrypted = match world.host(ours) {
            Node::Client(client) => client.shell().and_then(|shell| shell.encryption(|up| up.local)),
            Node::Server(server) => server.live().find_map(|shell| shell.encryption(|up| up.peer)),
            Node::Foreign(_) | Node::Rude(_) => None,
        };
        encrypted.is_some_and(|(_, encryption)| encryption.is_some())
    }

    fn theirs_is_up(world: &World<Node>, theirs: usize) -> bool {
        world.host(theirs).foreign().is_some_and(Foreign::is_up)
    }

    /// Dials, and waits until both are up.
    fn connect(&mut self) {
        self.dial();
        let (ours, theirs) = self.hosts;
        assert!(Self::ours_is_up(&self.world, ours), "{}", self.text("ours is not up"));
        assert!(Self::theirs_is_up(&self.world, theirs), "{}", self.text("theirs is not up"));
    }

    /// Dials, and waits until both are up or will not be.
    fn dial(&mut self) {
        let (ours, theirs) = self.hosts;
        self.world.act(ours, |node, now, out| {
            if let Some(client) = node.client_mut() {
                client.dial(now, out);
            }
        });
        self.world.act(theirs, |node, _, out| {
            if let Some(foreign) = node.foreign_mut()
                && node_is_client(foreign)
            {
                foreign.dial(SERVER, out);
            }
        });
        let until = self.world.now() + Duration::from_secs(90);
        self.world
            .run(until, |world| Self::ours_is_up(world, ours) && Self::theirs_is_up(world, theirs))
            .unwrap();
    }

    /// Data both ways.
    fn exchange(&mut self) {
        let (ours, theirs) = self.hosts;
        let every = Duration::from_millis(20);
        self.world.act(ours, |node, now, out| match node {
            Node::Client(client) => client.shell_mut().unwrap().send_traffic(now, DATAGRAMS, every, 200),
            Node::Server(server) => {
                server.each(now, out, |shell, _| shell.send_traffic(now, DATAGRAMS, every, 200));
            }
            Node::Foreign(_) | Node::Rude(_) => {}
        });
        self.world.act(theirs, |node, now, _| node.foreign_mut().unwrap().send_traffic(now, DATAGRAMS));
        self.wait(Duration::from_secs(3));
        let theirs = self.world.host(theirs).foreign().unwrap().outcome.clone();
        let (ours, damaged) = self.ours_received();
        for (who, received) in [("ours", &ours), ("theirs", &theirs.received)] {
            let enough = if self.lossy { DATAGRAMS as usize / 3 } else { DATAGRAMS as usize };
            assert!(received.len() >= enough, "{}", self.text(&format!("{who} received {received:?}")));
        }
        assert_eq!((theirs.damaged, damaged), (None, None));
    }

    fn ours_received(&self) -> (Vec<u32>, Option<String>) {
        let call = match self.world.host(self.hosts.0) {
            Node::Client(client) => client.shell().and_then(|shell| shell.calls().values().next()),
            Node::Server(server) => server.live().next().and_then(|shell| shell.calls().values().next()),
            Node::Foreign(_) | Node::Rude(_) => None,
        };
        let call = call.unwrap();
        (call.received.clone(), call.damaged.clone())
    }

    fn text(&self, what: &str) -> String {
        format!("{}\n{}: {what}", self.world.transcript.lines().join("\n"), self.profile.name)
    }

    /// How many steps of our side begin with this.
    fn steps(&self, text: &str) -> usize {
        self.world.transcript.lines().iter().filter(|line| line.contains(text)).count()
    }

    /// Ends it from one side, and waits until both are over in good order.
    fn end(&mut self, ours_ends: bool) {
        let (ours, theirs) = self.hosts;
        if ours_ends {
            self.world.act(ours, |node, now, out| {
                let stop = Command::Stop { why: Why::UserRequest };
                match node {
                    Node::Client(client) => client.shell_mut().unwrap().command(now, stop, out),
                    Node::Server(server) => {
                        server.each(now, out, |shell, out| shell.command(now, stop.clone(), out));
                    }
                    Node::Foreign(_) | Node::Rude(_) => {}
                }
            });
        } else {
            self.world.act(theirs, |node, now, out| node.foreign_mut().unwrap().hang_up(now, out));
        }
        self.wait(Duration::from_secs(30));
        let foreign = self.world.host(theirs).foreign().unwrap();
        assert!(foreign.outcome.closed, "{}", self.text("theirs is not closed"));
        let code = match self.world.host(ours) {
            Node::Client(client) => {
                assert!(client.is_over(), "{}", self.text("ours is not over"));
                client.code()
            }
            Node::Server(server) => {
                assert_eq!(server.live().count(), 0, "{}", self.text("ours is not over"));
                assert_eq!(server.in_use(), (0, 0));
                let call = server.past[0].calls().values().next().unwrap();
                call.end.as_ref().unwrap().code
            }
            Node::Foreign(_) | Node::Rude(_) => None,
        };
        // Where the link's last words are lost, the control connection speaks for itself.
        let quirks = &self.profile.quirks;
        let lost = match DisconnectResult::from(quirks.disconnect_result) {
            _ if quirks.abrupt => Code::C06,
            // What pptpd says at every end.
            DisconnectResult::LostCarrier if self.profile.server => Code::G05,
            _ => Code::C08,
        };
        let in_order = code.is_none() || self.lossy && code == Some(lost);
        assert!(in_order, "{}", self.text(&format!("ended with {code:?}")));
        assert_eq!(self.world.watch.violation, None, "{}", self.text("the watch"));
    }

    fn heard(&self) -> &[Message] {
        &self.world.host(self.hosts.1).foreign().unwrap().outcome.heard
    }
}

fn node_is_client(foreign: &Foreign) -> bool {
    !foreign.profile().server
}

fn all(profiles: Vec<Profile>) {
    for profile in profiles {
        for ours_ends in [true, false] {
            let mut play = Play::new(profile.clone(), 1, Quality::default());
            play.connect();
            play.exchange();
            play.end(ours_ends);
        }
        for seed in 0..40 {
            let mut play = Play::new(profile.clone(), seed, bad());
            play.connect();
            play.exchange();
            play.end(seed % 2 == 0);
        }
    }
}

#[test]
fn foreign_clients_with_our_server() {
    all(Profile::clients());
}

#[test]
fn foreign_servers_with_our_client() {
    all(Profile::servers());
}

#[test]
fn foreign_clients_play_further_rounds_of_our_account_source() {
    for profile in Profile::clients() {
        let mut play = Play::with(profile.clone(), 1, Quality::default(), 0, 2);
        play.connect();
        assert_eq!(play.steps("server: sent CHAP Challenge"), 3, "{}", play.text("rounds"));
        assert_eq!(play.steps("server: sent CHAP Success"), 1);
        play.exchange();
        play.end(true);
        for seed in 0..20 {
            let mut play = Play::with(profile.clone(), seed, bad(), 0, 2);
            play.connect();
            play.exchange();
            play.end(seed % 2 == 0);
        }
    }
}

fn played(profile: Profile) -> Play {
    let mut play = Play::new(profile, 7, Quality::default());
    play.connect();
    play.exchange();
    play
}

#[test]
fn c109_c125_c130_c178_a_clean_run_of_windows_10_takes_the_expected_rounds() {
    let play = played(Profile::windows_10());
    // LCP: callback is rejected, the retry acknowledged; our own request needs one round.
    assert_eq!(play.steps("server: received LCP Configure-Request"), 2);
    assert_eq!(play.steps("server: sent LCP Configure-Reject"), 1);
    assert_eq!(play.steps("server: sent LCP Configure-Request"), 1);
    assert_eq!(play.steps("server: received LCP Identification"), 3);
    // CHAP: three packets.
    assert_eq!(play.steps("CHAP Challenge") + play.steps("CHAP Response") + play.steps("CHAP Success"), 3);
    // CCP: H alone is naked with H and S.
    assert_eq!(play.steps("server: received CCP Configure-Request"), 2);
    assert_eq!(play.steps("server: sent CCP Configure-Nak"), 1);
    assert_eq!(play.steps("server: sent CCP Configure-Request"), 1);
    // IPCP: NBNS and what we do not have is rejected, then a Nak, then an Ack.
    assert_eq!(play.steps("server: received IPCP Configure-Request"), 3);
    assert_eq!(play.steps("server: sent IPCP Configure-Reject"), 1);
    assert_eq!(play.steps("server: sent IPCP Configure-Nak"), 1);
    assert_eq!(play.steps("server: sent IPCP Configure-Request"), 1);
    // IPv6 is off: the protocol is rejected.
    assert_eq!(play.steps("server: sent LCP Protocol-Reject"), 1);
}

#[test]
fn c177_windows_xp_offers_every_strength_and_gets_128() {
    let play = played(Profile::windows_xp());
    assert_eq!(play.steps("server: sent CCP Configure-Nak"), 1);
    assert_eq!(play.steps("server: received CCP Configure-Request"), 2);
    assert_eq!(play.steps("server: encrypt ok: mppe 128 stateless"), 1);
}

#[test]
fn c144_an_ipcp_request_of_routeros_is_held_while_ccp_negotiates() {
    let play = played(Profile::routeros_client());
    assert_eq!(play.steps("IPCP Terminate-Ack"), 0);
    assert_eq!(play.steps("(held until encryption is up)"), 1);
}

#[test]
fn c042_c071_c131_pptp_linux_is_eager_counts_from_1_and_offers_vj() {
    let play = played(Profile::pptp_linux());
    assert_eq!(play.steps("server: sent IPCP Configure-Reject"), 1);
    assert!(matches!(play.heard()[0], Message::StartControlConnectionReply(_)));
}

#[test]
fn c055_c056_c110_c133_c160_our_client_takes_what_a_windows_server_does() {
    let mut play = played(Profile::windows_server());
    // EAP is naked, then MS-CHAPv2 is offered.
    assert_eq!(play.steps("client: sent LCP Configure-Nak"), 1);
    // The second DNS server is rejected.
    assert_eq!(play.steps("client: received IPCP Configure-Reject"), 1);
    assert_eq!(play.steps("client: received PPTP Set-Link-Info peer's call 0"), 1);
    // The repeated IPCP request arrives when IPCP is up; data passes afterwards all the same.
    assert_eq!(play.steps("client: received IPCP Configure-Request"), 2);
    play.end(false);
}

#[test]
fn c045_our_client_takes_call_id_0_of_pptpd() {
    let mut play = played(Profile::pptpd());
    assert_eq!(play.steps("client: call") - play.steps("client: call ended"), 1);
    assert_eq!(play.steps("0 there"), 2);
    play.end(true);
}

/// Half of the packets of a whole conversation are changed or cut: whatever state that leads to, it ends.
#[test]
fn damaged_conversations_end() {
    for profile in Profile::clients().into_iter().chain(Profile::servers()) {
        for seed in 0..30 {
            let mut play = Play::damaged(profile.clone(), seed, Quality::default(), 100 + 15 * seed as u16);
            play.dial();
            let (ours, theirs) = play.hosts;
            play.world.act(theirs, |node, now, out| node.foreign_mut().unwrap().hang_up(now, out));
            play.wait(Duration::from_secs(300));
            match play.world.host(ours) {
                Node::Client(client) => assert!(client.is_over(), "{}", play.text("ours is not over")),
                Node::Server(server) => {
                    assert_eq!(server.live().count(), 0, "{}", play.text("ours is not over"));
                    assert_eq!(server.in_use(), (0, 0));
                }
                Node::Foreign(_) | Node::Rude(_) => {}
            }
        }
    }
}

#[test]
fn c053_a_server_that_hangs_up_with_the_clients_call_id() {
    let mut play = played(Profile::pptpd());
    play.end(false);
}

#[test]
fn a_long_silence_is_filled_with_keep_alives() {
    for profile in Profile::clients().into_iter().chain(Profile::servers()) {
        let mut play = played(profile);
        play.wait(Duration::from_secs(600));
        play.exchange_again();
        play.end(true);
    }
}

impl Play {
    /// Data once more: the numbers go on.
    fn exchange_again(&mut self) {
        let (ours, theirs) = self.hosts;
        let before = self.ours_received().0.len();
        self.world.act(theirs, |node, now, _| node.foreign_mut().unwrap().send_traffic(now, DATAGRAMS));
        self.wait(Duration::from_secs(3));
        assert!(Self::ours_is_up(&self.world, ours), "{}", self.text("ours is not up any more"));
        assert_eq!(self.ours_received().0.len(), before + DATAGRAMS as usize, "{}", self.text("silent"));
    }
}
