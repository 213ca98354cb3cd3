//! What reaches a session's task besides the octets of its TCP connection.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard};

use adit_diag::Code;
use adit_tunnel::events::{Answer, Why};
use tokio::sync::Notify;

/// Messages that wait for one session at the most; GRE frames beyond it are dropped and counted, as a full socket
/// buffer would.
pub(crate) const MAX_MESSAGES: usize = 64;
/// Answers and orders find room beyond that: there are few, and none may be lost.
const RESERVED: usize = 64;

/// One message.
#[derive(Debug)]
pub(crate) enum Message {
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
    /// So many data packets have passed so far.
    Traffic(u64),
    /// The answer to a question.
    Answer(Box<Answered>),
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

/// The answer to a question, and what it says of the session.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The question.
    pub(crate) id: u32,
    /// The answer.
    pub(crate) answer: Answer,
    /// What became known with it.
    pub(crate) learned: Learned,
}

/// What a session learns with an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learned {
    /// The account's name as it is spelt in the store.
    pub(crate) user: Option<String>,
    /// Its group.
    pub(crate) group: Option<String>,
    /// The networks behind it.
    pub(crate) networks: Vec<ipnet::Ipv4Net>,
    /// The pool and address that were lent.
    pub(crate) lease: Option<(String, Ipv4Addr)>,
    /// A code and detail worth an event: a refused login.
    pub(crate) refused: Option<(Code, String)>,
}

/// The messages of one session. Thousands of sessions have nothing to read, so an empty one holds no memory.
#[derive(Debug, Default)]
pub(crate) struct MessageQueue {
    waiting: Mutex<VecDeque<Message>>,
    arrived: Notify,
}

impl MessageQueue {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Message>> {
        self.waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Adds a message; `false` when there is no room.
    pub(crate) fn push(&self, message: Message) -> bool {
        let room = match message {
            Message::Answer(_) | Message::End { .. } | Message::Cut => MAX_MESSAGES + RESERVED,
            _ => MAX_MESSAGES,
        };
        let mut waiting = self.waiting();
        if waiting.len() >= room {
            return false;
        }
        waiting.push_back(message);
        drop(waiting);
        self.arrived.notify_one();
        true
    }

    /// The next message; waits for it. One reader.
    pub(crate) async fn next(&self) -> Message {
        loop {
            if let Some(message) = self.try_next() {
                return message;
            }
            self.arrived.notified().await;
        }
    }

    /// The next message, if there is one.
    pub(crate) fn try_next(&self) -> Option<Message> {
        let mut waiting = self.waiting();
        let message = waiting.pop_front();
        if waiting.is_empty() {
            *waiting = VecDeque::new();
        }
        message
    }
}
