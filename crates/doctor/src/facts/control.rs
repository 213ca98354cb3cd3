//! The facts of TCP 1723, the control connection on it, and the call.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::{Seen, Side};

/// Facts of layer C: TCP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tcp {
    /// The server's address and port.
    pub server: Option<SocketAddr>,
    /// The result of the connection attempt.
    pub connect: Option<Seen<Connect>>,
    /// Other addresses of the name that were tried before, with the results.
    pub tried: Vec<(SocketAddr, Connect)>,
}

/// The result of a TCP connection attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connect {
    /// The connection is open.
    Open {
        /// The time from SYN to SYN-ACK.
        after: Duration,
    },
    /// No answer.
    Silent {
        /// The number of SYNs sent, including retransmissions.
        syns: u32,
        /// How long was waited.
        waited: Duration,
    },
    /// RST.
    Refused {
        /// Its time to live differs from that of the server's other packets: a middlebox sent it.
        by_a_box: bool,
    },
    /// ICMP destination unreachable.
    Unreachable {
        /// Its sender.
        from: IpAddr,
        /// Its code (RFC 792, RFC 1812): 0 and 1 are routing, 9, 10 and 13 are a filter.
        code: u8,
    },
    /// The operating system refused to send; its error text.
    Denied(String),
}

/// The stage that a control connection had reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Open, no message sent yet.
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
    /// Echo-Requests were unanswered for this long, and the sender gave up.
    EchoTimeout(Duration),
}

/// The end of the control connection, by the side that was first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The side.
    pub by: Side,
    /// How.
    pub how: How,
    /// The stage at that time.
    pub stage: Stage,
    /// The time since that stage was reached.
    pub after: Duration,
}

/// Facts of layer C: PPTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// Start-Control-Connection-Request.
    pub requested: Option<Seen<()>>,
    /// Whether TCP acknowledged the request; `None` if that cannot be seen.
    pub acknowledged: Option<bool>,
    /// Start-Control-Connection-Reply.
    pub reply: Option<Seen<StartReply>>,
    /// Set if the first data of the server is not PPTP: its first octets, escaped.
    pub foreign: Option<Seen<String>>,
    /// How long there was no reply.
    pub silent: Option<Seen<Duration>>,
    /// A malformed message in the stream: what is wrong with it.
    pub garbage: Option<Seen<String>>,
    /// The end of the control connection, by the side that was first.
    pub closed: Option<Seen<Closed>>,
    /// The number of other control connections from the client's address at the same time.
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

/// Facts of layer C: the call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// Outgoing-Call-Request.
    pub requested: Option<Seen<()>>,
    /// The client's Call ID.
    pub client_id: Option<u16>,
    /// The server's Call ID.
    pub server_id: Option<u16>,
    /// Outgoing-Call-Reply.
    pub reply: Option<Seen<CallReply>>,
    /// How long there was no reply.
    pub silent: Option<Seen<Duration>>,
    /// The client's Call ID as repeated in the reply, if it differs.
    pub repeated_id: Option<Seen<u16>>,
    /// The server's Call ID in its Call-Disconnect-Notify, if it differs from that of its reply.
    pub ended_id: Option<Seen<u16>>,
    /// A client Call ID that another call through the same client address uses too.
    pub same_id: Option<Seen<u16>>,
    /// A Set-Link-Info of the client with an ACCM of 0, which shows that its LCP is Opened.
    pub accm_up: Option<Seen<()>>,
    /// The result code of a Call-Disconnect-Notify.
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
