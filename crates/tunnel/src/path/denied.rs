//! The destination of a packet that was denied.

use std::net::Ipv4Addr;

use adit_diag::note::Destination;
use adit_wire::ipv4;

/// The destination of a packet, unless it is multicast or broadcast: hosts send many of those, which need no
/// answer.
pub(super) fn destination(packet: ipv4::Packet<'_>) -> Option<Destination> {
    let address = packet.dst();
    let to_all = address.is_broadcast()
        || address.is_multicast()
        || address.is_unspecified()
        || address.octets().last() == Some(&255);
    let ports = matches!(packet.protocol(), ipv4::TCP | ipv4::UDP) && !packet.is_fragment();
    let port = match packet.payload() {
        [_, _, high, low, ..] if ports => u16::from_be_bytes([*high, *low]),
        _ => 0,
    };
    (!to_all).then_some(Destination { address, protocol: packet.protocol(), port })
}

/// Packs a destination into a nonzero number, which can be stored among counters.
pub fn pack(destination: Destination) -> u64 {
    u64::from(destination.address.to_bits()) << 32
        | u64::from(destination.port) << 16
        | u64::from(destination.protocol) << 8
        | 1
}

/// Unpacks the result of [`pack`]; `None` for 0.
pub fn unpack(packed: u64) -> Option<Destination> {
    let [a, b, c, d, high, low, protocol, _] = packed.to_be_bytes();
    let address = Ipv4Addr::new(a, b, c, d);
    (packed != 0).then_some(Destination { address, protocol, port: u16::from_be_bytes([high, low]) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        for (address, protocol, port) in [
            ([192, 168, 10, 20], 6, 443),
            ([255, 255, 255, 254], 17, 65535),
            ([0, 0, 0, 1], 1, 0),
            ([10, 0, 0, 1], 47, 0),
        ] {
            let denied = Destination { address: address.into(), protocol, port };
            assert_eq!(unpack(pack(denied)), Some(denied));
        }
        assert_eq!(unpack(0), None);
    }
}
