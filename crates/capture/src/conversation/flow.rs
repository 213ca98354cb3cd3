//! GRE of one call in one direction: what was lost, late or repeated, and what the other side says it has.

use std::fmt;
use std::time::Duration;

use adit_wire::ppp;

use crate::gre::Gre;

/// Sequence numbers behind the highest that are told apart: lost, late or repeated.
pub const WINDOW: u32 = 128;
/// A step forward beyond this is a new start, not loss.
pub const JUMP: u32 = 65_536;
/// "Nothing received yet" of some stacks.
const NOTHING_YET: u32 = u32::MAX;

/// The packets of one direction. Copies that the capture made are in none of the figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Packets, with and without a payload.
    pub packets: u64,
    /// Octets of their PPP frames.
    pub octets: u64,
    /// Packets that only acknowledge.
    pub acks_only: u64,
    /// Frames of a PPP control protocol.
    pub control: u64,
    /// Compressed or encrypted datagrams.
    pub encrypted: u64,
    /// IP in clear.
    pub clear: u64,
    /// Frame and time of the first packet.
    pub first: Option<(u64, Duration)>,
    /// Frame and time of the last packet.
    pub last: Option<(u64, Duration)>,
    /// The first sequence number.
    pub first_seq: Option<u32>,
    /// The highest sequence number.
    pub highest: Option<u32>,
    /// Numbers that never came.
    pub missing: u64,
    /// Numbers that came after a higher one.
    pub late: u64,
    /// Numbers that came twice.
    pub repeated: u64,
    /// The numbers began anew.
    pub restarts: u64,
    /// The highest number that the other side acknowledged.
    pub acked: Option<u32>,
    /// Acknowledgments of the other side for numbers that are not in the file: they arrived, and only the file lacks them.
    pub acked_unseen: u64,
    /// The shortest time from a number to an acknowledgment that covers it, as seen where the capture was made.
    pub quickest_ack: Option<Duration>,
    /// The longest such time.
    pub slowest_ack: Option<Duration>,
    /// When the number was sent that nothing has acknowledged yet.
    pub unacked_since: Option<Duration>,
    /// The longest time between two packets, and the frame that ended it.
    pub longest_pause: Option<(Duration, u64)>,
    /// The largest IP packet around it, in octets.
    pub largest: usize,
    /// The largest IP packet that arrived for certain: an acknowledgment names its very number. A larger one may have
    /// arrived too.
    pub largest_acked: usize,
    /// Packets that break a rule of the header.
    pub defects: u64,
    /// The numbers behind the highest that came: bit n for the highest less n.
    window: u128,
    /// The number whose acknowledgment is timed, since [`Flow::unacked_since`].
    timed: u32,
    /// Sizes of the last packets, by number.
    sizes: Vec<(u32, u16)>,
}

/// Packets whose size is remembered until they are acknowledged.
const SIZES: usize = 64;

impl Flow {
    pub(super) fn add(&mut self, gre: &Gre, frame: u64, time: Duration, total: usize) {
        self.packets += 1;
        self.octets += gre.payload_len as u64;
        self.first.get_or_insert((frame, time));
        if let Some((_, last)) = self.last {
            let pause = (time.saturating_sub(last), frame);
            self.longest_pause = self.longest_pause.max(Some(pause));
        }
        self.last = Some((frame, time));
        self.largest = self.largest.max(total);
        self.defects += u64::from(gre.defect.is_some());
        self.acks_only += u64::from(gre.payload_len == 0);
        match ppp::frame(&gre.frame) {
            Ok((ppp::COMPRESSED, _)) => self.encrypted += 1,
            Ok((ppp::IP | ppp::IPV6, _)) => self.clear += 1,
            Ok((protocol, _)) if protocol >= 0x8000 => self.control += 1,
            _ => {}
        }
        if let Some(seq) = gre.seq {
            self.number(seq);
            if self.sizes.len() == SIZES {
                self.sizes.swap_remove(seq as usize % SIZES);
            }
            self.sizes.push((seq, u16::try_from(total).unwrap_or(u16::MAX)));
            if self.unacked_since.is_none() {
                (self.timed, self.unacked_since) = (seq, Some(time));
            }
        }
    }

    fn number(&mut self, seq: u32) {
        let Some(highest) = self.highest else {
            (self.first_seq, self.highest, self.window) = (Some(seq), Some(seq), 1);
            return;
        };
        let ahead = seq.wrapping_sub(highest);
        let behind = highest.wrapping_sub(seq);
        if (1..=JUMP).contains(&ahead) {
            self.missing += u64::from(ahead - 1);
            self.window = self.window.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = Some(seq);
        } else if behind < WINDOW {
            let bit = 1 << behind;
            if self.window & bit != 0 {
                self.repeated += 1;
            } else {
                self.late += 1;
                self.missing = self.missing.saturating_sub(1);
            }
            self.window |= bit;
        } else if behind <= JUMP && seq > 1 {
            self.late += 1;
            self.missing = self.missing.saturating_sub(1);
        } else {
            self.restarts += 1;
            (self.highest, self.window) = (Some(seq), 1);
        }
    }

    /// The other side acknowledges `ack`. Where the file starts in the middle, that may be one from before.
    pub(super) fn acknowledged(&mut self, ack: u32, time: Duration, from_the_beginning: bool) {
        if ack == NOTHING_YET && self.highest.is_none_or(|highest| highest < NOTHING_YET - WINDOW) {
            return;
        }
        let is_older = match self.first_seq {
            Some(first) => ack.wrapping_sub(first).cast_signed() < 0,
            None => true,
        };
        let is_before = !from_the_beginning && is_older;
        let is_seen = is_before
            || self.highest.is_some_and(|highest| {
                let behind = highest.wrapping_sub(ack);
                (WINDOW..=JUMP).contains(&behind) || behind < WINDOW && self.window & (1 << behind) != 0
            });
        let is_new = self.acked.is_none_or(|acked| ack.wrapping_sub(acked).cast_signed() > 0);
        if !is_new {
            return;
        }
        self.acked = Some(ack);
        self.acked_unseen += u64::from(!is_seen);
        if let Some((_, size)) = self.sizes.iter().find(|(seq, _)| *seq == ack) {
            self.largest_acked = self.largest_acked.max(usize::from(*size));
        }
        if let Some(since) = self.unacked_since
            && ack.wrapping_sub(self.timed).cast_signed() >= 0
        {
            let took = time.saturating_sub(since);
            self.quickest_ack = Some(self.quickest_ack.map_or(took, |quickest| quickest.min(took)));
            self.slowest_ack = self.slowest_ack.max(Some(took));
            self.unacked_since = None;
        }
    }
}

/// `42 packets, numbers 0 to 40, missing 2, ...`: what is 0 is left out.
impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.packets == 1 { "" } else { "s" };
        write!(f, "{} packet{plural}", self.packets)?;
        if let (Some(first), Some(highest)) = (self.first_seq, self.highest) {
            write!(f, ", numbers {first} to {highest}")?;
        }
        let figures = [
            ("missing", self.missing),
            ("late", self.late),
            ("repeated", self.repeated),
            ("begun anew", self.restarts),
            ("acknowledged but not in the file", self.acked_unseen),
            ("control", self.control),
            ("encrypted", self.encrypted),
            ("in clear", self.clear),
            ("acknowledgments alone", self.acks_only),
            ("against the rules", self.defects),
        ];
        for (name, figure) in figures.iter().filter(|(_, figure)| *figure > 0) {
            write!(f, ", {name} {figure}")?;
        }
        Ok(())
    }
}
