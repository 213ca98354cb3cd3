//! Writes a large capture of a call with much data to stdout: `cargo run -p adit-capture --example large -- MEGABYTES > FILE`
//!
//! A control connection, GRE both ways with sequence numbers and acknowledgments, some of them lost, and other traffic in
//! between: web connections and name look-ups that have nothing to do with the call.

use std::io::{BufWriter, Write as _};
use std::net::Ipv4Addr;
use std::time::Duration;

use adit_capture::write;
use adit_wire::pptp::{Message, OutgoingCallReply, OutgoingCallRequest};
use adit_wire::{gre, ipv4, ppp};

const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const OTHER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 80);
/// The first number of a packet with data.
const FIRST: u32 = 5;
const START: u64 = 1_700_000_000;

fn main() -> std::io::Result<()> {
    let megabytes: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100);
    let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    out.write_all(&write::header(write::RAW))?;
    let mut written = 24;
    let mut frames = Vec::new();
    let mut number = 0u32;
    while written < megabytes * 1_000_000 {
        frames.clear();
        for packet in round(number) {
            let time = Duration::from_secs(START) + Duration::from_micros(u64::from(number) * 150);
            write::frame(&mut frames, time, &packet, packet.len());
        }
        number += 1;
        out.write_all(&frames)?;
        written += frames.len() as u64;
    }
    out.flush()
}

/// What happens in one moment.
fn round(number: u32) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    if number == 0 {
        packets.extend(set_up());
    }
    if !number.is_multiple_of(97) {
        packets.push(data(CLIENT, SERVER, 99, number + FIRST, 120));
    }
    packets.push(data(SERVER, CLIENT, 7, number + FIRST, 1400));
    if number.is_multiple_of(4) {
        // A new connection of another program.
        let port = (2000 + number / 4 % 60_000) as u16;
        packets.push(v4(CLIENT, OTHER, ipv4::TCP, &segment(port, 443, 2, number, &[])));
        packets.push(v4(CLIENT, OTHER, ipv4::TCP, &segment(port, 443, 0x18, number + 1, &[0x16; 300])));
    }
    packets
}

fn set_up() -> Vec<Vec<u8>> {
    let request = Message::from(OutgoingCallRequest::new(7)).to_octets();
    let reply = OutgoingCallReply { connect_speed: 0, ..OutgoingCallReply::connected(99, 7) };
    let reply = Message::from(reply).to_octets();
    vec![
        v4(CLIENT, SERVER, ipv4::TCP, &segment(40_000, 1723, 2, 999, &[])),
        v4(SERVER, CLIENT, ipv4::TCP, &segment(1723, 40_000, 0x12, 4999, &[])),
        v4(CLIENT, SERVER, ipv4::TCP, &segment(40_000, 1723, 0x18, 1000, &request)),
        v4(SERVER, CLIENT, ipv4::TCP, &segment(1723, 40_000, 0x18, 5000, &reply)),
        ppp(CLIENT, 1, ppp::LCP, &[1, 1, 0, 8, 1, 4, 5, 0x78]),
        ppp(SERVER, 1, ppp::LCP, &[1, 1, 0, 8, 1, 4, 5, 0x78]),
        ppp(CLIENT, 2, ppp::LCP, &[2, 1, 0, 8, 1, 4, 5, 0x78]),
        ppp(SERVER, 2, ppp::LCP, &[2, 1, 0, 8, 1, 4, 5, 0x78]),
        ppp(CLIENT, 3, ppp::IPCP, &[1, 2, 0, 10, 3, 6, 10, 99, 0, 14]),
        ppp(SERVER, 3, ppp::IPCP, &[1, 2, 0, 10, 3, 6, 10, 99, 0, 1]),
        ppp(CLIENT, 4, ppp::IPCP, &[2, 2, 0, 10, 3, 6, 10, 99, 0, 1]),
        ppp(SERVER, 4, ppp::IPCP, &[2, 2, 0, 10, 3, 6, 10, 99, 0, 14]),
    ]
}

/// A frame of a control protocol; numbers before those of the data.
fn ppp(from: Ipv4Addr, seq: u32, protocol: u16, packet: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    ppp::push_header(&mut frame, protocol, false, false);
    frame.extend(packet);
    let (to, call_id) = if from == CLIENT { (SERVER, 99) } else { (CLIENT, 7) };
    v4(from, to, gre::IP_PROTOCOL, &gre::packet(call_id, Some(seq), None, &frame))
}

/// Encrypted data, as it looks from outside.
fn data(from: Ipv4Addr, to: Ipv4Addr, call_id: u16, seq: u32, len: usize) -> Vec<u8> {
    let mut frame = vec![0xff, 3, 0, 0xfd];
    frame.extend((0x9000 | seq as u16 & 0x0fff).to_be_bytes());
    frame.resize(len, seq as u8);
    let ack = Some(seq.wrapping_sub(1)).filter(|_| seq > 0);
    v4(from, to, gre::IP_PROTOCOL, &gre::packet(call_id, Some(seq), ack, &frame))
}

fn segment(from: u16, to: u16, flags: u8, seq: u32, data: &[u8]) -> Vec<u8> {
    let mut out = [from.to_be_bytes(), to.to_be_bytes()].concat();
    out.extend(seq.to_be_bytes());
    out.extend(0u32.to_be_bytes());
    out.extend([0x50, flags, 0x20, 0, 0, 0, 0, 0]);
    out.extend(data);
    out
}

fn v4(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let header = ipv4::Repr::new(src, dst, protocol);
    ipv4::Repr { identification: 7, dont_fragment: true, ..header }.packet(payload)
}
