//! TCP 1723, the control connection on it, and the call.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::{Seen, Side};

/// C, the part of TCP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tcp {
    /// The server's end.
    pub server: Option<SocketAddr>,
    /// What became of the connection.
    pub connect: Option<Seen<Connect>>,
    /// Other addresses of the name that were tried before, with what came of each.
    pub tried: Vec<(SocketAddr, Connect)>,
}

/// What answers a SYN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connect {
    /// The connection is open.
    Open {
        /// From SYN to SYN-ACK.
        after: Duration,
    },
    /// Nothing.
    Silent {
        /// SYN sent, with repetitions.
        syns: u32,
        /// For so long.
        waited: Duration,
    },
    /// RST.
    Refused {
        /// Its time to live differs from that of the server's other packets: a box in between sent it.
        by_a_box: bool,
    },
    /// ICMP destination unreachable.
    Unreachable {
        /// Its sender.
        from: IpAddr,
        /// Its code (RFC 792, RFC 1812): 0 and 1 are routing, 9, 10 and 13 are a filter.
        code: u8,
    },
    /// The system would not send: its words.
    Denied(String),
}

/// How far a control connection was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Open, nothing said.
    Opened,
    /// Start-Control-Connection-Request sent.
    Requested,
    /// Start-Control-Connection-Reply received.
    Started,
    /// Outgoing-Call-Request sent.
    Calling,
    /// Outgoing-Call-Reply received, with result 1.
    InCall,
}

/// How a control connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// FIN.
    Fin,
    /// RST.
    Reset {
        /// Its time to live differs from that of its sender's other packets.
        by_a_box: bool,
    },
    /// Stop-Control-Connection-Request, with its reason.
    Stop(u8),
    /// Echo-Requests went unanswered for so long, and the sender gave up.
    EchoTimeout(Duration),
}

/// The first to end the control connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Who.
    pub by: Side,
    /// How.
    pub how: How,
    /// How far it was.
    pub stage: Stage,
    /// Time since the stage was reached.
    pub after: Duration,
}

/// C, the part of PPTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// Start-Control-Connection-Request.
    pub requested: Option<Seen<()>>,
    /// TCP acknowledged the request; `None` where that cannot be seen.
    pub acknowledged: Option<bool>,
    /// Start-Control-Connection-Reply.
    pub reply: Option<Seen<StartReply>>,
    /// What the server sent first is not PPTP: its first octets, escaped.
    pub foreign: Option<Seen<String>>,
    /// No reply for so long.
    pub silent: Option<Seen<Duration>>,
    /// A message broken in mid-stream: what is wrong with it.
    pub garbage: Option<Seen<String>>,
    /// The first to end it.
    pub closed: Option<Seen<Closed>>,
    /// Another control connection from the client's address lives at the same time.
    pub others: u32,
}

/// Start-Control-Connection-Reply (RFC 2637, 2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartReply {
    /// Result code: 1 is success.
    pub result: u8,
    /// Error code, where the result is 2.
    pub error: u8,
    /// Protocol version, 0x0100.
    pub version: u16,
    /// Vendor, escaped.
    pub vendor: String,
    /// Host name, escaped.
    pub host: String,
}

/// C, the call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// Outgoing-Call-Request.
    pub requested: Option<Seen<()>>,
    /// The client's Call ID.
    pub client_id: Option<u16>,
    /// The server's.
    pub server_id: Option<u16>,
    /// Outgoing-Call-Reply.
    pub reply: Option<Seen<CallReply>>,
    /// No reply for so long.
    pub silent: Option<Seen<Duration>>,
    /// The client's Call ID as the reply repeats it, where it is another.
    pub repeated_id: Option<Seen<u16>>,
    /// The server's Call ID as its Call-Disconnect-Notify names it, where that is not the one of its reply.
    pub ended_id: Option<Seen<u16>>,
    /// Another call through the same client address has the same Call ID for the client.
    pub same_id: Option<Seen<u16>>,
    /// A Set-Link-Info of the client with an ACCM of 0: its LCP is open.
    pub accm_up: Option<Seen<()>>,
    /// Call-Disconnect-Notify: its result code.
    pub disconnected: Option<Seen<u8>>,
}

/// Outgoing-Call-Reply (RFC 2637, 2.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallReply {
    /// Result code: 1 is connected.
    pub result: u8,
    /// Error code, where the result is 2.
    pub error: u8,
    /// Cause code.
    pub cause: u16,
}
