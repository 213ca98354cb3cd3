//! The verdict of a middlebox on a packet.

use crate::packet::Packet;

/// What becomes of a packet.
#[derive(Debug)]
pub enum Verdict {
    /// It is forwarded, possibly changed.
    Pass(Packet),
    /// It is dropped, for this reason.
    Drop(&'static str),
    /// It is dropped, and this packet is returned to its sender.
    Answer(Packet),
}
