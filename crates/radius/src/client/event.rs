//! What a client is asked and what it reports.

use core::fmt;
use core::net::SocketAddr;

use crate::check::Dropped;
use crate::error::Error;
use crate::reply::Reply;
use crate::request::AccessRequest;

/// A login, by the number that its caller chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A server, by its position in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub u16);

/// A socket. The caller opens it when the first packet is to be sent from it: UDP, connected to the server, from a
/// port that the system chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId {
    /// The server that it is connected to.
    pub server: ServerId,
    /// Its number.
    pub number: u16,
}

/// Where a packet is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The socket from which it is sent.
    pub socket: SocketId,
    /// The server.
    pub to: SocketAddr,
}

/// A request of the caller.
#[derive(Clone, Debug)]
pub enum Command {
    /// Ask about a login. A number that is in use withdraws the login that has it.
    Send {
        /// The number for its events.
        id: RequestId,
        /// The login.
        request: Box<AccessRequest>,
        /// The server that sent a Challenge, which no other server can continue.
        server: Option<ServerId>,
    },
    /// Withdraw a login. There are no further events about it.
    Cancel(RequestId),
}

/// An event. For each login there is one `Reply` or one `Failed`, unless it is withdrawn.
#[derive(Clone, Debug)]
pub enum Event {
    /// A server has decided.
    Reply {
        /// The login.
        id: RequestId,
        /// The server.
        server: ServerId,
        /// Its verdict.
        reply: Reply,
    },
    /// There is no verdict.
    Failed {
        /// The login.
        id: RequestId,
        /// Why.
        why: Failure,
    },
    /// A datagram of a server was dropped. Reported once a minute for each reason and server.
    Dropped {
        /// The server.
        server: ServerId,
        /// The reason.
        why: Dropped,
    },
    /// A server has not answered for some time; the next ones are asked.
    ServerDown(ServerId),
    /// A server is asked again.
    ServerUp(ServerId),
    /// A socket is no longer needed.
    CloseSocket(SocketId),
}

/// Why there is no verdict on a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No server is configured, or not the one that the login belongs to.
    NoServer,
    /// As many logins are open as may be.
    TooManyRequests(usize),
    /// A value of the request is too long.
    Unsendable(Error),
    /// No server has given a usable answer.
    NoAnswer(Vec<ServerFailure>),
    /// The server has decided, and its reply cannot be used.
    Unusable {
        /// The server.
        server: ServerId,
        /// What is wrong with it.
        error: Error,
    },
}

/// A server that was asked in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerFailure {
    /// The server.
    pub server: ServerId,
    /// Its address.
    pub address: SocketAddr,
    /// How often the request was sent to it.
    pub sent: u8,
    /// The last observation.
    pub evidence: Evidence,
}

/// What was observed while a server was asked in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Nothing.
    Silence,
    /// The host of the server, or a router, reported that the port cannot be reached.
    Unreachable,
    /// All identifiers were in use: too many logins in a short time.
    NoIdentifier,
    /// A reply that does not count.
    Dropped(Dropped),
}

/// The observation and the next step.
impl fmt::Display for ServerFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ServerFailure { address, sent, evidence, .. } = self;
        match evidence {
            Evidence::Silence => write!(
                f,
                "{address} gave no answer to {sent} packets: check that it is running, that a firewall passes UDP, that \
                 its list of clients has this server, and that the shared secret is the same"
            ),
            Evidence::Unreachable => write!(
                f,
                "{address} cannot be reached (ICMP): check that the RADIUS server is running and the port is right"
            ),
            Evidence::NoIdentifier => {
                write!(f, "{address} was not asked: all identifiers are in use by other logins")
            }
            Evidence::Dropped(why) => write!(f, "{address} gave no usable answer to {sent} packets: {why}"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NoServer => f.write_str("there is no RADIUS server to ask"),
            Failure::TooManyRequests(limit) => {
                write!(f, "{limit} logins wait for RADIUS servers, and no more may")
            }
            Failure::Unsendable(error) => write!(f, "the request cannot be sent: {error}"),
            Failure::NoAnswer(servers) => {
                for (n, server) in servers.iter().enumerate() {
                    write!(f, "{}{server}", if n == 0 { "" } else { "; " })?;
                }
                Ok(())
            }
            Failure::Unusable { error, .. } => write!(f, "the reply cannot be used: {error}"),
        }
    }
}
