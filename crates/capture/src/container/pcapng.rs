//! pcapng: blocks, of which sections, interfaces and packets are used; all others are skipped, whatever their
//! length.

use std::time::Duration;

use super::{CAPACITY, Found, RECORD_MAX, Record};
use crate::link::Direction;
use crate::note::What;
use crate::octets::Order;

/// The type of a section header block; the same in both octet orders.
pub(crate) const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;

/// The octets of type and both lengths.
const FRAME: usize = 12;
/// The octets of an enhanced packet block, and of an obsolete packet block, before the frame.
const PACKET_FIELDS: usize = 20;
/// The longest block that is parsed: a frame of full length and its options.
const BLOCK_MAX: usize = RECORD_MAX + 65_536;
const _: () = assert!(BLOCK_MAX <= CAPACITY);
/// The most interfaces of a section; frames of later ones cannot be decoded.
pub const INTERFACES_MAX: usize = 1024;
/// The longest block that is skipped; a longer one counts as damage.
const SKIP_MAX: u32 = 1 << 30;

/// A reader of the pcapng format.
#[derive(Debug)]
pub(crate) struct Pcapng {
    order: Order,
    interfaces: Vec<Interface>,
    /// Whether the section header was seen.
    is_begun: bool,
}

impl Default for Pcapng {
    fn default() -> Pcapng {
        Pcapng { order: Order::Little, interfaces: Vec::new(), is_begun: false }
    }
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: u16,
    snap: usize,
    check_len: usize,
    /// Time units per second.
    units: u64,
    /// The seconds to add to timestamps.
    offset: i64,
}

impl Pcapng {
    pub(crate) fn read(&mut self, octets: &[u8]) -> Found {
        let (Some(kind), Some(_)) = (self.order.u32(octets, 0), octets.get(..FRAME)) else {
            return Found::Need(FRAME, "a block's header");
        };
        if kind == SECTION {
            return self.section(octets);
        }
        let length = self.order.u32(octets, 4).unwrap_or_default();
        if let Some(what) = self.length_damage(kind, length) {
            return Found::Damaged(what);
        }
        if !self.is_begun {
            return Found::Damaged(What::Damaged { expected: "a section header", found: kind.into() });
        }
        let is_read = matches!(kind, INTERFACE | OLD_PACKET | SIMPLE_PACKET | ENHANCED_PACKET);
        let len = length as usize;
        if !is_read {
            return Found::Skip(length.into());
        }
        if octets.len() < len {
            return Found::Need(len, "a block");
        }
        let block = octets.get(..len).unwrap_or_default();
        if self.order.u32(block, len - 4) != Some(length) {
            let found = self.order.u32(block, len - 4).unwrap_or_default().into();
            return Found::Damaged(What::Damaged { expected: "the block's length again at its end", found });
        }
        match kind {
            INTERFACE => self.interface(block),
            SIMPLE_PACKET => self.simple_packet(block),
            _ => self.packet(block, kind),
        }
    }

    fn length_damage(&self, kind: u32, length: u32) -> Option<What> {
        let most = match kind {
            INTERFACE | OLD_PACKET | SIMPLE_PACKET | ENHANCED_PACKET => BLOCK_MAX as u32,
            _ => SKIP_MAX,
        };
        let expected = if length < FRAME as u32 {
            "a block of at least 12 octets"
        } else if !length.is_multiple_of(4) {
            "a block length that 4 divides"
        } else if length > most {
            "a block of a length that can be"
        } else {
            return None;
        };
        Some(What::Damaged { expected, found: length.into() })
    }

    fn section(&mut self, octets: &[u8]) -> Found {
        let order = match octets.get(8..12) {
            Some([0x1a, 0x2b, 0x3c, 0x4d]) => Order::Big,
            Some([0x4d, 0x3c, 0x2b, 0x1a]) => Order::Little,
            _ => {
                let found = Order::Big.u32(octets, 8).unwrap_or_default().into();
                return Found::Damaged(What::Damaged { expected: "the octet order 0x1a2b3c4d", found });
            }
        };
        let length = order.u32(octets, 4).unwrap_or_default();
        if let Some(what) = self.length_damage(SECTION, length) {
            return Found::Damaged(what);
        }
        // A section starts anew: its interfaces are numbered from 0.
        self.order = order;
        self.interfaces.clear();
        self.is_begun = true;
        Found::Skip(length.into())
    }

    fn interface(&mut self, block: &[u8]) -> Found {
        let skip = block.len() as u64;
        let (Some(link), Some(snap)) = (self.order.u16(block, 8), self.order.u32(block, 12)) else {
            return Found::Damaged(What::Damaged { expected: "an interface of 20 octets", found: skip });
        };
        if self.interfaces.len() == INTERFACES_MAX {
            let what = What::Full { table: "interfaces of the file", most: INTERFACES_MAX };
            return Found::SkipWithNote(skip, what);
        }
        let mut interface =
            Interface { link, snap: snap as usize, check_len: 0, units: 1_000_000, offset: 0 };
        for (code, value) in self.options(block, 16) {
            match (code, value) {
                (9, [resolution]) => interface.units = units(*resolution),
                (13, [bits]) => interface.check_len = usize::from(*bits),
                (14, _) => interface.offset = self.order.u64(value, 0).unwrap_or_default().cast_signed(),
                _ => {}
            }
        }
        self.interfaces.push(interface);
        Found::Skip(skip)
    }

    /// The code and value of each option from `at` to the end of the block.
    fn options<'a>(&self, block: &'a [u8], at: usize) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let order = self.order;
        let mut rest = block.get(at..block.len().saturating_sub(4)).unwrap_or_default();
        std::iter::from_fn(move || {
            let code = order.u16(rest, 0).filter(|code| *code != 0)?;
            let len = usize::from(order.u16(rest, 2)?);
            let value = rest.get(4..4 + len)?;
            rest = rest.get(4 + len.next_multiple_of(4)..).unwrap_or_default();
            Some((code, value))
        })
    }

    /// Parses an enhanced packet block, or the obsolete packet block.
    fn packet(&self, block: &[u8], kind: u32) -> Found {
        let skip = block.len() as u64;
        let field = |at: usize| self.order.u32(block, 8 + at);
        let fields = (field(0), self.order.high_low(block, 12), field(12), field(16));
        let (Some(interface), Some(time), Some(captured), Some(total)) = fields else {
            return Found::Damaged(What::Damaged { expected: "a packet block of 32 octets", found: skip });
        };
        // The obsolete form has two 16-bit fields here: interface and drop count.
        let id =
            if kind == OLD_PACKET { self.order.u16(block, 8).unwrap_or_default().into() } else { interface };
        let available = block.len().saturating_sub(FRAME + PACKET_FIELDS);
        if captured as usize > available {
            let expected = "a captured length within the block";
            return Found::SkipWithNote(skip, What::Damaged { expected, found: captured.into() });
        }
        let Some(interface) = self.interfaces.get(id as usize) else {
            return Found::SkipWithNote(skip, What::NoInterface { id });
        };
        let len = captured as usize;
        let before = 8 + PACKET_FIELDS;
        let flags = self
            .options(block, before + len.next_multiple_of(4))
            .find(|(code, _)| *code == 2)
            .and_then(|(_, value)| self.order.u32(value, 0))
            .unwrap_or_default();
        let record = Record {
            time: interface.time(time),
            interface: id,
            link: interface.link,
            check_len: interface.check_len,
            total: (total as usize).max(len),
            direction: match flags & 3 {
                1 => Some(Direction::Received),
                2 => Some(Direction::Sent),
                _ => None,
            },
        };
        Found::Record { record, before, len, after: block.len() - before - len }
    }

    /// Parses a simple packet block: a frame of the first interface, without a time.
    fn simple_packet(&self, block: &[u8]) -> Found {
        let skip = block.len() as u64;
        let Some(interface) = self.interfaces.first() else {
            return Found::SkipWithNote(skip, What::NoInterface { id: 0 });
        };
        let (Some(total), Some(available)) = (self.order.u32(block, 8), block.len().checked_sub(16)) else {
            return Found::Damaged(What::Damaged { expected: "a packet block of 16 octets", found: skip });
        };
        let snap = if interface.snap == 0 { usize::MAX } else { interface.snap };
        let len = (total as usize).min(snap).min(available);
        let record = Record {
            time: Duration::ZERO,
            interface: 0,
            link: interface.link,
            check_len: interface.check_len,
            total: total as usize,
            direction: None,
        };
        Found::Record { record, before: 12, len, after: block.len() - 12 - len }
    }

    /// Whether a complete block of a known type begins here, with equal lengths at both ends; `None` if more
    /// octets are needed.
    pub(crate) fn makes_sense(&self, octets: &[u8], at_end: bool) -> Option<bool> {
        let (kind, length) = (self.order.u32(octets, 0)?, self.order.u32(octets, 4)?);
        if kind == SECTION {
            let order = octets.get(8..12)?;
            return Some(matches!(order, [0x1a, 0x2b, 0x3c, 0x4d] | [0x4d, 0x3c, 0x2b, 0x1a]));
        }
        if !self.is_begun || !(1..=6).contains(&kind) || self.length_damage(kind, length).is_some() {
            return Some(false);
        }
        if length as usize > BLOCK_MAX {
            return Some(false);
        }
        match self.order.u32(octets, length as usize - 4) {
            Some(again) => Some(again == length),
            None => at_end.then_some(false),
        }
    }
}

const _: () = assert!(BYTE_ORDER == 0x1a2b_3c4d);

impl Interface {
    fn time(&self, stamp: u64) -> Duration {
        let (whole, part) = (stamp / self.units, stamp % self.units);
        let nanoseconds = u128::from(part) * 1_000_000_000 / u128::from(self.units);
        let seconds = whole.saturating_add_signed(self.offset);
        Duration::new(seconds, u32::try_from(nanoseconds).unwrap_or_default())
    }
}

/// The units per second: a power of ten, or of two if the highest bit is set.
fn units(resolution: u8) -> u64 {
    let (base, exponent) = if resolution & 0x80 == 0 { (10u64, resolution) } else { (2, resolution & 0x7f) };
    base.checked_pow(exponent.into()).unwrap_or(u64::MAX)
}
