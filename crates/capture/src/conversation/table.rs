//! The table of all conversations of a file, which assigns packets to them.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use adit_wire::pptp::{Frame, MAGIC_COOKIE, Message, PORT};
use adit_wire::{gre, ppp, tcp};

use super::end::End;
use super::names::Lookups;
use super::open::Secret;
use super::step::{By, Event, FRAME_KEPT, Step, Steps};
use super::{BrokenFragments, Call, Conversation, OUTSIDE_MAX, Outside, SIBLINGS_MAX, Sibling, UNKNOWN_MAX};
use crate::beginning::{Icmp, Upper};
use crate::gre::Gre;
use crate::note::{Note, What};
use crate::octets::Octets as _;
use crate::packet::{Content, Network, Packet};
use crate::tcp::{Arrival, Segment};

/// The most conversations that are tracked; beyond it, the one that has been idle longest is returned, those
/// without a message first.
pub const CONVERSATIONS_MAX: usize = 128;

/// Takes packets and returns conversations: each when it is complete, when the limit is reached, or at the
/// end of the file.
#[derive(Debug, Default)]
pub struct Conversations {
    live: Vec<Conversation>,
    done: VecDeque<Conversation>,
    lookups: Lookups,
    secret: Option<Secret>,
    /// The latest time of any packet.
    now: Duration,
}

impl Conversations {
    /// Creates a table with a password with which to decrypt MPPE.
    pub fn with_secret(secret: Secret) -> Conversations {
        Conversations { secret: Some(secret), ..Conversations::default() }
    }

    /// The latest DNS queries outside any tunnel.
    pub fn lookups(&self) -> &Lookups {
        &self.lookups
    }

    /// Handles the next packet of the file. Then call [`Conversations::poll`] until it returns `None`.
    pub fn take(&mut self, packet: &Packet) {
        self.now = self.now.max(packet.time);
        let Some(network) = packet.network.as_ref().filter(|_| packet.duplicate_of.is_none()) else { return };
        match &packet.content {
            Content::Tcp(segment) => self.tcp(packet, network, segment),
            Content::Gre(gre) => self.gre(packet, network, gre),
            Content::Icmp(icmp) => self.icmp(packet, network, icmp),
            Content::Dns(dns) => {
                self.lookups.take(packet, network, dns);
                self.outside(packet, network, dns.is_response);
            }
            _ => {}
        }
    }

    /// Handles a note about the file, in order with the packets: missing data becomes a step of its
    /// conversation.
    pub fn take_note(&mut self, note: &Note) {
        let of_stream = |number: u32| {
            self.live
                .iter()
                .rposition(|conversation| conversation.stream == Some(number))
                .map(|at| (at, None))
        };
        let (place, source) = match &note.what {
            What::Gap { stream, source, .. } | What::StreamLost { stream, source, .. } => {
                (of_stream(*stream), *source)
            }
            What::Fragments { source, destination, protocol: gre::IP_PROTOCOL, beginning, .. } => {
                let id = match beginning.map(|beginning| beginning.upper) {
                    Some(Upper::Gre { call_id, .. }) => Some(call_id),
                    _ => None,
                };
                (self.place(*source, *destination, id), *source)
            }
            _ => return,
        };
        let Some((at, call)) = place else { return };
        if let Some(conversation) = self.live.get_mut(at) {
            let time = conversation.steps.iter().last().map_or(Duration::ZERO, |step| step.time);
            let (by, what) = (conversation.by(source), Event::Lacking(note.what.clone()));
            conversation.last_frame = conversation.last_frame.max(note.frame);
            if let What::Fragments { frames, missing, .. } = &note.what {
                let broken = conversation.broken_fragments.get_or_insert_with(|| BrokenFragments {
                    packets: 0,
                    frames: frames.clone(),
                    missing: *missing,
                    by,
                });
                broken.packets += 1;
            }
            conversation.steps.push(Step { frame: note.frame, time, by, call, what });
        }
    }

    /// Reports the end of the file: all conversations are returned.
    pub fn finish(&mut self) {
        let now = self.now;
        self.done.extend(self.live.drain(..).map(|conversation| Conversation { until: now, ..conversation }));
    }

    /// The conversations that are being tracked, in the order in which they began.
    pub fn live(&self) -> &[Conversation] {
        &self.live
    }

    /// The number of tracked conversations.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Whether no conversation is tracked.
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// The next conversation that has ended.
    pub fn poll(&mut self) -> Option<Conversation> {
        self.done.pop_front()
    }

    fn tcp(&mut self, packet: &Packet, network: &Network, segment: &Segment) {
        let known = self.live.iter().rposition(|conversation| conversation.stream == Some(segment.stream));
        let Some(at) = known.or_else(|| self.new_stream(packet, network, segment)) else { return };
        let Some(conversation) = self.live.get_mut(at) else { return };
        conversation.touch(packet);
        for (from, messages) in [(network.destination, &segment.late), (network.source, &segment.messages)] {
            for frame in messages {
                conversation.message(packet, from, frame);
            }
        }
        let by = conversation.by(network.source);
        if let Some((own, other)) = conversation.ends(by) {
            own.take(packet, network, segment);
            if let Some(ack) = segment.ack {
                other.acknowledged(ack);
            }
        }
        if segment.is_fin() || segment.is_reset() {
            conversation.closed.get_or_insert((packet.number, packet.time, by));
        }
        let from_the_beginning = conversation.from_the_beginning;
        for what in facts(segment, network.ttl, from_the_beginning) {
            conversation.push(packet, by, None, what);
        }
        if segment.messages.iter().any(is_call) {
            self.compare(at, packet.number);
        }
    }

    /// Detects a Call ID that is used twice between the same addresses.
    fn compare(&mut self, at: usize, frame: u64) {
        let Some(ours) = self.live.get(at) else { return };
        let (began, ends) = (ours.steps.iter().next().map(|step| step.frame), (ours.client, ours.server));
        let ids: Vec<u16> =
            ours.calls.iter().filter(|call| !call.has_ended).filter_map(|call| call.client_id).collect();
        let mut found = Vec::new();
        for other in self.live.iter_mut().filter(|other| (other.client, other.server) == ends) {
            let first = other.steps.iter().next().map(|step| step.frame);
            let mut theirs =
                other.calls.iter().filter(|call| !call.has_ended).filter_map(|call| call.client_id);
            if first == began || other.closed.is_some() {
                continue;
            }
            if let Some(id) = theirs.find(|id| ids.contains(id)) {
                found.push((first, id));
                let siblings = other.siblings.iter_mut();
                for sibling in siblings.filter(|sibling| Some(sibling.frame) == began) {
                    sibling.same_id.get_or_insert((id, frame));
                }
            }
        }
        let Some(ours) = self.live.get_mut(at) else { return };
        for sibling in &mut ours.siblings {
            if let Some((_, id)) = found.iter().find(|(first, _)| *first == Some(sibling.frame)) {
                sibling.same_id.get_or_insert((*id, frame));
            }
        }
    }

    /// Records a DNS query of a client outside its tunnel.
    fn outside(&mut self, packet: &Packet, network: &Network, is_response: bool) {
        let place = (packet.number, packet.time);
        let asks = |conversation: &&mut Conversation| {
            conversation.client == network.source && conversation.calls.iter().any(|call| call.is_up)
        };
        for conversation in self.live.iter_mut().filter(asks).filter(|_| !is_response) {
            let known = conversation.outside.iter_mut().find(|outside| outside.server == network.destination);
            if let Some(outside) = known {
                outside.times += 1;
                outside.last = place;
            } else if conversation.outside.len() < OUTSIDE_MAX {
                let server = network.destination;
                let outside = Outside { server, times: 1, first: place, last: place, unreachable: None };
                conversation.outside.push(outside);
            }
        }
    }

    /// Handles the beginning of a control connection: a connection to the port, or one that carries the
    /// protocol.
    fn new_stream(&mut self, packet: &Packet, network: &Network, segment: &Segment) -> Option<usize> {
        let is_call = segment.flags & tcp::SYN != 0
            && (segment.source_port == PORT || segment.destination_port == PORT);
        if !is_call && !segment.is_control {
            return None;
        }
        let from_server = if segment.flags & tcp::SYN != 0 {
            segment.is_syn_ack()
        } else {
            segment.source_port == PORT || segment.messages.iter().any(is_of_server)
        };
        let (client, server, ports) = if from_server {
            (network.destination, network.source, (segment.source_port, segment.destination_port))
        } else {
            (network.source, network.destination, (segment.destination_port, segment.source_port))
        };
        let has_roles = segment.flags & tcp::SYN != 0 || ports.0 == PORT;
        let answers = |addresses: &[IpAddr]| addresses.contains(&server);
        let is_its_name =
            |lookup: &&super::Lookup| lookup.answer.as_ref().is_some_and(|answer| answers(&answer.addresses));
        let mut conversation = Conversation {
            ports: Some(ports),
            stream: Some(segment.stream),
            from_the_beginning: segment.is_syn(),
            has_roles,
            names: self.lookups.iter().filter(is_its_name).cloned().collect(),
            ..Conversation::between(client, server)
        };
        let is_sibling = |other: &&mut Conversation| {
            (other.client, other.server) == (client, server)
                && other.stream.is_some()
                && other.closed.is_none()
        };
        for other in self.live.iter_mut().filter(is_sibling) {
            let Some((frame, time)) = other.steps.iter().next().map(|step| (step.frame, step.time)) else {
                continue;
            };
            let port = other.ports.map(|(_, port)| port);
            let earlier = Sibling { frame, time, port, is_later: false, same_id: None };
            let (frame, time) = (packet.number, packet.time);
            let later = Sibling { frame, time, port: Some(ports.1), is_later: true, same_id: None };
            for (siblings, sibling) in [(&mut conversation.siblings, earlier), (&mut other.siblings, later)] {
                if siblings.len() < SIBLINGS_MAX {
                    siblings.push(sibling);
                }
            }
        }
        Some(self.add(conversation))
    }

    fn gre(&mut self, packet: &Packet, network: &Network, gre: &Gre) {
        let (source, destination) = (network.source, network.destination);
        let (at, call) = match self.place(source, destination, gre.call_id) {
            Some((at, Some(call))) => (at, call),
            Some((at, None)) => {
                let Some(conversation) = self.live.get_mut(at) else { return };
                conversation.touch(packet);
                conversation.unknown_call(packet, source, gre.call_id);
                return;
            }
            None => {
                // Without a control connection in the file, the side that sends first counts as the client.
                let mut conversation = Conversation::between(source, destination);
                let call = Call { is_up: true, server_id: gre.call_id, ..Call::default() };
                conversation.new_call(call);
                (self.add(conversation), 0)
            }
        };
        if let Some(conversation) = self.live.get_mut(at) {
            conversation.touch(packet);
            conversation.carry(packet, network, call, gre, self.secret.as_ref());
        }
    }

    /// Finds the conversation and the call of a GRE packet: by addresses and Call ID; otherwise by addresses,
    /// if there is only one call; otherwise by Call ID and the receiver's address, which must be right.
    fn place(&self, source: IpAddr, destination: IpAddr, id: Option<u16>) -> Option<(usize, Option<usize>)> {
        let is_between = |conversation: &&Conversation| {
            (conversation.client, conversation.server) == (source, destination)
                || (conversation.server, conversation.client) == (source, destination)
        };
        let exact = |conversation: &Conversation, live_only: bool| {
            conversation.find(|call| {
                let agreed = if destination == conversation.client { call.client_id } else { call.server_id };
                id.is_some() && agreed == id && !(live_only && call.has_ended)
            })
        };
        let newest = || self.live.iter().enumerate().rev();
        for live_only in [true, false] {
            let found = newest()
                .filter(|(_, conversation)| is_between(conversation))
                .find_map(|(at, conversation)| Some((at, Some(exact(conversation, live_only)?))));
            if found.is_some() {
                return found;
            }
        }
        let likely =
            newest().filter(|(_, conversation)| is_between(conversation)).find_map(|(at, conversation)| {
                let mut open = conversation.calls.iter().enumerate().filter(|(_, call)| !call.has_ended);
                match (open.next(), open.next()) {
                    (Some((call, _)), None) => Some((at, Some(call))),
                    _ => None,
                }
            });
        let elsewhere = || {
            newest()
                .filter(|(_, conversation)| {
                    conversation.client == destination && conversation.stream.is_some()
                })
                .find_map(|(at, conversation)| Some((at, Some(exact(conversation, true)?))))
        };
        let nowhere =
            || newest().find(|(_, conversation)| is_between(conversation)).map(|(at, _)| (at, None));
        likely.or_else(elsewhere).or_else(nowhere)
    }

    fn icmp(&mut self, packet: &Packet, network: &Network, icmp: &Icmp) {
        let Some(quoted) = &icmp.quoted else { return };
        let at = match quoted.upper {
            Upper::Tcp { source, destination, .. } => self.live.iter().rposition(|conversation| {
                let ends = |from: IpAddr, to: IpAddr| quoted.source == from && quoted.destination == to;
                let (client, server) = (conversation.client, conversation.server);
                conversation.ports == Some((destination, source)) && ends(client, server)
                    || conversation.ports == Some((source, destination)) && ends(server, client)
            }),
            Upper::Gre { call_id, .. } => {
                self.place(quoted.source, quoted.destination, Some(call_id)).map(|(at, _)| at)
            }
            Upper::Udp { .. } => {
                self.lookups.icmp(packet, network, icmp);
                for conversation in &mut self.live {
                    let is_about = |outside: &&mut Outside| outside.server == quoted.destination;
                    if conversation.client == quoted.source {
                        for outside in conversation.outside.iter_mut().filter(is_about) {
                            outside.unreachable.get_or_insert((packet.number, network.source));
                        }
                    }
                }
                None
            }
            _ => None,
        };
        if let Some(conversation) = at.and_then(|at| self.live.get_mut(at)) {
            conversation.touch(packet);
            let by = conversation.by(network.source);
            conversation.push(packet, by, None, Event::Icmp(*icmp));
        }
    }

    fn add(&mut self, conversation: Conversation) -> usize {
        if self.live.len() == CONVERSATIONS_MAX {
            // A port scan must not evict a call.
            let rank = |other: &Conversation| (other.has_substance(), other.last_frame);
            let oldest = self.live.iter().enumerate().min_by_key(|(_, other)| rank(other));
            if let Some((at, _)) = oldest {
                let oldest = self.live.remove(at);
                self.done.push_back(Conversation { until: self.now, ..oldest });
            }
        }
        self.live.push(conversation);
        self.live.len() - 1
    }
}

/// Whether a message contains a Call ID that its sender assigned.
fn is_call(frame: &Frame) -> bool {
    matches!(frame, Frame::Message(Message::OutgoingCallRequest(_) | Message::IncomingCallReply(_)))
}

/// Whether only the server sends a message.
fn is_of_server(frame: &Frame) -> bool {
    matches!(
        frame,
        Frame::Message(
            Message::StartControlConnectionReply(_)
                | Message::OutgoingCallReply(_)
                | Message::IncomingCallRequest(_)
                | Message::IncomingCallConnected(_)
                | Message::CallDisconnectNotify(_)
        )
    )
}

/// Whether octets match the beginning of a control message: any length, type 1, Magic Cookie.
fn begins_a_message(octets: &[u8]) -> bool {
    let mut head = [0, 0, 0, 1, 0, 0, 0, 0];
    head[4..].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
    octets.iter().zip(head).skip(2).all(|(octet, expected)| *octet == expected)
}

/// The steps from a segment, apart from its messages.
fn facts(segment: &Segment, ttl: u8, from_the_beginning: bool) -> impl Iterator<Item = Event> {
    let again = segment.arrival == Arrival::Retransmission;
    let opens = !segment.is_reset() && segment.flags & tcp::SYN == 0 && segment.since_syn.is_some();
    // Only one side may send PPTP.
    let is_known = segment.is_control && !from_the_beginning || begins_a_message(&segment.first);
    let is_foreign = !segment.first.is_empty() && segment.messages.is_empty() && !is_known;
    [
        segment.is_syn().then_some(Event::Syn { again }),
        segment.is_syn_ack().then_some(Event::SynAck { again }),
        opens.then_some(Event::Open),
        (again && segment.len > 0).then_some(Event::Again { octets: segment.len }),
        is_foreign.then(|| Event::Foreign(segment.first.clone())),
        segment.is_reset().then_some(Event::Reset { ttl }),
        segment.is_fin().then_some(Event::Fin),
    ]
    .into_iter()
    .flatten()
}

impl Conversation {
    fn between(client: IpAddr, server: IpAddr) -> Conversation {
        Conversation {
            client,
            server,
            has_roles: false,
            ports: None,
            stream: None,
            from_the_beginning: false,
            calls: Vec::new(),
            steps: Steps::default(),
            unknown: Vec::new(),
            last_frame: 0,
            last_time: Duration::ZERO,
            until: Duration::ZERO,
            client_end: End::default(),
            server_end: End::default(),
            names: Vec::new(),
            outside: Vec::new(),
            siblings: Vec::new(),
            broken_fragments: None,
            closed: None,
        }
    }

    fn touch(&mut self, packet: &Packet) {
        self.last_frame = packet.number;
        self.last_time = self.last_time.max(packet.time);
    }

    /// The end that sends, and the other.
    fn ends(&mut self, by: By) -> Option<(&mut End, &mut End)> {
        match by {
            By::Client => Some((&mut self.client_end, &mut self.server_end)),
            By::Server => Some((&mut self.server_end, &mut self.client_end)),
            By::Other(_) => None,
        }
    }

    fn push(&mut self, packet: &Packet, by: By, call: Option<usize>, what: Event) {
        self.steps.push(Step { frame: packet.number, time: packet.time, by, call, what });
    }

    fn message(&mut self, packet: &Packet, from: IpAddr, frame: &Frame) {
        if !self.has_roles && is_of_server(frame) {
            self.has_roles = true;
            if from == self.client {
                (self.client, self.server) = (self.server, self.client);
                std::mem::swap(&mut self.client_end, &mut self.server_end);
                self.ports = self.ports.map(|(server, client)| (client, server));
            }
        }
        let call = match frame {
            Frame::Message(message) => self.learn(message),
            Frame::Unknown(_) => None,
        };
        let by = self.by(from);
        self.push(packet, by, call, Event::Message(frame.clone()));
    }

    /// Handles GRE of a call.
    fn carry(&mut self, packet: &Packet, network: &Network, at: usize, gre: &Gre, secret: Option<&Secret>) {
        let to_client = network.destination == self.client;
        let is_ours = network.source == self.client || network.source == self.server;
        let by = self.by(network.source);
        let Some(call) = self.calls.get_mut(at) else { return };
        let mut events = Vec::new();
        if !is_ours && call.from_elsewhere.is_none() {
            call.from_elsewhere = Some(network.source);
            events.push(Event::GreFrom(network.source));
        }
        let (flow, back, agreed, wrong) = if to_client {
            (&mut call.to_client, &mut call.to_server, &mut call.client_id, &mut call.wrong_to_client)
        } else {
            (&mut call.to_server, &mut call.to_client, &mut call.server_id, &mut call.wrong_to_server)
        };
        match (*agreed, gre.call_id) {
            // The message that assigned it is not in the file.
            (None, Some(id)) if self.stream.is_none() => *agreed = Some(id),
            (Some(agreed), Some(id)) if agreed != id => {
                call.wrong_packets[usize::from(to_client)] += 1;
                if wrong.is_none() {
                    *wrong = Some(id);
                    events.push(Event::UnknownCall(id));
                }
            }
            _ => {}
        }
        if flow.packets == 0 {
            events.push(Event::FirstGre);
        }
        let last = [flow.last, back.last].into_iter().flatten().map(|(_, time)| time).max();
        flow.add(gre, packet.number, packet.time, network.total);
        flow.fragmented += u64::from(!network.fragments.is_empty());
        back.answered();
        if gre.payload_len > 0 {
            flow.ask(packet.number, packet.time, last);
        }
        if let Some(ack) = gre.ack {
            back.acknowledged(ack, packet.number, packet.time, self.from_the_beginning);
        }
        let (from_client, server) = (!to_client, self.server);
        match ppp::frame(&gre.frame) {
            Ok((protocol, information)) if protocol >= 0x8000 => {
                if let Some(code) = information.first() {
                    call.tally.add(protocol, *code, from_client, packet.number, packet.time);
                }
                if let Some(secret) = secret {
                    call.open.control(secret, packet, protocol, information, from_client);
                }
                let information = information.at_most(FRAME_KEPT).to_vec();
                events.push(Event::Ppp { protocol, information, seq: gre.seq });
            }
            Ok((ppp::IP | ppp::IPV6, datagram)) => call.inside.take(packet, from_client, datagram, server),
            Ok((ppp::COMPRESSED, octets)) => {
                let place = (gre.seq.unwrap_or_default(), gre.payload_len);
                call.open.data(packet, place, octets, from_client, (&mut call.inside, server));
            }
            _ => {}
        }
        for what in events {
            self.push(packet, by, Some(at), what);
        }
    }

    fn unknown_call(&mut self, packet: &Packet, source: IpAddr, id: Option<u16>) {
        let id = id.unwrap_or_default();
        if self.unknown.len() < UNKNOWN_MAX && !self.unknown.contains(&id) {
            self.unknown.push(id);
            let by = self.by(source);
            self.push(packet, by, None, Event::UnknownCall(id));
        }
    }
}
