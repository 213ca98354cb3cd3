//! The client against simulated servers on a virtual clock.
//!
//! A world derives from its seed: a failing test prints it.

#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod fail_over;
mod hostile;
mod identifiers;
mod random;
mod requests;
mod retransmission;
mod world;
