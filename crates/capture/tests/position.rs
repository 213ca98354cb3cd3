//! Where a capture was made, according to its packets.

#![cfg(test)]

mod world;

use adit_capture::Item;
use adit_capture::conversation::{Conversations, Position};
use adit_capture::write;
use world::{By, Tcp, ethernet, pcap, read, sccrq};

const COOKED: u16 = 113;

/// The three segments that open a connection, and one with data; `shape` makes a frame of each.
fn place(link: u16, shape: impl Fn(bool, Vec<u8>) -> Vec<u8>) -> (Position, String) {
    let mut tcp = Tcp::new(1723);
    let mut packets = tcp.open();
    packets.push(tcp.send(By::Client, &sccrq()));
    packets.push(tcp.raw(By::Server, 0x10, tcp.next[1], &[]));
    let by_client = |packet: &[u8]| packet[12..16] == world::CLIENT.octets();
    let frames: Vec<_> = packets.into_iter().map(|packet| shape(by_client(&packet), packet)).collect();
    let mut conversations = Conversations::default();
    for item in read(&pcap(link, &frames)) {
        if let Item::Packet(packet) = item {
            conversations.take(&packet);
        }
    }
    conversations.finish();
    conversations.poll().unwrap().position()
}

fn with_ttl(mut packet: Vec<u8>, ttl: u8) -> Vec<u8> {
    packet[8] = ttl;
    packet
}

#[test]
fn position_by_time_to_live() {
    let place = |client: u8, server: u8| {
        place(write::RAW, |by_client, packet| with_ttl(packet, if by_client { client } else { server })).0
    };
    assert_eq!(place(64, 57), Position::NearClient);
    assert_eq!(place(113, 64), Position::NearServer);
    assert_eq!(place(128, 250), Position::NearClient);
    assert_eq!(place(60, 120), Position::Middle);
    assert_eq!(place(64, 128), Position::Middle);
    // No path has so many routers: the value began elsewhere.
    assert_eq!(place(10, 190), Position::Unknown);
}

#[test]
fn position_by_offloaded_checksums() {
    let (position, why) = place(write::RAW, |by_client, mut packet| {
        if by_client {
            packet[36] ^= 0x55;
        }
        packet
    });
    assert_eq!(position, Position::NearClient, "{why}");
    assert!(why.contains("checksums"), "{why}");
}

#[test]
fn position_by_unpadded_short_frames() {
    let (position, why) = place(write::ETHERNET, |by_client, packet| {
        let mut frame = ethernet(0x0800, &packet);
        if by_client {
            frame.resize(frame.len().max(60), 0);
        }
        frame
    });
    assert_eq!(position, Position::NearServer, "{why}");
    assert!(why.contains("short Ethernet frames"), "{why}");
}

#[test]
fn position_by_the_direction_in_the_file() {
    let cooked = |by_client: bool, packet: Vec<u8>| {
        let sent = if by_client { 0 } else { 4 };
        let mut frame = vec![0, sent, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0];
        frame.extend(packet);
        frame
    };
    let (position, why) = place(COOKED, cooked);
    assert_eq!(position, Position::NearServer, "{why}");
    // A router notes directions too; it is far from both.
    let (position, why) = place(COOKED, |by_client, packet| cooked(by_client, with_ttl(packet, 60)));
    assert_eq!(position, Position::Middle, "{why}");
}
