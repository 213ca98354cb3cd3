//! `adit doctor HOST` in real network namespaces: healthy networks, and faults made for real.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../common/mod.rs"]
mod common;

mod capture;
mod faults;
mod healthy;
mod manners;
mod world;
