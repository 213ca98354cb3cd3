//! Two hosts on a wire, and the packets between them.

#![allow(missing_docs, unreachable_pub, reason = "shared by tests")]

use std::net::Ipv4Addr;
use std::time::Duration;

use adit_testbed::{Host, wire};

pub const A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
pub const B: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
pub const SOON: Duration = Duration::from_secs(20);

pub struct Net {
    pub a: Host,
    pub b: Host,
}

pub fn net() -> Net {
    let (a, b) = (Host::new("a"), Host::new("b"));
    wire((&a, "eth0", "192.0.2.1/24"), (&b, "eth0", "192.0.2.2/24"));
    Net { a, b }
}

/// An enhanced GRE packet with a sequence number, whose payload contains that number and its length.
pub fn packet(call: u16, number: u32, payload: usize) -> Vec<u8> {
    let mut octets = vec![0x30, 0x01, 0x88, 0x0b];
    octets.extend_from_slice(&(payload as u16).to_be_bytes());
    octets.extend_from_slice(&call.to_be_bytes());
    octets.extend_from_slice(&number.to_be_bytes());
    octets.extend((0..payload).map(|at| (at as u32).wrapping_mul(31).wrapping_add(number) as u8));
    octets
}
