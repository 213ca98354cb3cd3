//! Guessed passwords against the real server, in network namespaces: what is checked, who is locked out, and what outlives
//! the server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod attack;
mod bans;
#[path = "../common/mod.rs"]
mod common;
mod kept;
mod world;
