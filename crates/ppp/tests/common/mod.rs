//! Two links and the line between them, an account, a pool with one address, a virtual clock.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::time::Instant;

use adit_crypto::Rng;
use adit_crypto::mppe::{KeySchedule, Strength};
use adit_crypto::proof::{ProofError, Secret, check};
use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, Code, Note};
use adit_ppp::auth::{AuthRequest, Credentials, MsChapError, Rejection, Verdict};
use adit_ppp::ccp::{Mode, MppePolicy, Stateful};
use adit_ppp::link::{AddressGrant, Answer, Command, End, Link, LinkConfig, LinkEvent, Question, Side};
use adit_ppp::mppe::Mppe;
use adit_wire::note::Shown;

/// The account that the server knows.
pub(crate) struct Account {
    pub(crate) password: Password,
    pub(crate) expired: bool,
    pub(crate) retry: bool,
    pub(crate) asked: u32,
}

/// One end and what it told.
pub(crate) struct End1 {
    pub(crate) link: Link,
    pub(crate) events: Vec<LinkEvent>,
}

impl End1 {
    fn new(config: LinkConfig, seed: u64) -> End1 {
        End1 { link: Link::new(config, Rng::from_number(seed)), events: Vec::new() }
    }

    /// The last thing that was said about encryption.
    pub(crate) fn encryption(&self) -> Option<&Mppe> {
        self.events.iter().rev().find_map(|event| match event {
            LinkEvent::Encryption(mppe) => Some(mppe.as_ref()),
            _ => None,
        })?
    }

    pub(crate) fn count(&self, wanted: impl Fn(&LinkEvent) -> bool) -> usize {
        self.events.iter().filter(|event| wanted(event)).count()
    }

    pub(crate) fn is_up(&self) -> bool {
        let of_network = |event: &&LinkEvent| {
            matches!(event, LinkEvent::NetworkUp(_) | LinkEvent::NetworkDown | LinkEvent::Ended(_))
        };
        matches!(self.events.iter().rev().find(of_network), Some(LinkEvent::NetworkUp(_)))
    }

    pub(crate) fn end(&self) -> Option<&End> {
        match self.events.last() {
            Some(LinkEvent::Ended(end)) => Some(end),
            _ => None,
        }
    }

    /// Code and detail of the end.
    pub(crate) fn why(&self) -> (Option<Code>, &str) {
        let end = self.end().expect("an end");
        (end.code, &end.detail)
    }

    pub(crate) fn authenticated(&self) -> Option<(AuthMethod, bool)> {
        self.events.iter().find_map(|event| match event {
            LinkEvent::Authenticated { method, server_proved, .. } => Some((*method, *server_proved)),
            _ => None,
        })
    }

    /// Every packet as the record shows it.
    pub(crate) fn record(&self) -> Vec<String> {
        let step = |event: &LinkEvent| match event {
            LinkEvent::Packet(packet) => {
                let arrow = if packet.sent { ">" } else { "<" };
                let words = Shown(&Note::Packet(packet.clone())).to_string();
                Some(format!("{arrow} {} {words}", packet.message.protocol))
            }
            _ => None,
        };
        self.events.iter().filter_map(step).collect()
    }
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) server: End1,
    pub(crate) client: End1,
    pub(crate) account: Account,
    /// Answer questions; if not, they stay open.
    pub(crate) answers: bool,
}

pub(crate) fn server_config(methods: &[AuthMethod], mode: Mode, bits: &[u8]) -> LinkConfig {
    LinkConfig {
        methods: methods.to_vec(),
        mppe: policy(mode, bits),
        local_name: "vpn".into(),
        ..LinkConfig::new(Side::Server)
    }
}

pub(crate) fn client_config(methods: &[AuthMethod], mode: Mode, bits: &[u8]) -> LinkConfig {
    LinkConfig {
        methods: methods.to_vec(),
        credentials: Some(Credentials::new("alice", Password::new("clientPass"))),
        mppe: policy(mode, bits),
        ..LinkConfig::new(Side::Client)
    }
}

pub(crate) fn policy(mode: Mode, bits: &[u8]) -> MppePolicy {
    let strengths = Strength::ALL.into_iter().filter(|strength| bits.contains(&strength.bits())).collect();
    MppePolicy { mode, strengths, stateful: Stateful::Refuse }
}

impl World {
    pub(crate) fn new(server: LinkConfig, client: LinkConfig) -> World {
        let password = Password::new("clientPass");
        World {
            now: Instant::now(),
            server: End1::new(server, 1),
            client: End1::new(client, 2),
            account: Account { password, expired: false, retry: false, asked: 0 },
            answers: true,
        }
    }

    /// Opens both ends and lets them talk for a minute.
    pub(crate) fn run(mut self) -> World {
        self.open();
        self.wait(Duration::from_secs(60), || false);
        self
    }

    pub(crate) fn open(&mut self) {
        self.server.link.open(self.now);
        self.client.link.open(self.now);
        self.talk(&mut || false);
    }

    pub(crate) fn command(&mut self, role: Side, command: Command) {
        let now = self.now;
        match role {
            Side::Server => self.server.link.handle_command(now, command),
            Side::Client => self.client.link.handle_command(now, command),
        }
        self.talk(&mut || false);
    }

    /// Lets the clock run for so long.
    pub(crate) fn wait(&mut self, long: Duration, mut lost: impl FnMut() -> bool) {
        let end = self.now + long;
        for round in 0.. {
            assert!(round < 10_000, "time stands still");
            self.talk(&mut lost);
            let due = [self.server.link.poll_timeout(), self.client.link.poll_timeout()];
            match due.into_iter().flatten().map(|(due, _)| due).min() {
                Some(due) if due <= end => self.now = self.now.max(due),
                _ => break,
            }
            self.server.link.handle_timeout(self.now);
            self.client.link.handle_timeout(self.now);
        }
        self.now = end;
    }

    fn talk(&mut self, lost: &mut impl FnMut() -> bool) {
        for round in 0.. {
            assert!(round < 1_000, "they talk for ever: {:#?}", self.client.record());
            self.collect();
            let (mut moved, mut frame) = (false, Vec::new());
            while self.server.link.poll_transmit(&mut frame) {
                moved = true;
                if !lost() {
                    self.client.link.handle_input(self.now, &frame);
                }
                frame.clear();
            }
            while self.client.link.poll_transmit(&mut frame) {
                moved = true;
                if !lost() {
                    self.server.link.handle_input(self.now, &frame);
                }
                frame.clear();
            }
            self.collect();
            if !moved {
                return;
            }
        }
    }

    fn collect(&mut self) {
        while let Some(event) = self.client.link.poll_event() {
            assert!(self.client.end().is_none(), "after the end: {event:?}");
            self.client.events.push(event);
        }
        while let Some(event) = self.server.link.poll_event() {
            assert!(self.server.end().is_none(), "after the end: {event:?}");
            if let (LinkEvent::Ask(id, question), true) = (&event, self.answers) {
                let answer = match question {
                    Question::Authenticate(request) => Answer::Verdict(self.account.verdict(request)),
                    Question::Address { .. } => Answer::Address(Some(grant())),
                };
                self.server.link.handle_answer(self.now, *id, answer);
            }
            self.server.events.push(event);
        }
    }

    /// Whether both ends encrypt so that the other can read it.
    pub(crate) fn keys_meet(&self) -> bool {
        let (Some(server), Some(client)) = (self.server.encryption(), self.client.encryption()) else {
            return false;
        };
        let key = |start, strength| KeySchedule::new(start, strength).session_key().to_vec();
        (server.strength, server.stateless) == (client.strength, client.stateless)
            && key(&server.keys.send, server.strength) == key(&client.keys.receive, client.strength)
            && key(&server.keys.receive, server.strength) == key(&client.keys.send, client.strength)
    }
}

impl Account {
    fn verdict(&mut self, request: &AuthRequest) -> Verdict {
        self.asked += 1;
        let reject = |error, code, retry, message: &str| {
            let message = message.to_owned();
            Verdict::Reject(Rejection { error, code, retry, message })
        };
        match check(&request.proof, &Secret::Clear(self.password.clone())) {
            Ok(proven) => {
                if let Some(new) = &proven.new_password {
                    self.password = new.clone();
                    self.expired = false;
                }
                if self.expired {
                    return reject(MsChapError::PasswordExpired, Code::A03, false, "Password expired");
                }
                Verdict::Accept(proven)
            }
            Err(ProofError::BadChange(_)) => {
                reject(MsChapError::ChangingPassword, Code::A03, false, "Password not changed")
            }
            Err(_) => reject(MsChapError::AuthenticationFailure, Code::A01, self.retry, "Access denied"),
        }
    }
}

pub(crate) fn grant() -> AddressGrant {
    AddressGrant {
        peer: Ipv4Addr::new(10, 99, 0, 9),
        local: Ipv4Addr::new(10, 99, 0, 1),
        dns: vec![Ipv4Addr::new(10, 99, 0, 53)],
        wins: Vec::new(),
    }
}
