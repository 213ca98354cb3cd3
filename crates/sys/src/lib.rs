//! Linux: GRE sockets, TUN, netlink, nft, resolver, and the journal that undoes.
//!
//! Everything that asks the kernel for something is here, and nothing else is. It is the only crate with `unsafe`;
//! each file that needs it lifts the denial for itself and says why.

#![deny(unsafe_code)]

mod error;
pub mod gre;
pub mod host;
pub mod journal;
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
