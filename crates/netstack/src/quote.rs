//! ICMP errors: sender, content and the packet of ours that they are about.

use std::net::Ipv4Addr;

use adit_wire::{icmp, ipv4};

/// Time to live exceeded.
const EXCEEDED: u8 = 11;

/// An error, and the beginning of the packet that it is about.
pub(crate) struct Quote<'a> {
    pub(crate) kind: u8,
    pub(crate) code: u8,
    /// The next hop's MTU, where the error is about size.
    pub(crate) mtu: Option<u16>,
    pub(crate) destination: Ipv4Addr,
    pub(crate) protocol: u8,
    /// Eight octets or more of the quoted packet's payload.
    pub(crate) payload: &'a [u8],
}

/// Reads an ICMP error; `None` for anything else.
pub(crate) fn read(octets: &[u8]) -> Option<Quote<'_>> {
    let (head, quoted) = octets.split_first_chunk::<{ icmp::HEADER }>()?;
    let (kind, code) = (head[0], head[1]);
    if !matches!(kind, icmp::UNREACHABLE | EXCEEDED) {
        return None;
    }
    // The quoted packet is always cut, so its own length is not checked.
    let header_len = usize::from(quoted.first()? & 0x0f) * 4;
    if quoted.first()? >> 4 != 4 || header_len < ipv4::HEADER_MIN {
        return None;
    }
    let mtu = (kind == icmp::UNREACHABLE && code == icmp::FRAGMENTATION_NEEDED)
        .then(|| u16::from_be_bytes([head[6], head[7]]));
    Some(Quote {
        kind,
        code,
        mtu,
        destination: Ipv4Addr::from(*quoted.get(16..)?.first_chunk::<4>()?),
        protocol: *quoted.get(9)?,
        payload: quoted.get(header_len..).filter(|payload| payload.len() >= 8)?,
    })
}
