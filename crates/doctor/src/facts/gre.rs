//! The facts of protocol 47, separately for each direction.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::{Seen, Side};

/// Facts of layer G.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gre {
    /// From client to server.
    pub to_server: Way,
    /// From server to client.
    pub to_client: Way,
    /// ICMP errors that quote GRE of the call.
    pub errors: Vec<Seen<IcmpError>>,
    /// GRE of the call from an address that is not the server's.
    pub from_elsewhere: Option<Seen<IpAddr>>,
    /// A Call ID in all GRE to the server that differs from the agreed one.
    pub wrong_to_server: Option<Seen<u16>>,
    /// A Call ID in all GRE to the client that differs from the agreed one.
    pub wrong_to_client: Option<Seen<u16>>,
    /// Whether the wrong Call ID belongs to another call between the same two addresses.
    pub wrong_is_of_another_call: bool,
    /// GRE passed, and then stopped while the control connection continued.
    pub stopped: Option<Seen<GreStop>>,
    /// The side that has data to send but waits because its window is full, and for how long in total.
    pub stalled: Option<Seen<(Side, Duration)>>,
    /// This host refused to send GRE; the error text of the operating system.
    pub denied_here: Option<Seen<String>>,
    /// GRE packets sent with a small time to live, and the source of each "time exceeded".
    pub hops: Vec<Hop>,
    /// Whether GRE from this host to itself passes.
    pub self_test: Option<bool>,
}

/// The GRE packets of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Packets seen, sent or received at the vantage point.
    pub packets: u64,
    /// Whether they arrived.
    pub arrival: Arrival,
    /// Where the first one is seen.
    pub first: Option<Seen<()>>,
    /// Where the last one is seen.
    pub last: Option<Seen<()>>,
    /// Packets without a payload, which only acknowledge.
    pub acks_only: u64,
    /// Packets with user data: IP, in clear or encrypted.
    pub data: u64,
    /// Numbers that are certainly missing: the receiver never acknowledged them, or the vantage point is the
    /// receiver.
    pub lost: u64,
    /// Numbers that arrived late.
    pub late: u64,
    /// Numbers that arrived again after a while.
    pub repeated: u64,
    /// How often the numbers restarted during a call.
    pub restarts: u64,
}

/// Whether the packets of one direction arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrival {
    /// There is no evidence.
    #[default]
    Unknown,
    /// The receiver acknowledged or answered a packet, or the vantage point is the receiver.
    Proven,
}

/// An ICMP error that quotes GRE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpError {
    /// Its sender.
    pub from: IpAddr,
    /// Type: 3 is unreachable, 11 time exceeded.
    pub kind: u8,
    /// Code: of type 3, 2 is "protocol unreachable".
    pub code: u8,
    /// The side whose GRE it quotes.
    pub about: Side,
    /// Next-hop MTU of type 3 code 4.
    pub mtu: Option<u16>,
}

/// The point at which GRE stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GreStop {
    /// The direction that stopped: packets from this side no longer arrive. `None`: both directions.
    pub from: Option<Side>,
    /// How long GRE was idle just before.
    pub after_idle: Duration,
    /// How long it has been unanswered since.
    pub silent: Duration,
}

/// A router on the path, found with a small time to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The time to live.
    pub ttl: u8,
    /// The router that answered; `None` without an answer.
    pub from: Option<Ipv4Addr>,
}

impl Gre {
    /// The packets from `side`.
    pub fn from(&self, side: Side) -> &Way {
        match side {
            Side::Client => &self.to_server,
            Side::Server => &self.to_client,
        }
    }

    /// The first ICMP error of type 3 that is not about size.
    pub fn unreachable(&self) -> Option<&Seen<IcmpError>> {
        self.errors.iter().find(|error| error.what.kind == 3 && error.what.code != 4)
    }
}
