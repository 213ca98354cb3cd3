//! Messages to a session's task, besides the octets of its TCP connection.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard};

use adit_auth::{AddressRequest, Pending};
use adit_diag::Code;
use adit_diag::note::Refused;
use adit_tunnel::events::{Answer, Why};
use adit_tunnel::path::Origin;
use tokio::sync::Notify;

/// The most messages that wait for one session. Further GRE frames are dropped and counted, as with a full
/// socket buffer.
pub(crate) const MAX_MESSAGES: usize = 64;
/// Extra capacity for answers and commands: they are few, and none may be lost.
const RESERVED: usize = 64;

/// A message to a session's task.
#[derive(Debug)]
pub(crate) enum Message {
    /// A PPP control frame from the data path, and how it arrived there.
    Frame(Vec<u8>, Origin),
    /// The client has acknowledged a GRE packet of ours.
    Acknowledged,
    /// A DHCPINFORM from inside the tunnel: a whole IPv4 packet.
    Dhcp(Vec<u8>),
    /// An ICMP error for a GRE packet of ours.
    Unreachable {
        /// Who sent it.
        from: Ipv4Addr,
        /// Its code.
        code: u8,
    },
    /// The client keeps sending data that is not encrypted as agreed.
    EncryptionBroken,
    /// The client has rejected a data packet, and nothing from it has decrypted.
    DataRejected,
    /// The number of data packets so far.
    Traffic {
        /// From the client.
        received: u64,
        /// To the client.
        sent: u64,
    },
    /// The answer to a pending question.
    Answer(Box<Answered>),
    /// End the session.
    End {
        /// Why.
        why: Why,
        /// The code, if there is a fault.
        code: Option<Code>,
        /// For the record.
        reason: String,
    },
    /// End the session now: there is no time for an orderly shutdown.
    Cut,
}

/// The answer to a question, and what it reveals about the session.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The id of the question.
    pub(crate) id: u32,
    /// The answer.
    pub(crate) answer: Answer,
    /// What it reveals about the session.
    pub(crate) learned: Learned,
}

/// What an answer reveals about the session.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    /// The account's name as its source spells it.
    pub(crate) user: Option<String>,
    /// Its group.
    pub(crate) group: Option<String>,
    /// The networks behind the client.
    pub(crate) networks: Vec<ipnet::Ipv4Net>,
    /// The account's own address or pool.
    pub(crate) address: AddressRequest,
    /// The login, if its account source requires another round.
    pub(crate) pending: Option<Box<Pending>>,
    /// The pool and address that were assigned.
    pub(crate) lease: Option<(String, Ipv4Addr)>,
    /// A refused login or address, which becomes an event.
    pub(crate) refused: Option<Refused>,
}

/// The message queue of one session. An empty queue holds no memory, because thousands of sessions are idle.
#[derive(Debug)]
pub(crate) struct MessageQueue {
    /// `None` once the queue is closed.
    waiting: Mutex<Option<VecDeque<Message>>>,
    arrived: Notify,
}

impl MessageQueue {
    fn waiting(&self) -> MutexGuard<'_, Option<VecDeque<Message>>> {
        self.waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Adds a message; `false` if the queue is full or closed.
    pub(crate) fn push(&self, message: Message) -> bool {
        let capacity = match message {
            Message::Answer(_) | Message::End { .. } | Message::Cut => MAX_MESSAGES + RESERVED,
            _ => MAX_MESSAGES,
        };
        let mut waiting = self.waiting();
        let Some(messages) = waiting.as_mut().filter(|messages| messages.len() < capacity) else {
            return false;
        };
        messages.push_back(message);
        drop(waiting);
        self.arrived.notify_one();
        true
    }

    /// Waits for the next message. There must be one reader only.
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
        let messages = waiting.as_mut()?;
        let message = messages.pop_front();
        if messages.is_empty() {
            *messages = VecDeque::new();
        }
        message
    }

    /// Whether the queue is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.waiting().is_none()
    }

    /// Closes the queue; returns the messages that were not read.
    pub(crate) fn close(&self) -> VecDeque<Message> {
        self.waiting().take().unwrap_or_default()
    }
}

impl Default for MessageQueue {
    fn default() -> MessageQueue {
        MessageQueue { waiting: Mutex::new(Some(VecDeque::new())), arrived: Notify::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(received: u64) -> Message {
        Message::Traffic { received, sent: 0 }
    }

    fn frame(n: usize) -> Message {
        Message::Frame(vec![0; n], Origin::Clear)
    }

    #[test]
    fn a_full_queue_drops_frames_and_still_takes_orders() {
        let queue = MessageQueue::default();
        for n in 0..MAX_MESSAGES {
            assert!(queue.push(frame(n)), "{n}");
        }
        assert!(!queue.push(frame(0)));
        assert!(!queue.push(traffic(1)));
        for n in 0..RESERVED {
            assert!(queue.push(Message::Cut), "{n}");
        }
        assert!(!queue.push(Message::Cut), "orders are bounded too");
        let first = queue.try_next();
        assert!(matches!(first, Some(Message::Frame(frame, _)) if frame.is_empty()), "oldest first");
    }

    #[test]
    fn a_closed_queue_returns_what_was_not_read_and_takes_nothing() {
        let queue = MessageQueue::default();
        queue.push(frame(1));
        queue.push(frame(2));
        assert!(queue.try_next().is_some());
        assert!(!queue.is_closed());
        assert_eq!(queue.close().len(), 1);
        assert!(queue.is_closed());
        assert!(!queue.push(Message::Cut));
        assert!(queue.try_next().is_none());
        assert!(queue.close().is_empty());
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken() {
        let queue = std::sync::Arc::new(MessageQueue::default());
        let reader = tokio::spawn({
            let queue = std::sync::Arc::clone(&queue);
            async move { queue.next().await }
        });
        tokio::task::yield_now().await;
        queue.push(traffic(7));
        assert!(matches!(reader.await.unwrap(), Message::Traffic { received: 7, .. }));
    }
}
