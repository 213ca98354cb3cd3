//! Misbehaving peers, with valid and with invalid formats.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_wire::pptp::*;
use adit_wire::{cp, gre, ppp};

use crate::packet::{Body, Kind, Packet, Segment};
use crate::tcp::{Received, Socket, Tcp, segment};
use crate::world::{Host, Output};

/// The kind of misbehaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Opens TCP and sends nothing.
    Silent,
    /// Sends random octets on TCP.
    Noise,
    /// Sends another protocol on TCP.
    Banner,
    /// Sends random messages with random fields, in no order.
    Babble,
    /// Sets up a call, then sends random PPP frames.
    Fuzz,
    /// Sets up a call, then sends random octets in GRE.
    GreNoise,
    /// Sends Echo-Requests as fast as possible.
    Flood,
    /// Sets up and clears calls, over and over.
    Redial,
    /// Sends every octet in a segment of its own, and a reset in the middle.
    Cut,
}

impl Manner {
    /// All kinds.
    pub const ALL: [Manner; 9] = [
        Manner::Silent,
        Manner::Noise,
        Manner::Banner,
        Manner::Babble,
        Manner::Fuzz,
        Manner::GreNoise,
        Manner::Flood,
        Manner::Redial,
        Manner::Cut,
    ];
}

/// A misbehaving host; it stops after a while.
pub struct Rude {
    manner: Manner,
    rng: Rng,
    local: Socket,
    peer: Socket,
    server: bool,
    tcp: Option<Tcp>,
    framer: Framer,
    /// Our Call ID and the peer's.
    call: (u16, u16),
    sequence: u32,
    next: Option<Instant>,
    left: u32,
}

impl Rude {
    /// Creates a misbehaving host at this address; a server waits to be called.
    pub fn new(manner: Manner, address: Ipv4Addr, server: bool, mut rng: Rng) -> Rude {
        let port = if server { PORT } else { 20_000 + rng.below(40_000) as u16 };
        Rude {
            manner,
            local: (address, port),
            peer: (Ipv4Addr::UNSPECIFIED, PORT),
            server,
            tcp: None,
            framer: Framer::default(),
            call: (rng.below(65536) as u16, 0),
            sequence: 0,
            next: None,
            left: 60 + rng.below(200) as u32,
            rng,
        }
    }

    /// Calls a server.
    pub fn dial(&mut self, server: Ipv4Addr, out: &mut Output) {
        self.peer = (server, PORT);
        out.packets.push(segment(self.local, self.peer, Kind::Syn));
    }

    fn write(&mut self, octets: Vec<u8>, out: &mut Output) {
        if let Some(tcp) = &mut self.tcp {
            out.packets.extend(tcp.send(octets));
        }
    }

    fn send_message(&mut self, message: impl Into<Message>, out: &mut Output) {
        let octets = message.into().to_octets();
        if self.manner == Manner::Cut {
            for octet in octets {
                self.write(vec![octet], out);
            }
        } else {
            self.write(octets, out);
        }
    }

    fn opened(&mut self, now: Instant, out: &mut Output) {
        self.next = Some(now);
        match self.manner {
            Manner::Silent | Manner::Noise => {}
            Manner::Babble if self.rng.below(2) == 0 => {}
            Manner::Banner => {
                self.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec(), out)
            }
            _ if !self.server => self.send_message(start_request(), out),
            _ => {}
        }
    }

    fn message(&mut self, message: &Message, out: &mut Output) {
        if matches!(self.manner, Manner::Silent | Manner::Noise | Manner::Banner) {
            return;
        }
        match message {
            Message::StartControlConnectionRequest(_) => self.send_message(start_request().into_reply(), out),
            Message::StartControlConnectionReply(_) => self.send_message(call_request(self.call.0), out),
            Message::OutgoingCallRequest(request) => {
                self.call.1 = request.call_id;
                self.send_message(call_reply(self.call.0, request.call_id), out);
            }
            Message::OutgoingCallReply(reply) => self.call.1 = reply.call_id,
            _ => {}
        }
    }

    /// Misbehaves once.
    fn act(&mut self, out: &mut Output) {
        match self.manner {
            Manner::Silent | Manner::Banner => {}
            Manner::Noise => {
                let octets = self.noise(600);
                self.write(octets, out);
            }
            Manner::Babble => {
                let octets = self.babble();
                self.write(octets, out);
            }
            Manner::Fuzz => {
                let frame = self.frame();
                self.gre(&frame, out);
            }
            Manner::GreNoise => {
                let mut octets = self.noise(100);
                // Mostly with the correct Call ID, so that it is processed.
                if let Some(key) = octets.get_mut(6..8).filter(|_| self.rng.below(4) != 0) {
                    key.copy_from_slice(&self.call.1.to_be_bytes());
                }
                out.packets.push(Packet { src: self.local.0, dst: self.peer.0, body: Body::Gre(octets) });
            }
            Manner::Flood => {
                for identifier in 0..20 {
                    self.send_message(EchoRequest { identifier }, out);
                }
            }
            Manner::Redial => {
                self.send_message(CallClearRequest { call_id: self.call.0 }, out);
                self.call.0 = self.call.0.wrapping_add(1);
                self.send_message(call_request(self.call.0), out);
            }
            Manner::Cut => {
                if self.rng.below(20) == 0 {
                    out.packets.push(segment(self.local, self.peer, Kind::Rst));
                    self.left = 0;
                }
            }
        }
    }

    fn noise(&mut self, most: u64) -> Vec<u8> {
        let mut octets = vec![0; self.rng.below(most) as usize];
        self.rng.fill(&mut octets);
        octets
    }

    /// A message of a random type with small numbers in it; sometimes one octet is wrong.
    fn babble(&mut self) -> Vec<u8> {
        let kind = 1 + self.rng.below(16) as u16;
        let size = MessageType::from(kind).size().max(16);
        let mut octets = vec![0; size];
        let mut head = (size as u16).to_be_bytes().to_vec();
        head.extend_from_slice(&CONTROL_MESSAGE.to_be_bytes());
        head.extend_from_slice(&MAGIC_COOKIE.to_be_bytes());
        head.extend_from_slice(&kind.to_be_bytes());
        for at in 12..size {
            if self.rng.below(3) == 0
                && let Some(octet) = octets.get_mut(at)
            {
                *octet = self.rng.below(5) as u8;
            }
        }
        for (to, from) in octets.iter_mut().zip(head) {
            *to = from;
        }
        if self.rng.below(40) == 0 {
            let at = self.rng.below(size as u64) as usize;
            octets[at] ^= 0x80;
        }
        octets
    }

    /// A PPP frame of a control protocol with a random code and plausible options, or with MPPE data.
    fn frame(&mut self) -> Vec<u8> {
        let protocols = [
            ppp::LCP,
            ppp::LCP,
            ppp::LCP,
            ppp::CHAP,
            ppp::PAP,
            ppp::CCP,
            ppp::IPCP,
            ppp::IPV6CP,
            ppp::COMPRESSED,
            ppp::IP,
            0x0031,
            0xc025,
        ];
        let protocol = protocols.get(self.rng.below(12) as usize).copied().unwrap_or(ppp::LCP);
        let mut frame = Vec::new();
        ppp::push_header(&mut frame, protocol, self.rng.below(2) == 0, self.rng.below(2) == 0);
        if matches!(protocol, ppp::COMPRESSED | ppp::IP) {
            let mut data = self.noise(80);
            if let Some(first) = data.first_mut() {
                *first = 0x90 | *first & 0x0f;
            }
            frame.extend(data);
            return frame;
        }
        let code = 1 + self.rng.below(16) as u8;
        let id = self.rng.below(4) as u8;
        let mut data = Vec::new();
        for _ in 0..self.rng.below(5) {
            let kinds = [1u8, 2, 3, 5, 7, 8, 13, 17, 18, 19, 129, 131];
            let kind = kinds.get(self.rng.below(12) as usize).copied().unwrap_or(1);
            let mut value = self.noise(7);
            if kind == 3 && self.rng.below(2) == 0 {
                value = vec![0xc2, 0x23, 0x81];
            }
            cp::push_option(&mut data, kind, &value);
        }
        cp::emit(&mut frame, code, id, &data);
        if self.rng.below(10) == 0 {
            let keep = self.rng.below(frame.len() as u64 + 1) as usize;
            frame.truncate(keep);
        }
        frame
    }

    fn gre(&mut self, frame: &[u8], out: &mut Output) {
        let seq = self.sequence;
        self.sequence = match self.rng.below(30) {
            0 => self.rng.u32(),
            1 => seq,
            _ => seq.wrapping_add(1),
        };
        let ack = (self.rng.below(5) == 0).then(|| self.rng.u32());
        let octets = gre::packet(self.call.1, Some(seq), ack, frame);
        out.packets.push(Packet { src: self.local.0, dst: self.peer.0, body: Body::Gre(octets) });
    }

    fn tcp(&mut self, now: Instant, from: Ipv4Addr, tcp: Segment, out: &mut Output) {
        match tcp.kind {
            Kind::Syn if self.server && self.tcp.is_none() => {
                self.peer = (from, tcp.src_port);
                self.tcp = Some(Tcp::new(self.local, self.peer));
                out.packets.push(segment(self.local, self.peer, Kind::SynAck));
                self.opened(now, out);
            }
            Kind::SynAck if self.tcp.is_none() => {
                self.tcp = Some(Tcp::new(self.local, self.peer));
                self.opened(now, out);
            }
            kind => match self.tcp.as_mut().map(|tcp| tcp.receive(kind)) {
                Some(Received::Octets(octets)) => {
                    let mut octets = octets.as_slice();
                    while !octets.is_empty() {
                        let taken = self.framer.push(octets);
                        octets = octets.get(taken..).unwrap_or_default();
                        while let Some(Ok(frame)) = self.framer.next_frame() {
                            if let Frame::Message(message) = frame {
                                self.message(&message, out);
                            }
                        }
                    }
                }
                // The other end has closed; the misbehaviour continues.
                Some(Received::Closed | Received::Nothing) | None => {}
            },
        }
    }
}

impl Host for Rude {
    fn address(&self) -> Ipv4Addr {
        self.local.0
    }

    fn handle_packet(&mut self, now: Instant, packet: Packet, out: &mut Output) {
        if let Body::Tcp(tcp) = packet.body {
            self.tcp(now, packet.src, tcp, out);
        }
    }

    fn handle_timeout(&mut self, now: Instant, out: &mut Output) {
        if self.next.is_none_or(|at| now < at) {
            return;
        }
        self.act(out);
        self.left = self.left.saturating_sub(1);
        let pause = Duration::from_millis(1 + self.rng.below(150));
        self.next = (self.left > 0).then_some(now + pause);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }
}

fn start_request() -> StartControlConnectionRequest {
    StartControlConnectionRequest {
        version: Version::ONE,
        framing: Framing(u32::MAX),
        bearer: Bearer(0),
        maximum_channels: 7,
        firmware: 0xffff,
        host_name: Text::new(&[0xff; 64]),
        vendor: Text::new(b"\x1b[31mrude"),
    }
}

fn call_request(call_id: u16) -> OutgoingCallRequest {
    OutgoingCallRequest {
        call_id,
        serial: 0xffff,
        minimum_bps: u32::MAX,
        maximum_bps: 0,
        bearer: Bearer(9),
        framing: Framing(9),
        window: 0,
        processing_delay: 0xffff,
        phone_number: Text::new(&[0xfe; 64]),
        subaddress: Text::new(&[0xfd; 64]),
    }
}

fn call_reply(call_id: u16, peer_call_id: u16) -> OutgoingCallReply {
    OutgoingCallReply {
        call_id,
        peer_call_id,
        result: OutgoingResult::Connected,
        error: ErrorCode::None,
        cause: 0xffff,
        connect_speed: 0,
        window: 0xffff,
        processing_delay: 0xffff,
        physical_channel: u32::MAX,
    }
}
