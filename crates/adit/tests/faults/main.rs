//! The fault matrix: every fault is made for real in network namespaces, and every vantage point is asked what broke.
//!
//! Each row is a test of its own and leaves its lines of the confusion table in `target/tmp/faults` (or where
//! `ADIT_FAULTS` says); `cargo xtask faults` puts them together. `ADIT_FAULTS_KEEP=DIR` keeps the captures.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../common/mod.rs"]
mod common;

mod case;
mod dead_tunnel;
mod matrix;
mod peers;
mod rows;
mod table;
mod world;
