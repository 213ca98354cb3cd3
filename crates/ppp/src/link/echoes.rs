//! The Echo-Requests without an answer, and the round-trip time.

use core::time::Duration;
use std::collections::VecDeque;
use std::time::Instant;

use adit_crypto::Rng;

/// The most Echo-Requests that are remembered.
const MAX: usize = 8;

/// The Echo-Requests without an answer. Only a reply with one of their identifiers is a sign of life.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    sent: VecDeque<(u8, Instant)>,
    round_trip: Duration,
}

impl Echoes {
    /// An identifier that no remembered request has, and that cannot be predicted.
    pub(super) fn fresh(&self, rng: &mut Rng) -> u8 {
        let mut id = rng.u32() as u8;
        while self.sent.iter().any(|(sent, _)| *sent == id) {
            id = id.wrapping_add(1);
        }
        id
    }

    /// Remembers a request.
    pub(super) fn sent(&mut self, id: u8, now: Instant) {
        if self.sent.len() >= MAX {
            self.sent.pop_front();
        }
        self.sent.push_back((id, now));
    }

    /// Handles a reply: returns when its request was sent, once.
    pub(super) fn answered(&mut self, id: u8, now: Instant) -> Option<Instant> {
        let at = self.sent.iter().position(|(sent, _)| *sent == id)?;
        let (_, sent) = self.sent.remove(at)?;
        if self.sent.is_empty() {
            self.sent = VecDeque::new();
        }
        let sample = now.saturating_duration_since(sent);
        // A slower path counts at once, a faster one gradually.
        self.round_trip = sample.max((self.round_trip * 7 + sample) / 8);
        Some(sent)
    }

    /// The round-trip time; zero if it is not known.
    pub(super) fn round_trip(&self) -> Duration {
        self.round_trip
    }

    /// Forgets all requests.
    pub(super) fn clear(&mut self) {
        self.sent = VecDeque::new();
    }
}
