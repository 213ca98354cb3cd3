//! The service units, what a service may do, and how it starts and ends. All of it in network namespaces, without a running
//! systemd.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../common/mod.rs"]
mod common;

mod confined;
mod dns;
mod install;
mod terminal;
mod unit;
mod watchdog;
