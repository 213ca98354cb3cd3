//! An attacker who is not on the path: forges whole GRE packets, with the source address of the peer and the right Call
//! ID, for the end of a call. They enter as genuine packets do.
//!
//! It reads no packet, so it knows neither keys nor numbers. To test the rare hit too, a part of its numbers is near
//! the last number of the peer.

use adit_crypto::Rng;
use adit_wire::{cp, gre, mppe, ppp};

use crate::forger;

/// How far ahead of the last number a packet may be to be expected.
const WINDOW: u64 = 32;
/// Beyond this, a number is a jump.
const JUMP: u64 = 64;
/// The longest payload that is forged.
const LONG: u64 = 1500;

/// A kind of attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// Two encrypted frames with numbers X and X + 1, far away.
    Pairs,
    /// Encrypted frames all over the numbers.
    Spray,
    /// Encrypted frames ahead of the window, and behind it.
    Beside,
    /// Encrypted frames for each number in the window.
    Window,
    /// Encrypted frames with rising numbers that begin with the next one.
    Row,
    /// Encrypted frames with flags that were not agreed on.
    Flags,
    /// Acknowledgments, alone and with frames.
    Acknowledgments,
    /// IP packets in clear.
    Clear,
    /// Headers and frames that are cut, too long, or wrong.
    Shapes,
    /// Control frames in clear that could end or degrade the link.
    Control,
}

impl Attack {
    /// Every kind.
    pub const ALL: [Attack; 10] = [
        Attack::Pairs,
        Attack::Spray,
        Attack::Beside,
        Attack::Window,
        Attack::Row,
        Attack::Flags,
        Attack::Acknowledgments,
        Attack::Clear,
        Attack::Shapes,
        Attack::Control,
    ];

    /// Every kind but control frames in clear. Those are verified by a challenge, which needs a peer that answers.
    pub const DATA: &[Attack] = Attack::ALL.split_at(9).0;
}

/// One of these kinds; `None` if there are none.
pub fn pick(rng: &mut Rng, attacks: &[Attack]) -> Option<Attack> {
    attacks.get(rng.below(attacks.len() as u64) as usize).copied()
}

/// The end of a call that is attacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its Call ID.
    pub call_id: u16,
    /// The last number that its peer has sent.
    pub near: u32,
}

/// The packets of one burst, each from the GRE header on.
pub fn burst(rng: &mut Rng, attack: Attack, target: Target) -> Vec<Vec<u8>> {
    let Target { call_id, near } = target;
    let count = 1 + rng.below(24) as u32;
    let packet = |seq: u32, frame: &[u8]| gre::packet(call_id, Some(seq), None, frame);
    (0..count)
        .flat_map(|n| match attack {
            Attack::Pairs => {
                let first = rng.u32();
                let frames = [encrypted(rng), encrypted(rng)];
                frames.iter().zip(0..).map(|(frame, by)| packet(first.wrapping_add(by), frame)).collect()
            }
            Attack::Spray => {
                let at = near.wrapping_add(n.wrapping_mul(u32::MAX / count)).wrapping_add(rng.u32() >> 16);
                vec![packet(at, &encrypted(rng))]
            }
            Attack::Beside => vec![packet(beside(rng, near), &encrypted(rng))],
            Attack::Window => {
                vec![packet(near.wrapping_add(1 + n % WINDOW as u32), &encrypted(rng))]
            }
            Attack::Row => {
                let frame = if count.is_multiple_of(2) { encrypted(rng) } else { with_flags(rng) };
                vec![packet(near.wrapping_add(1 + n), &frame)]
            }
            Attack::Flags => vec![packet(any(rng, near), &with_flags(rng))],
            Attack::Acknowledgments => vec![acknowledgment(rng, target)],
            Attack::Clear => vec![packet(any(rng, near), &clear(rng))],
            Attack::Shapes => vec![shape(rng, target)],
            Attack::Control if n < 2 => vec![packet(any(rng, near), &forger::frame(rng))],
            Attack::Control => Vec::new(),
        })
        .collect()
}

/// A number of any kind: expected soon, beside the window, received before, or far away.
fn any(rng: &mut Rng, near: u32) -> u32 {
    match rng.below(4) {
        0 => near.wrapping_add(1 + rng.below(WINDOW) as u32),
        1 => beside(rng, near),
        2 => near.wrapping_sub(rng.below(JUMP) as u32),
        _ => rng.u32(),
    }
}

fn beside(rng: &mut Rng, near: u32) -> u32 {
    match rng.below(3) {
        0 => near.wrapping_add((WINDOW + rng.below(JUMP)) as u32),
        1 => near.wrapping_add((JUMP + rng.below(1000)) as u32),
        _ => near.wrapping_sub((JUMP + rng.below(1000)) as u32),
    }
}

fn noise(rng: &mut Rng, most: u64) -> Vec<u8> {
    let mut data = vec![0; rng.below(most) as usize];
    rng.fill(&mut data);
    data
}

/// A frame as the peer sends them, but with a random count and noise inside.
fn encrypted(rng: &mut Rng) -> Vec<u8> {
    let count = rng.below(u64::from(mppe::COUNT_MODULUS)) as u16;
    frame(rng, mppe::Header { flushed: true, encrypted: true, count, ..mppe::Header::default() })
}

/// The same with any other flags.
fn with_flags(rng: &mut Rng) -> Vec<u8> {
    let count = rng.below(u64::from(mppe::COUNT_MODULUS)) as u16;
    let [flushed, encrypted, compressed, at_front] = [1, 2, 4, 8].map(|bit| rng.below(16) & bit != 0);
    frame(rng, mppe::Header { flushed, at_front, compressed, encrypted: encrypted && !flushed, count })
}

fn frame(rng: &mut Rng, header: mppe::Header) -> Vec<u8> {
    let mut frame = Vec::new();
    ppp::push_header(&mut frame, ppp::COMPRESSED, rng.below(2) == 0, rng.below(2) == 0);
    frame.extend_from_slice(&header.emit());
    frame.extend_from_slice(&noise(rng, 200));
    frame
}

fn acknowledgment(rng: &mut Rng, target: Target) -> Vec<u8> {
    let ack = match rng.below(4) {
        0 => u32::MAX,
        1 => rng.below(100) as u32,
        2 => target.near.wrapping_add(rng.below(JUMP) as u32),
        _ => rng.u32(),
    };
    match rng.below(2) {
        0 => gre::packet(target.call_id, None, Some(ack), &[]),
        _ => gre::packet(target.call_id, Some(any(rng, target.near)), Some(ack), &encrypted(rng)),
    }
}

/// A frame with IP, IPv6, or a protocol that a link rejects.
fn clear(rng: &mut Rng) -> Vec<u8> {
    let protocol = match rng.below(4) {
        0 => ppp::IPV6,
        1 => 0x4000 | (rng.u32() as u16 | 1) & 0xff,
        _ => ppp::IP,
    };
    let mut frame = Vec::new();
    ppp::push_header(&mut frame, protocol, false, rng.below(2) == 0);
    frame.extend_from_slice(&[0x45, 0, 0, 40]);
    frame.extend_from_slice(&noise(rng, 100));
    frame
}

/// A packet that is not well-formed.
fn shape(rng: &mut Rng, target: Target) -> Vec<u8> {
    let Target { call_id, near } = target;
    let seq = any(rng, near);
    let whole = |frame: &[u8]| gre::packet(call_id, Some(seq), None, frame);
    match rng.below(8) {
        // Cut anywhere behind the Call ID.
        0 => {
            let mut packet = whole(&encrypted(rng));
            packet.truncate(gre::HEADER_MIN + rng.below(12) as usize);
            packet
        }
        // As long as an MTU permits, and longer.
        1 => {
            let mut frame = encrypted(rng);
            frame.resize((LONG + rng.below(LONG)) as usize, 0xa5);
            whole(&frame)
        }
        2 => whole(&[]),
        3 => whole(&[0xff, 0x03, 0x00, 0xfd, 0x90]),
        4 => whole(&noise(rng, 40)),
        // A payload without a number.
        5 => gre::packet(call_id, None, None, &encrypted(rng)),
        // A control frame whose length is wrong.
        6 => {
            let mut frame = cp::frame(ppp::LCP, cp::TERMINATE_REQUEST, rng.u32() as u8, b"");
            if let Some(length) = frame.last_mut() {
                *length = rng.u32() as u8 & 3;
            }
            whole(&frame)
        }
        // Any bit of the header.
        _ => {
            let mut packet = whole(&encrypted(rng));
            if let Some(octet) = packet.get_mut(rng.below(6) as usize) {
                *octet ^= 1 << rng.below(8);
            }
            packet
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Target = Target { call_id: 7, near: 1000 };

    fn numbers(attack: Attack) -> Vec<u32> {
        let mut rng = Rng::from_number(1);
        let packets = (0..50).flat_map(|_| burst(&mut rng, attack, TARGET)).collect::<Vec<_>>();
        packets.iter().map(|packet| gre::Repr::parse(packet).unwrap().seq.unwrap()).collect()
    }

    #[test]
    fn each_attack_has_the_numbers_that_it_is_named_for() {
        assert!(numbers(Attack::Window).iter().all(|seq| (1001..=1032).contains(seq)));
        assert!(numbers(Attack::Beside).iter().all(|seq| !(937..=1031).contains(seq)));
        assert!(numbers(Attack::Pairs).chunks(2).all(|pair| pair[0].wrapping_add(1) == pair[1]));
        let far = numbers(Attack::Spray).iter().filter(|seq| (1 << 20..1 << 31).contains(*seq)).count();
        assert!(far > 100, "{far}");
        for attack in [Attack::Flags, Attack::Control, Attack::Clear] {
            let inside = numbers(attack).iter().filter(|seq| (1001..=1032).contains(*seq)).count();
            assert!(inside > 10, "{attack:?} {inside}");
        }
    }

    #[test]
    fn shapes_keep_the_call_id_and_many_are_malformed() {
        let mut rng = Rng::from_number(1);
        let packets = (0..100).flat_map(|_| burst(&mut rng, Attack::Shapes, TARGET)).collect::<Vec<_>>();
        assert!(packets.iter().all(|packet| crate::packet::gre_call_id(packet) == 7));
        let malformed = packets.iter().filter(|packet| gre::Repr::parse(packet).is_err()).count();
        assert!(malformed * 5 > packets.len() && malformed < packets.len(), "{malformed}");
    }
}
