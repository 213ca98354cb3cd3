//! What reaches a session's task besides the octets of its TCP connection.

use std::net::Ipv4Addr;

use adit_diag::Code;
use adit_tunnel::events::{Answer, Why};
use tokio::sync::mpsc;

/// Messages that wait for one session at the most; GRE frames beyond it are dropped and counted, as a full socket
/// buffer would.
pub(crate) const MAILBOX: usize = 64;

/// One message.
#[derive(Debug)]
pub(crate) enum Mail {
    /// A PPP control frame from the data path.
    Frame(Vec<u8>),
    /// The client's GRE acknowledged ours.
    Acknowledged,
    /// A DHCPINFORM from inside the tunnel: a whole IPv4 packet.
    Dhcp(Vec<u8>),
    /// An ICMP error for our GRE.
    Unreachable {
        /// Who sent it.
        from: Ipv4Addr,
        /// Its code.
        code: u8,
    },
    /// The client keeps sending data that is not encrypted as agreed.
    EncryptionBroken,
    /// The answer to a question, and what it says of the session.
    Answer {
        /// The question.
        id: u32,
        /// The answer. Boxed: it is large and rare.
        answer: Box<Answer>,
        /// What became known with it.
        learned: Learned,
    },
    /// End the session.
    End {
        /// Why.
        why: Why,
        /// The code, when something is wrong.
        code: Option<Code>,
        /// For the record.
        reason: String,
    },
    /// There is no time left to end it in order.
    Cut,
}

/// What a session learns with an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learned {
    /// The account's name as it is spelt in the store.
    pub(crate) user: Option<String>,
    /// Its group.
    pub(crate) group: Option<String>,
    /// The pool and address that were lent.
    pub(crate) lease: Option<(String, Ipv4Addr)>,
    /// A code and detail worth an event: a refused login.
    pub(crate) refused: Option<(Code, String)>,
}

/// The sending end of a session's mailbox.
pub(crate) type Mailbox = mpsc::Sender<Mail>;
