//! The same as in `tunnel.rs`, but AF_XDP moves the packets at both ends.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "tunnel/cases.rs"]
mod cases;
mod common;
