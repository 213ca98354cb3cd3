//! Other people's clients and servers, as public logs and documents show them: their offers, their Naks, their quirks.
//!
//! They share the packet formats and the data path with adit, but none of its decisions: [`ppp`] is a small negotiator
//! of its own that does what a [`Profile`] says.

mod host;
mod negotiation;
pub mod ppp;
mod profile;

pub use host::{Foreign, Outcome};
pub use negotiation::Options;
pub use profile::{Profile, Quirks};
