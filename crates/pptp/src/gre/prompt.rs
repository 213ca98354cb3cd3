//! Prompting of a receiver that holds packets back.

use std::time::{Duration, Instant};

/// How long after the last data packet a prompt is sent. pptpd 1.4 gives a missing packet up after 300 ms.
const DELAY: Duration = Duration::from_millis(400);
/// The most prompts after one data packet: one of them may be lost.
const PROMPTS: u8 = 2;

/// When to repeat an acknowledgment because the peer does not acknowledge what was sent.
///
/// A receiver that reorders holds the packets behind a missing one. pptpd 1.4 has no timer for it: it gives
/// the missing packet up when the next packet arrives, whatever it is. After the last packet of a burst, that
/// is a retransmission of the TCP connection inside the tunnel, which takes the time that its packets were
/// held for the round-trip time and waits longer each time, soon for tens of seconds. An acknowledgment sent
/// alone (RFC 2637 section 4.1) contains no data, consumes no sequence number, and makes such a receiver
/// continue.
#[derive(Clone, Debug, Default)]
pub struct Prompt {
    deadline: Option<Instant>,
    left: u8,
}

impl Prompt {
    /// Records a sent data packet.
    pub fn sent(&mut self, now: Instant) {
        *self = Prompt { deadline: Some(now + DELAY), left: PROMPTS };
    }

    /// Records that the peer has acknowledged everything.
    pub fn acknowledged(&mut self) {
        self.deadline = None;
    }

    /// Whether to send a prompt now; if so, it counts as sent.
    pub fn take_due(&mut self, now: Instant) -> bool {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return false;
        }
        self.left = self.left.saturating_sub(1);
        self.deadline = (self.left > 0).then(|| now + DELAY);
        true
    }

    /// When [`Prompt::take_due`] becomes true.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unacknowledged_packet_is_followed_by_two_prompts() {
        let start = Instant::now();
        let mut prompt = Prompt::default();
        assert_eq!((prompt.poll_timeout(), prompt.take_due(start)), (None, false), "nothing was sent");

        prompt.sent(start);
        prompt.sent(start + DELAY / 2);
        assert_eq!(prompt.poll_timeout(), Some(start + DELAY * 3 / 2), "counted from the last packet");
        assert!(!prompt.take_due(start + DELAY));
        assert!(prompt.take_due(start + DELAY * 3 / 2));
        assert!(!prompt.take_due(start + DELAY * 2));
        assert!(prompt.take_due(start + DELAY * 5 / 2));
        assert_eq!(
            (prompt.poll_timeout(), prompt.take_due(start + DELAY * 9)),
            (None, false),
            "no third one"
        );

        prompt.sent(start + DELAY * 9);
        assert!(prompt.take_due(start + DELAY * 10), "the next packet has prompts of its own");
    }

    #[test]
    fn what_is_acknowledged_needs_no_prompt() {
        let start = Instant::now();
        let mut prompt = Prompt::default();
        prompt.sent(start);
        prompt.acknowledged();
        assert_eq!((prompt.poll_timeout(), prompt.take_due(start + DELAY)), (None, false));
    }
}
