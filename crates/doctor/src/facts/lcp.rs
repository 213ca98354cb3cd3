//! The facts of the PPP link.

use std::time::Duration;

use crate::{Seen, Side};

/// Facts of layer L.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lcp {
    /// Configure-Requests of the client, including repetitions.
    pub client_requests: u32,
    /// Configure-Requests of the server, including repetitions.
    pub server_requests: u32,
    /// Configure-Acks, -Naks and -Rejects of the client.
    pub client_answers: u32,
    /// Configure-Acks, -Naks and -Rejects of the server.
    pub server_answers: u32,
    /// Both sides have sent a Configure-Ack.
    pub opened: Option<Seen<()>>,
    /// A loop about the same option.
    pub option_loop: Option<Seen<OptionLoop>>,
    /// Our Magic-Number, if the peer's packets contain it.
    pub looped_back: Option<Seen<u32>>,
    /// The first Terminate-Request.
    pub terminated: Option<Seen<Terminated>>,
    /// Echo-Requests at the end that were not answered.
    pub echo_lost: Option<Seen<EchoLost>>,
    /// The protocol of the first PPP packet of the call, if it is not LCP.
    pub first_is_not_lcp: Option<Seen<u16>>,
    /// The client's MRU, as acknowledged by the server.
    pub client_mru: Option<u16>,
    /// The server's MRU, as acknowledged by the client.
    pub server_mru: Option<u16>,
    /// How long there was no progress after set-up began.
    pub silent: Option<Seen<Duration>>,
    /// Protocol-Rejects: the sender and the protocol.
    pub protocol_rejects: Vec<Seen<(Side, u16)>>,
}

/// A loop of Configure-Requests about one option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionLoop {
    /// The side that sends the requests.
    pub by: Side,
    /// The name of the option: `MRU`.
    pub option: String,
    /// The value that the requester wants, and the answer of the other side.
    pub positions: (String, String),
    /// The number of rounds.
    pub rounds: u32,
}

/// A Terminate-Request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminated {
    /// The sender.
    pub by: Side,
    /// The reason in it, escaped; empty if there is none.
    pub text: String,
}

/// Unanswered Echo-Requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EchoLost {
    /// The side that sent them.
    pub asked_by: Side,
    /// The number in a row.
    pub count: u32,
    /// Whether TCP 1723 still answered in the meantime; `None` if that is not visible.
    pub control_lives: Option<bool>,
}
