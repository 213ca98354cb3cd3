//! MS-CHAP, MPPE key schedules and RC4, built on RustCrypto primitives, and the one random generator of the core.
//!
//! [`secret`] holds what must be wiped and never printed. [`chap`], [`mschap`] and [`change_password`] compute what
//! travels on the wire; [`proof`] checks on the server that a peer knows the secret.
//! [`mppe`] turns a successful MS-CHAP into keys, [`rc4`] uses them.
#![deny(unsafe_code)]

pub mod change_password;
pub mod chap;
mod des;
mod digest;
pub mod mppe;
pub mod mschap;
pub mod proof;
pub mod rc4;
mod rng;
pub mod secret;
#[cfg(test)]
mod vectors;

pub use rng::Rng;
