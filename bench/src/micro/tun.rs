//! What the work around the TUN interface costs, without the interface: sums, cutting, joining.

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::Instant;

use adit_dataplane::bench::{Coalescer, Segments, Slots};
use adit_sys::tun::{Gso, VnetHeader};
use adit_wire::checksum::{self, Sum};
use adit_wire::{ipv4, tcp};

/// Octets of data in a segment: what fits an inner MTU of 1,400 with timestamps.
pub const DATA: usize = 1348;
/// Octets of IP and TCP headers with timestamps.
const HEADERS: usize = 52;
/// Packets of a batch.
const BATCH: usize = 64;
/// Octets from one slot to the next.
const SLOT: usize = 2048;
/// Octets in front of a packet in its slot.
const HEADROOM: usize = 64;

/// One measurement: nanoseconds per packet.
#[derive(Clone, Debug)]
pub struct Row {
    /// "sum" and "sum by definition": the checksum of the data. "cut": a segment made from a super-packet. "join": a
    /// received segment checked and joined to the others. "pass": one that looks alike and cannot be joined.
    pub name: &'static str,
    /// The median of the rounds.
    pub median: f64,
    /// A twentieth of the rounds took less.
    pub p05: f64,
}

/// Runs everything `rounds` times, all in turn within each round.
pub fn run(rounds: usize) -> Vec<Row> {
    let whole = super_packet(BATCH * DATA / 2);
    let header =
        VnetHeader { needs_checksum: true, gso: Gso::TcpV4, gso_size: DATA as u16, ..VnetHeader::default() };
    let mut slots = Batch(vec![0; BATCH * SLOT]);
    let mut coalescer = Coalescer::new();
    let mut rows: Vec<(&'static str, Vec<f64>)> = ["sum", "sum by definition", "cut", "join", "pass"]
        .into_iter()
        .map(|name| (name, Vec::with_capacity(rounds)))
        .collect();
    for _ in 0..rounds {
        let mut packets = 0;
        let cut = timed(|| packets = cut_into(header, &whole, &mut slots)) / packets.max(1) as f64;
        let pieces: Vec<_> = (0..packets).map(|slot| slots.packet(slot).to_vec()).collect();
        let data = |slot: usize| slots.packet(slot).get(HEADERS..).unwrap_or_default();
        let sum = timed(|| {
            for slot in 0..packets {
                black_box(checksum::of(black_box(data(slot))));
            }
        }) / packets.max(1) as f64;
        let plain = timed(|| {
            for slot in 0..packets {
                black_box(by_definition(black_box(data(slot))));
            }
        }) / packets.max(1) as f64;
        let join = timed(|| join_all(&mut coalescer, &mut slots, packets)) / packets.max(1) as f64;
        // Another acknowledgment in every second one: nothing can be joined.
        for (slot, piece) in pieces.iter().enumerate() {
            if let Some(to) = slots.octets_mut(slot).get_mut(HEADROOM..HEADROOM + piece.len()) {
                to.copy_from_slice(piece);
                to[31] = slot as u8;
            }
        }
        let pass = timed(|| join_all(&mut coalescer, &mut slots, packets)) / packets.max(1) as f64;
        for ((_, times), time) in rows.iter_mut().zip([sum, plain, cut, join, pass]) {
            times.push(time);
        }
    }
    rows.into_iter()
        .map(|(name, mut times)| {
            times.sort_by(f64::total_cmp);
            let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
            Row { name, median: at(50), p05: at(5) }
        })
        .collect()
}

/// Slots of one allocation, each with its packet behind the headroom.
struct Batch(Vec<u8>);

impl Batch {
    fn packet(&self, slot: usize) -> &[u8] {
        self.octets(slot).get(HEADROOM..HEADROOM + HEADERS + DATA).unwrap_or_default()
    }
}

impl Slots for Batch {
    fn octets(&self, slot: usize) -> &[u8] {
        self.0.get(slot * SLOT..(slot + 1) * SLOT).unwrap_or_default()
    }

    fn octets_mut(&mut self, slot: usize) -> &mut [u8] {
        self.0.get_mut(slot * SLOT..(slot + 1) * SLOT).unwrap_or_default()
    }
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64
}

/// Cuts a super-packet into slots; returns how many it filled.
fn cut_into(header: VnetHeader, whole: &[u8], slots: &mut Batch) -> usize {
    let Some(mut segments) = Segments::new(header, whole) else { return 0 };
    (0..BATCH)
        .take_while(|slot| {
            let out = slots.octets_mut(*slot).get_mut(HEADROOM..).unwrap_or_default();
            black_box(segments.next_into(out)).is_some()
        })
        .count()
}

fn join_all(coalescer: &mut Coalescer, slots: &mut Batch, packets: usize) {
    for slot in 0..packets {
        coalescer.push(slot, HEADROOM..HEADROOM + HEADERS + DATA);
    }
    coalescer.flush(slots, |header, slices| {
        black_box((header, slices));
    });
}

fn by_definition(data: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in data.as_chunks::<2>().0 {
        sum += u32::from(u16::from_be_bytes(*pair));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// A TCP super-packet of whole segments, at most 64 KiB, without a checksum: the segmentation fills it in.
fn super_packet(len: usize) -> Vec<u8> {
    let (src, dst) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
    let mut segment = vec![0x10, 0, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8, 0x80, tcp::ACK, 1, 0, 0, 0, 0, 0];
    segment.extend([1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8]);
    segment.extend((0..len as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8));
    let payload_len = segment.len() as u16;
    let sum = Sum::default().pseudo_v4(src, dst, ipv4::TCP, payload_len).partial();
    if let Some(field) = segment.get_mut(tcp::CHECKSUM_AT..tcp::CHECKSUM_AT + 2) {
        field.copy_from_slice(&sum.to_be_bytes());
    }
    let header = ipv4::Repr::new(src, dst, ipv4::TCP);
    ipv4::Repr { identification: 1, dont_fragment: true, ..header }.packet(&segment)
}
