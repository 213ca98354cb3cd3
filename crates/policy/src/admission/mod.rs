//! Fairness between clients that are not logged in yet: which connection is set up next, and which one has to end.
//!
//! An attacker can open connections from many addresses, mostly of few networks, and at no cost. A user opens one.
//! Therefore addresses and /24 networks take turns, connections that make no progress give way first, and an address
//! from which a user logged in before is not delayed by addresses without such a history.

pub mod arrivals;
pub mod capacity;
pub mod crowd;
pub mod fair_queue;
pub mod history;
pub mod login_limit;
pub mod setup_slots;

pub use arrivals::Arrivals;
pub use capacity::Capacity;
pub use crowd::Crowd;
pub use fair_queue::FairQueue;
pub use history::{History, Standing};
pub use login_limit::LoginLimiter;
pub use setup_slots::{SetupSlots, Stage};
