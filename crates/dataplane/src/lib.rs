//! Workers that move packets: GRE on one side, the TUN interface on the other, a [`adit_tunnel::path::Path`] for each
//! call between.
//!
//! A call belongs to one worker thread for its whole life: its Call ID, which we choose, names the worker. Workers share
//! nothing with each other, so that a packet meets no lock. Shells talk to workers over bounded queues: what must arrive
//! waits for room, what may be lost (control frames, packets) is dropped and counted when a queue is full.
#![forbid(unsafe_code)]

mod call_ids;
mod coalesce;
mod config;
mod counters;
mod dataplane;
mod event;
mod io;
mod order;
mod routes;
mod segment;
mod timers;
mod unmatched;
mod worker;

pub use config::{DataplaneConfig, Io};
pub use counters::{Drops, LastCounters};
pub use dataplane::Dataplane;
pub use event::{Event, Events};

/// Parts of the packet path, for those who measure them alone. Nothing here is promised to stay.
#[doc(hidden)]
pub mod bench {
    pub use crate::coalesce::{Coalescer, Slots};
    pub use crate::segment::Segments;
}
