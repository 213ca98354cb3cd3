//! `adit` in a bad world: hosts that lack what it needs, peers that send rubbish, disks that are full, crashes at every
//! stage. All of it in network namespaces.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../common/mod.rs"]
mod common;

mod client;
mod control;
mod floods;
mod forged;
mod forged_control;
mod host_faults;
mod killed;
mod networks;
mod packets;
mod peer;
mod secrets;
mod start;
mod stop;
mod store;
mod two_servers;
