//! Tests of what is encrypted, and what never passes in clear.

use super::*;

/// The protocol of a sent GRE packet's frame.
fn protocol_of(packet: &[u8]) -> u16 {
    let packet = adit_wire::gre::Packet::new_checked(packet).unwrap();
    adit_wire::ppp::frame(packet.payload()).unwrap().0
}

#[test]
fn c185_c186_the_first_frame_on_the_wire_is_that_of_the_vector() {
    let mut end = client();
    let start =
        [0x8b, 0x7c, 0xdc, 0x14, 0x9b, 0x99, 0x3a, 0x1b, 0xa1, 0x18, 0xcb, 0x15, 0x3f, 0x56, 0xdc, 0xcb];
    let keys = StartKeys { send: StartKey::new(start), receive: StartKey::new(start) };
    end.command(PathCommand::Encryption(Some(Mppe { strength: Strength::Bits128, stateless: true, keys })));
    end.command(PathCommand::Link { peer_mru: 1400, pfc: false, acfc: true });
    let hex = "4500001c000100004001f9ddc0000202c00002010800f7fd00010001";
    let inner: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    end.ip(&inner);
    let frame: String = end.sent()[0][12..].iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(frame, "00fd90007058132be07358bbd366c924868955ba6bf2f8d347f4bc34fad89d53d782");
}

#[test]
fn packets_cross_both_ways() {
    let (mut server, mut client) = encrypted_pair();
    for n in 0..5000 {
        client.ip(&ping(n, 100));
        for packet in client.sent() {
            assert_eq!(protocol_of(&packet), 0x00fd);
            server.gre(&packet);
        }
        server.ip(&pong(n, 1396));
        for packet in server.sent() {
            client.gre(&packet);
        }
    }
    assert_eq!((server.out.ip.len(), client.out.ip.len()), (5000, 5000));
    assert_eq!(server.out.ip[4999], ping(4999, 100));
    assert_eq!(client.out.ip[4999], pong(4999, 1396));
    assert_eq!(server.counters().decrypt_failures + client.counters().decrypt_failures, 0);
    assert_eq!((server.counters().lost, client.counters().lost), (0, 0));
}

#[test]
fn c187_control_frames_are_never_encrypted() {
    let (mut server, mut client) = encrypted_pair();
    for protocol in [0xc021u16, 0xc223, 0x8021, 0x80fd, 0x8057] {
        let frame = [&[0xff, 3][..], &protocol.to_be_bytes(), &[1, 1, 0, 4]].concat();
        client.frame(&frame);
        let sent = client.sent();
        assert_eq!(sent[0][12..], frame);
        server.gre(&sent[0]);
        assert_eq!(server.out.frames.pop().unwrap(), (frame, Origin::Clear));
    }
}

#[test]
fn c188_plain_ip_from_the_peer_is_dropped_and_counted() {
    let mut end = End::new(PathConfig::new(LocalCallId::new(7), PeerCallId::new(9)));
    end.gre(&packet(0, &clear(&ping(0, 64))));
    end.command(PathCommand::Network(Some(network())));
    end.gre(&packet(1, &clear(&ping(1, 64))));
    end.gre(&packet(2, &[0x57, 0x60]));
    end.command(PathCommand::Encryption(Some(mppe(true, true))));
    end.gre(&packet(3, &clear(&ping(1, 64))));
    assert!(end.out.ip.is_empty());
    assert_eq!(end.counters().clear_refused, 4);
}

#[test]
fn c189_plain_ip_never_leaves_while_encryption_is_required() {
    let mut end = End::new(PathConfig::new(LocalCallId::new(7), PeerCallId::new(9)));
    end.command(PathCommand::Network(Some(network())));
    end.ip(&pong(0, 64));
    end.ip(&pong(0, 5000));
    end.command(PathCommand::Encryption(Some(mppe(true, true))));
    end.ip(&pong(1, 64));
    end.command(PathCommand::Encryption(None)); // CCP renegotiates
    end.ip(&pong(2, 64));
    let sent = end.sent();
    assert_eq!(sent.iter().map(|packet| protocol_of(packet)).collect::<Vec<_>>(), [0x00fd]);
    assert_eq!(end.counters().clear_refused, 3);
    // Not even as a control frame.
    end.frame(&clear(&pong(3, 64)));
    end.frame(&[0x21, 0x45]);
    assert!(end.sent().is_empty());
}

#[test]
fn c189_a_call_that_was_encrypted_never_goes_back_to_clear() {
    let mut end = server();
    end.ip(&pong(0, 64));
    assert_eq!(protocol_of(&end.sent()[0]), 0x0021);
    end.command(PathCommand::Encryption(Some(mppe(true, true))));
    end.command(PathCommand::Encryption(None));
    end.ip(&pong(1, 64));
    end.gre(&packet(0, &clear(&ping(0, 64))));
    assert!(end.sent().is_empty() && end.out.ip.is_empty());
}

#[test]
fn c190_loss_on_the_way_costs_only_what_was_lost() {
    for lost in [1, 10, 255, 4094, 5000] {
        let (mut server, mut client) = encrypted_pair();
        for n in 0..lost + 3 {
            client.ip(&ping(n, 64));
            let sent = client.sent();
            if n == 0 || n > lost {
                server.gre(&sent[0]);
            }
        }
        server.pass(Duration::from_millis(100));
        assert_eq!(server.out.ip, [ping(0, 64), ping(lost + 1, 64), ping(lost + 2, 64)], "{lost}");
        assert_eq!(server.counters().lost, u64::from(lost));
    }
}

#[test]
fn c190_after_a_long_loss_the_second_frame_brings_both() {
    let (mut server, mut client) = encrypted_pair();
    for n in 0..300 {
        client.ip(&ping(n, 64));
    }
    let sent = client.sent();
    server.gre(&sent[0]);
    server.gre(&sent[298]);
    server.pass(Duration::from_secs(3));
    assert_eq!(server.out.ip, [ping(0, 64)], "one frame confirms no jump");
    server.gre(&sent[299]);
    assert_eq!(server.out.ip, [ping(0, 64), ping(298, 64), ping(299, 64)]);
    assert_eq!(server.counters().lost, 297);
}

#[test]
fn c191_frames_in_disorder_decrypt() {
    let (mut server, mut client) = encrypted_pair();
    for n in 0..100 {
        client.ip(&ping(n, 64));
    }
    let mut sent = client.sent();
    sent[1..].chunks_mut(9).for_each(<[_]>::reverse);
    for packet in &sent {
        server.gre(packet);
    }
    assert_eq!(server.out.ip, (0..100).map(|n| ping(n, 64)).collect::<Vec<_>>());
}

#[test]
fn c192_forged_frames_do_not_stop_the_flow() {
    let (mut server, mut client) = encrypted_pair();
    for n in 0..50u16 {
        client.ip(&ping(n, 64));
        // In the window, and far outside; each with a far count.
        let count = 0x9000 | (n * 80 + 300) & 0xfff;
        let forged = [&[0x00, 0xfd][..], &count.to_be_bytes(), &[0x5a; 60]].concat();
        server.gre(&client.sent()[0]);
        server.gre(&packet(0x4000_0000 + u32::from(n) * 5000, &forged));
    }
    assert_eq!(server.out.ip.len(), 50);
    let forged = [&[0x00, 0xfd, 0x9f, 0x00][..], &[0x5a; 60]].concat();
    server.gre(&packet(50, &forged)); // has the number of the next genuine packet
    client.ip(&ping(50, 64));
    client.ip(&ping(51, 64));
    for packet in client.sent() {
        server.gre(&packet);
    }
    assert_eq!(server.out.ip.last(), Some(&ping(51, 64)));
    assert_eq!(server.counters().decrypt_failures, 1);
}

#[test]
fn c193_far_counts_are_throttled() {
    let (mut server, mut client) = encrypted_pair();
    client.ip(&ping(0, 64));
    server.gre(&client.sent()[0]);
    for n in 0..100_000u32 {
        let count = 0x9000 | (n.wrapping_mul(0x9e37_79b9) >> 20) as u16;
        let forged = [&[0x00, 0xfd][..], &count.to_be_bytes(), &[0x5a; 60]].concat();
        server.gre(&packet(1 + n % 64, &forged));
    }
    let counters = server.counters();
    assert_eq!(counters.decrypt_failures + counters.throttled, 100_000);
    assert!(counters.throttled > 90_000, "{counters:?}");
}

#[test]
fn c195_noise_goes_nowhere() {
    let (mut server, _) = encrypted_pair();
    for n in 0..1000u32 {
        let count = 0x9000 | (n as u16 & 0xfff);
        server.gre(&packet(n, &[&[0x00, 0xfd][..], &count.to_be_bytes(), &[0x5a; 60]].concat()));
    }
    assert!(server.out.frames.is_empty() && server.out.ip.is_empty());
}

#[test]
fn c196_frames_without_the_agreed_bits_break_the_call_and_are_reported_once() {
    for bits in [0x10u8, 0x00, 0x80] {
        let (mut server, _) = encrypted_pair();
        for n in 0..100u32 {
            server.gre(&packet(n, &[&[0x00, 0xfd, bits, n as u8][..], &[0; 60]].concat()));
            assert_eq!(server.out.events.is_empty(), n < 50, "{n}");
            server.pass(Duration::from_millis(100));
        }
        assert_eq!(server.counters().decrypt_failures, 100);
        assert_eq!(server.out.events, [PathEvent::EncryptionBroken]);
    }
}

#[test]
fn c195_frames_under_other_keys_break_the_call() {
    let (mut server, mut client) = encrypted_pair();
    let mut other = mppe(false, true);
    other.keys.send = StartKey::new([7; 16]);
    client.command(PathCommand::Encryption(Some(other)));
    for n in 0..100 {
        client.ip(&ping(n, 64));
        server.gre(&client.sent()[0]);
        server.pass(Duration::from_millis(100));
    }
    assert_eq!(server.out.events, [PathEvent::EncryptionBroken]);
    assert!(server.out.ip.is_empty());
}

#[test]
fn c198_a_restart_begins_anew_with_count_zero() {
    let (mut server, mut client) = encrypted_pair();
    for round in 0..3 {
        for n in 0..300 {
            client.ip(&ping(n, 64));
            let sent = client.sent();
            if n == 0 {
                let frame = adit_wire::gre::Packet::new_checked(&sent[0]).unwrap().payload();
                assert_eq!(frame[2..6], [0, 0xfd, 0x90, 0]);
            }
            server.gre(&sent[0]);
        }
        assert_eq!(server.out.ip.len(), 300 * (round + 1));
        server.command(PathCommand::Encryption(None));
        client.command(PathCommand::Encryption(None));
        server.command(PathCommand::Encryption(Some(mppe(true, true))));
        client.command(PathCommand::Encryption(Some(mppe(false, true))));
    }
}

#[test]
fn encrypted_frames_before_ccp_is_up_are_lost_and_forgiven() {
    let (_, mut client) = encrypted_pair();
    let mut server = server();
    for n in 0..3 {
        client.ip(&ping(n, 64));
        server.gre(&client.sent()[0]);
    }
    assert_eq!(server.counters().not_up, 3);
    server.command(PathCommand::Encryption(Some(mppe(true, true))));
    client.ip(&ping(3, 64));
    server.gre(&client.sent()[0]);
    assert_eq!(server.out.ip, [ping(3, 64)]);
}

#[test]
fn c201_stateful_loss_is_repaired_by_a_reset_request() {
    let (mut server, mut client) = (server(), client());
    server.command(PathCommand::Encryption(Some(mppe(true, false))));
    client.command(PathCommand::Encryption(Some(mppe(false, false))));
    client.ip(&ping(0, 64));
    server.gre(&client.sent()[0]);
    client.ip(&ping(1, 64));
    client.sent(); // lost
    client.ip(&ping(2, 64));
    let late = client.sent();
    server.gre(&late[0]);
    server.pass(Duration::from_millis(100));
    let request = server.sent();
    let request = request.iter().find(|packet| packet[0] == 0x30).unwrap();
    let frame = adit_wire::gre::Packet::new_checked(request).unwrap().payload().to_vec();
    assert_eq!(frame, [0xff, 3, 0x80, 0xfd, 14, 1, 0, 4]);
    assert_eq!(server.path.poll_timeout().unwrap().1, "a CCP Reset-Request is repeated");
    server.pass(Duration::from_secs(1));
    assert_eq!(server.sent().iter().filter(|packet| packet[0] == 0x30).count(), 1);

    client.gre(request);
    assert_eq!(client.out.frames, [(frame, Origin::Clear)], "the link answers it");
    client.ip(&ping(3, 64));
    server.gre(&client.sent()[0]);
    assert_eq!(server.out.ip, [ping(0, 64), ping(3, 64)]);
}
