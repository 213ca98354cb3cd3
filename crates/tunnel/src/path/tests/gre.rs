//! Tests of sequence numbers, acknowledgments, order and framing.

use super::*;

#[test]
fn c063_c064_c072_c073_every_packet_sent_has_a_legal_header() {
    let mut end = server();
    end.frame(&LCP_ECHO);
    end.ip(&pong(1, 100));
    end.gre(&packet(0, &LCP_ECHO));
    end.ip(&pong(2, 100));
    end.gre(&packet(1, &LCP_ECHO));
    end.pass(Duration::from_millis(100));
    end.frame(&LCP_ECHO);
    let sent = end.sent();
    let first_words: Vec<_> = sent.iter().map(|packet| u16::from_be_bytes([packet[0], packet[1]])).collect();
    assert_eq!(first_words, [0x3001, 0x3001, 0x3081, 0x2081, 0x3001]);
    let headers: Vec<_> = sent.iter().map(|packet| adit_wire::gre::Repr::parse(packet).unwrap()).collect();
    assert!(headers.iter().all(|header| header.call_id == 9));
    assert_eq!(headers.iter().map(|h| h.seq).collect::<Vec<_>>(), [Some(0), Some(1), Some(2), None, Some(3)]);
    assert_eq!(headers.iter().map(|h| h.ack).collect::<Vec<_>>(), [None, None, Some(0), Some(1), None]);
    assert_eq!(sent[0][12..], LCP_ECHO);
}

#[test]
fn c065_c080_an_idle_line_acknowledges_alone_in_time() {
    let mut end = server();
    end.gre(&packet(5, &LCP_ECHO));
    let (at, why) = end.path.poll_timeout().unwrap();
    assert_eq!((at, why), (end.now + Duration::from_millis(100), "an acknowledgment goes alone"));
    end.pass(Duration::from_millis(99));
    assert!(end.sent().is_empty());
    end.pass(Duration::from_millis(1));
    assert_eq!(end.sent(), [[0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 9, 0, 0, 0, 5]]);
    assert_eq!(end.path.poll_timeout(), None);
}

#[test]
fn a_busy_peer_is_acknowledged_without_waiting() {
    let mut end = server();
    for seq in 0..64 {
        end.gre(&packet(seq, &clear(&ping(1, 64))));
    }
    let acks: Vec<_> = end.sent().iter().map(|p| adit_wire::gre::Repr::parse(p).unwrap().ack).collect();
    assert_eq!(acks, [Some(15), Some(31), Some(47), Some(63)]);
}

#[test]
fn c071_c074_c075_c076_packets_are_delivered_once_and_in_order() {
    let mut end = server();
    let start = 0xffff_fff0u32;
    let order: [u32; 11] = [0, 1, 3, 2, 2, 3, 16, 15, 14, 17, 4];
    for n in order {
        end.gre(&packet(start.wrapping_add(n), &clear(&ping(n as u16, 64))));
    }
    end.pass(Duration::from_millis(100));
    let got: Vec<_> = end.out.ip.iter().map(|packet| packet[27]).collect();
    assert_eq!(got, [0, 1, 2, 3, 4, 14, 15, 16, 17]);
    let counters = end.counters();
    assert_eq!((counters.lost, counters.reordered, counters.duplicate), (9, 4, 2));
    assert_eq!(counters.rx_packets, 9);
    assert_eq!(counters.rx_bytes, 9 * 64);
}

#[test]
fn c077_c078_a_gap_ends_with_its_time() {
    let mut end = server();
    end.gre(&packet(0, &clear(&ping(0, 64))));
    end.gre(&packet(2, &clear(&ping(2, 64))));
    assert_eq!(end.out.ip.len(), 1);
    assert_eq!(end.path.poll_timeout().unwrap().0, end.now + Duration::from_millis(100));
    end.pass(Duration::from_millis(100));
    assert_eq!(end.out.ip.len(), 2);
    end.gre(&packet(1, &clear(&ping(1, 64))));
    assert_eq!(end.out.ip.len(), 2);
    assert_eq!((end.counters().lost, end.counters().out_of_window), (1, 1));
}

#[test]
fn an_acknowledgment_of_what_was_sent_is_proof() {
    let mut end = server();
    let ack = |ack| adit_wire::gre::packet(7, None, Some(ack), &[]);
    end.gre(&ack(0));
    assert!(!end.path.is_acknowledged(), "nothing was sent yet");
    end.frame(&LCP_ECHO);
    end.gre(&ack(u32::MAX));
    assert!(!end.path.is_acknowledged());
    end.gre(&ack(0));
    assert!(end.path.is_acknowledged());
}

/// pptpd 1.4 gives a missing packet up only when another packet arrives.
#[test]
fn a_peer_that_stops_acknowledging_is_prompted() {
    let ack = |ack| adit_wire::gre::packet(7, None, Some(ack), &[]);
    let prompt = [0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 9, 0, 0, 0, 5];
    let mut end = server();
    end.frame(&LCP_ECHO);
    end.gre(&packet(5, &LCP_ECHO));
    end.pass(Duration::from_millis(100));
    assert_eq!((end.sent().len(), end.path.poll_timeout()), (2, None), "a peer that never acknowledges");

    end.gre(&ack(0));
    for _ in 0..3 {
        end.ip(&pong(1, 64));
    }
    end.gre(&ack(1));
    assert_eq!(end.sent().len(), 3);
    for expected in [&[][..], &[prompt], &[], &[prompt], &[]] {
        end.pass(Duration::from_millis(if expected.is_empty() { 399 } else { 1 }));
        assert_eq!(end.sent(), expected);
    }
    assert_eq!(end.path.poll_timeout(), None, "no third prompt");

    end.ip(&pong(1, 64));
    end.gre(&ack(4));
    assert_eq!((end.sent().len(), end.path.poll_timeout()), (1, None), "everything is acknowledged");
}

#[test]
fn c081_nothing_waits_for_acknowledgments() {
    let mut end = server();
    for _ in 0..1000 {
        end.ip(&pong(1, 64));
    }
    assert_eq!(end.sent().len(), 1000);
}

#[test]
fn c085_c066_c067_what_is_no_packet_of_ours_is_counted_and_dropped() {
    let mut end = server();
    let good = packet(0, &clear(&ping(0, 64)));
    let mut wrong_call = good.clone();
    wrong_call[7] = 8;
    let mut no_key = good.clone();
    no_key[0] = 0x10;
    let mut longer = good.clone();
    longer[5] += 1;
    for bad in [&wrong_call[..], &no_key, &longer, &good[..11], &packet(0, &[]), &[]] {
        end.gre(bad);
    }
    assert_eq!(end.counters(), Counters { malformed: 6, ..Counters::default() });
    assert!(end.out.ip.is_empty());
    // None of them counted as the first packet.
    end.gre(&good);
    assert_eq!(end.out.ip.len(), 1);
}

#[test]
fn c067_padding_behind_the_payload_and_behind_the_packet_is_cut_off() {
    let mut end = server();
    let mut inner = clear(&ping(0, 64));
    inner.extend_from_slice(&[0; 9]);
    let mut octets = packet(0, &inner);
    octets.extend_from_slice(&[0; 9]);
    end.gre(&octets);
    assert_eq!(end.out.ip, [ping(0, 64)]);
}

#[test]
fn c086_all_four_forms_of_a_frame_are_accepted() {
    let mut end = server();
    for (seq, header) in
        [&[0xff, 3, 0, 0x21][..], &[0, 0x21], &[0xff, 3, 0x21], &[0x21]].into_iter().enumerate()
    {
        end.gre(&packet(seq as u32, &[header, &ping(0, 64)].concat()));
    }
    assert_eq!(end.out.ip, vec![ping(0, 64); 4]);
    for (seq, header) in [&[0xff, 3, 0xc0, 0x21][..], &[0xc0, 0x21]].into_iter().enumerate() {
        end.gre(&packet(4 + seq as u32, &[header, &LCP_ECHO[4..]].concat()));
    }
    assert_eq!(end.out.frames, [&LCP_ECHO[..], &LCP_ECHO[2..]].map(|frame| (frame.to_vec(), Origin::Clear)));
    assert_eq!(end.counters().rx_frames, 2);
}

#[test]
fn frames_are_compressed_as_the_peer_agreed() {
    for (pfc, acfc, header) in [
        (false, false, &[0xff, 3, 0, 0x21][..]),
        (false, true, &[0, 0x21]),
        (true, false, &[0xff, 3, 0x21]),
        (true, true, &[0x21]),
    ] {
        let mut end = server();
        end.command(PathCommand::Link { peer_mru: 1500, pfc, acfc });
        end.ip(&pong(1, 64));
        assert_eq!(end.sent()[0][12..], [header, &pong(1, 64)].concat());
    }
}

#[test]
fn unknown_protocols_go_to_the_link_which_rejects_them() {
    let mut end = server();
    end.gre(&packet(0, &[0xff, 3, 0x00, 0x2b, 1, 2, 3]));
    assert_eq!(end.out.frames.len(), 1);
    end.gre(&packet(1, &[0xff, 3, 0x02]));
    assert_eq!((end.out.frames.len(), end.counters().malformed), (1, 1));
}

proptest::proptest! {
    /// Any packets in any order at any time: no panic, and held packets are delivered in time.
    #[test]
    fn any_packets(
        packets in proptest::collection::vec(
            (0u32..200, proptest::collection::vec(proptest::num::u8::ANY, 1..80), 0u64..200), 1..100,
        ),
        encrypted: bool,
    ) {
        let mut end = server();
        end.command(PathCommand::Link { peer_mru: 100, pfc: true, acfc: true });
        if encrypted {
            end.command(PathCommand::Encryption(Some(mppe(true, false))));
        }
        for (seq, octets, millis) in packets {
            end.gre(&octets);
            end.gre(&packet(seq, &octets));
            end.gre(&packet(seq + 1, &clear(&octets)));
            end.gre(&packet(seq + 2, &[&[0, 0xfd, 0x90, seq as u8], &octets[..]].concat()));
            end.ip(&octets);
            end.frame(&octets);
            end.pass(Duration::from_millis(millis));
        }
        for sent in end.sent() {
            adit_wire::gre::Repr::parse(&sent).unwrap();
        }
    }
}
