//! A shell with one machine, its TCP connection and its data paths: the common part of server and client
//! hosts.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_crypto::mppe::Strength;
use adit_diag::note::Finding;
use adit_diag::{Code, Note};
use adit_tunnel::Transmit;
use adit_tunnel::events::{CallHandle, Command, End, Event, Input, Question, Unmatched, Up, Why};
use adit_tunnel::path::{Collected, HEADROOM, Origin, Path, PathCommand, PathConfig, PathEvent};
use adit_wire::note::Shown;
use adit_wire::{LocalCallId, PeerCallId, gre};

use crate::inner::{self, Arrived};
use crate::machine::Machine;
use crate::packet::{Body, Packet, Unreachable, gre_call_id};
use crate::tcp::{Received, Tcp};
use crate::world::Output;

/// The most events and transmissions that one input may cause; more is a loop.
const TURN_MAX: usize = 1000;
/// The interval at which packet counters are read, as in the real programs.
const COUNT_EVERY: Duration = Duration::from_secs(5);

/// A machine with its environment.
pub struct Shell<M> {
    who: &'static str,
    address: Ipv4Addr,
    peer: Ipv4Addr,
    machine: M,
    tcp: Tcp,
    calls: BTreeMap<CallHandle, Call>,
    encryption_required: bool,
    mtu: u16,
    next_count: Option<Instant>,
    /// The unanswered questions.
    pub questions: Vec<(u32, CallHandle, Question)>,
    /// The notes with their times.
    pub notes: Vec<(Instant, Note)>,
    /// How the control connection ended.
    pub closed: Option<End>,
    /// A fault of encryption that the path reported.
    pub broken: Option<Code>,
}

/// A call of a [`Shell`].
#[derive(Debug)]
pub struct Call {
    /// The data path; `None` after the call has ended.
    path: Option<Path>,
    local_call_id: LocalCallId,
    acknowledged: bool,
    /// The agreed parameters, once it came up.
    pub up: Option<Up>,
    /// When it came up.
    pub up_at: Option<Instant>,
    /// Faults that did not end it.
    pub found: Vec<Finding>,
    /// How it ended.
    pub end: Option<End>,
    /// Numbers of the inner datagrams that arrived.
    pub received: Vec<u32>,
    receiver: inner::Receiver,
    /// Whether IP packets pass now.
    network: bool,
    /// The current encryption.
    pub encryption: Option<(Strength, bool)>,
    /// The first packet that a host would drop.
    pub damaged: Option<String>,
    /// A violation of the protocol.
    pub violation: Option<String>,
    /// The counters of the path, kept after its end.
    pub counters: adit_diag::Counters,
    traffic: Option<Traffic>,
    /// Inner datagrams sent.
    pub sent: u32,
    /// The number of the last GRE packet sent.
    pub number: u32,
}

/// Datagrams to be sent at intervals.
#[derive(Clone, Copy, Debug)]
struct Traffic {
    next: Instant,
    every: Duration,
    left: u32,
    len: usize,
}

impl<M: Machine> Shell<M> {
    /// Creates a shell for a machine whose TCP connection is open.
    pub fn new(
        who: &'static str,
        address: Ipv4Addr,
        machine: M,
        tcp: Tcp,
        encryption_required: bool,
        mtu: u16,
    ) -> Shell<M> {
        Shell {
            who,
            address,
            peer: tcp.remote().0,
            machine,
            tcp,
            calls: BTreeMap::new(),
            encryption_required,
            mtu,
            next_count: None,
            questions: Vec::new(),
            notes: Vec::new(),
            closed: None,
            broken: None,
        }
    }

    /// The machine.
    pub fn machine(&mut self) -> &mut M {
        &mut self.machine
    }

    /// The address of the other end of the control connection.
    pub fn peer(&self) -> Ipv4Addr {
        self.peer
    }

    /// All calls, including those that have ended.
    pub fn calls(&self) -> &BTreeMap<CallHandle, Call> {
        &self.calls
    }

    /// Whether a GRE packet with this Call ID belongs to a call of this shell.
    pub fn owns(&self, call_id: LocalCallId) -> bool {
        self.calls.values().any(|call| call.path.is_some() && call.local_call_id == call_id)
    }

    /// Whether this Call ID is or was used by this shell.
    pub fn used(&self, call_id: LocalCallId) -> bool {
        self.calls.values().any(|call| call.local_call_id == call_id)
    }

    /// The Call IDs in use.
    pub fn call_ids(&self) -> impl Iterator<Item = LocalCallId> {
        self.calls.values().filter(|call| call.path.is_some()).map(|call| call.local_call_id)
    }

    /// Carries out the output of the machine until there is none.
    pub fn turn(&mut self, now: Instant, out: &mut Output) {
        let mut buf = Vec::new();
        for _ in 0..TURN_MAX {
            if let Some(event) = self.machine.poll_event() {
                self.event(now, event, out);
                continue;
            }
            match self.machine.poll_transmit(&mut buf) {
                Some(Transmit::Control) => out.packets.extend(self.tcp.send(buf.clone())),
                Some(Transmit::Frame { call }) => {
                    let mut sink = Collected::default();
                    if let Some(path) = self.calls.get_mut(&call).and_then(|call| call.path.as_mut()) {
                        path.send_frame(now, &buf, &mut sink);
                    }
                    self.collected(now, call, sink, out);
                }
                None => {
                    if self.closed.is_some() {
                        out.packets.extend(self.tcp.finish());
                    }
                    return;
                }
            }
        }
        out.notes.push((self.who, "STUCK: the machine does not stop talking".to_owned()));
        self.record_violation("the machine does not stop talking");
    }

    fn record_violation(&mut self, what: &str) {
        let call = self.calls.entry(CallHandle::MAX).or_insert_with(|| Call::new(None, LocalCallId::new(0)));
        call.violation.get_or_insert(what.to_owned());
    }

    fn event(&mut self, now: Instant, event: Event, out: &mut Output) {
        match event {
            Event::Ask { id, call, question } => self.questions.push((id, call, question)),
            Event::OpenPath { call, local_call_id, peer_call_id, .. } => {
                let config = PathConfig {
                    encryption_required: self.encryption_required,
                    mtu: self.mtu,
                    ..PathConfig::new(local_call_id, peer_call_id)
                };
                self.calls.insert(call, Call::new(Some(Path::new(config, now)), local_call_id));
                self.next_count.get_or_insert(now + COUNT_EVERY);
                out.notes.push((self.who, format!("call {local_call_id} here, {peer_call_id} there")));
            }
            Event::Path { call, command } => {
                if let Some(call) = self.calls.get_mut(&call) {
                    match &command {
                        PathCommand::Encryption(agreed) => {
                            call.encryption = agreed.as_ref().map(|mppe| (mppe.strength, mppe.stateless));
                        }
                        PathCommand::Network(network) => call.network = network.is_some(),
                        _ => {}
                    }
                    if let Some(path) = &mut call.path {
                        path.command(now, command);
                    }
                }
            }
            Event::Note { call, note } => self.note(now, call, note, out),
            Event::Established { .. } => out.notes.push((self.who, "established".to_owned())),
            Event::Up { call, up } => {
                out.notes.push((self.who, format!("up: {} and {}, mtu {}", up.local, up.peer, up.mtu)));
                if let Some(call) = self.calls.get_mut(&call) {
                    call.up = Some(up);
                    call.up_at = Some(now);
                }
            }
            Event::CountTraffic { call } => self.count_one(now, call),
            Event::CallEnded { call, end } => {
                out.notes.push((self.who, ended("call ended", &end)));
                let call = self.calls.entry(call).or_insert_with(|| Call::new(None, LocalCallId::new(0)));
                call.close();
                if call.end.replace(end).is_some() {
                    call.violation.get_or_insert("the call ended twice".to_owned());
                }
            }
            Event::Closed { end } => {
                out.notes.push((self.who, ended("closed", &end)));
                if self.closed.replace(end).is_some() {
                    self.record_violation("the connection closed twice");
                }
                if self.calls.values().any(|call| call.path.is_some()) {
                    self.record_violation("the connection closed before its call ended");
                }
            }
        }
    }

    fn note(&mut self, now: Instant, call: Option<CallHandle>, note: Note, out: &mut Output) {
        let words = Shown(&note).to_string();
        let text = match &note {
            Note::Packet(_) => format!("{} {} {words}", note.who().word(), note.protocol()),
            _ => words,
        };
        out.notes.push((self.who, text));
        let call = call.and_then(|call| self.calls.get_mut(&call));
        if let (Note::Finding(finding), Some(call)) = (&note, call) {
            call.found.push(finding.clone());
        }
        self.notes.push((now, note));
    }

    /// Passes on the output of a path.
    fn collected(&mut self, now: Instant, handle: CallHandle, sink: Collected, out: &mut Output) {
        for octets in sink.gre {
            if let (Some(call), Ok(gre::Repr { seq: Some(seq), .. })) =
                (self.calls.get_mut(&handle), gre::Repr::parse(&octets))
            {
                call.number = seq;
            }
            out.packets.push(Packet { src: self.address, dst: self.peer, body: Body::Gre(octets) });
        }
        for packet in sink.ip {
            if let Some(call) = self.calls.get_mut(&handle) {
                match call.receiver.receive(&packet) {
                    Arrived::Datagram(number) => call.received.push(number),
                    Arrived::Piece => {}
                    Arrived::Damaged(what) => {
                        call.damaged.get_or_insert(what);
                    }
                }
            }
        }
        for (frame, origin) in sink.frames {
            self.machine.handle_input(now, Input::Frame { call: handle, frame: &frame, origin });
        }
        for _ in sink.events.iter().filter(|event| **event == PathEvent::DataRejected) {
            self.machine.handle_input(now, Input::DataRejected { call: handle });
        }
        if sink.events.contains(&PathEvent::EncryptionBroken) {
            self.broken = Some(Code::E05);
            out.notes.push((self.who, "encryption is broken".to_owned()));
            self.machine.handle_command(now, Command::Stop { why: Why::Failed });
        }
    }

    /// Handles a segment of the TCP connection.
    pub fn handle_tcp(&mut self, now: Instant, kind: crate::packet::Kind, out: &mut Output) {
        match self.tcp.receive(kind) {
            Received::Octets(octets) => self.machine.handle_input(now, Input::Control(&octets)),
            Received::Closed => self.machine.handle_input(now, Input::ControlClosed),
            Received::Nothing => {}
        }
        self.turn(now, out);
    }

    /// Handles a GRE packet of one of the calls.
    pub fn handle_gre(&mut self, now: Instant, mut octets: Vec<u8>, out: &mut Output) {
        let key = gre_call_id(&octets);
        let owner = self
            .calls
            .iter_mut()
            .find(|(_, call)| call.path.is_some() && call.local_call_id == LocalCallId::new(key));
        let Some((&handle, call)) = owner else { return };
        let Some(path) = &mut call.path else { return };
        let header = gre::Repr::parse(&octets);
        // Some stacks acknowledge 0xffffffff before they have received anything.
        let acknowledges = header.is_ok_and(|header| header.ack.is_some_and(|ack| ack != u32::MAX));
        let first = acknowledges && !core::mem::replace(&mut call.acknowledged, acknowledges);
        let mut sink = Collected::default();
        path.handle_gre(now, &mut octets, &mut sink);
        if first {
            self.machine.handle_input(now, Input::Acknowledged { call: handle });
        }
        self.collected(now, handle, sink, out);
        self.turn(now, out);
    }

    /// Handles a control frame in clear that an attacker has sent for the call that is up.
    pub fn handle_forged(&mut self, now: Instant, frame: &[u8], out: &mut Output) {
        if let Some((call, _)) = self.call_up() {
            out.notes.push((self.who, "receives a forged frame".to_owned()));
            self.machine.handle_input(now, Input::Frame { call, frame, origin: Origin::Clear });
            self.turn(now, out);
        }
    }

    /// Handles a GRE packet without a call, which may have been meant for one of these.
    pub fn handle_unmatched(&mut self, now: Instant, unmatched: Unmatched, out: &mut Output) {
        let calls: Vec<CallHandle> =
            self.calls.iter().filter(|(_, call)| call.path.is_some()).map(|(call, _)| *call).collect();
        for call in calls {
            self.machine.handle_input(now, Input::Unmatched { call, unmatched });
        }
        self.turn(now, out);
    }

    /// Handles an ICMP error for a GRE packet of ours.
    pub fn handle_unreachable(&mut self, now: Instant, from: Ipv4Addr, icmp: &Unreachable, out: &mut Output) {
        let key = gre_call_id(&icmp.quoted);
        let about = self.calls.iter().find(|(_, call)| {
            call.path.as_ref().is_some_and(|path| path.peer_call_id() == PeerCallId::new(key))
                && icmp.quoted_dst == self.peer
        });
        if let Some((&call, _)) = about {
            self.machine.handle_input(now, Input::Unreachable { call, from, code: icmp.code });
            self.turn(now, out);
        }
    }

    /// The code of the first failure: the end of the call, or, if there was none, of the connection.
    pub fn code(&self) -> Option<Code> {
        let ended = self.calls.values().find_map(|call| call.end.as_ref()).or(self.closed.as_ref());
        self.broken.or(ended.and_then(|end| end.code))
    }

    /// Passes a command to the machine.
    pub fn command(&mut self, now: Instant, command: Command, out: &mut Output) {
        out.notes.push((self.who, format!("{command:?}")));
        self.machine.handle_command(now, command);
        self.turn(now, out);
    }

    /// The address of the client in the tunnel and the current encryption of the call that is up.
    pub fn encryption(
        &self,
        address: impl Fn(&Up) -> Ipv4Addr,
    ) -> Option<(Ipv4Addr, Option<(Strength, bool)>)> {
        let (handle, up) = self.call_up()?;
        Some((address(up), self.calls.get(&handle)?.encryption))
    }

    /// The Call ID of the call that is up, and the number of the last GRE packet sent in it.
    pub fn place(&self) -> Option<(LocalCallId, u32)> {
        let (handle, _) = self.call_up()?;
        self.calls.get(&handle).map(|call| (call.local_call_id, call.number))
    }

    /// The first call that is up.
    pub fn call_up(&self) -> Option<(CallHandle, &Up)> {
        self.calls.iter().find_map(|(handle, call)| match (&call.up, &call.path) {
            (Some(up), Some(_)) if call.network => Some((*handle, up)),
            _ => None,
        })
    }

    /// Sends `count` inner datagrams at the interval `every` on the call that is up.
    pub fn send_traffic(&mut self, now: Instant, count: u32, every: Duration, len: usize) {
        if let Some((handle, _)) = self.call_up()
            && let Some(call) = self.calls.get_mut(&handle)
        {
            call.traffic = Some(Traffic { next: now, every, left: count, len });
        }
    }

    /// Whether datagrams are still to be sent.
    pub fn is_sending(&self) -> bool {
        self.calls.values().any(|call| call.path.is_some() && call.traffic.is_some())
    }

    /// Handles expired timers.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Output) {
        self.machine.handle_timeout(now);
        let handles: Vec<CallHandle> = self.calls.keys().copied().collect();
        for handle in handles {
            let Some(call) = self.calls.get_mut(&handle) else { continue };
            let mut sink = Collected::default();
            call.handle_timeout(now, &mut sink);
            self.collected(now, handle, sink, out);
        }
        if self.next_count.is_some_and(|at| now >= at) {
            self.count(now);
        }
        self.turn(now, out);
    }

    fn count(&mut self, now: Instant) {
        self.next_count = None;
        for handle in self.calls.keys().copied().collect::<Vec<_>>() {
            self.count_one(now, handle);
        }
    }

    fn count_one(&mut self, now: Instant, handle: CallHandle) {
        let Some(path) = self.calls.get(&handle).and_then(|call| call.path.as_ref()) else { return };
        let counters = path.counters();
        let (received, sent) = (counters.rx_packets, counters.tx_packets);
        self.machine.handle_input(now, Input::Traffic { call: handle, received, sent });
        self.next_count.get_or_insert(now + COUNT_EVERY);
    }

    /// When [`Shell::handle_timeout`] must be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let machine = self.machine.poll_timeout().map(|(at, _)| at);
        let calls = self.calls.values().filter_map(Call::poll_timeout);
        calls.chain(machine).chain(self.next_count).min()
    }
}

impl Call {
    fn new(path: Option<Path>, local_call_id: LocalCallId) -> Call {
        Call {
            path,
            local_call_id,
            acknowledged: false,
            up: None,
            up_at: None,
            found: Vec::new(),
            end: None,
            received: Vec::new(),
            receiver: inner::Receiver::default(),
            network: false,
            encryption: None,
            damaged: None,
            violation: None,
            counters: adit_diag::Counters::default(),
            traffic: None,
            sent: 0,
            number: 0,
        }
    }

    fn close(&mut self) {
        if let Some(path) = self.path.take() {
            self.counters = path.counters();
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let path = self.path.as_ref()?;
        let traffic = self.traffic.map(|traffic| traffic.next);
        path.poll_timeout().map(|(at, _)| at).into_iter().chain(traffic).min()
    }

    fn handle_timeout(&mut self, now: Instant, sink: &mut Collected) {
        let Some(path) = &mut self.path else { return };
        if path.poll_timeout().is_some_and(|(at, _)| now >= at) {
            path.handle_timeout(now, sink);
        }
        let (Some(traffic), Some(up)) = (&mut self.traffic, &self.up) else { return };
        if now < traffic.next {
            return;
        }
        let packet = inner::datagram(up.local, up.peer, self.sent, traffic.len);
        let mut buffer = vec![0; HEADROOM];
        buffer.extend_from_slice(&packet);
        path.handle_ip(now, &mut buffer, sink);
        self.sent += 1;
        traffic.left = traffic.left.saturating_sub(1);
        traffic.next = now + traffic.every;
        if traffic.left == 0 {
            self.traffic = None;
        }
    }
}

fn ended(what: &str, end: &End) -> String {
    let code = end.code.map_or_else(|| "-".to_owned(), |code| code.to_string());
    format!("{what}: {} {code} by {:?}: {}", end.why.word(), end.by, end.detail)
}
