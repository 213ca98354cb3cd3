//! Where a packet wanted to go that may not go there.

use core::fmt;
use std::net::Ipv4Addr;

use adit_wire::ipv4;

/// A destination with protocol and port; the port is 0 where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    /// Where to.
    pub destination: Ipv4Addr,
    /// IP protocol.
    pub protocol: u8,
    /// Port of TCP and UDP.
    pub port: u16,
}

impl Denied {
    /// Of a packet, unless it is for everybody in reach: hosts send many of those, and miss none of them.
    pub(super) fn of(packet: ipv4::Packet<'_>) -> Option<Denied> {
        let destination = packet.dst();
        let everybody = destination.is_broadcast()
            || destination.is_multicast()
            || destination.is_unspecified()
            || destination.octets().last() == Some(&255);
        let ports = matches!(packet.protocol(), ipv4::TCP | ipv4::UDP) && !packet.is_fragment();
        let port = match packet.payload() {
            [_, _, high, low, ..] if ports => u16::from_be_bytes([*high, *low]),
            _ => 0,
        };
        (!everybody).then_some(Denied { destination, protocol: packet.protocol(), port })
    }

    /// As a number that is never 0: how it travels among counters.
    pub fn pack(self) -> u64 {
        u64::from(self.destination.to_bits()) << 32
            | u64::from(self.port) << 16
            | u64::from(self.protocol) << 8
            | 1
    }

    /// From [`Denied::pack`]; `None` of 0.
    pub fn unpack(packed: u64) -> Option<Denied> {
        let [a, b, c, d, high, low, protocol, _] = packed.to_be_bytes();
        (packed != 0).then_some(Denied {
            destination: Ipv4Addr::new(a, b, c, d),
            protocol,
            port: u16::from_be_bytes([high, low]),
        })
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Denied { destination, port, .. } = self;
        match self.protocol {
            ipv4::TCP => write!(f, "{destination} tcp/{port}"),
            ipv4::UDP => write!(f, "{destination} udp/{port}"),
            ipv4::ICMP => write!(f, "{destination} icmp"),
            protocol => write!(f, "{destination} protocol {protocol}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        for (destination, protocol, port, text) in [
            ([192, 168, 10, 20], 6, 443, "192.168.10.20 tcp/443"),
            ([255, 255, 255, 254], 17, 65535, "255.255.255.254 udp/65535"),
            ([0, 0, 0, 1], 1, 0, "0.0.0.1 icmp"),
            ([10, 0, 0, 1], 47, 0, "10.0.0.1 protocol 47"),
        ] {
            let denied = Denied { destination: destination.into(), protocol, port };
            assert_eq!(Denied::unpack(denied.pack()), Some(denied));
            assert_eq!(denied.to_string(), text);
        }
        assert_eq!(Denied::unpack(0), None);
    }
}
