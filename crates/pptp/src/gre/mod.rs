//! The GRE data channel of one call (RFC 2637 section 4): sequence numbers, acknowledgments and reordering.
//!
//! It has five independent parts: [`Sender`] numbers sent packets, [`Receiver`] orders received packets,
//! [`Acknowledger`] decides when to send an acknowledgment, [`Prompt`] when to repeat one because the peer
//! holds packets back, and the optional [`Window`] when the next packet may be sent. Sequence numbers have 32
//! bits and are compared modulo 2^32, so a call may wrap any number of times.

mod acknowledger;
mod prompt;
mod receiver;
mod reorder;
mod sender;
mod window;

pub use acknowledger::Acknowledger;
pub use prompt::Prompt;
pub use receiver::{Arrival, Place, Position, Receiver, ReceiverConfig, ReceiverCounters};
pub use sender::Sender;
pub use window::Window;

/// How far `seq` is ahead of `other` modulo 2^32: positive when newer, zero when equal, negative when older.
fn ahead(seq: u32, other: u32) -> i32 {
    seq.wrapping_sub(other).cast_signed()
}
