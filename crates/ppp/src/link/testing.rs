//! Test fixtures: two connected links, and one link with a simulated peer. The clock is virtual.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::time::Instant;

use adit_crypto::Rng;
use adit_crypto::mschap;
use adit_crypto::proof::{Secret, check};
use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, Code, Note};
use adit_wire::cp::{self, Packet};
use adit_wire::lcp::{self, LcpOption};
use adit_wire::note::Shown;
use adit_wire::{Protocol, ppp};

use super::*;
use crate::auth::{Credentials, MsChapError, Rejection, Verdict};
use crate::ccp::Mode;

pub(super) const LOCAL: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
pub(super) const GIVEN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);
pub(super) const DNS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 53);
pub(super) const PASSWORD: &str = "clientPass";
pub(super) const MAGIC: u32 = 0x478a_3c1e;

pub(super) fn grant() -> AddressGrant {
    AddressGrant { peer: GIVEN, local: LOCAL, dns: vec![DNS], wins: vec![] }
}

pub(super) fn server() -> LinkConfig {
    LinkConfig { local_name: "vpn".into(), ..LinkConfig::new(Side::Server) }
}

pub(super) fn client() -> LinkConfig {
    let credentials = Some(Credentials::new("User", Password::new(PASSWORD)));
    // Most conversations here take no time.
    LinkConfig { credentials, ccp_delay: Duration::ZERO, ..LinkConfig::new(Side::Client) }
}

pub(super) fn with_mode(mut config: LinkConfig, mode: Mode) -> LinkConfig {
    config.mppe.mode = mode;
    config
}

pub(super) fn with_methods(mut config: LinkConfig, methods: &[AuthMethod]) -> LinkConfig {
    config.methods = methods.to_vec();
    config
}

/// One end, with all its events.
pub(super) struct Host {
    pub(super) link: Link,
    pub(super) events: Vec<LinkEvent>,
    /// The frames that it sent, including those that were then lost.
    pub(super) sent: Vec<Vec<u8>>,
    /// The number of verdicts that it asked for.
    pub(super) asked: u32,
    pub(super) address: Option<AddressGrant>,
    /// Whether questions are left unanswered.
    pub(super) mute: bool,
    /// Whether every login is refused.
    pub(super) refuses: bool,
}

impl Host {
    pub(super) fn new(config: LinkConfig, seed: u64) -> Host {
        let link = Link::new(config, Rng::from_number(seed));
        Host {
            link,
            events: vec![],
            sent: vec![],
            asked: 0,
            address: Some(grant()),
            mute: false,
            refuses: false,
        }
    }

    /// Collects events, answers questions, and returns the frames to deliver.
    fn turn(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        loop {
            let mut busy = false;
            while let Some(event) = self.link.poll_event() {
                busy = true;
                if let LinkEvent::Ask(id, question) = &event
                    && !self.mute
                {
                    let answer = match question {
                        Question::Authenticate(request) => {
                            self.asked += 1;
                            Answer::Verdict(if self.refuses { refusal() } else { verdict(request) })
                        }
                        Question::Address { .. } => Answer::Address(self.address.clone()),
                    };
                    self.link.handle_answer(now, *id, answer);
                }
                self.events.push(event);
            }
            let mut frame = Vec::new();
            while self.link.poll_transmit(&mut frame) {
                busy = true;
                frames.push(core::mem::take(&mut frame));
            }
            if !busy {
                self.sent.extend_from_slice(&frames);
                return frames;
            }
        }
    }

    pub(super) fn end(&self) -> Option<&End> {
        self.events.iter().find_map(|event| match event {
            LinkEvent::Ended(end) => Some(end),
            _ => None,
        })
    }

    pub(super) fn code(&self) -> Option<Code> {
        self.end().and_then(|end| end.code)
    }

    /// The current network.
    pub(super) fn network(&self) -> Option<&Network> {
        self.events
            .iter()
            .rev()
            .find_map(|event| match event {
                LinkEvent::NetworkUp(network) => Some(Some(network)),
                LinkEvent::NetworkDown | LinkEvent::Ended(_) => Some(None),
                _ => None,
            })
            .flatten()
    }

    /// The current encryption.
    pub(super) fn mppe(&self) -> Option<&Mppe> {
        self.events
            .iter()
            .rev()
            .find_map(|event| match event {
                LinkEvent::Encryption(mppe) => Some(mppe.as_ref()),
                _ => None,
            })
            .flatten()
    }

    /// The record, one line per step.
    pub(super) fn record(&self) -> Vec<String> {
        self.events
            .iter()
            .filter_map(|event| match event {
                LinkEvent::Packet(packet) => {
                    let way = if packet.sent { ">" } else { "<" };
                    let words = Shown(&Note::Packet(packet.clone())).to_string();
                    Some(format!("{way} {} {words}", packet.message.protocol))
                }
                _ => None,
            })
            .collect()
    }

    /// The index of the first matching event.
    pub(super) fn position(&self, fits: impl Fn(&LinkEvent) -> bool) -> Option<usize> {
        self.events.iter().position(fits)
    }
}

fn verdict(request: &crate::auth::AuthRequest) -> Verdict {
    let secret = Secret::Clear(Password::new(PASSWORD));
    match check(&request.proof, &secret) {
        Ok(proven) if request.name == b"User" => Verdict::Accept(proven),
        _ => refusal(),
    }
}

fn refusal() -> Verdict {
    Verdict::Reject(Rejection {
        error: MsChapError::AuthenticationFailure,
        code: Code::A01,
        retry: false,
        message: "Access denied".to_owned(),
    })
}

/// Two hosts and the line between them.
pub(super) struct World {
    pub(super) start: Instant,
    pub(super) now: Instant,
    pub(super) a: Host,
    pub(super) b: Host,
    /// The percentage of frames that are lost.
    pub(super) loss: u64,
    rng: Rng,
}

impl World {
    /// Creates a server and a client and opens both.
    pub(super) fn new(a: LinkConfig, b: LinkConfig) -> World {
        World::seeded(a, b, 1)
    }

    pub(super) fn seeded(a: LinkConfig, b: LinkConfig, seed: u64) -> World {
        let start = Instant::now();
        let rng = Rng::from_number(seed ^ 0x5555);
        let mut world = World {
            start,
            now: start,
            a: Host::new(a, seed.wrapping_mul(2)),
            b: Host::new(b, seed.wrapping_mul(2).wrapping_add(1)),
            loss: 0,
            rng,
        };
        world.a.link.open(start);
        world.b.link.open(start);
        world
    }

    /// Delivers frames until neither side has one.
    pub(super) fn talk(&mut self) {
        for _ in 0..1000 {
            let (from_a, from_b) = (self.a.turn(self.now), self.b.turn(self.now));
            if from_a.is_empty() && from_b.is_empty() {
                return;
            }
            for frame in from_a {
                if self.rng.below(100) >= self.loss {
                    self.b.link.handle_input(self.now, &frame);
                }
            }
            for frame in from_b {
                if self.rng.below(100) >= self.loss {
                    self.a.link.handle_input(self.now, &frame);
                }
            }
        }
        panic!("they talk for ever: {:#?}", self.a.record());
    }

    /// Advances the clock.
    pub(super) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        let mut steps = 0;
        loop {
            self.talk();
            let due = [self.a.link.poll_timeout(), self.b.link.poll_timeout()].into_iter().flatten().min();
            match due {
                Some((due, _)) if due <= end => self.now = self.now.max(due),
                _ => break,
            }
            self.a.link.handle_timeout(self.now);
            self.b.link.handle_timeout(self.now);
            steps += 1;
            assert!(steps < 10_000, "time does not pass: {due:?}");
        }
        self.now = end;
    }

    pub(super) fn seconds(&mut self, seconds: u64) {
        self.wait(Duration::from_secs(seconds));
    }

    pub(super) fn is_up(&self) -> bool {
        self.a.network().is_some() && self.b.network().is_some()
    }
}

/// The contents of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) protocol: u16,
    pub(super) code: u8,
    pub(super) id: u8,
    pub(super) data: Vec<u8>,
}

/// A link whose peer is the test itself.
pub(super) struct Solo {
    pub(super) now: Instant,
    pub(super) host: Host,
}

impl Solo {
    pub(super) fn new(config: LinkConfig) -> Solo {
        let now = Instant::now();
        let mut host = Host::new(config, 7);
        host.link.open(now);
        Solo { now, host }
    }

    /// Collects the packets that it sends now.
    pub(super) fn collect(&mut self) -> Vec<Sent> {
        self.host.turn(self.now).iter().map(|frame| parse(frame)).collect()
    }

    /// Delivers a packet; returns the packets that it sends in response.
    pub(super) fn give(&mut self, protocol: u16, code: u8, id: u8, data: &[u8]) -> Vec<Sent> {
        self.raw(&cp::frame(protocol, code, id, data))
    }

    /// Delivers a packet that is known to be the peer's, as if it had arrived inside MPPE.
    pub(super) fn prove(&mut self, protocol: u16, code: u8, id: u8, data: &[u8]) -> Vec<Sent> {
        self.host.link.handle_proven_input(self.now, &cp::frame(protocol, code, id, data));
        self.collect()
    }

    pub(super) fn raw(&mut self, frame: &[u8]) -> Vec<Sent> {
        self.host.link.handle_input(self.now, frame);
        self.collect()
    }

    /// Advances the clock; returns all packets sent meanwhile.
    pub(super) fn wait(&mut self, time: Duration) -> Vec<Sent> {
        let end = self.now + time;
        let mut sent = self.collect();
        while let Some((due, _)) = self.host.link.poll_timeout().filter(|(due, _)| *due <= end) {
            self.now = self.now.max(due);
            self.host.link.handle_timeout(self.now);
            sent.extend(self.collect());
        }
        self.now = end;
        sent
    }

    /// Opens LCP: acknowledges the link's request and sends one with these options.
    pub(super) fn open_lcp(&mut self, options: &[LcpOption<'_>]) -> Vec<Sent> {
        let first = self.collect();
        let [request] = &first[..] else { panic!("{first:?}") };
        self.answer(request);
        let sent = self.give(ppp::LCP, cp::CONFIGURE_REQUEST, 1, &lcp(options));
        assert_eq!((sent[0].protocol, sent[0].code), (ppp::LCP, cp::CONFIGURE_ACK), "{sent:?}");
        sent
    }

    /// Acknowledges a Configure-Request of the link.
    pub(super) fn answer(&mut self, request: &Sent) -> Vec<Sent> {
        assert_eq!(request.code, cp::CONFIGURE_REQUEST);
        self.give(request.protocol, cp::CONFIGURE_ACK, request.id, &request.data)
    }
}

/// The options of a Configure-Request.
pub(super) fn lcp(options: &[LcpOption<'_>]) -> Vec<u8> {
    let mut data = Vec::new();
    options.iter().for_each(|option| option.emit(&mut data));
    data
}

pub(super) fn parse(frame: &[u8]) -> Sent {
    let (protocol, information) = ppp::frame(frame).unwrap();
    let Packet { code, id, data } = Packet::parse(Protocol::Ppp, information).unwrap();
    Sent { protocol, code, id, data: data.to_vec() }
}

/// The packets of one protocol.
pub(super) fn of(sent: &[Sent], protocol: u16) -> Vec<Sent> {
    sent.iter().filter(|packet| packet.protocol == protocol).cloned().collect()
}

/// Octets from hexadecimal digits.
pub(super) fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

/// The data of an MS-CHAPv2 Response to this Challenge.
pub(super) fn response(challenge: &Sent, name: &str, password: &str) -> Vec<u8> {
    let asked: [u8; 16] = challenge.data[1..17].try_into().unwrap();
    let peer = [0x21; 16];
    let hash = Password::new(password).nt_hash();
    let proof = mschap::nt_response_v2(&asked, &peer, name.as_bytes(), &hash);
    [&[49][..], &peer, &[0; 8], &proof, &[0], name.as_bytes()].concat()
}

/// The data of the Success to this Response, without a message.
pub(super) fn success(response: &Sent, asked: &[u8; 16]) -> Vec<u8> {
    let data = &response.data;
    let (peer, proof) = (data[1..17].try_into().unwrap(), data[25..49].try_into().unwrap());
    let hash = Password::new(PASSWORD).nt_hash();
    let answer = mschap::authenticator_response(asked, &peer, &data[50..], &hash, &proof);
    format!("S={}", answer.map(|octet| format!("{octet:02X}")).concat()).into_bytes()
}

/// A server that has authenticated its client, and the packets that it sent then.
pub(super) fn admitted(config: LinkConfig) -> (Solo, Vec<Sent>) {
    let mut solo = Solo::new(config);
    let sent = solo.open_lcp(&[LcpOption::Mru(lcp::Mru(1400)), LcpOption::Magic(lcp::Magic(MAGIC))]);
    let challenge = of(&sent, ppp::CHAP).remove(0);
    let sent = solo.give(ppp::CHAP, 2, challenge.id, &response(&challenge, "User", PASSWORD));
    assert_eq!((sent[0].protocol, sent[0].code), (ppp::CHAP, 3));
    (solo, sent)
}

/// A server whose CCP is Opened with 128 bits, and the packets that it sent then.
pub(super) fn encrypted(config: LinkConfig) -> (Solo, Vec<Sent>) {
    let (mut solo, sent) = admitted(config);
    solo.answer(&of(&sent, ppp::CCP)[0]);
    let sent = solo.give(ppp::CCP, cp::CONFIGURE_REQUEST, 1, &octets("120601000040"));
    assert!(solo.host.mppe().is_some());
    (solo, sent)
}

/// A server whose network is up without encryption.
pub(super) fn clear(config: LinkConfig) -> Solo {
    let (mut solo, _) = admitted(with_mode(config, Mode::Off));
    let sent = solo.give(ppp::IPCP, cp::CONFIGURE_REQUEST, 1, &octets("0306c0000264"));
    solo.answer(&of(&sent, ppp::IPCP)[0]);
    assert!(solo.host.network().is_some(), "{:#?}", solo.host.record());
    solo
}

/// A server whose network is up, encrypted.
pub(super) fn up(config: LinkConfig) -> Solo {
    let (mut solo, _) = encrypted(config);
    let sent = solo.give(ppp::IPCP, cp::CONFIGURE_REQUEST, 1, &octets("0306c0000264"));
    solo.answer(&of(&sent, ppp::IPCP)[0]);
    assert!(solo.host.network().is_some(), "{:#?}", solo.host.record());
    solo
}
