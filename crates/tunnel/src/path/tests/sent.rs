//! Tests of Protocol-Rejects of data packets.

use adit_wire::lcp::ProtocolReject;
use adit_wire::{cp, ppp};
use proptest::prelude::*;

use super::*;

/// A Protocol-Reject of MPPE with this information.
fn rejection(information: &[u8]) -> Vec<u8> {
    let data = ProtocolReject { protocol: ppp::COMPRESSED, information }.to_vec(1400);
    cp::frame(ppp::LCP, cp::PROTOCOL_REJECT, 1, &data)
}

/// The information field of the data packet.
fn information(packet: &[u8]) -> Vec<u8> {
    let packet = adit_wire::gre::Packet::new_checked(packet).unwrap();
    ppp::frame(packet.payload()).unwrap().1.to_vec()
}

fn pair(stateless: bool) -> (End, End) {
    let (mut server, mut client) = (server(), client());
    server.command(PathCommand::Encryption(Some(mppe(true, stateless))));
    client.command(PathCommand::Encryption(Some(mppe(false, stateless))));
    (server, client)
}

/// How many rejected packets were reported.
fn rejected(end: &mut End) -> usize {
    let events = std::mem::take(&mut end.out.events);
    events.iter().filter(|event| **event == PathEvent::DataRejected).count()
}

#[test]
fn only_packets_that_were_sent_count_as_rejected() {
    for stateless in [true, false] {
        let (mut server, _) = pair(stateless);
        for n in 0..40u32 {
            server.ip(&pong(n as u16, 64));
            let sent = information(&server.sent()[0]);
            server.gre(&packet(3 * n, &rejection(&sent)));
            assert_eq!(rejected(&mut server), 1, "{n}");
            // A cut copy is enough, a header alone is not.
            server.gre(&packet(3 * n + 1, &rejection(&sent[..8])));
            assert_eq!(rejected(&mut server), 1);
            server.gre(&packet(3 * n + 2, &rejection(&sent[..7])));
            assert_eq!(rejected(&mut server), 0);
        }
    }
}

#[test]
fn the_rejected_packet_may_be_a_whole_ppp_frame() {
    let (mut server, _) = pair(true);
    for (seq, head) in
        [&[0xff, 0x03, 0x00, 0xfd][..], &[0xff, 0x03, 0xfd], &[0x00, 0xfd], &[0xfd]].iter().enumerate()
    {
        server.ip(&pong(seq as u16, 64));
        let sent = information(&server.sent()[0]);
        server.gre(&packet(seq as u32, &rejection(&[head, &sent[..]].concat())));
        assert_eq!(rejected(&mut server), 1, "{head:x?}");
    }
}

/// A peer that loses the keys of its direction from us, while its own packets decrypt.
#[test]
fn packets_are_compared_again_after_a_first_reject() {
    let (mut server, mut client) = pair(true);
    let mut seq = 0;
    let exchange = |server: &mut End, client: &mut End| {
        client.ip(&ping(1, 64));
        let answer = client.sent().remove(0);
        server.gre(&answer);
        server.ip(&pong(1, 64));
        information(&server.sent()[0])
    };
    let mut reject = |server: &mut End, sent: &[u8]| {
        seq += 1;
        server.gre(&packet(1000 + seq, &rejection(sent)));
        rejected(server)
    };
    let sent = exchange(&mut server, &mut client);
    assert_eq!(reject(&mut server, &sent), 0, "nothing was recorded yet");
    for n in 0..30 {
        let sent = exchange(&mut server, &mut client);
        assert_eq!(reject(&mut server, &sent), 1, "{n}");
        server.now += Duration::from_secs(1);
        client.now = server.now;
    }
    // Without a reject, recording ends.
    server.now += Duration::from_secs(11);
    client.now = server.now;
    let sent = exchange(&mut server, &mut client);
    assert_eq!(reject(&mut server, &sent), 0);
}

#[test]
fn a_packet_from_the_peer_that_decrypts_ends_the_comparison() {
    let (mut server, mut client) = pair(true);
    server.ip(&pong(1, 64));
    let sent = information(&server.sent()[0]);
    client.ip(&ping(1, 64));
    server.gre(&client.sent()[0]);
    server.gre(&packet(1, &rejection(&sent)));
    assert_eq!(rejected(&mut server), 0);
    // Other keys begin anew.
    server.command(PathCommand::Encryption(Some(mppe(true, true))));
    server.gre(&packet(2, &rejection(&sent)));
    assert_eq!(rejected(&mut server), 0);
    server.ip(&pong(1, 64));
    let sent = information(&server.sent()[0]);
    server.gre(&packet(3, &rejection(&sent)));
    assert_eq!(rejected(&mut server), 1);
}

proptest! {
    /// An attacker knows the plaintext and the count, and not the key.
    #[test]
    fn a_guessed_packet_is_no_packet_that_was_sent(
        noise in prop::collection::vec(any::<u8>(), 0..40), flags in any::<u8>(), count in 0u16..8,
    ) {
        let (mut server, _) = pair(true);
        for n in 0..8 {
            server.ip(&pong(n, 64));
        }
        server.sent();
        let header = (u16::from(flags & 0xf0) << 8 | count).to_be_bytes();
        for (seq, guess) in [[&header[..], &noise].concat(), [&header[..], &[0, 0x21], &pong(0, 64)].concat()].iter().enumerate() {
            server.gre(&packet(seq as u32, &rejection(guess)));
        }
        prop_assert_eq!(rejected(&mut server), 0);
    }
}
