//! A middlebox that rewrites one field: half of a NAT helper, or a source NAT rule that matches too much.

use std::net::Ipv4Addr;

use adit_wire::pptp::{CONTROL_MESSAGE, MAGIC_COOKIE};

use crate::packet::{Body, Kind, Packet, gre_call_id, set_gre_call_id};
use crate::verdict::Verdict;

/// The number that is added to a rewritten Call ID.
const SHIFT: u16 = 1000;

/// The field that is rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// The source of GRE from the server.
    Source(Ipv4Addr),
    /// The Call ID in GRE from the client.
    Key,
    /// The Call ID in the client's Outgoing-Call-Request, and nowhere else.
    Request,
}

impl Rewrite {
    pub(crate) fn outward(self, mut packet: Packet) -> Verdict {
        match (self, &mut packet.body) {
            (Rewrite::Key, Body::Gre(octets)) => {
                let call_id = gre_call_id(octets).wrapping_add(SHIFT);
                set_gre_call_id(octets, call_id);
            }
            (Rewrite::Request, Body::Tcp(segment)) => {
                if let Kind::Data { octets, .. } = &mut segment.kind {
                    rename(octets);
                }
            }
            _ => {}
        }
        Verdict::Pass(packet)
    }

    pub(crate) fn inward(self, mut packet: Packet) -> Verdict {
        if let (Rewrite::Source(address), Body::Gre(_)) = (self, &packet.body) {
            packet.src = address;
        }
        Verdict::Pass(packet)
    }
}

/// Rewrites the Call ID of an Outgoing-Call-Request at the beginning of these octets.
fn rename(octets: &mut [u8]) {
    let is = |at: usize, wanted: &[u8]| octets.get(at..at + wanted.len()) == Some(wanted);
    if !(is(2, &CONTROL_MESSAGE.to_be_bytes()) && is(4, &MAGIC_COOKIE.to_be_bytes()) && is(8, &[0, 7])) {
        return;
    }
    if let Some([high, low]) = octets.get_mut(12..14) {
        let call_id = u16::from_be_bytes([*high, *low]).wrapping_add(SHIFT);
        [*high, *low] = call_id.to_be_bytes();
    }
}
