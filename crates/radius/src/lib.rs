//! RADIUS as a client (RFC 2865, 2548, 2868, 2869, 3162, 3579, 5080, 5997), without I/O.
//!
//! [`Packet`] reads a packet in place, [`Builder`] writes one, [`signature`] and [`hiding`] compute what is signed or
//! hidden with the [`SharedSecret`]. [`AccessRequest`] and [`Reply`] are a login and its verdict as plain values.
//!
//! The contract of the parsers: after [`Packet::new_checked`] no accessor panics, whatever the octets are. Every
//! failure is an [`Error`] with the field, the offset, the expected and the found value. A packet that does not
//! [prove its origin](Dropped) is dropped, and a Reject grants nothing, whatever attributes it has.
//!
//! [`client::Client`] asks several servers: a state machine in the calling convention of core.
#![forbid(unsafe_code)]

mod accept;
mod attribute;
mod builder;
mod check;
pub mod client;
mod credentials;
mod digest;
mod error;
pub mod hiding;
mod ipv6;
mod mppe;
mod mschap;
pub mod number;
mod packet;
mod rate;
mod reply;
mod request;
mod route;
mod secret;
pub mod signature;
mod vendors;

pub use accept::{Accept, Compression, FramedAddress};
pub use attribute::{Attribute, Attributes, MAX_VALUE};
pub use builder::{Builder, Signing};
pub use check::{Dropped, OpenRequest, RequireMessageAuthenticator, check_reply};
pub use credentials::{Credentials, MAX_EAP};
pub use error::{Error, Result};
pub use ipv6::Ipv6;
pub use mppe::{ChapMppeKeys, EncryptionPolicy, EncryptionTypes, Mppe};
pub use mschap::ChapError;
pub use packet::{Code, HEADER_LEN, MAX_LEN, Packet};
pub use rate::{Direction, RateError, RateLimit};
pub use reply::{Challenge, Reject, Reply};
pub use request::{AccessRequest, Call, Nas, status_server};
pub use route::{Route, RouteError};
pub use secret::{ADVISED_LENGTH, SharedSecret};
pub use vendors::{Limit, VendorAttributes};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
