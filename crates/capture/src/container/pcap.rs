//! pcap: a header, then records. Both byte orders, microseconds and nanoseconds, and the variant with longer
//! record headers that some old kernels wrote ("modified").

use std::time::Duration;

use super::{Found, RECORD_MAX, Record};
use crate::note::What;
use crate::octets::Order;

const HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const MODIFIED_RECORD_HEADER: usize = 24;
/// After a damaged place, a record that differs from the last valid one by more than this is not accepted.
const DAY: u64 = 86_400;

/// The format of one file.
#[derive(Debug)]
pub(crate) struct Pcap {
    order: Order,
    /// The fractions of a second in a timestamp.
    parts: u32,
    record_header: usize,
    /// Set once the header was parsed.
    about: Option<About>,
    /// The seconds of the last valid record.
    last: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct About {
    link: u16,
    check_len: usize,
}

#[derive(Clone, Copy, Debug)]
struct RecordHeader {
    seconds: u32,
    parts: u32,
    captured: usize,
    total: usize,
}

impl Pcap {
    /// Detects the format by the first four octets.
    pub(crate) fn new(magic: [u8; 4]) -> Option<Pcap> {
        let (order, magic) = match u32::from_be_bytes(magic) {
            magic @ (0xa1b2_c3d4 | 0xa1b2_3c4d | 0xa1b2_cd34) => (Order::Big, magic),
            magic => (Order::Little, magic.swap_bytes()),
        };
        let (parts, record_header) = match magic {
            0xa1b2_c3d4 => (1_000_000, RECORD_HEADER),
            0xa1b2_3c4d => (1_000_000_000, RECORD_HEADER),
            0xa1b2_cd34 => (1_000_000, MODIFIED_RECORD_HEADER),
            _ => return None,
        };
        Some(Pcap { order, parts, record_header, about: None, last: None })
    }

    pub(crate) fn read(&mut self, octets: &[u8]) -> Found {
        let Some(about) = self.about else { return self.header(octets) };
        let Some(header) = self.record_header(octets) else {
            return Found::Need(self.record_header, "a record's header");
        };
        if header.captured > RECORD_MAX {
            let expected = "captured length of at most 262144";
            return Found::Damaged(What::Damaged { expected, found: header.captured as u64 });
        }
        if octets.len() < self.record_header + header.captured {
            return Found::Need(self.record_header + header.captured, "a frame");
        }
        let nanoseconds = u64::from(header.parts) * u64::from(1_000_000_000 / self.parts);
        let seconds = u64::from(header.seconds);
        self.last = Some(seconds);
        let record = Record {
            time: Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds),
            interface: 0,
            link: about.link,
            check_len: about.check_len,
            total: header.total.max(header.captured),
            direction: None,
        };
        Found::Record { record, before: self.record_header, len: header.captured, after: 0 }
    }

    fn header(&mut self, octets: &[u8]) -> Found {
        let (Some(version), Some(network)) = (self.order.u16(octets, 4), self.order.u32(octets, 20)) else {
            return Found::Need(HEADER, "the file's header");
        };
        // The link type shares its field with the length of the frame check sequence, in units of 16 bits.
        let has_check = network & 0x0400_0000 != 0;
        let check_len = if has_check { (network >> 28) as usize * 2 } else { 0 };
        self.about = Some(About { link: network as u16, check_len });
        match version {
            2 => Found::Skip(HEADER as u64),
            other => {
                let what = What::Damaged { expected: "version 2", found: other.into() };
                Found::SkipWithNote(HEADER as u64, what)
            }
        }
    }

    fn record_header(&self, octets: &[u8]) -> Option<RecordHeader> {
        octets.get(..self.record_header)?;
        Some(RecordHeader {
            seconds: self.order.u32(octets, 0)?,
            parts: self.order.u32(octets, 4)?,
            captured: self.order.u32(octets, 8)? as usize,
            total: self.order.u32(octets, 12)? as usize,
        })
    }

    /// Whether a record begins here and another one follows it; `None` if more octets are needed.
    pub(crate) fn makes_sense(&self, octets: &[u8], at_end: bool) -> Option<bool> {
        let header = self.record_header(octets)?;
        if !self.is_likely(&header) {
            return Some(false);
        }
        let next = octets.get(self.record_header + header.captured..);
        match next {
            Some(next) if next.is_empty() && at_end => Some(true),
            Some(next) => match self.record_header(next) {
                Some(next) => Some(self.is_likely(&next)),
                None => at_end.then_some(false),
            },
            None => at_end.then_some(false),
        }
    }

    fn is_likely(&self, header: &RecordHeader) -> bool {
        let near = self.last.is_none_or(|last| u64::from(header.seconds).abs_diff(last) <= DAY);
        near && header.parts < self.parts
            && (1..=RECORD_MAX).contains(&header.captured)
            && (header.captured..=RECORD_MAX).contains(&header.total)
    }
}
