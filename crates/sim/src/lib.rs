//! A deterministic simulation of whole conversations: a virtual clock, lines with loss and reordering, NAT,
//! firewalls, and misbehaving peers.
//!
//! Everything derives from one seed. A world keeps a [`Transcript`](transcript::Transcript) whose hash is
//! equal for equal seeds, and a [`Watch`](watch::Watch) that reads every GRE packet.
#![forbid(unsafe_code)]

pub mod attacker;
pub mod client;
pub mod conversation;
pub mod firewall;
pub mod foreign;
pub mod forger;
pub mod inner;
pub mod judge;
pub mod link;
pub mod machine;
pub mod middlebox;
pub mod nat;
pub mod node;
pub mod packet;
pub mod rewrite;
pub mod rude;
pub mod scenario;
pub mod server;
pub mod shell;
pub mod tamper;
pub mod tcp;
pub mod transcript;
pub mod verdict;
pub mod watch;
pub mod world;
