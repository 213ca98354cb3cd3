//! Keys far ahead, for frames that skip many counts.
//!
//! Every 64th key on the way is kept, so that a second frame far ahead costs few key changes: after a long loss, and
//! while forged frames with random counts arrive.

use std::collections::VecDeque;

use adit_crypto::mppe::{KeySchedule, SessionKey};

use super::Refusal;

/// The distance of kept keys, in frames.
const STEP: u64 = 64;

/// Kept keys of one key chain: at most those of a whole turn of the count, 1 KiB.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// The frame to which the first key belongs, counted from the start of the chain.
    first: u64,
    keys: VecDeque<SessionKey>,
}

impl Reach {
    /// The key of the frame `skipped` after the next one, which is frame `next` of the chain; the session key of `keys` is that of
    /// the frame before. `spend` is called before key changes, with their number.
    pub(super) fn key(
        &mut self,
        keys: &KeySchedule,
        next: u64,
        skipped: u16,
        spend: &mut dyn FnMut(u32) -> bool,
    ) -> Result<SessionKey, Refusal> {
        while self.first + STEP <= next && self.keys.pop_front().is_some() {
            self.first += STEP;
        }
        if self.keys.is_empty() || self.first > next {
            self.keys.clear();
            self.first = next;
        }
        let distance = next + u64::from(skipped) - self.first;
        let missing = (distance / STEP + 1).saturating_sub(self.keys.len() as u64);
        if !spend((missing * STEP + distance % STEP) as u32) {
            return Err(Refusal::Throttled);
        }
        let mut key = keys.clone();
        for _ in 0..missing {
            match self.keys.back() {
                Some(last) => {
                    key.return_to(last);
                    (0..STEP).for_each(|_| key.advance());
                }
                None => key.advance(),
            }
            self.keys.push_back(key.key());
        }
        if let Some(kept) = self.keys.get((distance / STEP) as usize) {
            key.return_to(kept);
        }
        (0..distance % STEP).for_each(|_| key.advance());
        Ok(key.key())
    }

    /// Forgets the keys: another chain follows.
    pub(super) fn clear(&mut self) {
        self.keys.clear();
    }
}
