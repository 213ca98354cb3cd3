//! What a box does with a packet.

use crate::packet::Packet;

/// What becomes of a packet.
#[derive(Debug)]
pub enum Verdict {
    /// It goes on, perhaps changed.
    Pass(Packet),
    /// It vanishes; why.
    Drop(&'static str),
    /// It vanishes, and this goes back to its sender.
    Answer(Packet),
}
