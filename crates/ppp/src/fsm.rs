//! Option negotiation as all of PPP's control protocols do it (RFC 1661 sections 4 to 6): [`Fsm`] drives the
//! [automaton](crate::automaton) for one [`ControlProtocol`].
//!
//! The `Fsm` implements everything that is common: identifiers, the Restart timer and its counters, matching
//! of replies, the order Reject before Nak before Ack, Max-Failure, Code-Reject, Terminate. The
//! `ControlProtocol` owns the options.

mod machine;
mod protocol;
mod receive;
mod timers;

pub use machine::{Event, Finish, Fsm};
pub use protocol::{ControlProtocol, Extra, Failure, Judge};
pub use receive::Ignored;
pub use timers::Timers;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
