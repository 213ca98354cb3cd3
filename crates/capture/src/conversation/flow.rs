//! The GRE packets of a call in one direction: lost, late and repeated numbers, and acknowledgments of the
//! other side.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use adit_wire::{mppe, ppp};

use crate::gre::Gre;

/// How far behind the highest number packets are classified as lost, late or repeated.
pub const WINDOW: u32 = 128;
/// A step forward beyond this is a restart, not loss.
pub const JUMP: u32 = 65_536;
/// The Acknowledgment Number that some stacks send before they have received anything.
const NOTHING_YET: u32 = u32::MAX;
/// A number that no other follows within this time is acknowledged on its own: stacks delay acknowledgments
/// by at most half a second.
pub const ALONE: Duration = Duration::from_millis(700);
/// The least time with a full window that counts as a stall; four round-trip times if that is more.
pub const STALL_MIN: Duration = Duration::from_secs(1);

/// The packets of one direction. All counters exclude duplicates made by the capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Packets, with and without a payload.
    pub packets: u64,
    /// The octets of their PPP frames.
    pub octets: u64,
    /// The number of packets that only acknowledge.
    pub acks_only: u64,
    /// The number of frames of a PPP control protocol.
    pub control: u64,
    /// The number of compressed or encrypted datagrams.
    pub encrypted: u64,
    /// The number of IP packets in clear.
    pub clear: u64,
    /// Frame and time of the first packet.
    pub first: Option<(u64, Duration)>,
    /// Frame and time of the last packet.
    pub last: Option<(u64, Duration)>,
    /// The first sequence number.
    pub first_seq: Option<u32>,
    /// The highest sequence number.
    pub highest: Option<u32>,
    /// The number of sequence numbers that never arrived.
    pub missing: u64,
    /// The number of packets that arrived after a higher number.
    pub late: u64,
    /// The number of packets that arrived twice.
    pub repeated: u64,
    /// How often the sequence numbers restarted.
    pub restarts: u64,
    /// The highest number that the other side acknowledged.
    pub acked: Option<u32>,
    /// The number of acknowledgments for numbers that are not in the file: the packets arrived, and only the
    /// file lacks them.
    pub acked_unseen: u64,
    /// The shortest time from a packet to an acknowledgment that covers it, at the position of the capture.
    pub quickest_ack: Option<Duration>,
    /// The longest such time.
    pub slowest_ack: Option<Duration>,
    /// When the oldest unacknowledged packet was sent.
    pub unacked_since: Option<Duration>,
    /// The longest time between two packets, and the frame after it.
    pub longest_pause: Option<(Duration, u64)>,
    /// The largest IP packet around it, in octets.
    pub largest: usize,
    /// The largest IP packet that certainly arrived, because an acknowledgment contains its number. A larger
    /// one may have arrived too.
    pub largest_acked: usize,
    /// The number of packets with an invalid header.
    pub defects: u64,
    /// The number of packets that arrived in outer fragments, all of them in the file.
    pub fragmented: u64,
    /// The number of acknowledgments higher than all before.
    pub acks: u64,
    /// The number of separately sent packets whose number acknowledgments skipped: the packet was lost behind
    /// the capture, or its acknowledgment was.
    pub skipped: u64,
    /// The sizes and frames of the last skipped packets, at most 32.
    pub skipped_sizes: VecDeque<(usize, u64)>,
    /// Frame and time of the first IP packet in clear.
    pub first_clear: Option<(u64, Duration)>,
    /// Frame and time of the first compressed or encrypted datagram.
    pub first_encrypted: Option<(u64, Duration)>,
    /// How often the MPPE coherency count went back or jumped far, in packets that arrived in order.
    pub count_jumps: u64,
    /// The number of packets with data since the last packet of the other direction.
    pub unanswered: u64,
    /// Frame and time of the first of them.
    pub unanswered_since: Option<(u64, Duration)>,
    /// How long both directions were silent before it.
    pub silence: Duration,
    /// The receive window of the other side, in packets.
    pub window: Option<u16>,
    /// The most unacknowledged packets in flight.
    pub most_under_way: u32,
    /// The number of waits for an acknowledgment with a full window; see [`STALL_MIN`].
    pub stalls: u64,
    /// The longest of them, and the frame that ended it.
    pub longest_stall: Option<(Duration, u64)>,
    /// The received numbers up to the highest: bit n for the highest less n.
    seen: u128,
    /// The number whose acknowledgment is timed, since [`Flow::unacked_since`].
    timed: u32,
    /// The last coherency count.
    count: Option<u16>,
    /// The last packets sent.
    sent: VecDeque<Sent>,
}

/// A packet in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sent {
    seq: u32,
    size: u16,
    frame: u64,
    time: Duration,
}

/// The most sizes of skipped packets that are kept.
const SKIPPED_MAX: usize = 32;
/// The most packets that are kept until they are acknowledged.
const SENT_MAX: usize = 64;

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
            Ok((ppp::COMPRESSED, data)) => {
                self.encrypted += 1;
                self.first_encrypted.get_or_insert((frame, time));
                self.coherent(gre.seq, data);
            }
            Ok((ppp::IP | ppp::IPV6, _)) => {
                self.clear += 1;
                self.first_clear.get_or_insert((frame, time));
            }
            Ok((protocol, _)) if protocol >= 0x8000 => self.control += 1,
            _ => {}
        }
        if let Some(seq) = gre.seq {
            self.number(seq);
            if self.sent.len() == SENT_MAX {
                self.sent.pop_front();
            }
            self.sent.push_back(Sent { seq, size: u16::try_from(total).unwrap_or(u16::MAX), frame, time });
            if let (Some(acked), Some(highest)) = (self.acked, self.highest) {
                let under_way = highest.wrapping_sub(acked);
                if under_way < JUMP {
                    self.most_under_way = self.most_under_way.max(under_way);
                }
            }
            if self.unacked_since.is_none() {
                (self.timed, self.unacked_since) = (seq, Some(time));
            }
        }
    }

    /// Handles the coherency count of a compressed frame.
    fn coherent(&mut self, seq: Option<u32>, data: &[u8]) {
        let Ok(header) = mppe::Header::parse(data) else { return };
        let is_late =
            seq.zip(self.highest).is_some_and(|(seq, highest)| seq.wrapping_sub(highest).cast_signed() <= 0);
        if is_late {
            return;
        }
        if let Some(count) = self.count.replace(header.count) {
            let step = header.count.wrapping_sub(count) % mppe::COUNT_MODULUS;
            self.count_jumps += u64::from(step == 0 || step > mppe::COUNT_MODULUS / 2);
        }
    }

    fn number(&mut self, seq: u32) {
        let Some(highest) = self.highest else {
            (self.first_seq, self.highest, self.seen) = (Some(seq), Some(seq), 1);
            return;
        };
        let ahead = seq.wrapping_sub(highest);
        let behind = highest.wrapping_sub(seq);
        if (1..=JUMP).contains(&ahead) {
            self.missing += u64::from(ahead - 1);
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = Some(seq);
        } else if behind < WINDOW {
            let bit = 1 << behind;
            if self.seen & bit != 0 {
                self.repeated += 1;
            } else {
                self.late += 1;
                self.missing = self.missing.saturating_sub(1);
            }
            self.seen |= bit;
        } else if behind <= JUMP && seq > 1 {
            self.late += 1;
            self.missing = self.missing.saturating_sub(1);
        } else {
            self.restarts += 1;
            (self.highest, self.seen) = (Some(seq), 1);
        }
    }

    /// Handles an acknowledgment of the other side. If the capture starts during the call, it may be for an
    /// earlier packet.
    pub(super) fn acknowledged(&mut self, ack: u32, frame: u64, time: Duration, from_the_beginning: bool) {
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
                (WINDOW..=JUMP).contains(&behind) || behind < WINDOW && self.seen & (1 << behind) != 0
            });
        let is_new = self.acked.is_none_or(|acked| ack.wrapping_sub(acked).cast_signed() > 0);
        if !is_new {
            return;
        }
        let was_full = self.is_full();
        self.acked = Some(ack);
        self.acks += 1;
        self.acked_unseen += u64::from(!is_seen);
        self.arrived(ack);
        if let Some(since) = self.unacked_since
            && ack.wrapping_sub(self.timed).cast_signed() >= 0
        {
            let took = time.saturating_sub(since);
            let usual = self.quickest_ack.unwrap_or_default() * 4;
            if was_full && took >= usual.max(STALL_MIN) {
                self.stalls += 1;
                self.longest_stall = self.longest_stall.max(Some((took, frame)));
            }
            self.quickest_ack = Some(self.quickest_ack.map_or(took, |quickest| quickest.min(took)));
            self.slowest_ack = self.slowest_ack.max(Some(took));
            self.unacked_since = None;
        }
    }
}

impl Flow {
    /// Whether the send window is full.
    fn is_full(&self) -> bool {
        let (Some(window), Some(highest)) = (self.window, self.highest) else { return false };
        let under_way = self.acked.map_or(highest, |acked| highest.wrapping_sub(acked));
        window > 0 && (u32::from(window)..JUMP).contains(&under_way)
    }

    /// Records that packet `ack` certainly arrived. Those before it were acknowledged themselves, or with
    /// others, or did not arrive.
    fn arrived(&mut self, ack: u32) {
        while let Some(sent) = self.sent.front().copied() {
            if ack.wrapping_sub(sent.seq).cast_signed() < 0 {
                return;
            }
            self.sent.pop_front();
            if sent.seq == ack {
                self.largest_acked = self.largest_acked.max(usize::from(sent.size));
                continue;
            }
            let next = self.sent.front().map(|next| next.time);
            if next.is_some_and(|next| next.saturating_sub(sent.time) >= ALONE) {
                self.skipped += 1;
                if self.skipped_sizes.len() == SKIPPED_MAX {
                    self.skipped_sizes.pop_front();
                }
                self.skipped_sizes.push_back((usize::from(sent.size), sent.frame));
            }
        }
    }

    /// Packets that are still unacknowledged at `now`, after [`ALONE`]: frames and sizes of their IP packets,
    /// oldest first; at most 64.
    pub fn pending(&self, now: Duration) -> impl Iterator<Item = (u64, usize)> {
        self.sent
            .iter()
            .filter(move |sent| now.saturating_sub(sent.time) >= ALONE)
            .map(|sent| (sent.frame, usize::from(sent.size)))
    }

    /// The number of packets with data.
    pub fn data(&self) -> u64 {
        self.packets.saturating_sub(self.acks_only)
    }

    /// Handles a packet with data in this direction; the last packet of either direction was at `before`.
    pub(super) fn ask(&mut self, frame: u64, time: Duration, before: Option<Duration>) {
        if self.unanswered == 0 {
            self.unanswered_since = Some((frame, time));
            self.silence = before.map_or(Duration::ZERO, |before| time.saturating_sub(before));
        }
        self.unanswered += 1;
    }

    /// Handles a packet in the other direction.
    pub(super) fn answered(&mut self) {
        (self.unanswered, self.unanswered_since, self.silence) = (0, None, Duration::ZERO);
    }
}

/// Formats `42 packets, numbers 0 to 40, missing 2, ...`, without counters that are 0.
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
