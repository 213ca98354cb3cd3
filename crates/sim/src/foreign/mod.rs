//! Third-party clients and servers, modelled on public logs and documents: their offers, Naks and quirks.
//!
//! They share the packet formats and the data path with adit, but not the negotiation: [`ppp`] is a small,
//! separate negotiator that follows a [`Profile`].

mod host;
mod negotiation;
pub mod ppp;
mod profile;

pub use host::{Foreign, Outcome};
pub use negotiation::Options;
pub use ppp::Ppp;
pub use profile::{Profile, Quirks};
