//! The record of a conversation: what happened when, bounded, kept for failed calls.

use std::collections::VecDeque;
use std::time::Duration;

use adit_wire::Protocol;

use crate::events::{Step, Who};
use crate::phrases;

/// Steps kept from the beginning: a whole set-up, with retransmissions.
pub const FIRST: usize = 160;
/// Steps kept from the end: how it broke.
pub const LAST: usize = 96;

/// A bounded list of steps with their time since the control connection was accepted.
///
/// Every session keeps one for as long as it lives, so it is packed: one piece of memory, no more than it holds.
#[derive(Clone, Debug, Default)]
pub struct Record {
    first: Packed,
    last: VecDeque<(Duration, Step)>,
    omitted: u64,
}

/// Steps with their texts one behind the other.
#[derive(Clone, Debug, Default)]
struct Packed {
    heads: Vec<Head>,
    /// The texts, in short: see [`crate::phrases`].
    texts: Vec<u8>,
}

/// A step without its text. Octets, so that there is nothing between two of them.
#[derive(Clone, Copy, Debug)]
struct Head {
    micros: [u8; 6],
    /// Of its text, in octets as they are kept.
    len: [u8; 2],
    who: Who,
    protocol: Protocol,
}

/// Memory for texts and heads grows by so much at a time.
const GROW: (usize, usize) = (256, 16);
/// The longest text, in octets.
const TEXT_MAX: usize = 8192;

impl Packed {
    fn push(&mut self, at: Duration, step: &Step) {
        let mut len = step.text.len().min(TEXT_MAX);
        while !step.text.is_char_boundary(len) {
            len -= 1;
        }
        let text = phrases::shorten(step.text.get(..len).unwrap_or_default());
        if self.texts.capacity() - self.texts.len() < text.len() {
            self.texts.reserve_exact(text.len().next_multiple_of(GROW.0));
        }
        if self.heads.len() == self.heads.capacity() {
            self.heads.reserve_exact(GROW.1);
        }
        self.texts.extend_from_slice(&text);
        let micros = u64::try_from(at.as_micros()).unwrap_or(u64::MAX).min((1 << 48) - 1);
        let [_, _, micros @ ..] = micros.to_be_bytes();
        let len = u16::try_from(text.len()).unwrap_or_default().to_be_bytes();
        self.heads.push(Head { micros, len, who: step.who, protocol: step.protocol });
    }

    fn iter(&self) -> impl Iterator<Item = (Duration, Step)> {
        let mut rest = self.texts.as_slice();
        self.heads.iter().map(move |head| {
            let len = usize::from(u16::from_be_bytes(head.len));
            let (text, behind) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            rest = behind;
            let [a, b, c, d, e, f] = head.micros;
            let at = Duration::from_micros(u64::from_be_bytes([0, 0, a, b, c, d, e, f]));
            (at, Step { who: head.who, protocol: head.protocol, text: phrases::lengthen(text) })
        })
    }
}

impl Record {
    /// Adds a step; the middle of a very long record is left out and counted.
    pub fn push(&mut self, at: Duration, step: Step) {
        if self.first.heads.len() < FIRST {
            self.first.push(at, &step);
            return;
        }
        if self.last.len() == LAST {
            self.last.pop_front();
            self.omitted += 1;
        }
        self.last.push_back((at, step));
    }

    /// The steps in order; [`Record::omitted`] are missing after the first [`FIRST`].
    pub fn steps(&self) -> impl Iterator<Item = (Duration, Step)> {
        self.first.iter().chain(self.last.iter().cloned())
    }

    /// How many steps were left out.
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Steps held.
    pub fn len(&self) -> usize {
        self.first.heads.len() + self.last.len()
    }

    /// Whether nothing has happened yet.
    pub fn is_empty(&self) -> bool {
        self.first.heads.is_empty()
    }

    /// Gives back memory that is held for steps to come: the session is up, and few will.
    pub fn shrink(&mut self) {
        self.first.texts.shrink_to_fit();
        self.first.heads.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_beginning_and_the_end() {
        let mut record = Record::default();
        for n in 0..1000u64 {
            record.push(
                Duration::from_millis(n),
                Step { who: Who::Note, protocol: Protocol::Lcp, text: n.to_string() },
            );
        }
        assert_eq!(record.len(), FIRST + LAST);
        assert_eq!(record.omitted(), 1000 - (FIRST + LAST) as u64);
        let texts: Vec<_> = record.steps().map(|(_, step)| step.text.clone()).collect();
        assert_eq!(texts[0], "0");
        assert_eq!(texts[FIRST - 1], "159");
        assert_eq!(texts.last().unwrap(), "999");
    }
    #[test]
    fn what_goes_in_comes_out() {
        let mut record = Record::default();
        let mut steps = Vec::new();
        for (n, who) in [Who::Us, Who::Peer, Who::Note].into_iter().cycle().take(40).enumerate() {
            for protocol in [Protocol::Pptp, Protocol::Lcp, Protocol::Dhcp] {
                let at = Duration::from_micros(n as u64 * 1_000_003);
                let step = Step { who, protocol, text: format!("step {n} \u{e4}{}", "x".repeat(n)) };
                record.push(at, step.clone());
                steps.push((at, step));
            }
        }
        assert_eq!(record.steps().collect::<Vec<_>>(), steps);
        record.shrink();
        assert_eq!(record.steps().count(), steps.len());
    }

    #[test]
    fn a_text_of_any_length_is_cut_between_characters() {
        let mut record = Record::default();
        let text = format!("x{}", "\u{e4}".repeat(40_000));
        record.push(Duration::ZERO, Step { who: Who::Us, protocol: Protocol::Lcp, text: text.clone() });
        record.push(Duration::ZERO, Step { who: Who::Us, protocol: Protocol::Lcp, text: "next".to_owned() });
        let texts: Vec<_> = record.steps().map(|(_, step)| step.text).collect();
        assert_eq!((texts[0].len(), texts[1].as_str()), (TEXT_MAX - 1, "next"));
        assert!(text.starts_with(&texts[0]));
    }
}
