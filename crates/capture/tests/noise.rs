//! No file content can panic, hang or exhaust the reader, and the size of the pieces changes nothing.

#![cfg(test)]

mod world;

use adit_capture::{Item, KEPT_MAX, Reader, datagram, write};
use proptest::prelude::*;
use world::{By, Tcp, echo, ethernet, gre_packet, ocrq, packets, pcap, read_in, sccrq};

/// A file with something of everything.
fn rich() -> Vec<u8> {
    let mut tcp = Tcp::new(1723);
    let mut packets = tcp.open();
    packets.push(tcp.send(By::Client, &sccrq()));
    packets.push(tcp.send(By::Client, &[ocrq(), echo(1)].concat()));
    packets.extend((0..4).map(gre_packet));
    packets.push(tcp.send(By::Server, &echo(2)));
    let frames: Vec<_> = packets.iter().map(|packet| ethernet(0x0800, packet)).collect();
    pcap(write::ETHERNET, &frames)
}

/// Reads a file of any content, and checks the guarantees of the reader.
fn read_noise(file: &[u8], piece: usize) -> Vec<Item> {
    let (items, summary) = read_in(file, piece);
    let packets = packets(&items);
    assert!(packets.iter().zip(1u64..).all(|(packet, number)| packet.number == number));
    assert_eq!(summary.frames, packets.len() as u64);
    for item in &items {
        let line = match item {
            Item::Packet(packet) => packet.to_string(),
            Item::Note(note) => note.to_string(),
        };
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    items
}

proptest! {
    #[test]
    fn any_octets(file in proptest::collection::vec(any::<u8>(), 0..400), magic in 0usize..6, piece in 1usize..50) {
        let magics: [&[u8]; 6] = [
            &[], &[0xd4, 0xc3, 0xb2, 0xa1], &[0xa1, 0xb2, 0xcd, 0x34], &[0x1f, 0x8b, 8],
            &[0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a], &write::header(101),
        ];
        let file = [magics[magic], &file].concat();
        prop_assert_eq!(read_noise(&file, piece), read_noise(&file, file.len().max(1)));
    }

    #[test]
    fn a_good_file_with_octets_changed(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        piece in 1usize..300,
    ) {
        let mut file = rich();
        for (at, octet) in changes {
            let at = at.index(file.len());
            file[at] = octet;
        }
        file.truncate(cut.index(file.len()) + 1);
        prop_assert_eq!(read_noise(&file, piece), read_noise(&file, file.len()));
    }

    #[test]
    fn any_packet_of_any_link(link in 0u16..300, frame in proptest::collection::vec(any::<u8>(), 0..200), more in 0usize..2000) {
        let mut file = write::header(link).to_vec();
        write::frame(&mut file, world::START, &frame, frame.len() + more);
        prop_assert_eq!(packets(&read_noise(&file, 1000)).len(), 1);
        let _ = datagram(&frame);
    }

    #[test]
    fn any_segments_in_any_order(
        segments in proptest::collection::vec((0u32..3000, 0usize..500, any::<bool>()), 0..80),
    ) {
        // One stream of messages, given in pieces that overlap, repeat and lack.
        let stream: Vec<u8> = (0..200).flat_map(echo).collect();
        let mut tcp = Tcp::new(1723);
        let start = tcp.next[0] + 1;
        let mut frames = tcp.open();
        for (from, len, acknowledges) in segments {
            let data = &stream[from as usize..from as usize + len.min(200)];
            frames.push(tcp.raw(By::Client, 0x18, start + from, data));
            if acknowledges {
                tcp.next[0] = start + from;
                frames.push(tcp.raw(By::Server, 0x10, tcp.next[1], &[]));
            }
        }
        let items = read_noise(&pcap(101, &frames), 5000);
        // Whatever was read is a message of the stream: nothing was put together wrongly.
        for packet in packets(&items) {
            let segment = world::segment(&packet);
            for message in segment.messages.iter().chain(&segment.late) {
                prop_assert!(message.to_string().starts_with("Echo-Request identifier 0x000000"));
            }
        }
    }
}

#[test]
fn memory_stays_within_its_bound() {
    let mut reader = Reader::default();
    let mut file = write::header(101).to_vec();
    let mut most = 0;
    let mut feed = |file: &mut Vec<u8>, most: &mut usize| {
        let mut rest = &file[..];
        while !rest.is_empty() {
            rest = &rest[reader.push(rest)..];
            while reader.poll().is_some() {}
            *most = (*most).max(reader.kept());
        }
        file.clear();
    };
    // Every connection out of order, and more fragments than are ever put together.
    for n in 0..3000u16 {
        let mut tcp = Tcp::new(n + 1);
        for packet in tcp.open() {
            write::frame(&mut file, world::START, &packet, packet.len());
        }
        for ahead in 1..3 {
            let packet = tcp.raw(By::Client, 0x18, tcp.next[0] + ahead * 5000, &[0; 4000]);
            write::frame(&mut file, world::START, &packet, packet.len());
        }
        let mut fragment = world::v4(world::CLIENT, world::SERVER, 47, &[0; 60_000]);
        fragment[4..6].copy_from_slice(&n.to_be_bytes());
        fragment[6] = 0x20;
        write::frame(&mut file, world::START, &fragment, fragment.len());
        feed(&mut file, &mut most);
    }
    assert!(most > 8 << 20, "the test reaches the bounds: {most}");
    assert!(most <= KEPT_MAX, "{most} octets kept");
}
