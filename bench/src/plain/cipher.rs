//! Stateless MPPE-128 from the crates, as specified in RFC 3078 and RFC 3079.

use rc4::{KeyInit as _, Rc4, StreamCipher as _};
use sha1::{Digest as _, Sha1};

/// Key changes that one lost burst may cost; beyond it the packet is dropped.
const JUMP_MAX: u16 = 1024;
/// The coherency count has twelve bits.
const COUNT_MASK: u16 = 0x0fff;

/// One direction's keys.
pub(crate) struct Direction {
    start: [u8; 16],
    session: [u8; 16],
    coherency: u16,
}

impl Direction {
    pub(crate) fn new(start: &[u8; 16]) -> Direction {
        let mut direction = Direction { start: *start, session: *start, coherency: 0 };
        direction.session = direction.interim();
        direction
    }

    /// The count that the next packet carries.
    pub(crate) const fn coherency(&self) -> u16 {
        self.coherency
    }

    /// Encrypts or decrypts one packet with the key in use.
    pub(crate) fn apply(&self, payload: &mut [u8]) {
        rc4(&self.session, payload);
    }

    /// The next packet's key.
    pub(crate) fn advance(&mut self) {
        let interim = self.interim();
        self.session = interim;
        rc4(&interim, &mut self.session);
        self.coherency = (self.coherency + 1) & COUNT_MASK;
    }

    /// Advances to the key of count `coherency`; `false` when that is too far.
    pub(crate) fn advance_to(&mut self, coherency: u16) -> bool {
        let jump = coherency.wrapping_sub(self.coherency) & COUNT_MASK;
        if jump > JUMP_MAX {
            return false;
        }
        for _ in 0..jump {
            self.advance();
        }
        true
    }

    /// GetNewKeyFromSHA.
    fn interim(&self) -> [u8; 16] {
        let digest = Sha1::new()
            .chain_update(self.start)
            .chain_update([0; 40])
            .chain_update(self.session)
            .chain_update([0xf2; 40])
            .finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        key
    }
}

/// RC4 from the beginning of the stream of `key`.
fn rc4(key: &[u8; 16], data: &mut [u8]) {
    // Sixteen octets are a key of RC4: this does not fail.
    if let Ok(mut cipher) = Rc4::new_from_slice(key) {
        cipher.apply_keystream(data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use adit_crypto::mppe::{KeySchedule, StartKey, Strength};

    #[test]
    fn the_keys_are_those_of_mppe() {
        let mut plain = Direction::new(b"0123456789abcdef");
        let mut ours = KeySchedule::new(&StartKey::new(*b"0123456789abcdef"), Strength::Bits128);
        for _ in 0..5 {
            assert_eq!(ours.session_key(), plain.session);
            ours.advance();
            plain.advance();
        }
    }

    #[test]
    fn lost_packets_cost_key_changes_and_the_count_wraps() {
        let (mut sender, mut receiver) = (Direction::new(&[7; 16]), Direction::new(&[7; 16]));
        for packet in 0..10_000_u32 {
            let mut data = *b"some octets";
            sender.apply(&mut data);
            let coherency = sender.coherency();
            sender.advance();
            if packet % 10 == 3 {
                continue;
            }
            assert!(receiver.advance_to(coherency));
            receiver.apply(&mut data);
            receiver.advance();
            assert_eq!(&data, b"some octets");
        }
    }

    #[test]
    fn an_old_packet_is_refused() {
        let mut receiver = Direction::new(&[7; 16]);
        receiver.advance();
        assert!(!receiver.advance_to(0));
        assert_eq!(receiver.coherency(), 1);
    }
}
