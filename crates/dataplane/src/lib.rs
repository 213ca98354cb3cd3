//! The dataplane: workers that move packets between GRE and the TUN interface, through a
//! [`adit_tunnel::path::Path`] for each call.
//!
//! A call belongs to one worker thread from its begin to its end: its Call ID, which we choose, selects the
//! worker. Workers share no state, so packets are processed without locks. The owner sends orders to workers
//! through bounded queues: an order that must arrive waits for space; what may be lost (control frames,
//! packets) is dropped and counted if a queue is full.
#![forbid(unsafe_code)]

mod auto;
mod call_ids;
pub mod cipher;
mod coalesce;
mod config;
mod counters;
mod dataplane;
mod event;
mod in_use;
mod io;
mod order;
mod reply_limit;
mod routes;
mod segment;
mod timers;
mod unmatched;
mod worker;

pub use auto::remembered_in;
pub use config::{DataplaneConfig, Io};
pub use counters::{Drops, LastCounters};
pub use dataplane::Dataplane;
pub use event::{Event, Events};

/// Parts of the packet path for benchmarks. No stable interface.
#[doc(hidden)]
pub mod bench {
    pub use crate::coalesce::{Coalescer, Slots};
    pub use crate::segment::Segments;
}
