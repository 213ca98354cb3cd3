//! MS-CHAP, MPPE key schedules and RC4, built on RustCrypto primitives, and the one random generator of the core.
#![forbid(unsafe_code)]

pub mod change_password;
pub mod chap;
pub mod mppe;
pub mod mschap;
pub mod proof;
pub mod rc4;
mod rng;
pub mod secret;

pub use rng::Rng;
