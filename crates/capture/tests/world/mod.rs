//! Captures made by code: packets, links and containers.

#![allow(dead_code, reason = "every test file uses its part")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use adit_capture::{Content, Gre, Item, Note, Packet, Reader, Segment, Summary, What, write};
use adit_wire::pptp::Message;
use adit_wire::{checksum, gre, ipv4, ipv6, pptp};

pub(crate) const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// When the captures begin, since 1970.
pub(crate) const START: Duration = Duration::from_secs(1_700_000_000);

/// Everything a file gives, however it is cut into pieces of `piece` octets.
pub(crate) fn read_in(file: &[u8], piece: usize) -> (Vec<Item>, Summary) {
    let mut reader = Reader::default();
    let mut items = Vec::new();
    for mut rest in file.chunks(piece) {
        while !rest.is_empty() {
            let taken = reader.push(rest);
            rest = &rest[taken..];
            let before = items.len();
            items.extend(std::iter::from_fn(|| reader.poll()));
            assert!(taken > 0 || items.len() > before, "the reader takes nothing and gives nothing");
        }
    }
    reader.finish();
    items.extend(std::iter::from_fn(|| reader.poll()));
    (items, reader.summary().clone())
}

pub(crate) fn read(file: &[u8]) -> Vec<Item> {
    read_in(file, 64 * 1024).0
}

pub(crate) fn packets(items: &[Item]) -> Vec<Packet> {
    items
        .iter()
        .filter_map(|item| if let Item::Packet(packet) = item { Some((**packet).clone()) } else { None })
        .collect()
}

pub(crate) fn notes(items: &[Item]) -> Vec<Note> {
    items
        .iter()
        .filter_map(|item| if let Item::Note(note) = item { Some(note.clone()) } else { None })
        .collect()
}

/// The only packet and no note.
#[track_caller]
pub(crate) fn one(link: u16, frame: &[u8]) -> Packet {
    let items = read(&pcap(link, &[frame.to_vec()]));
    match &items[..] {
        [Item::Packet(packet)] => (**packet).clone(),
        other => panic!("one packet expected: {other:#?}"),
    }
}

#[track_caller]
pub(crate) fn segment(packet: &Packet) -> &Segment {
    match &packet.content {
        Content::Tcp(segment) => segment,
        other => panic!("TCP expected: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn pptp_gre(packet: &Packet) -> &Gre {
    match &packet.content {
        Content::Gre(gre) => gre,
        other => panic!("GRE expected: {other:?}"),
    }
}

/// A pcap file with a frame every 10 ms.
pub(crate) fn pcap(link: u16, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = write::header(link).to_vec();
    for (n, frame) in frames.iter().enumerate() {
        write::frame(&mut file, at(n), frame, frame.len());
    }
    file
}

/// The time of the n-th frame.
pub(crate) fn at(n: usize) -> Duration {
    START + Duration::from_millis(10) * n as u32
}

pub(crate) fn ethernet(ethertype: u16, packet: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    frame.extend_from_slice(&ethertype.to_be_bytes());
    frame.extend_from_slice(packet);
    frame
}

pub(crate) fn v4(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4::Repr { identification: 7, ..ipv4::Repr::new(source, destination, protocol) }.packet(payload)
}

pub(crate) fn v6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let header = ipv6::Repr {
        src: Ipv6Addr::LOCALHOST,
        dst: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
        next_header,
        hop_limit: 60,
        payload_len: payload.len() as u16,
    };
    [&header.emit(), payload].concat()
}

/// GRE from client to server, from its header on.
pub(crate) fn gre_of(seq: u32, frame: &[u8]) -> Vec<u8> {
    gre::packet(99, Some(seq), None, frame)
}

/// An LCP Configure-Request.
pub(crate) const LCP: &[u8] = &[0xff, 3, 0xc0, 0x21, 1, 1, 0, 8, 1, 4, 5, 0x78];

/// A GRE packet with it, from the IP header on.
pub(crate) fn gre_packet(seq: u32) -> Vec<u8> {
    v4(CLIENT, SERVER, gre::IP_PROTOCOL, &gre_of(seq, LCP))
}

pub(crate) fn udp(source: u16, destination: u16, data: &[u8]) -> Vec<u8> {
    let len = 8 + data.len() as u16;
    let header = [source, destination, len, 0].map(u16::to_be_bytes).concat();
    [&header, data].concat()
}

/// A TCP connection between client and server, written segment by segment.
pub(crate) struct Tcp {
    pub(crate) port: u16,
    /// Next sequence numbers of client and server.
    pub(crate) next: [u32; 2],
}

/// Who sends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Client,
    Server,
}

impl Tcp {
    pub(crate) fn new(port: u16) -> Tcp {
        Tcp { port, next: [1000, 5000] }
    }

    /// The three segments that open it.
    pub(crate) fn open(&mut self) -> Vec<Vec<u8>> {
        let syn = self.raw(By::Client, 0x02, self.next[0], &[]);
        self.next[0] = self.next[0].wrapping_add(1);
        let syn_ack = self.raw(By::Server, 0x12, self.next[1], &[]);
        self.next[1] = self.next[1].wrapping_add(1);
        let ack = self.raw(By::Client, 0x10, self.next[0], &[]);
        vec![syn, syn_ack, ack]
    }

    /// The next data.
    pub(crate) fn send(&mut self, by: By, data: &[u8]) -> Vec<u8> {
        let segment = self.raw(by, 0x18, self.next[by as usize], data);
        self.next[by as usize] = self.next[by as usize].wrapping_add(data.len() as u32);
        segment
    }

    /// Any segment, from the IP header on; it acknowledges everything of the other side.
    pub(crate) fn raw(&self, by: By, flags: u8, seq: u32, data: &[u8]) -> Vec<u8> {
        let (client, server) = (40_000u16, self.port);
        let (from, to, source, destination) = match by {
            By::Client => (client, server, CLIENT, SERVER),
            By::Server => (server, client, SERVER, CLIENT),
        };
        let ack = if flags & 0x10 == 0 { 0 } else { self.next[1 - by as usize] };
        let mut segment = [from.to_be_bytes(), to.to_be_bytes()].concat();
        segment.extend_from_slice(&seq.to_be_bytes());
        segment.extend_from_slice(&ack.to_be_bytes());
        segment.extend_from_slice(&[0x50, flags, 0x20, 0, 0, 0, 0, 0]);
        segment.extend_from_slice(data);
        let len = segment.len() as u16;
        let sum = checksum::Sum::default().pseudo_v4(source, destination, 6, len).with(&segment).finish();
        segment[16..18].copy_from_slice(&sum.to_be_bytes());
        v4(source, destination, 6, &segment)
    }
}

/// The octets of a control message.
pub(crate) fn octets(message: impl Into<Message>) -> Vec<u8> {
    message.into().to_octets()
}

/// A Start-Control-Connection-Request.
pub(crate) fn sccrq() -> Vec<u8> {
    octets(message(1, 156))
}

/// An Outgoing-Call-Request.
pub(crate) fn ocrq() -> Vec<u8> {
    octets(message(7, 168))
}

/// An Echo-Request.
pub(crate) fn echo(identifier: u32) -> Vec<u8> {
    octets(pptp::EchoRequest { identifier })
}

/// A message of zeros, read back.
fn message(kind: u16, len: u16) -> Message {
    let mut octets = vec![0; len.into()];
    octets[..2].copy_from_slice(&len.to_be_bytes());
    octets[2..4].copy_from_slice(&1u16.to_be_bytes());
    octets[4..8].copy_from_slice(&pptp::MAGIC_COOKIE.to_be_bytes());
    octets[8..10].copy_from_slice(&kind.to_be_bytes());
    Message::parse(&octets).unwrap()
}

/// The names of all control messages in the file, with their frames.
pub(crate) fn messages(items: &[Item]) -> Vec<(u64, String)> {
    packets(items)
        .iter()
        .filter(|packet| matches!(packet.content, Content::Tcp(_)))
        .flat_map(|packet| {
            let name = |frame: &pptp::Frame| match frame {
                pptp::Frame::Message(message) => message.message_type().name().to_owned(),
                unknown => unknown.to_string(),
            };
            segment(packet).messages.iter().map(|m| (packet.number, name(m))).collect::<Vec<_>>()
        })
        .collect()
}

/// The contents of the notes.
pub(crate) fn reported(items: &[Item]) -> Vec<What> {
    notes(items).into_iter().map(|note| note.what).collect()
}

pub(crate) fn ip(address: Ipv4Addr) -> IpAddr {
    address.into()
}
