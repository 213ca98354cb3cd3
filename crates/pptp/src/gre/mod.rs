//! The GRE data channel of one call (RFC 2637 section 4): numbering, acknowledging and putting packets in order.
//!
//! Four parts that know nothing of each other: [`Sender`] numbers what leaves, [`Receiver`] orders what arrives,
//! [`Acknowledger`] decides when the peer must be told, and [`Window`], where it is wanted, when the next may leave. Sequence numbers are 32 bits, compared modulo 2^32, so a call
//! may live through any number of wraps.

mod acknowledger;
mod receiver;
mod reorder;
mod sender;
mod window;

pub use acknowledger::Acknowledger;
pub use receiver::{Arrival, Receiver, ReceiverConfig, ReceiverCounters};
pub use sender::Sender;
pub use window::Window;

/// How far `seq` is ahead of `other` modulo 2^32: positive when newer, zero when equal, negative when older.
fn ahead(seq: u32, other: u32) -> i32 {
    seq.wrapping_sub(other).cast_signed()
}
