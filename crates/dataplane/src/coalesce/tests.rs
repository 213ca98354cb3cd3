mod any;
mod kernel;

use adit_sys::tun::Gso;
use adit_wire::checksum::{self, Sum};
use adit_wire::{ipv4, ipv6, tcp, udp};

use super::*;
use crate::segment::{Segments, complete_checksum};

const URG: u8 = 0x20;
const ECE: u8 = 0x40;

/// A TCP segment to be built.
#[derive(Clone, Debug)]
struct Tcp {
    is_v6: bool,
    port: u16,
    seq: u32,
    ack: u32,
    flags: u8,
    window: u16,
    urgent: u16,
    options: Vec<u8>,
    tos: u8,
    ttl: u8,
    dont_fragment: bool,
    id: u16,
    label: u8,
    len: usize,
}

impl Tcp {
    fn new() -> Tcp {
        Tcp {
            is_v6: false,
            port: 1000,
            seq: 0xffff_fc00,
            ack: 7,
            flags: tcp::ACK,
            window: 500,
            urgent: 0,
            options: vec![1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2],
            tos: 0,
            ttl: 64,
            dont_fragment: true,
            id: 0,
            label: 0,
            len: 1000,
        }
    }

    fn octets(&self) -> Vec<u8> {
        let header_len = tcp::HEADER_MIN + self.options.len();
        let mut segment = Vec::new();
        segment.extend(self.port.to_be_bytes());
        segment.extend(80u16.to_be_bytes());
        segment.extend(self.seq.to_be_bytes());
        segment.extend(self.ack.to_be_bytes());
        segment.extend([(header_len as u8 / 4) << 4, self.flags]);
        segment.extend(self.window.to_be_bytes());
        segment.extend([0, 0]);
        segment.extend(self.urgent.to_be_bytes());
        segment.extend(&self.options);
        segment.extend((0..self.len).map(|n| (self.seq as usize + 7 * n) as u8));
        let len = segment.len() as u16;
        let (ip, sum) = if self.is_v6 {
            let (src, dst) = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
            let repr = ipv6::Repr { src, dst, next_header: ipv4::TCP, hop_limit: self.ttl, payload_len: len };
            let mut header = repr.emit();
            header[0] |= self.tos >> 4;
            header[1] |= self.tos << 4;
            header[3] = self.label;
            (header.to_vec(), Sum::default().pseudo_v6(src, dst, ipv4::TCP, len.into()))
        } else {
            let (src, dst) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
            let repr = ipv4::Repr {
                src,
                dst,
                protocol: ipv4::TCP,
                tos: self.tos,
                identification: self.id,
                dont_fragment: self.dont_fragment,
                ttl: self.ttl,
                payload_len: len,
            };
            (repr.emit().to_vec(), Sum::default().pseudo_v4(src, dst, ipv4::TCP, len))
        };
        let sum = sum.with(&segment).finish();
        segment[tcp::CHECKSUM_AT..][..2].copy_from_slice(&sum.to_be_bytes());
        [ip, segment].concat()
    }

    /// The next segment of the sender.
    fn next(&self) -> Tcp {
        Tcp { seq: self.seq.wrapping_add(self.len as u32), id: self.id.wrapping_add(1), ..self.clone() }
    }

    /// This segment and the following ones, `n` in total.
    fn run(self, n: usize) -> Vec<Tcp> {
        std::iter::successors(Some(self), |tcp| Some(tcp.next())).take(n).collect()
    }
}

/// Slots with free octets before and after each packet.
struct Memory(Vec<Vec<u8>>);

const FRONT: usize = 5;

impl Slots for Memory {
    fn octets(&self, slot: usize) -> &[u8] {
        self.0.get(slot).map(Vec::as_slice).unwrap_or_default()
    }

    fn octets_mut(&mut self, slot: usize) -> &mut [u8] {
        self.0.get_mut(slot).map(Vec::as_mut_slice).unwrap_or_default()
    }
}

/// The written packets.
type Written = Vec<(VnetHeader, Vec<u8>)>;

fn write_batch(coalescer: &mut Coalescer, batch: &[Vec<u8>]) -> Written {
    let mut memory =
        Memory(batch.iter().map(|octets| [&[0xaa; FRONT][..], octets, &[0xbb; 9]].concat()).collect());
    for (slot, octets) in batch.iter().enumerate() {
        coalescer.push(slot, FRONT..FRONT + octets.len());
    }
    let mut written = Vec::new();
    coalescer.flush(&mut memory, |header, slices| {
        assert!(slices.len() <= adit_sys::tun::MAX_SLICES);
        written.push((header, slices.concat()));
    });
    assert!(coalescer.is_empty() && coalescer.open.is_empty());
    for (octets, slot) in batch.iter().zip(&memory.0) {
        assert_eq!((&slot[..FRONT], &slot[FRONT + octets.len()..]), (&[0xaa; FRONT][..], &[0xbb; 9][..]));
    }
    written
}

fn join(batch: &[Tcp]) -> Written {
    write_batch(&mut Coalescer::new(), &batch.iter().map(Tcp::octets).collect::<Vec<_>>())
}

/// The number of segments in each written packet.
fn counts(written: &Written) -> Vec<usize> {
    written.iter().map(|(header, octets)| cut(*header, octets).len()).collect()
}

/// Segments a written packet as the kernel does; verifies the header.
fn cut(header: VnetHeader, octets: &[u8]) -> Vec<Vec<u8>> {
    if header == VnetHeader::default() {
        return vec![octets.to_vec()];
    }
    let (sum, at) = if octets[0] >> 4 == 4 {
        let ip = ipv4::Packet::new_checked(octets).unwrap();
        assert_eq!((ip.as_bytes().len(), header.gso), (octets.len(), Gso::TcpV4));
        assert!(ip.checksum_is_right());
        (Sum::default().pseudo_v4(ip.src(), ip.dst(), ipv4::TCP, ip.payload().len() as u16), 20)
    } else {
        let ip = ipv6::Packet::new_checked(octets).unwrap();
        assert_eq!((ip.as_bytes().len(), header.gso), (octets.len(), Gso::TcpV6));
        (Sum::default().pseudo_v6(ip.src(), ip.dst(), ipv4::TCP, ip.payload().len() as u32), 40)
    };
    let segment = tcp::Packet::new_checked(&octets[at..]).unwrap();
    assert_eq!(
        header,
        VnetHeader {
            needs_checksum: true,
            gso: header.gso,
            header_len: (at + segment.header_len()) as u16,
            gso_size: header.gso_size,
            checksum_start: at as u16,
            checksum_offset: 16,
            ..VnetHeader::default()
        }
    );
    assert!(segment.payload().len() > usize::from(header.gso_size), "more than one segment");
    let mut whole = octets.to_vec();
    assert!(complete_checksum(header, &mut whole));
    assert_eq!(sum.with(&whole[at..]).finish(), 0, "the kernel can complete the checksum");

    let mut segments = Segments::new(header, octets).unwrap();
    let mut pieces = Vec::new();
    let mut buffer = vec![0; 70_000];
    while let Some(len) = segments.next_into(&mut buffer) {
        pieces.push(buffer[..len].to_vec());
    }
    pieces
}

/// Asserts that `batch` is written as groups of these sizes, with every octet unchanged.
fn check(batch: &[Tcp], expected: &[usize]) {
    for is_v6 in [false, true] {
        let batch: Vec<_> = batch.iter().map(|tcp| Tcp { is_v6, ..tcp.clone() }).collect();
        let written = join(&batch);
        assert_eq!(counts(&written), expected, "is_v6 {is_v6}");
        let pieces: Vec<_> = written.iter().flat_map(|(header, octets)| cut(*header, octets)).collect();
        assert_eq!(pieces, batch.iter().map(Tcp::octets).collect::<Vec<_>>());
    }
}

#[test]
fn segments_in_order_become_one_packet() {
    check(&Tcp::new().run(5), &[5]);
    check(&Tcp { options: vec![], ..Tcp::new() }.run(3), &[3]);
    check(&Tcp { tos: 0x03, ..Tcp::new() }.run(3), &[3]);
    check(&Tcp { dont_fragment: false, id: 0xffff, ..Tcp::new() }.run(3), &[3]);
    check(&Tcp::new().run(1), &[1]);
    check(&[], &[]);
}

#[test]
fn a_packet_holds_65535_octets_and_64_segments_at_most() {
    check(&Tcp { len: 1348, ..Tcp::new() }.run(64), &[48, 16]);
    check(&Tcp { len: 100, ..Tcp::new() }.run(130), &[64, 64, 2]);
    let all = 65_535 - 52;
    check(&[Tcp { len: 40_000, ..Tcp::new() }, Tcp { len: 40_000, ..Tcp::new() }.next()], &[1, 1]);
    let first = Tcp { len: 40_000, is_v6: false, ..Tcp::new() };
    let rest = |len| Tcp { len, ..first.next() };
    assert_eq!(counts(&join(&[first.clone(), rest(all - 40_000)])), [2]);
    assert_eq!(counts(&join(&[first.clone(), rest(all - 40_000 + 1)])), [1, 1]);
}

#[test]
fn a_shorter_segment_and_push_end_a_group() {
    let mut run = Tcp::new().run(2);
    run.push(Tcp { len: 10, ..run[1].next() });
    run.extend(run[2].next().run(2));
    check(&run, &[3, 2]);

    let mut run = Tcp::new().run(3);
    run[2].flags |= tcp::PSH;
    run.extend(Tcp { flags: tcp::ACK, ..run[2].next() }.run(2));
    check(&run, &[3, 2]);

    let mut run = Tcp::new().run(3);
    run[0].flags |= tcp::PSH;
    check(&run, &[1, 2]);

    let mut run = Tcp::new().run(1);
    run.push(Tcp { len: 1001, ..run[0].next() });
    check(&run, &[1, 1]);
}

#[test]
fn other_flags_go_alone_and_in_order() {
    for flags in [tcp::FIN, tcp::SYN, tcp::RST, URG, ECE, tcp::CWR] {
        let mut run = Tcp::new().run(5);
        run[2].flags |= flags;
        check(&run, &[2, 1, 2]);
    }
    let mut run = Tcp::new().run(3);
    run[1].flags = 0;
    check(&run, &[1, 1, 1]);
}

#[test]
fn a_pure_acknowledgment_keeps_its_place() {
    let mut run = Tcp::new().run(2);
    run.push(Tcp { len: 0, ..run[1].next() });
    run.extend(Tcp { len: 1000, ..run[2].clone() }.run(2));
    check(&run, &[2, 1, 2]);
}

#[test]
fn segments_that_differ_are_not_joined() {
    let changes: [fn(&mut Tcp); 8] = [
        |tcp| tcp.tos = 3,
        |tcp| tcp.ttl = 63,
        |tcp| tcp.ack = 8,
        |tcp| tcp.window = 501,
        |tcp| tcp.urgent = 1,
        |tcp| tcp.options[7] = 9,
        |tcp| tcp.options.truncate(8),
        |tcp| tcp.seq = tcp.seq.wrapping_add(1),
    ];
    for change in changes {
        let mut run = Tcp::new().run(4);
        run[2..].iter_mut().for_each(change);
        check(&run, if run[3].seq == run[2].next().seq { &[2, 2] } else { &[2, 1, 1] });
    }
    let mut run = Tcp { is_v6: true, ..Tcp::new() }.run(2);
    run[1].label = 1;
    assert_eq!(counts(&join(&run)), [1, 1]);
    let mut run = Tcp::new().run(2);
    run[1].dont_fragment = false;
    assert_eq!(counts(&join(&run)), [1, 1]);
}

#[test]
fn the_identification_counts_only_where_it_means_something() {
    let mut run = Tcp::new().run(3);
    run[1].id = 77;
    assert_eq!(counts(&join(&run)), [3]);
    run.iter_mut().for_each(|tcp| tcp.dont_fragment = false);
    assert_eq!(counts(&join(&run)), [1, 1, 1]);
}

#[test]
fn repeated_and_lost_segments_begin_anew() {
    let run = Tcp::new().run(5);
    check(&[&run[..2], &run[1..]].concat(), &[2, 4]);
    check(&[&run[..2], &run[3..]].concat(), &[2, 2]);
    check(&[run[1].clone(), run[0].clone()], &[1, 1]);
}

#[test]
fn a_wrong_checksum_reaches_the_host_as_it_is() {
    for is_v6 in [false, true] {
        let run = Tcp { is_v6, ..Tcp::new() }.run(5);
        for (wrong, expected) in
            [(0, &[1, 4][..]), (1, &[1, 1, 3]), (2, &[2, 1, 2]), (3, &[3, 1, 1]), (4, &[4, 1])]
        {
            let mut batch: Vec<_> = run.iter().map(Tcp::octets).collect();
            *batch[wrong].last_mut().unwrap() ^= 0x10;
            let written = write_batch(&mut Coalescer::new(), &batch);
            assert_eq!(counts(&written), expected);
            let pieces: Vec<_> = written.iter().flat_map(|(header, octets)| cut(*header, octets)).collect();
            assert_eq!(pieces, batch);
        }
    }
    let mut batch: Vec<_> = Tcp::new().run(3).iter().map(Tcp::octets).collect();
    batch[1][10] ^= 1;
    assert_eq!(counts(&write_batch(&mut Coalescer::new(), &batch)), [1, 1, 1], "the IP header's");
}

#[test]
fn flows_are_collected_side_by_side() {
    let flows: Vec<_> = (0..OPEN as u16).map(|port| Tcp { port, ..Tcp::new() }.run(4)).collect();
    let mixed: Vec<_> = (0..4).flat_map(|n| flows.iter().map(move |flow| flow[n].clone())).collect();
    assert_eq!(counts(&join(&mixed)), [4; OPEN]);

    // One flow more than the limit: the oldest one is written, nothing is lost.
    let more = Tcp { port: 99, ..Tcp::new() }.run(4);
    let mixed = [&mixed[..OPEN], &more[..1], &mixed[OPEN..], &more[1..]].concat();
    let written = join(&mixed);
    assert_eq!(counts(&written).iter().sum::<usize>(), mixed.len());
    assert!(written.len() < mixed.len());

    let both = [Tcp::new().run(2), Tcp { is_v6: true, ..Tcp::new() }.run(2)].concat();
    assert_eq!(counts(&join(&both)), [2, 2]);
}

#[test]
fn nothing_is_joined_across_batches() {
    let run: Vec<_> = Tcp::new().run(4).iter().map(Tcp::octets).collect();
    let mut coalescer = Coalescer::new();
    assert_eq!(counts(&write_batch(&mut coalescer, &run[..2])), [2]);
    assert_eq!(counts(&write_batch(&mut coalescer, &run[2..])), [2]);
}

#[test]
fn what_is_no_plain_tcp_passes_as_it_is() {
    let run: Vec<_> = Tcp::new().run(2).iter().map(Tcp::octets).collect();
    let between = |octets: &[u8]| {
        let written = write_batch(&mut Coalescer::new(), &[run[0].clone(), octets.to_vec(), run[1].clone()]);
        assert!(written.contains(&(VnetHeader::default(), octets.to_vec())));
        counts(&written)
    };
    let datagram = udp::datagram_v4(([10, 0, 0, 1].into(), 1), ([10, 0, 0, 2].into(), 2), b"abc");
    assert_eq!(between(&datagram), [1, 2], "UDP does not wait");
    assert_eq!(between(&[]), [1, 2]);
    assert_eq!(between(&[0x45; 19]), [1, 2]);
    assert_eq!(between(&[0x60; 39]), [1, 2]);

    // It may belong to the same flow, so it must not overtake.
    let mut fragment = run[0].clone();
    fragment[6] |= 0x20;
    assert_eq!(between(&fragment), [1, 1, 1]);
    let mut options = run[0].clone();
    options[0] = 0x46;
    assert_eq!(between(&options), [1, 1, 1]);
    let mut extension = vec![0; 48];
    extension[0] = 0x60;
    assert_eq!(between(&extension), [1, 1, 1]);
    let mut padded = run[0].clone();
    padded.push(0);
    assert_eq!(between(&padded), [1, 1, 1]);
    assert_eq!(between(&run[0][..30]), [1, 1, 1]);
    let mut offset = run[0].clone();
    offset[32] = 0x40;
    assert_eq!(between(&offset), [1, 1, 1]);
    assert_eq!(checksum::of(&run[0][..20]), 0);
}

#[test]
fn ranges_that_lie_outside_of_their_slot_are_empty_packets() {
    let mut coalescer = Coalescer::new();
    coalescer.push(0, 0..10);
    coalescer.push(9, 0..10);
    let mut written = Vec::new();
    coalescer.flush(&mut Memory(vec![vec![0; 5]]), |header, slices| written.push((header, slices.concat())));
    assert_eq!(written, [(VnetHeader::default(), vec![]), (VnetHeader::default(), vec![])]);
}
