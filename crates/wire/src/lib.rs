//! All packet and message formats that adit uses.
//!
//! Each format has up to three representations: a *view* that reads fields in place (`Packet<'_>`, without a
//! copy), a plain struct of its fields (`Repr` or a named message), and `Display` for logs.
//!
//! The contract: `new_checked` (or `parse`) creates a view and verifies every length; after that no accessor
//! panics, whatever the bytes are. `parse` never panics. `parse` reads back exactly what `emit` writes. Every
//! failure is an [`Error`] with the protocol, the field, the offset, the expected and the found value.
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
