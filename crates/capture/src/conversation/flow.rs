//! GRE of one call in one direction: what was lost, late or repeated, and what the other side says it has.

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
    /// The largest IP packet around it, in octets.
    pub largest: usize,
    /// Packets that break a rule of the header.
    pub defects: u64,
    /// The numbers behind the highest that came: bit n for the highest less n.
    window: u128,
}

impl Flow {
    pub(super) fn add(&mut self, gre: &Gre, frame: u64, time: Duration, total: usize) {
        self.packets += 1;
        self.octets += gre.payload_len as u64;
        self.first.get_or_insert((frame, time));
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

    /// The other side acknowledges `ack`.
    pub(super) fn acknowledged(&mut self, ack: u32) {
        if ack == NOTHING_YET && self.highest.is_none_or(|highest| highest < NOTHING_YET - WINDOW) {
            return;
        }
        let is_seen = self.highest.is_some_and(|highest| {
            let behind = highest.wrapping_sub(ack);
            (WINDOW..=JUMP).contains(&behind) || behind < WINDOW && self.window & (1 << behind) != 0
        });
        let is_new = self.acked.is_none_or(|acked| ack.wrapping_sub(acked).cast_signed() > 0);
        if is_new {
            self.acked = Some(ack);
            self.acked_unseen += u64::from(!is_seen);
        }
    }
}
