//! MPPE keys (RFC 3078 section 7, RFC 3079): start keys of a link, and the chain of session keys from each.

mod ahead;
mod trial;

use core::fmt;

use adit_diag::Side;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::digest::sha1;
use crate::rc4::{self, Rc4};
use crate::secret::{NtHash, Password};

use self::ahead::Ahead;
pub use self::ahead::{Wanting, apply_each, apply_each_portable};
pub use self::trial::Trial;

/// The state of SHA-1 at the beginning (RFC 3174 section 6.1).
const SHA_1: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
const PAD_1: [u8; 40] = [0x00; 40];
const PAD_2: [u8; 40] = [0xf2; 40];
const MASTER: &[u8] = b"This is the MPPE Master Key";
/// RFC 3079 section 3.4, Magic2: client to server.
const CLIENT_SENDS: &[u8] =
    b"On the client side, this is the send key; on the server side, it is the receive key.";
/// RFC 3079 section 3.4, Magic3: server to client.
const SERVER_SENDS: &[u8] =
    b"On the client side, this is the receive key; on the server side, it is the send key.";

/// How much of a key is secret. Ordered by strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// 8-octet keys whose first three octets are constant.
    Bits40,
    /// 8-octet keys whose first octet is constant.
    Bits56,
    /// 16-octet keys.
    Bits128,
}

impl Strength {
    /// All, the strongest first.
    pub const ALL: [Strength; 3] = [Strength::Bits128, Strength::Bits56, Strength::Bits40];

    /// Secret bits: 40, 56 or 128.
    pub const fn bits(self) -> u8 {
        match self {
            Strength::Bits40 => 40,
            Strength::Bits56 => 56,
            Strength::Bits128 => 128,
        }
    }

    /// Octets of the RC4 key: 8 or 16.
    pub const fn key_len(self) -> usize {
        match self {
            Strength::Bits40 | Strength::Bits56 => SHORT,
            Strength::Bits128 => 16,
        }
    }

    /// Puts in the octets that are no secret (RFC 3079 section 3).
    fn weaken(self, key: &mut [u8; 16]) {
        let constant: &[u8] = match self {
            Strength::Bits40 => &[0xd1, 0x26, 0x9e],
            Strength::Bits56 => &[0xd1],
            Strength::Bits128 => &[],
        };
        key[..constant.len()].copy_from_slice(constant);
    }
}

/// `40`, `56` or `128`.
impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.bits(), f)
    }
}

/// Octets of a start key for 40 and 56 bits.
const SHORT: usize = 8;

/// The start key of one direction, before any weakening. It never changes while the link lives.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct StartKey {
    long: [u8; 16],
    /// `None`: no start key for 40 and 56 bits is known.
    short: Option<[u8; SHORT]>,
}

impl StartKey {
    /// A key from 16 octets, the first eight of which serve 40 and 56 bits (MS-CHAPv2, EAP-TLS, RADIUS).
    pub fn new(long: [u8; 16]) -> StartKey {
        let mut short = [0; SHORT];
        short.copy_from_slice(&long[..SHORT]);
        StartKey { long, short: Some(short) }
    }

    /// Whether a key of this strength can be made.
    pub fn supports(&self, strength: Strength) -> bool {
        strength == Strength::Bits128 || self.short.is_some()
    }

    /// The octets for a strength, filled up with zeros. Without a short key, the first octets of the long one:
    /// no peer has the same, which [`StartKey::supports`] reports beforehand.
    fn octets(&self, strength: Strength) -> [u8; 16] {
        let mut octets = [0; 16];
        match (strength, &self.short) {
            (Strength::Bits128, _) => octets = self.long,
            (_, Some(short)) => octets[..SHORT].copy_from_slice(short),
            (_, None) => octets[..SHORT].copy_from_slice(&self.long[..SHORT]),
        }
        octets
    }
}

/// Compares in constant time.
impl PartialEq for StartKey {
    fn eq(&self, other: &StartKey) -> bool {
        let short = |key: &StartKey| key.short.unwrap_or_default();
        let same = self.long.ct_eq(&other.long) & short(self).ct_eq(&short(other));
        bool::from(same) && self.short.is_some() == other.short.is_some()
    }
}

impl Eq for StartKey {}

impl fmt::Debug for StartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StartKey(..)")
    }
}

/// The start keys of both directions, seen from one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartKeys {
    /// For what this side encrypts.
    pub send: StartKey,
    /// For what this side decrypts.
    pub receive: StartKey,
}

impl StartKeys {
    /// Whether keys of this strength can be made for both directions.
    pub fn supports(&self, strength: Strength) -> bool {
        self.send.supports(strength) && self.receive.supports(strength)
    }
}

/// Start keys after MS-CHAPv2 (RFC 3079 section 3): from the password's hash and the NT-Response that proved it.
pub fn start_keys_v2(hash: &NtHash, nt_response: &[u8; 24], side: Side) -> StartKeys {
    let mut master = head(sha1(&[&*hash.hash(), nt_response, MASTER]));
    let key = |magic| StartKey::new(head(sha1(&[&master, &PAD_1, magic, &PAD_2])));
    let (client_sends, server_sends) = (key(CLIENT_SENDS), key(SERVER_SENDS));
    master.zeroize();
    match side {
        Side::Server => StartKeys { send: server_sends, receive: client_sends },
        Side::Client => StartKeys { send: client_sends, receive: server_sends },
    }
}

/// Start keys after MS-CHAPv1 (RFC 3079 section 2), the same for both directions. Those for 40 and 56 bits come from
/// the LAN Manager hash, so they exist only where the password is known and has such a hash.
pub fn start_keys_v1(hash: &NtHash, challenge: &[u8; 8], password: Option<&Password>) -> StartKeys {
    let short = password.and_then(crate::mschap::lm_hash).map(|lm| {
        let mut short = [0; SHORT];
        short.copy_from_slice(&lm[..SHORT]);
        short
    });
    start_keys_v1_from(&hash.hash(), short, challenge)
}

/// [`start_keys_v1`] from what a RADIUS server sends (RFC 2548 section 2.4.1): MD4 of the NT hash, and the first eight
/// octets of the LAN Manager hash if there is one.
pub fn start_keys_v1_from(
    nt_hash_hash: &[u8; 16],
    lm_key: Option<[u8; SHORT]>,
    challenge: &[u8; 8],
) -> StartKeys {
    let long = head(sha1(&[nt_hash_hash, nt_hash_hash, challenge]));
    let key = StartKey { long, short: lm_key };
    StartKeys { send: key.clone(), receive: key }
}

/// The session keys of one direction, one after the other (RFC 3078 section 7.3).
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct KeySchedule {
    start: [u8; 16],
    session: [u8; 16],
    #[zeroize(skip)]
    strength: Strength,
    /// Wiped on drop.
    #[zeroize(skip)]
    ahead: Option<Box<Ahead>>,
}

impl KeySchedule {
    /// Begins with the initial session key.
    pub fn new(start: &StartKey, strength: Strength) -> KeySchedule {
        let start = start.octets(strength);
        let mut session = key_from_sha(&start, &start, strength.key_len());
        strength.weaken(&mut session);
        KeySchedule { start, session, strength, ahead: None }
    }

    /// One key change: SHA-1 over start and session key, RC4 of the result with itself, weakening. Takes a key that
    /// [`apply_each`] has computed ahead, if there is one.
    pub fn advance(&mut self) {
        self.advance_with(rc4::of_itself);
    }

    /// [`KeySchedule::advance`] in the portable form of RC4, whatever the processor: for tests and measurements.
    #[doc(hidden)]
    pub fn advance_portable(&mut self) {
        self.advance_with(rc4::portable::of_itself);
    }

    /// `of_itself` encrypts a key with itself.
    fn advance_with(&mut self, of_itself: fn(&mut [u8; 16], usize)) {
        if let Some(key) = self.ahead.as_mut().and_then(|ahead| ahead.take()) {
            self.session = key;
            return;
        }
        let len = self.strength.key_len();
        self.session = key_from_sha(&self.start, &self.session, len);
        of_itself(&mut self.session, len);
        self.strength.weaken(&mut self.session);
    }

    /// The key in use, 8 or 16 octets.
    pub fn session_key(&self) -> &[u8] {
        &self.session[..self.strength.key_len()]
    }

    /// A copy of the key in use, for a packet that is worked on later.
    pub fn key(&self) -> SessionKey {
        SessionKey { octets: self.session, strength: self.strength }
    }

    /// Goes back to a key that was in use: the changes since then are undone.
    pub fn return_to(&mut self, key: &SessionKey) {
        self.session = key.octets;
        if let Some(ahead) = &mut self.ahead {
            ahead.clear();
        }
    }

    /// RC4 at the beginning of the stream of the key in use.
    pub fn cipher(&self) -> Rc4 {
        Rc4::new(self.session_key())
    }

    /// The strength it was made for.
    pub const fn strength(&self) -> Strength {
        self.strength
    }
}

/// Without the keys that were made ahead.
impl Clone for KeySchedule {
    fn clone(&self) -> KeySchedule {
        KeySchedule { start: self.start, session: self.session, strength: self.strength, ahead: None }
    }
}

/// RFC 3079 section 3, GetNewKeyFromSHA: SHA-1 of start key, 40 octets 00, session key and 40 octets f2, cut to `len`,
/// the length of a key, and filled up with zeros.
///
/// That message always fits two blocks, so they are laid out here, with the padding of SHA-1: one bit, zeros, the
/// length in bits.
fn key_from_sha(start: &[u8; 16], session: &[u8; 16], len: usize) -> [u8; 16] {
    let mut blocks = [[0; 64]; 2];
    let octets = blocks.as_flattened_mut();
    octets[..16].copy_from_slice(start);
    octets[len + 40..len + 56].copy_from_slice(session);
    octets[2 * len + 40..2 * len + 80].fill(0xf2);
    octets[2 * len + 80] = 0x80;
    octets[126..].copy_from_slice(&(8 * (2 * len as u16 + 80)).to_be_bytes());
    let mut state = SHA_1;
    sha1::block_api::compress(&mut state, &blocks);
    let mut key = [0; 16];
    for (octets, word) in key[..len].as_chunks_mut().0.iter_mut().zip(state) {
        *octets = word.to_be_bytes();
    }
    // The rest is no secret.
    state.zeroize();
    let octets = blocks.as_flattened_mut();
    octets[..16].zeroize();
    octets[len + 40..len + 56].zeroize();
    key
}

impl fmt::Debug for KeySchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySchedule({} bits, ..)", self.strength)
    }
}

/// One session key of a [`KeySchedule`].
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SessionKey {
    octets: [u8; 16],
    #[zeroize(skip)]
    strength: Strength,
}

impl SessionKey {
    /// 8 or 16 octets.
    pub fn octets(&self) -> &[u8] {
        &self.octets[..self.strength.key_len()]
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey({} bits, ..)", self.strength)
    }
}

/// The first 16 octets of a digest.
fn head(mut digest: [u8; 20]) -> [u8; 16] {
    let mut head = [0; 16];
    head.copy_from_slice(&digest[..16]);
    digest.zeroize();
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_derive_the_same_keys() {
        let hash = Password::new("clientPass").nt_hash();
        let server = start_keys_v2(&hash, &[7; 24], Side::Server);
        let client = start_keys_v2(&hash, &[7; 24], Side::Client);
        for strength in Strength::ALL {
            let key = |start| KeySchedule::new(start, strength).session_key().to_vec();
            assert_eq!(key(&server.send), key(&client.receive));
            assert_eq!(key(&server.receive), key(&client.send));
            assert_ne!(key(&server.receive), key(&server.send));
        }
    }

    #[test]
    fn version_1_without_a_password_has_128_bits_only() {
        let password = Password::new("clientPass");
        let keys = start_keys_v1(&password.nt_hash(), &[1; 8], None);
        assert!(keys.supports(Strength::Bits128));
        assert!(!keys.supports(Strength::Bits40) && !keys.supports(Strength::Bits56));
        assert!(start_keys_v1(&password.nt_hash(), &[1; 8], Some(&password)).supports(Strength::Bits40));
    }

    #[test]
    fn changes_can_be_undone() {
        let mut schedule = KeySchedule::new(&StartKey::new([7; 16]), Strength::Bits40);
        let first = schedule.key();
        schedule.advance();
        let second = schedule.key();
        schedule.advance();
        schedule.return_to(&first);
        assert_eq!(schedule.session_key(), first.octets());
        schedule.advance();
        assert_eq!(schedule.session_key(), second.octets());
    }

    /// Both forms of RC4, against the message of RFC 3079 hashed in pieces and the `rc4` crate.
    #[test]
    fn every_change_is_that_of_the_rfc() {
        for strength in Strength::ALL {
            let start = StartKey::new(core::array::from_fn(|n| n as u8));
            let len = strength.key_len();
            let mut chosen = KeySchedule::new(&start, strength);
            let mut portable = chosen.clone();
            for _ in 0..100 {
                let session = chosen.session_key().to_vec();
                let interim = sha1(&[&start.long[..len], &PAD_1, &session, &PAD_2]);
                let mut expected = interim[..len].to_vec();
                let mut cipher: ::rc4::Rc4 = ::rc4::KeyInit::new_from_slice(&interim[..len]).unwrap();
                ::rc4::StreamCipher::apply_keystream(&mut cipher, &mut expected);
                let constant: &[u8] = match strength {
                    Strength::Bits40 => &[0xd1, 0x26, 0x9e],
                    Strength::Bits56 => &[0xd1],
                    Strength::Bits128 => &[],
                };
                expected[..constant.len()].copy_from_slice(constant);
                chosen.advance();
                portable.advance_portable();
                assert_eq!(chosen.session_key(), expected);
                assert_eq!(portable.session_key(), expected);
            }
        }
    }

    #[test]
    fn a_key_schedule_is_small() {
        assert!(size_of::<KeySchedule>() <= 64);
    }

    #[test]
    fn debug_shows_no_key() {
        let start = StartKey::new([0xab; 16]);
        let schedule = KeySchedule::new(&start, Strength::Bits56);
        assert_eq!(format!("{start:?} {schedule:?}"), "StartKey(..) KeySchedule(56 bits, ..)");
    }
}
