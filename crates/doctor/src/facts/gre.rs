//! Protocol 47, each direction apart.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::{Seen, Side};

/// G.
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
    /// A Call ID in GRE to the server that is not the one agreed on, all the time.
    pub wrong_to_server: Option<Seen<u16>>,
    /// The same to the client.
    pub wrong_to_client: Option<Seen<u16>>,
    /// The wrong Call ID belongs to another call between the same two addresses.
    pub wrong_is_of_another_call: bool,
    /// GRE passed, and then stopped while the control connection went on.
    pub stopped: Option<Seen<GreStop>>,
    /// The side that has data and waits, its window used up, for so long altogether.
    pub stalled: Option<Seen<(Side, Duration)>>,
    /// This host would not send GRE: the system's words.
    pub denied_here: Option<Seen<String>>,
    /// GRE sent with a small time to live, and who answered "time exceeded" to each.
    pub hops: Vec<Hop>,
    /// GRE from this host to itself passes.
    pub self_test: Option<bool>,
}

/// One direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Packets seen, sent or received, by the one who looks.
    pub packets: u64,
    /// What is known of their arrival.
    pub arrival: Arrival,
    /// Where the first is seen.
    pub first: Option<Seen<()>>,
    /// Where the last is seen.
    pub last: Option<Seen<()>>,
    /// Packets that only acknowledge.
    pub acks_only: u64,
    /// Packets with data: IP, in clear or encrypted.
    pub data: u64,
    /// Numbers that are missing for certain: the receiver never acknowledged them, or the one who looks is the receiver.
    pub lost: u64,
    /// Numbers that came late.
    pub late: u64,
    /// Numbers that came twice, not at once.
    pub repeated: u64,
    /// The numbers began anew in a call that is up.
    pub restarts: u64,
}

/// Whether packets of one direction arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrival {
    /// Nothing shows it.
    #[default]
    Unknown,
    /// The receiver acknowledged or answered one, or the one who looks is the receiver.
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
    /// Whose GRE it quotes.
    pub about: Side,
    /// Next-hop MTU of type 3 code 4.
    pub mtu: Option<u16>,
}

/// GRE that stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GreStop {
    /// The direction that stopped: packets from this side no longer arrive. `None`: both.
    pub from: Option<Side>,
    /// It was quiet for so long just before.
    pub after_idle: Duration,
    /// Unanswered since, for so long.
    pub silent: Duration,
}

/// A router on the way, as GRE with a small time to live shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Time to live.
    pub ttl: u8,
    /// Who answered; `None` if there was no answer.
    pub from: Option<Ipv4Addr>,
}

impl Gre {
    /// The way from `side`.
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
