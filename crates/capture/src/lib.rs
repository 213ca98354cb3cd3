//! Decoding of capture files: octets in, decoded packets with their frame numbers out.
//!
//! ```text
//! container   pcap, pcapng, gzip around either            -> frames with a time and a link type
//! link        Ethernet, cooked, 802.11, PPP, raw, ...     -> IP packets, PPP frames
//! ip          headers in headers, fragments put together  -> TCP, GRE, ICMP, UDP
//! tcp         connections followed                        -> control messages, whatever the port
//! gre, dns, beginning                                     -> the facts of one packet
//! packet      one for each frame, in the file's order
//! conversation  packets grouped: control connection, calls, GRE both ways
//! ```
//!
//! [`Reader`] is a state machine: push octets, poll items. It uses bounded memory, whatever the file
//! contains; each limit is a constant. Lengths are clamped to what was captured. Truncated, damaged or
//! missing data is reported as a [`Note`] with its place. The caller judges the results, such as a reply that
//! never arrived.

#![forbid(unsafe_code)]

mod beginning;
mod container;
pub mod conversation;
mod decode;
mod describe;
mod dns;
mod duplicate;
mod gre;
mod ip;
mod link;
mod note;
mod octets;
mod packet;
mod reader;
mod summary;
mod tcp;
pub mod write;

pub use beginning::{Beginning, Icmp, Upper};
pub use container::RECORD_MAX;
pub use container::pcapng::INTERFACES_MAX;
pub use decode::{TUNNELS_MAX, datagram};
pub use dns::{ANSWERS_MAX, Answer, Dns};
pub use duplicate::{RECENT_MAX, RETRY_WINDOW, WINDOW};
pub use gre::Gre;
pub use ip::fragments::{INCOMPLETE_MAX, PIECES_MAX};
pub use link::{Direction, NotIp, PppOn};
pub use note::{Missing, Note, What};
pub use packet::{Content, Network, Packet};
pub use reader::{Item, KEPT_MAX, Reader};
pub use summary::{KINDS_MAX, Summary};
pub use tcp::{Arrival, FIRST_KEPT, HELD_MAX, STREAMS_MAX, Segment};
