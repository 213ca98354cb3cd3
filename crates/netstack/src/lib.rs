//! A small IP host in user space: it pings, queries name servers and dials TCP through a pipe of IPv4 packets, such as
//! the inside of a tunnel, and the real host's interfaces, routes and sockets stay as they are.
//!
//! [`Stack`] is a state machine without clock and sockets: packets and instants in, packets and [`Event`]s out. Each
//! [`Command`] ends in exactly one [`Event`], at the latest when its time is over. TCP is smoltcp's; echoes, DNS over UDP
//! and ICMP errors are read here, since a diagnosis needs the host that refused a packet, and its code.

#![forbid(unsafe_code)]

mod dhcp;
mod dns;
mod echo;
mod quote;
mod stack;
mod tcp;

pub use dns::query;
pub use stack::{Command, Event, Outcome, QUESTIONS_MAX, Stack, StackConfig};
