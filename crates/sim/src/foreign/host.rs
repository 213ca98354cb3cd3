//! The host of a third-party client or server, with a scripted control connection.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_tunnel::path::{self, Collected, HEADROOM, Path, PathCommand, PathConfig};
use adit_wire::pptp::*;
use adit_wire::{LocalCallId, PeerCallId, gre};

use super::ppp::{Event, GOODBYE, Ppp};
use super::profile::Profile;
use crate::inner::{self, Arrived};
use crate::packet::{Body, Kind, Packet, Segment, gre_call_id};
use crate::tcp::{Received, Socket, Tcp, segment};
use crate::world::{Host, Output};

/// How long it waits for an answer at the end.
const PATIENCE: Duration = Duration::from_secs(3);

/// A third-party client or server with one call.
pub struct Foreign {
    profile: Profile,
    local: Socket,
    peer: Socket,
    name: &'static str,
    password: &'static str,
    rng: Rng,
    tcp: Option<Tcp>,
    framer: Framer,
    peer_call_id: u16,
    path: Option<Path>,
    ppp: Option<Ppp>,
    receiver: inner::Receiver,
    traffic: Option<(Instant, u32)>,
    sent: u32,
    /// The number of the last GRE packet sent.
    number: u32,
    /// What its numbers are ahead of those of its path.
    shift: u32,
    /// It has lost power: it neither sends nor receives.
    dead: bool,
    /// When it stops waiting and continues with the end.
    patience: Option<Instant>,
    /// The result.
    pub outcome: Outcome,
}

/// The result of a conversation for this host.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Its address in the tunnel, and the peer's.
    pub up: Option<(Ipv4Addr, Ipv4Addr)>,
    /// Why it disconnected.
    pub over: Option<&'static str>,
    /// Numbers of the inner datagrams that arrived.
    pub received: Vec<u32>,
    /// The first inner packet that arrived damaged.
    pub damaged: Option<String>,
    /// The received control messages, in order.
    pub heard: Vec<Message>,
    /// TCP is closed.
    pub closed: bool,
}

impl Foreign {
    /// Creates a host with this profile. A client sends name and password, a server requires them.
    pub fn new(
        profile: Profile,
        address: Ipv4Addr,
        name: &'static str,
        password: &'static str,
        rng: Rng,
    ) -> Foreign {
        let port = if profile.server { PORT } else { 50_000 };
        Foreign {
            profile,
            local: (address, port),
            peer: (Ipv4Addr::UNSPECIFIED, PORT),
            name,
            password,
            rng,
            tcp: None,
            framer: Framer::default(),
            peer_call_id: 0,
            path: None,
            ppp: None,
            receiver: inner::Receiver::default(),
            traffic: None,
            sent: 0,
            number: 0,
            shift: 0,
            dead: false,
            patience: None,
            outcome: Outcome::default(),
        }
    }

    /// Makes a client dial.
    pub fn dial(&mut self, server: Ipv4Addr, out: &mut Output) {
        self.peer = (server, PORT);
        out.packets.push(segment(self.local, self.peer, Kind::Syn));
    }

    /// Its profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Whether IP passes.
    pub fn is_up(&self) -> bool {
        self.ppp.as_ref().is_some_and(Ppp::is_up)
    }

    /// Sends inner datagrams.
    pub fn send_traffic(&mut self, now: Instant, count: u32) {
        self.traffic = Some((now, count));
    }

    /// Disconnects: first PPP, then the control connection.
    pub fn hang_up(&mut self, now: Instant, out: &mut Output) {
        if let Some(ppp) = &mut self.ppp {
            ppp.terminate();
        }
        self.patience = Some(now + PATIENCE);
        self.turn(now, out);
    }

    /// Loses the keys of MPPE for what it receives; if `sends` is false, those for what it sends, too.
    pub fn lose_mppe(&mut self, now: Instant, sends: bool) {
        if let Some(ppp) = &mut self.ppp {
            ppp.lose_mppe();
        }
        if !sends {
            self.command(now, PathCommand::Encryption(None));
        }
    }

    /// Acts on its PPP link, as for a renegotiation.
    pub fn act(&mut self, now: Instant, out: &mut Output, act: impl FnOnce(&mut Ppp, Instant)) {
        if let Some(ppp) = &mut self.ppp {
            act(ppp, now);
        }
        self.turn(now, out);
    }

    /// The number of the last GRE packet that it sent.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Continues with these sequence numbers, as after a restart of its GRE process.
    pub fn renumber(&mut self, first: u32) {
        self.shift = self.shift.wrapping_add(first.wrapping_sub(self.number).wrapping_sub(1));
    }

    /// Sends packets that never arrive.
    pub fn lose(&mut self, now: Instant, count: u32) {
        for _ in 0..count {
            let sink = self.send_datagram(now);
            self.number = last_number(&sink, self.shift).unwrap_or(self.number);
        }
    }

    /// Neither sends nor receives from now on.
    pub fn die(&mut self) {
        self.dead = true;
    }

    /// Its PPP link, while it has one.
    pub fn ppp(&self) -> Option<&Ppp> {
        self.ppp.as_ref()
    }

    fn send_message(&mut self, message: impl Into<Message>, out: &mut Output) {
        self.write(message.into().to_octets(), out);
    }

    fn write(&mut self, octets: Vec<u8>, out: &mut Output) {
        if let Some(tcp) = &mut self.tcp {
            out.packets.extend(tcp.send(octets));
        }
    }

    fn start_request(&self) -> StartControlConnectionRequest {
        let profile = &self.profile;
        StartControlConnectionRequest {
            framing: Framing(profile.capabilities.0),
            bearer: Bearer(profile.capabilities.1),
            maximum_channels: profile.channels,
            firmware: profile.firmware,
            ..StartControlConnectionRequest::new(profile.host, profile.vendor)
        }
    }

    fn call_request(&self) -> OutgoingCallRequest {
        let profile = &self.profile;
        let guid = profile.identifications.last().map(Vec::as_slice).filter(|guid| guid.len() == 16);
        OutgoingCallRequest {
            minimum_bps: profile.bps.0,
            maximum_bps: profile.bps.1,
            window: profile.window,
            subaddress: Text::new(guid.unwrap_or_default()),
            ..OutgoingCallRequest::new(profile.call_id)
        }
    }

    fn opened(&mut self, out: &mut Output) {
        let mut octets = Message::from(self.start_request()).to_octets();
        if self.profile.quirks.eager {
            Message::from(self.call_request()).emit(&mut octets);
        }
        self.write(octets, out);
    }

    fn message(&mut self, now: Instant, message: Message, out: &mut Output) {
        self.outcome.heard.push(message.clone());
        match message {
            Message::StartControlConnectionRequest(_) => {
                self.send_message(self.start_request().into_reply(), out);
            }
            Message::StartControlConnectionReply(_) if !self.profile.quirks.eager => {
                let request = self.call_request();
                self.send_message(request, out);
            }
            Message::OutgoingCallRequest(request) => {
                let reply = OutgoingCallReply {
                    connect_speed: self.profile.bps.1,
                    window: self.profile.window,
                    ..OutgoingCallReply::connected(self.profile.call_id, request.call_id)
                };
                self.send_message(reply, out);
                self.connected(now, request.call_id);
            }
            Message::OutgoingCallReply(reply) if reply.result == OutgoingResult::Connected => {
                self.connected(now, reply.call_id);
            }
            Message::EchoRequest(EchoRequest { identifier }) => {
                let (result, error) = (PlainResult::Ok, ErrorCode::None);
                self.send_message(EchoReply { identifier, result, error }, out);
            }
            Message::CallClearRequest(_) => self.disconnect(out),
            Message::CallDisconnectNotify(_) => self.stop(now, out),
            Message::StopControlConnectionRequest(_) => {
                let (result, error) = (PlainResult::Ok, ErrorCode::None);
                self.send_message(StopControlConnectionReply { result, error }, out);
                self.finish(out);
            }
            Message::StopControlConnectionReply(_) => self.finish(out),
            _ => {}
        }
    }

    fn connected(&mut self, now: Instant, peer_call_id: u16) {
        self.peer_call_id = peer_call_id;
        let config = PathConfig {
            first_sequence: self.profile.first_sequence,
            ..PathConfig::new(LocalCallId::new(self.profile.call_id), PeerCallId::new(peer_call_id))
        };
        self.path = Some(Path::new(config, now));
        let ppp = Ppp::new(self.profile.clone(), self.name, self.password, now, self.rng.fork());
        self.ppp = Some(ppp);
    }

    fn disconnect(&mut self, out: &mut Output) {
        let quirks = &self.profile.quirks;
        let call_id = if quirks.disconnect_with_peer_id { self.peer_call_id } else { self.profile.call_id };
        let result = DisconnectResult::from(quirks.disconnect_result);
        let notify = CallDisconnectNotify {
            call_id,
            result,
            error: ErrorCode::None,
            cause: 0,
            statistics: Text::default(),
        };
        self.path = None;
        self.ppp = None;
        self.send_message(notify, out);
    }

    fn stop(&mut self, now: Instant, out: &mut Output) {
        self.path = None;
        self.ppp = None;
        self.patience = Some(now + PATIENCE);
        self.send_message(StopControlConnectionRequest { reason: StopReason::General }, out);
    }

    fn finish(&mut self, out: &mut Output) {
        self.path = None;
        self.ppp = None;
        self.patience = None;
        self.outcome.closed = true;
        if let Some(tcp) = &mut self.tcp {
            out.packets.extend(tcp.finish());
        }
    }

    /// Ends the call on the control connection after PPP has ended on this side.
    fn end_call(&mut self, now: Instant, out: &mut Output) {
        if self.profile.quirks.abrupt {
            self.finish(out);
        } else if self.profile.server {
            self.disconnect(out);
            self.stop(now, out);
        } else {
            self.send_message(CallClearRequest { call_id: self.profile.call_id }, out);
            self.ppp = None;
            self.path = None;
            self.patience = Some(now + PATIENCE);
        }
    }

    /// Passes on the output of PPP.
    fn turn(&mut self, now: Instant, out: &mut Output) {
        loop {
            let Some(ppp) = &mut self.ppp else { return };
            if let Some(frame) = ppp.next_frame() {
                let mut sink = Collected::default();
                if let Some(path) = &mut self.path {
                    path.send_frame(now, &frame, &mut sink);
                }
                self.collected(now, sink, out);
            } else if let Some(event) = ppp.next_event() {
                self.event(now, event, out);
            } else {
                return;
            }
        }
    }

    fn event(&mut self, now: Instant, event: Event, out: &mut Output) {
        match event {
            Event::LcpUp { peer_mru, pfc, acfc } => {
                self.command(now, PathCommand::Link { peer_mru, pfc, acfc });
                if let Some(id) = self.profile.quirks.set_link_info {
                    let peer_call_id = id.unwrap_or(self.peer_call_id);
                    self.send_message(
                        SetLinkInfo { peer_call_id, send_accm: u32::MAX, receive_accm: u32::MAX },
                        out,
                    );
                }
            }
            Event::Encryption(mppe) => self.command(now, PathCommand::Encryption(mppe)),
            Event::Down => self.command(now, PathCommand::Network(None)),
            Event::Up(local, peer) => {
                self.outcome.up = Some((local, peer));
                out.notes.push((self.profile.name, format!("up: {local} and {peer}")));
                let network = path::Network {
                    peer_networks: vec![peer.into()],
                    acl: None,
                    local,
                    mtu: 1400,
                    answer_dhcp: false,
                    ipv6: None,
                };
                self.command(now, PathCommand::Network(Some(network)));
            }
            Event::Over(why) => {
                out.notes.push((self.profile.name, why.to_owned()));
                self.outcome.over.get_or_insert(why);
                if self.profile.server && why == GOODBYE && !self.profile.quirks.ends_at_once {
                    self.patience = Some(now + PATIENCE);
                } else {
                    self.end_call(now, out);
                }
            }
        }
    }

    fn command(&mut self, now: Instant, command: PathCommand) {
        if let Some(path) = &mut self.path {
            path.command(now, command);
        }
    }

    fn collected(&mut self, now: Instant, sink: Collected, out: &mut Output) {
        self.number = last_number(&sink, self.shift).unwrap_or(self.number);
        for mut octets in sink.gre {
            shift_number(&mut octets, self.shift);
            out.packets.push(Packet { src: self.local.0, dst: self.peer.0, body: Body::Gre(octets) });
        }
        for packet in sink.ip {
            match self.receiver.receive(&packet) {
                Arrived::Datagram(number) => self.outcome.received.push(number),
                Arrived::Piece => {}
                Arrived::Damaged(what) => {
                    self.outcome.damaged.get_or_insert(what);
                }
            }
        }
        for (frame, _) in sink.frames {
            if let Some(ppp) = &mut self.ppp {
                ppp.handle_frame(now, &frame);
            }
        }
    }

    fn tcp(&mut self, now: Instant, from: Ipv4Addr, tcp: Segment, out: &mut Output) {
        match tcp.kind {
            Kind::Syn if self.profile.server => {
                self.peer = (from, tcp.src_port);
                self.tcp.get_or_insert(Tcp::new(self.local, self.peer));
                out.packets.push(segment(self.local, self.peer, Kind::SynAck));
            }
            Kind::SynAck if self.tcp.is_none() => {
                self.tcp = Some(Tcp::new(self.local, self.peer));
                self.opened(out);
            }
            kind => match self.tcp.as_mut().map(|tcp| tcp.receive(kind)) {
                Some(Received::Octets(octets)) => self.octets(now, &octets, out),
                Some(Received::Closed) => self.finish(out),
                Some(Received::Nothing) | None => {}
            },
        }
        self.turn(now, out);
    }

    fn octets(&mut self, now: Instant, mut octets: &[u8], out: &mut Output) {
        while !octets.is_empty() {
            let taken = self.framer.push(octets);
            octets = octets.get(taken..).unwrap_or_default();
            while let Some(Ok(frame)) = self.framer.next_frame() {
                if let Frame::Message(message) = frame {
                    self.message(now, message, out);
                }
            }
        }
    }

    fn send_due(&mut self, now: Instant, out: &mut Output) {
        let Some((at, left)) = self.traffic else { return };
        if now < at || self.outcome.up.is_none() {
            return;
        }
        let sink = self.send_datagram(now);
        self.traffic = (left > 1).then_some((now + Duration::from_millis(20), left - 1));
        self.collected(now, sink, out);
    }

    /// Passes the next inner datagram to the path.
    fn send_datagram(&mut self, now: Instant) -> Collected {
        let mut sink = Collected::default();
        let Some((local, peer)) = self.outcome.up else { return sink };
        let mut buffer = vec![0; HEADROOM];
        buffer.extend_from_slice(&inner::datagram(local, peer, self.sent, 200));
        if let Some(path) = &mut self.path {
            path.handle_ip(now, &mut buffer, &mut sink);
        }
        self.sent += 1;
        sink
    }
}

/// The number of the last data packet.
fn last_number(sink: &Collected, shift: u32) -> Option<u32> {
    let number = |octets: &Vec<u8>| gre::Repr::parse(octets).ok().and_then(|header| header.seq);
    sink.gre.iter().rev().find_map(number).map(|seq| seq.wrapping_add(shift))
}

/// Adds `shift` to the number of a data packet.
fn shift_number(octets: &mut [u8], shift: u32) {
    if let Ok(header) = gre::Repr::parse(octets)
        && let Some(seq) = header.seq
        && let Some(field) = octets.get_mut(gre::HEADER_MIN..gre::HEADER_MIN + 4)
    {
        field.copy_from_slice(&seq.wrapping_add(shift).to_be_bytes());
    }
}

impl Host for Foreign {
    fn address(&self) -> Ipv4Addr {
        self.local.0
    }

    fn handle_packet(&mut self, now: Instant, packet: Packet, out: &mut Output) {
        if self.dead {
            return;
        }
        match packet.body {
            Body::Tcp(tcp) => self.tcp(now, packet.src, tcp, out),
            Body::Gre(mut octets) => {
                if gre_call_id(&octets) == self.profile.call_id {
                    let mut sink = Collected::default();
                    let frame = gre::Repr::parse(&octets).ok().map(|header| header.payload_range());
                    let is_rejected = match (&mut self.ppp, frame.and_then(|at| octets.get(at))) {
                        (Some(ppp), Some(frame)) => ppp.handle_data(frame),
                        _ => false,
                    };
                    if let Some(path) = self.path.as_mut().filter(|_| !is_rejected) {
                        path.handle_gre(now, &mut octets, &mut sink);
                    }
                    self.collected(now, sink, out);
                    self.turn(now, out);
                }
            }
            Body::Unreachable(_) => {}
        }
    }

    fn handle_timeout(&mut self, now: Instant, out: &mut Output) {
        if self.dead {
            return;
        }
        if let Some(ppp) = &mut self.ppp {
            ppp.handle_timeout(now);
        }
        let mut sink = Collected::default();
        if let Some(path) = &mut self.path {
            path.handle_timeout(now, &mut sink);
        }
        self.collected(now, sink, out);
        self.send_due(now, out);
        if self.patience.is_some_and(|at| now >= at) {
            match self.path.is_some() {
                true => self.end_call(now, out),
                false => self.finish(out),
            }
        }
        self.turn(now, out);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        if self.dead {
            return None;
        }
        let ppp = self.ppp.as_ref().and_then(Ppp::poll_timeout);
        let path = self.path.as_ref().and_then(Path::poll_timeout).map(|(at, _)| at);
        let traffic = self.traffic.filter(|_| self.path.is_some()).map(|(at, _)| at);
        [ppp, path, traffic, self.patience].into_iter().flatten().min()
    }
}
