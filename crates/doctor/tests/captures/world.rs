//! Captures made by code: a client, a server, and what passes between them, at chosen times and with chosen faults.

use std::net::Ipv4Addr;
use std::time::Duration;

use adit_capture::conversation::{Conversation, Conversations, Lookups, Secret};
use adit_capture::{Item, Reader, write};
use adit_doctor::from::capture;
use adit_doctor::{Verdict, judge};
use adit_wire::pptp::{
    CallClearRequest, EchoReply, EchoRequest, ErrorCode, Message, OutgoingCallReply, OutgoingCallRequest,
    OutgoingResult, StartControlConnectionReply, StartControlConnectionRequest, StartResult,
};
use adit_wire::{ccp, checksum, cp, gre, icmp, ipv4, ppp};

pub(crate) const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 23);
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
pub(crate) const ROUTER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
pub(crate) const INNER_CLIENT: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 14);
pub(crate) const INNER_SERVER: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);
pub(crate) const INNER_DNS: Ipv4Addr = Ipv4Addr::new(192, 168, 10, 5);
pub(crate) const TARGET: Ipv4Addr = Ipv4Addr::new(192, 168, 10, 20);
const START: Duration = Duration::from_secs(1_700_000_000);
const STEP: Duration = Duration::from_millis(10);

/// Who sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum By {
    Client,
    Server,
}
use By::{Client, Server};

impl By {
    pub(crate) fn other(self) -> By {
        if self == Client { Server } else { Client }
    }
}

/// Where the capture is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Near {
    Client,
    Server,
}

pub(crate) struct World {
    pub(crate) now: Duration,
    frames: Vec<(Duration, Vec<u8>)>,
    near: Near,
    port: u16,
    /// TCP sequence numbers, next GRE numbers, highest GRE number received: of client and server.
    tcp: [u32; 2],
    seq: [u32; 2],
    heard: [Option<u32>; 2],
    /// The Call IDs of client and server.
    pub(crate) ids: [u16; 2],
    /// Whether GRE carries acknowledgments.
    pub(crate) acks: bool,
    identification: u16,
    lcp_id: u8,
}

/// An LCP, CCP or IPCP packet.
pub(crate) fn control(protocol: u16, code: u8, id: u8, data: &[u8]) -> Vec<u8> {
    cp::frame(protocol, code, id, data)
}

pub(crate) fn lcp(code: u8, id: u8, data: &[u8]) -> Vec<u8> {
    control(ppp::LCP, code, id, data)
}

/// Magic-Number.
pub(crate) fn magic(number: u32) -> Vec<u8> {
    [&[5, 6][..], &number.to_be_bytes()].concat()
}

pub(crate) const MS_CHAP_V2: &[u8] = &[3, 5, 0xc2, 0x23, 0x81];
pub(crate) const MS_CHAP_V1: &[u8] = &[3, 5, 0xc2, 0x23, 0x80];
pub(crate) const PAP: &[u8] = &[3, 4, 0xc0, 0x23];
pub(crate) const BITS_128: u32 = ccp::Mppe::STATELESS.0 | ccp::Mppe::BITS_128.0;
pub(crate) const BITS_40: u32 = ccp::Mppe::STATELESS.0 | ccp::Mppe::BITS_40.0;

pub(crate) fn mppe(bits: u32) -> Vec<u8> {
    [&[18, 6][..], &bits.to_be_bytes()].concat()
}

/// An IPCP option with an address.
pub(crate) fn address(kind: u8, address: Ipv4Addr) -> Vec<u8> {
    [&[kind, 6][..], &address.octets()].concat()
}

pub(crate) fn v4(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, ttl: u8, payload: &[u8]) -> Vec<u8> {
    let header = ipv4::Repr::new(source, destination, protocol);
    ipv4::Repr { dont_fragment: true, ttl, ..header }.packet(payload)
}

pub(crate) fn udp(source: u16, destination: u16, data: &[u8]) -> Vec<u8> {
    [&[source, destination, 8 + data.len() as u16, 0].map(u16::to_be_bytes).concat(), data].concat()
}

/// A TCP segment with its checksum.
pub(crate) fn tcp(
    (from, to): (Ipv4Addr, Ipv4Addr),
    (source, destination): (u16, u16),
    (flags, seq, ack): (u8, u32, u32),
    options: &[u8],
    data: &[u8],
) -> Vec<u8> {
    let mut segment = [source.to_be_bytes(), destination.to_be_bytes()].concat();
    segment.extend(seq.to_be_bytes());
    segment.extend(ack.to_be_bytes());
    segment.extend([((5 + options.len() / 4) << 4) as u8, flags, 0x20, 0, 0, 0, 0, 0]);
    segment.extend(options);
    segment.extend(data);
    let sum = checksum::Sum::default().pseudo_v4(from, to, 6, segment.len() as u16).with(&segment).finish();
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    segment
}

/// A DNS message with one question, and addresses in the answer.
pub(crate) fn dns(id: u16, name: &str, kind: u16, answer: Option<(u8, &[Ipv4Addr])>) -> Vec<u8> {
    let (flags, count) = answer.map_or((0x0100, 0), |(rcode, list)| (0x8180 | u16::from(rcode), list.len()));
    let mut out = [id, flags, 1, count as u16, 0, 0].map(u16::to_be_bytes).concat();
    for label in name.split('.') {
        out.push(label.len() as u8);
        out.extend(label.as_bytes());
    }
    out.extend([0]);
    out.extend([kind, 1].map(u16::to_be_bytes).concat());
    for address in answer.map_or(&[][..], |(_, list)| list) {
        out.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        out.extend(address.octets());
    }
    out
}

impl World {
    pub(crate) fn new(near: Near) -> World {
        World {
            now: START,
            frames: Vec::new(),
            near,
            port: 40_000,
            tcp: [1000, 5000],
            seq: [0, 0],
            heard: [None, None],
            ids: [7, 1201],
            acks: true,
            identification: 0,
            lcp_id: 0,
        }
    }

    /// From the port of another client behind the same address.
    pub(crate) fn second_client(&mut self, client_id: u16, server_id: u16) {
        self.port += 1;
        (self.tcp, self.seq, self.heard) = ([90_000, 70_000], [0, 0], [None, None]);
        self.ids = [client_id, server_id];
    }

    /// The frames of another client's call, at their own times.
    pub(crate) fn beside(&mut self, other: World) -> &mut World {
        self.frames.extend(other.frames);
        self.frames.sort_by_key(|(time, _)| *time);
        self
    }

    pub(crate) fn wait(&mut self, seconds: f64) -> &mut World {
        self.now += Duration::from_secs_f64(seconds);
        self
    }

    /// A frame, a moment later than the last.
    pub(crate) fn raw(&mut self, mut packet: Vec<u8>) -> &mut World {
        self.identification += 1;
        if packet.len() >= 20 && packet[0] >> 4 == 4 && packet[4..6] == [0, 0] {
            packet[4..6].copy_from_slice(&self.identification.to_be_bytes());
            packet[10..12].fill(0);
            let sum = checksum::Sum::default().with(&packet[..20]).finish();
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        self.now += STEP;
        self.frames.push((self.now, packet));
        self
    }

    pub(crate) fn ttl(&self, by: By) -> u8 {
        match (by, self.near) {
            (Client, Near::Client) | (Server, Near::Server) => 64,
            _ => 57,
        }
    }

    pub(crate) fn ends(by: By) -> (Ipv4Addr, Ipv4Addr) {
        if by == Client { (CLIENT, SERVER) } else { (SERVER, CLIENT) }
    }

    pub(crate) fn segment(&mut self, by: By, flags: u8, seq: u32, data: &[u8], ttl: u8) -> &mut World {
        let (from, to) = World::ends(by);
        let ports = if by == Client { (self.port, 1723) } else { (1723, self.port) };
        let ack = if flags & 0x10 == 0 { 0 } else { self.tcp[by.other() as usize] };
        let segment = tcp((from, to), ports, (flags, seq, ack), &[], data);
        self.raw(v4(from, to, ipv4::TCP, ttl, &segment))
    }

    pub(crate) fn syn(&mut self) -> &mut World {
        self.segment(Client, 0x02, self.tcp[0], &[], self.ttl(Client))
    }

    pub(crate) fn open(&mut self) -> &mut World {
        self.syn();
        self.tcp[0] += 1;
        self.segment(Server, 0x12, self.tcp[1], &[], self.ttl(Server));
        self.tcp[1] += 1;
        self.ack(Client)
    }

    /// TCP acknowledges what came so far.
    pub(crate) fn ack(&mut self, by: By) -> &mut World {
        self.segment(by, 0x10, self.tcp[by as usize], &[], self.ttl(by))
    }

    pub(crate) fn fin(&mut self, by: By) -> &mut World {
        self.segment(by, 0x11, self.tcp[by as usize], &[], self.ttl(by));
        self.tcp[by as usize] += 1;
        self
    }

    pub(crate) fn reset(&mut self, by: By, ttl: u8) -> &mut World {
        self.segment(by, 0x14, self.tcp[by as usize], &[], ttl)
    }

    pub(crate) fn bytes(&mut self, by: By, data: &[u8]) -> &mut World {
        self.segment(by, 0x18, self.tcp[by as usize], data, self.ttl(by));
        self.tcp[by as usize] += data.len() as u32;
        self
    }

    pub(crate) fn send(&mut self, by: By, message: impl Into<Message>) -> &mut World {
        self.bytes(by, &message.into().to_octets())
    }

    pub(crate) fn sccrq(&mut self) -> &mut World {
        self.send(Client, StartControlConnectionRequest::new(b"pc", b"Microsoft"))
    }

    pub(crate) fn sccrp(&mut self, result: u8, error: u8) -> &mut World {
        self.send(
            Server,
            StartControlConnectionReply {
                result: StartResult::from(result),
                error: ErrorCode::from(error),
                ..StartControlConnectionReply::new(b"vpn", b"linux")
            },
        )
    }

    pub(crate) fn ocrq(&mut self) -> &mut World {
        let call_id = self.ids[0];
        self.send(Client, OutgoingCallRequest { window: 8, ..OutgoingCallRequest::new(call_id) })
    }

    pub(crate) fn ocrp(&mut self, result: u8, error: u8, peer_call_id: u16) -> &mut World {
        let call_id = if result == 1 { self.ids[1] } else { 0 };
        self.send(
            Server,
            OutgoingCallReply {
                result: OutgoingResult::from(result),
                error: ErrorCode::from(error),
                connect_speed: 0,
                window: 8,
                ..OutgoingCallReply::connected(call_id, peer_call_id)
            },
        )
    }

    /// Open, started, and in a call.
    pub(crate) fn call(&mut self) -> &mut World {
        let id = self.ids[0];
        self.open().sccrq().sccrp(1, 0).ocrq().ocrp(1, 0, id).ack(Client)
    }

    pub(crate) fn echo(&mut self, by: By, identifier: u32, answered: bool) -> &mut World {
        self.send(by, EchoRequest { identifier });
        if answered {
            self.send(by.other(), EchoReply { identifier, result: 1.into(), error: ErrorCode::from(0) });
        }
        self
    }

    pub(crate) fn clear(&mut self) -> &mut World {
        let call_id = self.ids[0];
        self.send(Client, CallClearRequest { call_id })
    }

    /// A GRE packet with any numbers and addresses.
    pub(crate) fn gre_raw(
        &mut self,
        (from, to, ttl): (Ipv4Addr, Ipv4Addr, u8),
        (call_id, seq, ack): (u16, Option<u32>, Option<u32>),
        frame: &[u8],
    ) -> &mut World {
        self.raw(v4(from, to, gre::IP_PROTOCOL, ttl, &gre::packet(call_id, seq, ack, frame)))
    }

    /// A PPP frame over GRE that arrives.
    pub(crate) fn gre(&mut self, by: By, frame: &[u8]) -> &mut World {
        let seq = self.lost(by);
        let ack = self.heard[by as usize].filter(|_| self.acks);
        self.heard[by.other() as usize] = Some(seq);
        let (from, to) = World::ends(by);
        self.gre_raw((from, to, self.ttl(by)), (self.ids[by.other() as usize], Some(seq), ack), frame)
    }

    /// A PPP frame over GRE that is seen here and does not arrive.
    pub(crate) fn gre_vanishes(&mut self, by: By, frame: &[u8]) -> &mut World {
        let seq = self.lost(by);
        let ack = self.heard[by as usize].filter(|_| self.acks);
        let (from, to) = World::ends(by);
        self.gre_raw((from, to, self.ttl(by)), (self.ids[by.other() as usize], Some(seq), ack), frame)
    }

    /// A number that is sent and never seen here.
    pub(crate) fn lost(&mut self, by: By) -> u32 {
        let seq = self.seq[by as usize];
        self.seq[by as usize] += 1;
        seq
    }

    /// An acknowledgment alone.
    pub(crate) fn gre_ack(&mut self, by: By) -> &mut World {
        let ack = self.heard[by as usize];
        let (from, to) = World::ends(by);
        self.gre_raw((from, to, self.ttl(by)), (self.ids[by.other() as usize], None, ack), &[])
    }

    /// An ICMP error about a packet.
    pub(crate) fn icmp(
        &mut self,
        from: Ipv4Addr,
        (kind, code): (u8, u8),
        mtu: u16,
        about: &[u8],
    ) -> &mut World {
        let to = Ipv4Addr::from(<[u8; 4]>::try_from(&about[12..16]).unwrap());
        let [high, low] = mtu.to_be_bytes();
        let body = icmp::message(kind, code, [0, 0, high, low], &about[..about.len().min(28)]);
        self.raw(v4(from, to, ipv4::ICMP, 60, &body))
    }

    /// The last frame as it went out.
    pub(crate) fn last(&self) -> Vec<u8> {
        self.frames.last().unwrap().1.clone()
    }

    /// One question and its Ack, from each side.
    pub(crate) fn agree(&mut self, protocol: u16, client: &[u8], server: &[u8]) -> &mut World {
        self.lcp_id += 1;
        let id = self.lcp_id;
        self.gre(Client, &control(protocol, cp::CONFIGURE_REQUEST, id, client));
        self.gre(Server, &control(protocol, cp::CONFIGURE_REQUEST, id, server));
        self.gre(Server, &control(protocol, cp::CONFIGURE_ACK, id, client));
        self.gre(Client, &control(protocol, cp::CONFIGURE_ACK, id, server))
    }

    /// LCP with a method for the login.
    pub(crate) fn lcp_up(&mut self, method: &[u8]) -> &mut World {
        let server = [method, &magic(0x5555)].concat();
        self.agree(ppp::LCP, &[&[1, 4, 5, 0x78][..], &magic(0x1111)].concat(), &server)
    }

    /// A CHAP packet.
    pub(crate) fn chap(&mut self, by: By, code: u8, data: &[u8]) -> &mut World {
        self.gre(by, &control(ppp::CHAP, code, 9, data))
    }

    pub(crate) fn challenge(&mut self) -> &mut World {
        self.chap(Server, 1, &[&[16][..], &[0x5a; 16], b"vpn"].concat())
    }

    pub(crate) fn response(&mut self) -> &mut World {
        self.chap(Client, 2, &[&[49][..], &[0x33; 16], &[0; 8], &[0x44; 24], &[0], b"alice"].concat())
    }

    pub(crate) fn login(&mut self) -> &mut World {
        self.challenge().response();
        self.chap(Server, 3, b"S=0123456789ABCDEF0123456789ABCDEF01234567 M=ok")
    }

    pub(crate) fn mppe_up(&mut self, bits: u32) -> &mut World {
        self.agree(ppp::CCP, &mppe(bits), &mppe(bits))
    }

    pub(crate) fn ipcp_up(&mut self) -> &mut World {
        let client = [address(3, INNER_CLIENT), address(129, INNER_DNS)].concat();
        self.agree(ppp::IPCP, &client, &address(3, INNER_SERVER))
    }

    /// The whole way, encrypted.
    pub(crate) fn up(&mut self) -> &mut World {
        self.call().lcp_up(MS_CHAP_V2).login().mppe_up(BITS_128).ipcp_up()
    }

    /// The whole way, in clear.
    pub(crate) fn up_in_clear(&mut self) -> &mut World {
        self.call().lcp_up(MS_CHAP_V2).login().ipcp_up()
    }

    /// Encrypted data of so many octets, unreadable. `count` is MPPE's coherency count.
    pub(crate) fn data(&mut self, by: By, count: u16, len: usize) -> &mut World {
        let frame = World::encrypted(count, len);
        self.gre(by, &frame)
    }

    pub(crate) fn encrypted(count: u16, len: usize) -> Vec<u8> {
        let mut frame = vec![0xff, 3, 0, 0xfd];
        frame.extend((0x9000 | count & 0x0fff).to_be_bytes());
        frame.resize(frame.len() + len, 0xa5);
        frame
    }

    /// An IP packet in the tunnel, in clear.
    pub(crate) fn inside(&mut self, by: By, packet: &[u8]) -> &mut World {
        self.gre(by, &[&[0xff, 3, 0, 0x21], packet].concat())
    }

    pub(crate) fn hang_up(&mut self) -> &mut World {
        self.gre(Client, &lcp(cp::TERMINATE_REQUEST, 77, &[]));
        self.gre(Server, &lcp(cp::TERMINATE_ACK, 77, &[]));
        self.clear().fin(Client).fin(Server)
    }

    /// How many frames there are.
    pub(crate) fn len(&self) -> usize {
        self.frames.len()
    }

    /// Leaves some frames of the middle.
    pub(crate) fn keep(&mut self, from: usize, to: usize) -> &mut World {
        self.frames.truncate(to);
        self.frames.drain(..from);
        self
    }

    /// The capture lacks a frame.
    pub(crate) fn lose(&mut self, at: usize) {
        self.frames.remove(at);
    }

    pub(crate) fn file(&self) -> Vec<u8> {
        let mut file = write::header(write::RAW).to_vec();
        for (time, frame) in &self.frames {
            write::frame(&mut file, *time, frame, frame.len());
        }
        file
    }

    /// The file ends so many seconds after the last packet, with a packet that has nothing to do with it.
    pub(crate) fn silence(&mut self, seconds: f64) -> &mut World {
        self.wait(seconds);
        let other = Ipv4Addr::new(192, 168, 1, 99);
        self.raw(v4(other, ROUTER, ipv4::UDP, 64, &udp(5000, 5001, b"x")))
    }

    pub(crate) fn read(&self, secret: Option<Secret>) -> (Vec<Conversation>, Lookups) {
        let mut conversations = secret.map_or_else(Conversations::default, Conversations::with_secret);
        let mut reader = Reader::default();
        let mut items = Vec::new();
        reader.feed(&self.file(), |item| items.push(item));
        reader.finish();
        items.extend(std::iter::from_fn(|| reader.poll()));
        for item in &items {
            match item {
                Item::Packet(packet) => conversations.take(packet),
                Item::Note(note) => conversations.take_note(note),
            }
        }
        conversations.finish();
        let all = std::iter::from_fn(|| conversations.poll()).collect();
        (all, conversations.lookups().clone())
    }

    /// The verdict on the last call of the file.
    #[track_caller]
    pub(crate) fn verdict(&self) -> Verdict {
        self.verdict_with(None)
    }

    #[track_caller]
    pub(crate) fn verdict_with(&self, secret: Option<Secret>) -> Verdict {
        let (conversations, _) = self.read(secret);
        let conversation = conversations.last().expect("a conversation");
        let call = conversation.calls.len().saturating_sub(1);
        let (vantage, _) = capture::vantage(conversation);
        judge(&capture::facts(conversation, call, vantage))
    }
}
