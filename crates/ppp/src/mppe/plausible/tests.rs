use adit_crypto::Rng;

use super::*;

fn judge(data: &[u8]) -> Option<Content> {
    content(&data[..data.len().min(PEEK)], data.len())
}

fn ipv4() -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0xf6, 0xdc, 192, 0, 2, 2, 192, 0, 2, 1];
    packet.extend([8, 0, 0xf7, 0xfd, 0, 1, 0, 1]);
    packet
}

fn ipv6() -> Vec<u8> {
    let mut packet = vec![0; 48];
    (packet[0], packet[5], packet[6]) = (0x60, 8, 58);
    (packet[8], packet[9], packet[23]) = (0xfe, 0x80, 1);
    packet
}

fn with(protocol: &[u8], packet: &[u8]) -> Vec<u8> {
    [protocol, packet].concat()
}

#[test]
fn c194_packets_with_and_without_pfc() {
    assert_eq!(judge(&with(&[0, 0x21], &ipv4())), Some(Content::Ipv4));
    assert_eq!(judge(&with(&[0x21], &ipv4())), Some(Content::Ipv4));
    assert_eq!(judge(&with(&[0, 0x57], &ipv6())), Some(Content::Ipv6));
    assert_eq!(judge(&with(&[0x57], &ipv6())), Some(Content::Ipv6));
}

#[test]
fn control_frames_need_a_code_and_their_length() {
    let echo = [9, 1, 0, 8, 0, 0, 0, 0];
    for protocol in [[0xc0, 0x21], [0x80, 0xfd], [0x80, 0x21], [0x80, 0x57]] {
        assert_eq!(judge(&with(&protocol, &echo)), Some(Content::Control));
    }
    for (at, value) in [(0, 0xc2), (1, 0x25), (2, 0), (2, 16), (4, 1), (5, 7), (5, 9)] {
        let mut frame = with(&[0xc0, 0x21], &echo);
        frame[at] = value;
        assert_eq!(judge(&frame), None, "octet {at} = {value}");
    }
    assert_eq!(judge(&[0xc0, 0x21, 1, 1, 0]), None);
}

#[test]
fn damage_is_seen() {
    for (at, value) in [(0, 1), (1, 0x23), (2, 0x65), (2, 0x44), (4, 1), (5, 29), (5, 19), (10, 65), (14, 0)]
    {
        let mut packet = with(&[0, 0x21], &ipv4());
        packet[at] = value;
        assert_eq!(judge(&packet), None, "octet {at} = {value}");
    }
    for (at, value) in [(1, 0x59), (2, 0x40), (6, 1), (7, 9), (8, 200), (10, 0xff)] {
        let mut packet = with(&[0, 0x57], &ipv6());
        packet[at] = value;
        assert_eq!(judge(&packet), None, "octet {at} = {value}");
    }
}

#[test]
fn only_the_padding_of_ethernet_may_follow_a_packet() {
    let mut packet = with(&[0, 0x21], &ipv4());
    packet.resize(2 + 46, 0);
    assert_eq!(judge(&packet), Some(Content::Ipv4));
    packet.push(0);
    assert_eq!(judge(&packet), None);
}

#[test]
fn every_cut_is_refused_without_panic() {
    for packet in [with(&[0, 0x21], &ipv4()), with(&[0x57], &ipv6())] {
        for len in 0..packet.len() {
            assert_eq!(judge(&packet[..len]), None);
        }
    }
}

/// With the shortest header of IPv4, which admits most.
fn shortest(data: &[u8]) -> [u8; PEEK] {
    let mut data: [u8; PEEK] = data.try_into().unwrap();
    data[0] = 0x45;
    data
}

/// The chance of each check for random octets, measured, and of all together, calculated.
#[test]
fn noise_passes_in_less_than_one_of_2_to_the_32_frames() {
    const TRIES: u32 = 2_000_000;
    type Check = fn(&[u8]) -> bool;
    // The length at which each check is weakest, and what it lets pass.
    let checks: [(Check, f64); 9] = [
        (|data| data[..2] == [0, 0x21], 2f64.powi(-16)),
        (|data| data[0] == 0x21, 2f64.powi(-8)),
        (has_ipv4_version, 11.0 / 256.0),
        (|data| has_ipv4_length(&shortest(data), ETHERNET_MIN), 27.0 / 65536.0),
        (|data| has_ipv4_checksum(&shortest(data)), 2f64.powi(-16)),
        (has_ipv6_fields, 17.0 / 4096.0 * (34.0 + 0.25 + 1.0 / 256.0) / 256.0),
        (|data| has_ipv6_length(data, 1400), 2f64.powi(-16)),
        (has_code, 15.0 / 256.0),
        (|data| has_control_length(data, 8), 2f64.powi(-16)),
    ];
    let mut rng = Rng::from_number(7);
    let mut passed = [0_u32; 9];
    let mut whole = 0;
    for _ in 0..TRIES {
        let mut data = [0; PEEK];
        rng.fill(&mut data);
        for (passed, (check, _)) in passed.iter_mut().zip(&checks) {
            *passed += u32::from(check(&data));
        }
        whole += u32::from(content(&data, 46).is_some()) + u32::from(content(&data, 1400).is_some());
    }
    for (number, (passed, (_, chance))) in passed.iter().zip(&checks).enumerate() {
        let expected = chance * f64::from(TRIES);
        let difference = (f64::from(*passed) - expected).abs();
        // Six standard deviations: one failure in 10^9 seeds.
        assert!(difference <= 6.0 * expected.sqrt() + 1.0, "check {number}: {passed}, expected {expected}");
    }
    assert_eq!(whole, 0, "frames that passed as a whole");
    let [long, short, version, length, sum, fields, length_v6, code, length_control] =
        checks.map(|(_, chance)| chance);
    let ipv4 = (long + short) * version * length * sum;
    let ipv6 = (long + short) * fields * length_v6;
    let control = 4.0 * long * code * length_control;
    let all = ipv4 + ipv6 + control;
    assert!(all < 2f64.powi(-32), "1 in 2^{:.1}", -all.log2());
    // A frame with the A bit of stateful mode is tried with two keys.
    assert!(2.0 * all < 2f64.powi(-32), "1 in 2^{:.1}", -all.log2() - 1.0);
}
