//! The same frames in every container, whole, cut and damaged.

#![cfg(test)]

mod world;

use std::time::Duration;

use adit_capture::{Direction, Item, Packet, What};
use miniz_oxide::deflate::compress_to_vec;
use world::{START, at, ethernet, gre_packet, notes, packets, pcap, read, read_in, reported};

/// Frames of different lengths, so that options and padding fall differently.
fn frames() -> Vec<Vec<u8>> {
    (0..5).map(|n| ethernet(0x0800, &[gre_packet(n), vec![0; n as usize]].concat())).collect()
}

/// Numbers in either order.
#[derive(Clone, Copy)]
struct Order(bool);

impl Order {
    fn u16(self, value: u16) -> [u8; 2] {
        if self.0 { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn u32(self, value: u32) -> [u8; 4] {
        if self.0 { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
        let len = self.u32((12 + body.len() + padding.len()) as u32);
        [&self.u32(kind), &len, body, &padding, &len].concat()
    }

    fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
        [&self.u16(code)[..], &self.u16(value.len() as u16), value, &padding].concat()
    }

    fn section(self) -> Vec<u8> {
        let options = [self.option(4, b"a program"), self.option(0, &[])].concat();
        let body = [&self.u32(0x1a2b_3c4d)[..], &self.u16(1), &self.u16(0), &[0xff; 8], &options].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    fn interface(self, link: u16, snap: u32, options: &[u8]) -> Vec<u8> {
        self.block(1, &[&self.u16(link)[..], &[0, 0], &self.u32(snap), options].concat())
    }

    fn enhanced(self, interface: u32, stamp: u64, frame: &[u8], options: &[u8]) -> Vec<u8> {
        let len = self.u32(frame.len() as u32);
        let padding = vec![0; frame.len().next_multiple_of(4) - frame.len()];
        let (high, low) = (self.u32((stamp >> 32) as u32), self.u32(stamp as u32));
        let head = [self.u32(interface), high, low, len, len].concat();
        self.block(6, &[&head, frame, &padding, options].concat())
    }
}

fn old_pcap(order: Order, magic: u32, parts: u32, extra: usize) -> Vec<u8> {
    let mut file = order.u32(magic).to_vec();
    file.extend([order.u16(2), order.u16(4)].concat());
    file.extend([0; 8]);
    file.extend(order.u32(262_144));
    file.extend(order.u32(1));
    for (n, frame) in frames().iter().enumerate() {
        let time = at(n);
        let part = time.subsec_nanos() / (1_000_000_000 / parts);
        for field in [time.as_secs() as u32, part, frame.len() as u32, frame.len() as u32] {
            file.extend(order.u32(field));
        }
        file.extend(vec![0; extra]);
        file.extend(frame);
    }
    file
}

fn pcapng(order: Order) -> Vec<u8> {
    let mut file = order.section();
    let nanos = order.option(9, &[9]);
    file.extend(order.interface(220, 0, &[]));
    file.extend(order.block(0x7777, &[1; 30]));
    file.extend(order.interface(1, 65_535, &[order.option(2, b"eth0"), nanos].concat()));
    for (n, frame) in frames().iter().enumerate() {
        let flags = order.option(2, &order.u32(2));
        file.extend(order.enhanced(1, at(n).as_nanos() as u64, frame, &flags));
        file.extend(order.block(5, &[0; 12]));
    }
    file
}

fn gzip(file: &[u8], flags: u8) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3];
    if flags & 4 != 0 {
        out.extend([3, 0, 1, 2, 3]);
    }
    if flags & 8 != 0 {
        out.extend(b"call.pcap\0");
    }
    if flags & 16 != 0 {
        out.extend(b"a remark\0");
    }
    if flags & 2 != 0 {
        out.extend([0xaa, 0xbb]);
    }
    out.extend(compress_to_vec(file, 6));
    out.extend([0; 8]);
    out
}

fn every_container() -> Vec<(&'static str, Vec<u8>)> {
    let (big, little) = (Order(true), Order(false));
    let plain = pcap(1, &frames());
    let halves = plain.split_at(plain.len() / 2);
    vec![
        ("pcap little", old_pcap(little, 0xa1b2_c3d4, 1_000_000, 0)),
        ("pcap big", old_pcap(big, 0xa1b2_c3d4, 1_000_000, 0)),
        ("pcap little, nanoseconds", old_pcap(little, 0xa1b2_3c4d, 1_000_000_000, 0)),
        ("pcap big, nanoseconds", old_pcap(big, 0xa1b2_3c4d, 1_000_000_000, 0)),
        ("pcap little, modified", old_pcap(little, 0xa1b2_cd34, 1_000_000, 8)),
        ("pcap big, modified", old_pcap(big, 0xa1b2_cd34, 1_000_000, 8)),
        ("pcap of our own", plain.clone()),
        ("pcapng little", pcapng(little)),
        ("pcapng big", pcapng(big)),
        ("gzip", gzip(&plain, 0)),
        ("gzip with everything", gzip(&pcapng(big), 2 | 4 | 8 | 16)),
        ("gzip in two members", [gzip(halves.0, 0), gzip(halves.1, 8)].concat()),
        ("gzip with zeros behind", [gzip(&plain, 0), vec![0; 100]].concat()),
    ]
}

/// What does not depend on the container.
fn essence(packets: &[Packet]) -> Vec<Packet> {
    packets.iter().map(|packet| Packet { interface: 0, direction: None, ..packet.clone() }).collect()
}

#[test]
fn every_container_gives_the_same_packets() {
    let expected = packets(&read(&pcap(1, &frames())));
    assert_eq!(expected.len(), 5);
    assert_eq!(expected[2].time, START + Duration::from_millis(20));
    for (name, file) in every_container() {
        let items = read(&file);
        assert_eq!(essence(&packets(&items)), expected, "{name}");
        assert_eq!(reported(&items), [], "{name}");
        if name.starts_with("pcapng") {
            let first = &packets(&items)[0];
            assert_eq!((first.interface, first.direction), (1, Some(Direction::Sent)), "{name}");
        }
    }
}

#[test]
fn pieces_of_any_size_give_the_same_packets() {
    for (name, file) in every_container() {
        let whole = read_in(&file, file.len());
        for piece in [1, 2, 3, 7, 64, 1000] {
            assert_eq!(read_in(&file, piece), whole, "{name} in pieces of {piece}");
        }
    }
}

#[test]
fn a_file_cut_anywhere_gives_its_whole_packets_and_a_note() {
    for (name, file) in every_container() {
        let whole = packets(&read(&file));
        for len in 0..file.len() {
            let items = read(&file[..len]);
            let packets = packets(&items);
            assert_eq!(packets, whole[..packets.len()], "{name} cut to {len}");
            let notes = notes(&items);
            assert!(notes.len() <= 2, "{name} cut to {len}: {notes:?}");
            assert!(
                notes.iter().all(|note| matches!(note.what, What::Cut { .. } | What::Empty { .. })),
                "{name} cut to {len}: {notes:?}"
            );
            if notes.is_empty() {
                // Cut between two records: no reader can detect that. In gzip it is detected, except in the padding
                // behind it.
                assert!(!name.contains("gzip") || packets.len() == 5 || name.contains("two"), "{name} {len}");
            }
        }
    }
}

#[test]
fn reading_resumes_after_a_damaged_record() {
    for (name, file) in
        [("pcap", old_pcap(Order(true), 0xa1b2_c3d4, 1_000_000, 0)), ("pcapng", pcapng(Order(false)))]
    {
        let whole = packets(&read(&file));
        // The length of the third record becomes impossible.
        let frame = &frames()[2];
        let place = file.windows(frame.len()).position(|window| window == frame).unwrap();
        let at = if name == "pcap" { place - 8 } else { place - 24 };
        let mut broken = file.clone();
        broken[at..at + 4].fill(0xff);
        for piece in [1, file.len()] {
            let (items, _) = read_in(&broken, piece);
            let times: Vec<_> = packets(&items).iter().map(|packet| packet.time).collect();
            assert_eq!(times, [0, 1, 3, 4].map(|n| whole[n].time), "{name}");
            let reported = reported(&items);
            assert!(
                matches!(reported[..], [What::Damaged { found: 0xffff_ffff, .. }, What::Resumed { .. }]),
                "{name}: {reported:?}"
            );
            let first = &notes(&items)[0];
            assert_eq!(first.frame, 2, "{name}");
            assert_eq!(first.offset, (if name == "pcap" { at - 8 } else { at - 4 }) as u64, "{name}");
        }
    }
}

#[test]
fn damage_to_the_end_is_reported_with_its_length() {
    let mut file = pcap(1, &frames());
    file.extend([0xff; 500]);
    let reported = reported(&read(&file));
    assert!(
        matches!(reported[..], [What::Damaged { .. }, What::NeverResumed { skipped: 500 }]),
        "{reported:?}"
    );
}

#[test]
fn blocks_longer_than_the_buffer_are_skipped() {
    let order = Order(false);
    let mut file = order.section();
    file.extend(order.interface(1, 0, &[]));
    file.extend(order.block(0xbad, &vec![7; 5 << 20]));
    file.extend(order.enhanced(0, START.as_micros() as u64, &frames()[0], &[]));
    let items = read(&file);
    assert_eq!((packets(&items).len(), reported(&items)), (1, vec![]));
    let cut = read(&file[..3 << 20]);
    assert!(matches!(reported(&cut)[..], [What::Cut { .. }]), "{:?}", reported(&cut));
}

#[test]
fn times_have_any_resolution() {
    let order = Order(true);
    let stamps = [
        (vec![], START.as_micros() as u64, START),
        (order.option(9, &[3]), START.as_millis() as u64, START),
        (order.option(9, &[0]), START.as_secs(), START),
        (order.option(9, &[0x80 | 10]), (START.as_secs() << 10) + 512, START + Duration::from_millis(500)),
        (
            [order.option(9, &[6]), order.option(14, &3600u64.to_be_bytes())].concat(),
            START.as_micros() as u64,
            START + Duration::from_secs(3600),
        ),
        // No clock counts so finely; it must only be survived.
        (order.option(9, &[127]), 1, Duration::ZERO),
    ];
    for (options, stamp, expected) in stamps {
        let file =
            [order.section(), order.interface(1, 0, &options), order.enhanced(0, stamp, &frames()[0], &[])];
        assert_eq!(packets(&read(&file.concat()))[0].time, expected, "{options:?}");
    }
    // The end of time, twice.
    let last = order.enhanced(0, u64::MAX, &frames()[0], &[]);
    let file = [order.section(), order.interface(1, 0, &order.option(9, &[0])), last.clone(), last].concat();
    assert_eq!(packets(&read(&file))[1].time, Duration::from_secs(u64::MAX));
}

#[test]
fn simple_and_old_packets_and_new_sections() {
    let (big, little) = (Order(true), Order(false));
    let frame = &frames()[0];
    let len = big.u32(frame.len() as u32);
    let simple = big.block(3, &[&len, &frame[..]].concat());
    let stamp = START.as_micros() as u64;
    let fields = [big.u16(0), big.u16(9)].concat();
    let time = [big.u32((stamp >> 32) as u32), big.u32(stamp as u32), len, len].concat();
    let old = big.block(2, &[&fields, &time, &frame[..]].concat());
    let file = [
        big.section(),
        big.interface(1, 0, &[]),
        simple,
        old,
        little.section(),
        little.interface(228, 0, &[]),
        little.enhanced(0, stamp, &frame[14..], &[]),
        little.enhanced(1, stamp, frame, &[]),
    ];
    let items = read(&file.concat());
    let packets = packets(&items);
    assert_eq!(packets.iter().map(|packet| packet.time).collect::<Vec<_>>(), [Duration::ZERO, START, START]);
    assert_eq!(packets[2].link, 228);
    assert_eq!(reported(&items), [What::NoInterface { id: 1 }]);
}

#[test]
fn what_is_no_capture_is_refused_with_its_beginning() {
    assert_eq!(reported(&read(b"")), [What::Empty { octets: 0 }]);
    assert_eq!(reported(&read(b"\xd4")), [What::Empty { octets: 1 }]);
    let items = read(b"#!/bin/sh\necho");
    assert_eq!(reported(&items), [What::NotACapture { begins: b"#!/bin/s".to_vec() }]);
    let [Item::Note(note)] = &items[..] else { panic!("{items:?}") };
    assert_eq!(
        note.to_string(),
        "octet 0: no capture file: neither pcap nor pcapng, it begins with \"#!/bin/s\""
    );
}

#[test]
fn damaged_gzip_gives_the_packets_before_the_damage() {
    let plain = pcap(1, &frames());
    // A second member whose first block has a type that does not exist.
    let (first, second) = plain.split_at(plain.len() - 10);
    let mut broken = gzip(second, 0);
    broken[10] = 0x07;
    let items = read(&[gzip(first, 0), broken].concat());
    assert_eq!(packets(&items).len(), 4);
    assert!(
        matches!(reported(&items)[..], [What::BadCompression, What::Cut { .. }]),
        "{:?}",
        reported(&items)
    );
}
