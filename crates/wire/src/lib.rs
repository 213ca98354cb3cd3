//! Every byte format adit speaks.
//!
//! Each format has up to three faces: a *view* that reads a field in place (`Packet<'_>`, no copy), a plain struct
//! for *meaning* (`Repr` or a named message), and `Display` for people.
//!
//! The contract, stated once: a view is made by `new_checked` (or `parse`), which verifies every length; after that no
//! accessor can panic, whatever the bytes. `parse` never panics. `emit` writes exactly what `parse` reads back.
//! Every refusal is an [`Error`]: which protocol, which field, at which octet, what was expected, what was found.
#![forbid(unsafe_code)]

mod call_id;
pub mod ccp;
pub mod chap;
pub mod checksum;
pub mod cp;
pub mod describe;
pub mod dhcp;
mod error;
pub mod gre;
pub mod icmp;
pub mod ipcp;
pub mod ipv4;
pub mod ipv6;
pub mod ipv6cp;
pub mod lcp;
pub mod mppe;
pub mod note;
pub mod pap;
pub mod ppp;
pub mod pptp;
pub mod tcp;
pub mod text;
pub mod udp;

pub use call_id::{LocalCallId, PeerCallId};
pub use error::{Error, Protocol, Result};
