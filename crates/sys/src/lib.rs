//! Linux: GRE sockets, TUN, netlink, nft, resolver, and the undo journal of host changes.
//!
//! This crate contains all system calls beyond the standard library, and nothing else. Each file that needs
//! `unsafe` allows it for itself, with the reason.

#![deny(unsafe_code)]

pub mod changes;
mod error;
pub mod gre;
pub mod host;
pub mod journal;
pub mod local;
pub mod namespace;
pub mod net;
pub mod observe;
pub mod packet;
pub mod ping;
pub mod poll;
pub mod resolver;
mod socket;
pub mod tun;
pub mod xdp;

pub use error::{Error, Kind, Result};
