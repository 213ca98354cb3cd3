//! Whole conversations: control connection, call and link of a tunnel machine under test, a correct one at the other
//! end, with messages and packets changed, lost and forged between them.

use std::collections::{BTreeSet, VecDeque};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::proof::{Secret, check};
use adit_crypto::secret::Password;
use adit_diag::Code;
use adit_ppp::auth::{Credentials, Rejection};
use adit_ppp::link::{AddressGrant, LinkConfig, Side};
use adit_pptp::control::ControlConfig;
use adit_tunnel::events::{Answer, CallHandle, Command, Event, Input as Arrival, Question, Terms, Why};
use adit_tunnel::path::Origin;
use adit_tunnel::path::PathCommand;
use adit_tunnel::record::{self, Record};
use adit_tunnel::{ClientConfig, ClientTunnel, ServerConfig, ServerTunnel, Transmit};
use adit_wire::LocalCallId;
use adit_wire::chap::MsChapError;

use crate::forge::{self, Overheard};
use crate::input::Input;

/// More messages or events than this for one input would be a flood of our own.
const MUCH: usize = 1024;
/// What a line between the two ends holds.
const LINE: usize = 64;
const PASSWORD: &str = "clientPass";

/// The server is under test.
pub(crate) fn server_conversation(data: &[u8]) {
    conversation(data, 0);
}

/// The client is under test.
pub(crate) fn client_conversation(data: &[u8]) {
    conversation(data, 1);
}

enum Machine {
    Server(Box<ServerTunnel>),
    Client(Box<ClientTunnel>),
}

/// One end, and what has been seen of it.
struct End {
    machine: Machine,
    /// What it sent and has not been brought to the other end.
    sent: VecDeque<(Transmit, Vec<u8>)>,
    overheard: Overheard,
    questions: Vec<(u32, Question)>,
    /// Calls that have a data path now.
    paths: BTreeSet<CallHandle>,
    encrypted: BTreeSet<CallHandle>,
    ended: BTreeSet<CallHandle>,
    /// What a shell would keep of it.
    record: Record,
    notes: u64,
    was_up: bool,
    is_closed: bool,
}

fn conversation(data: &[u8], tested: usize) {
    let mut input = Input::new(data);
    let terms = input.u8();
    let mut now = Instant::now();
    let mut ends = [server(terms, now), client(terms, now)];
    ends.iter_mut().for_each(End::drain);
    for _ in 0..input.u8() & 31 {
        honest_round(&mut ends, now, 1 - tested);
        honest_round(&mut ends, now, tested);
    }
    while !input.is_empty() {
        step(&mut ends, tested, &mut now, &mut input);
        ends.iter_mut().for_each(End::drain);
    }
    let end = &mut ends[tested];
    end.command(now, Command::Stop { why: Why::Shutdown });
    end.drain();
    for _ in 0..64 {
        let Some((at, _)) = end.poll_timeout() else { break };
        now = now.max(at);
        end.handle_timeout(now);
        end.drain();
    }
    assert!(end.is_closed, "not closed after Stop");
    assert!(end.paths.is_empty(), "data paths left behind: {:?}", end.paths);
}

fn server(terms: u8, now: Instant) -> End {
    let mut control = ControlConfig::server();
    control.accept_incoming = terms & 2 != 0;
    let mut link = LinkConfig::new(Side::Server);
    link.ipv6 = terms & 4 != 0;
    link.change_password = terms & 8 != 0;
    let (control, link) = (control.into(), link.into());
    let config = ServerConfig { control, link, setup: Duration::from_secs(30), mtu: 1400 };
    let machine = ServerTunnel::new(config, Ipv4Addr::new(192, 0, 2, 7), now, Rng::from_number(terms.into()));
    End::new(Machine::Server(Box::new(machine)))
}

fn client(terms: u8, now: Instant) -> End {
    let mut link = LinkConfig::new(Side::Client);
    link.ipv6 = terms & 4 != 0;
    if terms & 32 == 0 {
        link.ccp_delay = Duration::ZERO;
    }
    let password = if terms & 16 == 0 { PASSWORD } else { "wrong" };
    link.credentials = Some(Credentials::new("alice", Password::new(password)));
    let config = ClientConfig {
        control: ControlConfig::client().into(),
        link: link.into(),
        setup: Duration::from_secs(30),
        mtu: 1400,
        call_id: LocalCallId::new(7),
    };
    let rng = Rng::from_number(256 + u64::from(terms));
    let machine = ClientTunnel::new(config, Ipv4Addr::new(192, 0, 2, 1), now, rng);
    End::new(Machine::Client(Box::new(machine)))
}

/// Brings everything that `from` sent to the other end, and answers its questions as a good shell would.
fn honest_round(ends: &mut [End; 2], now: Instant, from: usize) {
    for (kind, octets) in std::mem::take(&mut ends[from].sent) {
        ends[1 - from].arrive(now, kind, &octets);
        ends[1 - from].drain();
    }
    for (id, question) in std::mem::take(&mut ends[from].questions) {
        ends[from].answer(now, id, good_answer(&question));
        ends[from].drain();
    }
}

fn good_answer(question: &Question) -> Answer {
    match question {
        Question::Call(_) => Answer::AcceptCall { call_id: LocalCallId::new(9) },
        Question::Authenticate(request) => {
            let secret = Secret::Clear(Password::new(PASSWORD));
            match check(&request.proof, &secret) {
                Ok(proven) => Answer::Accept { proven, terms: Terms::default() },
                Err(_) => refusal(),
            }
        }
        Question::Address { .. } => Answer::Address(AddressGrant {
            local: Ipv4Addr::new(10, 99, 0, 1),
            peer: Ipv4Addr::new(10, 99, 0, 14),
            dns: vec![Ipv4Addr::new(192, 168, 10, 5)],
            wins: Vec::new(),
        }),
    }
}

fn refusal() -> Answer {
    Answer::Reject(Rejection {
        error: MsChapError::AuthenticationFailure,
        code: Code::A01,
        retry: true,
        message: "wrong name or password".to_owned(),
    })
}

fn step(ends: &mut [End; 2], tested: usize, now: &mut Instant, input: &mut Input<'_>) {
    let choice = input.u8();
    let call = CallHandle::from(choice >> 6);
    match choice & 15 {
        0..=2 => honest_round(ends, *now, 1 - tested),
        3 => honest_round(ends, *now, tested),
        4 => {
            // TCP loses nothing; GRE does.
            let sent = &mut ends[usize::from(choice >> 4 & 1)].sent;
            if let Some(at) = sent.iter().position(|(kind, _)| *kind != Transmit::Control) {
                sent.remove(at);
            }
        }
        5 => {
            let sender = usize::from(choice >> 4 & 1);
            if let Some((kind, mut octets)) = ends[sender].sent.pop_front() {
                let at = usize::from(input.u8()) % octets.len();
                octets[at] ^= input.u8();
                ends[1 - sender].arrive(*now, kind, &octets);
            }
        }
        6 => {
            let again = ends[1 - tested].sent.iter().find(|(kind, _)| *kind != Transmit::Control).cloned();
            if let Some((kind, octets)) = again {
                ends[tested].arrive(*now, kind, &octets);
            }
        }
        7 => {
            if let Some(octets) = forge::message(input) {
                ends[tested].input(*now, Arrival::Control(&octets));
            }
        }
        8 => ends[tested].input(*now, Arrival::Control(input.chunk())),
        kind @ (9 | 10) => {
            let frame = ends[tested].overheard.frame(input);
            let call = ends[tested].paths.first().copied().unwrap_or(call);
            let is_inside = kind == 10 && ends[tested].encrypted.contains(&call);
            let origin = if is_inside { Origin::Mppe } else { Origin::Clear };
            ends[tested].input(*now, Arrival::Frame { call, frame: &frame, origin });
            if is_inside && frame.len().is_multiple_of(2) {
                ends[tested].input(*now, Arrival::DataRejected { call });
            }
        }
        11 | 12 => {
            *now += Duration::from_millis(u64::from(input.u16()) * 2);
            for end in ends.iter_mut() {
                end.handle_timeout(*now);
                end.drain();
                let still = end.poll_timeout();
                assert!(still.is_none_or(|(at, _)| at > *now), "a timeout that stays due: {still:?}");
            }
        }
        13 => {
            if let Some((id, question)) = ends[tested].questions.pop() {
                let answer = match choice >> 4 & 3 {
                    0 => refusal(),
                    1 => Answer::NoAddress { code: Code::I01, detail: "pool is empty".to_owned() },
                    2 => Answer::RefuseCall { code: Code::C05, detail: "full".to_owned() },
                    _ => good_answer(&question),
                };
                ends[tested].answer(*now, id, answer);
            }
        }
        14 => {
            let fact = match choice >> 4 & 3 {
                0 => Arrival::ControlClosed,
                1 => Arrival::Acknowledged { call },
                2 => Arrival::Traffic { call, received: input.u32().into(), sent: 0 },
                _ => Arrival::Unreachable { call, from: Ipv4Addr::new(192, 0, 2, 9), code: input.u8() },
            };
            ends[tested].input(*now, fact);
        }
        _ => {
            let why = [Why::AdminReset, Why::IdleTimeout, Why::Shutdown, Why::Replaced];
            let why = why[usize::from(choice >> 4 & 3)];
            let command =
                if choice & 0x40 == 0 { Command::EndCall { call, why } } else { Command::Stop { why } };
            ends[tested].command(*now, command);
        }
    }
}

impl End {
    fn new(machine: Machine) -> End {
        End {
            machine,
            sent: VecDeque::new(),
            overheard: Overheard::default(),
            questions: Vec::new(),
            paths: BTreeSet::new(),
            encrypted: BTreeSet::new(),
            ended: BTreeSet::new(),
            record: Record::default(),
            notes: 0,
            was_up: false,
            is_closed: false,
        }
    }

    /// Something that the other end sent; its calls have other names here.
    fn arrive(&mut self, now: Instant, kind: Transmit, octets: &[u8]) {
        match kind {
            Transmit::Control => self.input(now, Arrival::Control(octets)),
            Transmit::Frame { .. } => {
                if let Some(call) = self.paths.first().copied() {
                    self.input(now, Arrival::Frame { call, frame: octets, origin: Origin::Clear });
                }
            }
        }
    }

    fn input(&mut self, now: Instant, input: Arrival<'_>) {
        match &mut self.machine {
            Machine::Server(tunnel) => tunnel.handle_input(now, input),
            Machine::Client(tunnel) => tunnel.handle_input(now, input),
        }
    }

    fn command(&mut self, now: Instant, command: Command) {
        match &mut self.machine {
            Machine::Server(tunnel) => tunnel.handle_command(now, command),
            Machine::Client(tunnel) => tunnel.handle_command(now, command),
        }
    }

    /// A client has no requests.
    fn answer(&mut self, now: Instant, id: u32, answer: Answer) {
        if let Machine::Server(tunnel) = &mut self.machine {
            tunnel.handle_answer(now, id, answer);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        match &mut self.machine {
            Machine::Server(tunnel) => tunnel.handle_timeout(now),
            Machine::Client(tunnel) => tunnel.handle_timeout(now),
        }
    }

    fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match &self.machine {
            Machine::Server(tunnel) => tunnel.poll_timeout(),
            Machine::Client(tunnel) => tunnel.poll_timeout(),
        }
    }

    fn poll_event(&mut self) -> Option<Event> {
        match &mut self.machine {
            Machine::Server(tunnel) => tunnel.poll_event(),
            Machine::Client(tunnel) => tunnel.poll_event(),
        }
    }

    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        match &mut self.machine {
            Machine::Server(tunnel) => tunnel.poll_transmit(buf),
            Machine::Client(tunnel) => tunnel.poll_transmit(buf),
        }
    }

    /// Takes events, then bytes, until there are none; what is sent may cause more events.
    fn drain(&mut self) {
        let mut octets = Vec::new();
        for count in 0.. {
            assert!(count < MUCH, "events and bytes without end");
            if let Some(event) = self.poll_event() {
                self.note(event);
                continue;
            }
            let Some(kind) = self.poll_transmit(&mut octets) else { break };
            if kind != Transmit::Control {
                self.overheard.note(&octets);
            }
            if self.sent.len() < LINE {
                self.sent.push_back((kind, octets.clone()));
            }
        }
        self.questions.truncate(8);
    }

    fn note(&mut self, event: Event) {
        assert!(!self.is_closed, "{event:?} after the last event");
        match event {
            Event::Ask { id, question, .. } => self.questions.push((id, question)),
            Event::OpenPath { call, .. } => {
                assert!(self.paths.insert(call), "two data paths for call {call}")
            }
            Event::Path { call, command } => self.note_path(call, &command),
            Event::Note { note, .. } => {
                crate::ppp::check_note(&note);
                self.record.push(Duration::ZERO, &note);
                self.notes += 1;
                assert_eq!(self.record.len() as u64 + self.record.omitted(), self.notes);
                assert!(self.record.octets() <= record::MAX);
            }
            Event::Established { host, vendor } => assert!(!(host + &vendor).contains(char::is_control)),
            Event::Up { call, .. } => {
                assert!(self.encrypted.contains(&call), "up without the encryption that is required");
                self.was_up = true;
            }
            Event::CountTraffic { call } => {
                assert!(self.paths.contains(&call), "call {call} has no data path to count");
            }
            Event::CallEnded { call, end } => {
                assert!(self.ended.insert(call), "call {call} ended twice");
                assert!(!end.detail.contains(char::is_control), "{:?}", end.detail);
                self.paths.remove(&call);
            }
            Event::Closed { end } => {
                assert!(!end.detail.contains(char::is_control), "{:?}", end.detail);
                self.is_closed = true;
            }
        }
    }

    fn note_path(&mut self, call: CallHandle, command: &PathCommand) {
        assert!(self.paths.contains(&call), "{command:?} for call {call}, which has no data path");
        match command {
            PathCommand::Encryption(Some(_)) => {
                self.encrypted.insert(call);
            }
            PathCommand::Encryption(None) => {
                self.encrypted.remove(&call);
            }
            PathCommand::Network(Some(_)) => {
                assert!(self.encrypted.contains(&call), "the network is up in clear");
            }
            PathCommand::Network(None)
            | PathCommand::Link { .. }
            | PathCommand::Mtu(_)
            | PathCommand::Reach(_)
            | PathCommand::RequireEncryption(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correct_ends_come_up() {
        for terms in 0..16 {
            let now = Instant::now();
            let mut ends = [server(terms, now), client(terms, now)];
            ends.iter_mut().for_each(End::drain);
            for _ in 0..24 {
                honest_round(&mut ends, now, 1);
                honest_round(&mut ends, now, 0);
            }
            assert!(ends.iter().all(|end| end.was_up && !end.is_closed), "terms {terms:#04x}");
        }
    }

    /// Everything that two correct ends send each other in the quarter of an hour that begins at `now`.
    fn transcript(mut now: Instant) -> Vec<(Duration, Vec<u8>)> {
        let begun = now;
        let mut ends = [server(0, now), client(0, now)];
        ends.iter_mut().for_each(End::drain);
        let mut transcript = Vec::new();
        while now < begun + Duration::from_secs(900) {
            for from in [1, 0, 1, 0] {
                transcript.extend(ends[from].sent.iter().map(|(_, octets)| (now - begun, octets.clone())));
                honest_round(&mut ends, now, from);
            }
            let Some((at, _)) = ends.iter().filter_map(End::poll_timeout).min() else { break };
            now = now.max(at);
            for end in &mut ends {
                end.handle_timeout(now);
                end.drain();
            }
        }
        transcript
    }

    /// Nothing but the distance of monotonic instants counts: keep-alives and deadlines are due at the same times,
    /// whatever the wall clock shows.
    #[test]
    fn c239_only_distances_of_monotonic_instants_count() {
        let now = Instant::now();
        let transcript_now = transcript(now);
        assert!(transcript_now.len() > 60, "{} packets: keep-alives are missing", transcript_now.len());
        for seconds in [1, 86_400, 10 * 365 * 86_400] {
            assert_eq!(transcript(now + Duration::from_secs(seconds)), transcript_now);
        }
    }
}
