//! The PPP link.

use std::time::Duration;

use crate::{Seen, Side};

/// L.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lcp {
    /// Configure-Requests of the client seen, repetitions included.
    pub client_requests: u32,
    /// Configure-Requests of the server seen.
    pub server_requests: u32,
    /// Configure-Ack, -Nak and -Reject of the client seen.
    pub client_answers: u32,
    /// Configure-Ack, -Nak and -Reject of the server seen.
    pub server_answers: u32,
    /// Both sides acknowledged.
    pub opened: Option<Seen<()>>,
    /// The same option over and over.
    pub option_loop: Option<Seen<OptionLoop>>,
    /// The peer's packets carry our Magic-Number.
    pub looped_back: Option<Seen<u32>>,
    /// The first Terminate-Request.
    pub terminated: Option<Seen<Terminated>>,
    /// The last Echo-Requests went unanswered.
    pub echo_lost: Option<Seen<EchoLost>>,
    /// The first PPP packet of the call was another protocol.
    pub first_is_not_lcp: Option<Seen<u16>>,
    /// The client's MRU as the server agreed to it.
    pub client_mru: Option<u16>,
    /// The server's.
    pub server_mru: Option<u16>,
    /// Set-up began, and for so long nothing more came of it.
    pub silent: Option<Seen<Duration>>,
    /// Protocol-Rejects: by whom, of what.
    pub protocol_rejects: Vec<Seen<(Side, u16)>>,
}

/// No end of Configure-Requests about one option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionLoop {
    /// Whose requests.
    pub by: Side,
    /// The option, `MRU`.
    pub option: String,
    /// What the requester wants, and what the other side says.
    pub positions: (String, String),
    /// Rounds.
    pub rounds: u32,
}

/// A Terminate-Request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminated {
    /// Whose.
    pub by: Side,
    /// Its text, escaped; empty when there is none.
    pub text: String,
}

/// Echo-Requests without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EchoLost {
    /// Who asked.
    pub asked_by: Side,
    /// How many in a row.
    pub count: u32,
    /// TCP 1723 still answered meanwhile; `None` where that is not seen.
    pub control_lives: Option<bool>,
}
