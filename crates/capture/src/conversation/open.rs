//! Decryption with a password: checks whether the password was used, and decrypts MPPE.
//!
//! A capture is passive: it tracks the keys of both sides, and cannot request a reset. Late packets are not
//! decrypted.

use std::fmt;
use std::net::IpAddr;

use adit_crypto::mppe::{KeySchedule, StartKeys, Strength, start_keys_v2};
use adit_crypto::mschap;
use adit_crypto::proof::{self, Proof};
use adit_crypto::rc4::Rc4;
use adit_crypto::secret::Password;
use adit_diag::Side;
use adit_wire::mppe::{COUNT_MODULUS, HEADER, Header};
use adit_wire::{ccp, chap, cp, ppp};

use super::inside::Inside;
use crate::octets::Octets as _;
use crate::packet::Packet;

/// The number of first packets in one direction that must decrypt to noise before the keys are reported to
/// differ.
const NOISE_MIN: u32 = 3;
/// The ratio of noise to decrypted packets from which on the keys are taken to differ.
const NOISE_TIMES: u64 = 4;
/// How many times the coherency count may have wrapped if many packets are missing.
const TURNS_MAX: u32 = 7;
/// The number of consecutive noise packets after which decryption of this direction is abandoned.
const NOISE_MAX: u32 = 64;

/// A user's password.
#[derive(Clone)]
pub struct Secret {
    /// The user of the password; `None` to try it for every user.
    pub user: Option<String>,
    /// The password.
    pub password: Password,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({:?}, ..)", self.user)
    }
}

impl Secret {
    /// Whether a name belongs to the user, with and without a domain, case-insensitively.
    fn is_of(&self, name: &[u8]) -> bool {
        self.user.as_ref().is_none_or(|user| {
            let bare = mschap::without_domain(user.as_bytes());
            name.eq_ignore_ascii_case(user.as_bytes())
                || mschap::without_domain(name).eq_ignore_ascii_case(bare)
        })
    }
}

/// The result of checking the password for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// The client used this password.
    Right {
        /// The frame of its response.
        frame: u64,
    },
    /// The client used another password.
    Wrong {
        /// The frame of its response.
        frame: u64,
    },
    /// The call belongs to another user.
    OtherUser {
        /// The frame of its response.
        frame: u64,
    },
}

/// The results of a password for one call.
#[derive(Clone, Debug, Default)]
pub struct Open {
    /// The result of the check; `None` without a response to check, or without a password.
    pub checked: Option<Checked>,
    /// The server's proof that it knows the password too: the frame, and whether the proof is valid.
    pub server_proof: Option<(u64, bool)>,
    /// The number of decrypted packets.
    pub opened: u64,
    /// The number of decrypted packets by direction: to server, to client.
    pub opened_each: [u64; 2],
    closed_each: [u64; 2],
    /// The number of packets that could not be decrypted.
    pub closed: u64,
    /// A frame of each direction in which nearly all packets decrypt to noise although the password is right:
    /// to server, to client.
    pub noise: [Option<u64>; 2],
    challenge: Option<(u8, Vec<u8>)>,
    proof: Option<[u8; 20]>,
    keys: Option<StartKeys>,
    /// The negotiated bits: to server, to client.
    agreed: [Option<ccp::Mppe>; 2],
    streams: [Option<Box<Stream>>; 2],
}

/// Compares the results, not the state of the keys.
impl PartialEq for Open {
    fn eq(&self, other: &Open) -> bool {
        (self.checked, self.server_proof, self.opened, self.closed)
            == (other.checked, other.server_proof, other.opened, other.closed)
    }
}

impl Eq for Open {}

/// The keys of one direction.
struct Stream {
    keys: KeySchedule,
    stateless: bool,
    /// The RC4 stream of stateful mode, while it is synchronized.
    cipher: Option<Rc4>,
    expected: u16,
    last_seq: Option<u32>,
    noise: u32,
}

/// A copy decrypts nothing until a packet resets the stream; copies are made only for inspection.
impl Clone for Stream {
    fn clone(&self) -> Stream {
        let Stream { stateless, expected, last_seq, noise, .. } = *self;
        Stream { keys: self.keys.clone(), stateless, cipher: None, expected, last_seq, noise }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream(count {})", self.expected)
    }
}

impl Open {
    /// Handles a control frame.
    pub(super) fn control(
        &mut self,
        secret: &Secret,
        packet: &Packet,
        protocol: u16,
        octets: &[u8],
        from_client: bool,
    ) {
        match protocol {
            ppp::CHAP => self.chap(secret, packet.number, octets, from_client),
            ppp::CCP => self.ccp(octets, from_client),
            _ => {}
        }
    }

    fn chap(&mut self, secret: &Secret, frame: u64, octets: &[u8], from_client: bool) {
        let Ok(packet) = cp::Packet::parse(ppp::protocol(ppp::CHAP), octets) else { return };
        match chap::Message::parse(&packet) {
            Ok(chap::Message::Challenge { value, .. }) if !from_client => {
                self.challenge = Some((packet.id, value.to_vec()));
            }
            Ok(chap::Message::Response { value, name }) if from_client => {
                self.response(secret, frame, packet.id, value, name);
            }
            Ok(chap::Message::Success(text)) if !from_client => {
                if let (Some(expected), Some(given)) = (self.proof, chap::Success::parse(text).response) {
                    self.server_proof.get_or_insert((frame, expected == given));
                }
            }
            Ok(chap::Message::Failure(text)) if !from_client => {
                // A retry may answer a challenge in the Failure itself.
                if let Some(challenge) = chap::Failure::parse(text).challenge {
                    self.challenge = Some((packet.id.wrapping_add(1), challenge));
                }
            }
            _ => {}
        }
    }

    fn response(&mut self, secret: &Secret, frame: u64, id: u8, value: &[u8], name: &[u8]) {
        if !secret.is_of(name) {
            self.checked = Some(Checked::OtherUser { frame });
            return;
        }
        let Some((asked, challenge)) = &self.challenge else { return };
        let Some(proof) = proof_of(*asked, challenge, id, value, name) else { return };
        let clear = proof::Secret::Clear(secret.password.clone());
        match proof::check(&proof, &clear) {
            Ok(proven) => {
                self.checked = Some(Checked::Right { frame });
                self.proof = proven.mschap;
                self.keys = match &proof {
                    Proof::MsChapV2 { nt_response, .. } => {
                        Some(start_keys_v2(&secret.password.nt_hash(), nt_response, Side::Server))
                    }
                    _ => proven.keys,
                };
            }
            Err(_) => self.checked = Some(Checked::Wrong { frame }),
        }
    }

    fn ccp(&mut self, octets: &[u8], from_client: bool) {
        let control = ppp::protocol(ppp::CCP);
        let Ok(packet) = cp::Packet::parse(control, octets) else { return };
        if packet.code != cp::CONFIGURE_ACK {
            return;
        }
        let bits =
            packet.options(control).flatten().find_map(|option| match ccp::CcpOption::parse(&option) {
                Ok(ccp::CcpOption::Mppe(bits)) => Some(bits),
                _ => None,
            });
        // The side that acknowledges will send with these options.
        let direction = usize::from(!from_client);
        self.agreed[direction] = bits;
        self.streams[direction] = None;
    }

    /// Handles the information field of a compressed frame, of at most `wire_len` octets on the wire, and
    /// passes its content to `inside`.
    pub(super) fn data(
        &mut self,
        packet: &Packet,
        (seq, wire_len): (u32, usize),
        octets: &[u8],
        from_client: bool,
        (inside, server): (&mut Inside, IpAddr),
    ) {
        let direction = usize::from(!from_client);
        let (Some(keys), Some(bits)) = (&self.keys, self.agreed[direction]) else { return };
        let stream = self.streams[direction].get_or_insert_with(|| {
            let start = if from_client { &keys.receive } else { &keys.send };
            let strength = strength(bits);
            let keys = KeySchedule::new(start, strength);
            let stateless = bits.has(ccp::Mppe::STATELESS);
            let cipher = (!stateless).then(|| keys.cipher());
            Box::new(Stream { keys, stateless, cipher, expected: 0, last_seq: None, noise: 0 })
        });
        match stream.decrypt(seq, octets, wire_len) {
            Some(plain) => {
                self.opened += 1;
                self.opened_each[direction] += 1;
                if let Ok((ppp::IP | ppp::IPV6, datagram)) = ppp::frame(&plain) {
                    inside.take(packet, from_client, datagram, server);
                }
            }
            None => {
                self.closed += 1;
                self.closed_each[direction] += 1;
                // Occasionally noise looks like a valid packet.
                let (opened, closed) = (self.opened_each[direction], self.closed_each[direction]);
                if stream.noise >= NOISE_MIN && closed >= opened * NOISE_TIMES {
                    self.noise[direction].get_or_insert(packet.number);
                }
            }
        }
    }
}

fn strength(bits: ccp::Mppe) -> Strength {
    if bits.has(ccp::Mppe::BITS_128) {
        Strength::Bits128
    } else if bits.has(ccp::Mppe::BITS_56) {
        Strength::Bits56
    } else {
        Strength::Bits40
    }
}

fn proof_of(asked: u8, challenge: &[u8], id: u8, value: &[u8], name: &[u8]) -> Option<Proof> {
    if let (Ok(challenge), Ok(response)) = (challenge.try_into(), chap::MsChapV2Response::parse(value)) {
        return Some(Proof::MsChapV2 {
            authenticator_challenge: challenge,
            peer_challenge: response.peer_challenge,
            nt_response: response.nt_response,
            name: name.to_vec(),
        });
    }
    if let (Ok(challenge), Ok(response)) = (challenge.try_into(), chap::MsChapV1Response::parse(value)) {
        return Some(Proof::MsChapV1 { challenge, nt_response: response.nt_response });
    }
    let response = value.try_into().ok()?;
    (asked == id).then(|| Proof::ChapMd5 { id, challenge: challenge.to_vec(), response })
}

impl Stream {
    /// The PPP frame inside, as far as it was captured; `None` if it cannot be decrypted.
    fn decrypt(&mut self, seq: u32, octets: &[u8], wire_len: usize) -> Option<Vec<u8>> {
        let header = Header::parse(octets).ok()?;
        if !header.encrypted || header.compressed || self.noise >= NOISE_MAX {
            return None;
        }
        let data = octets.behind(HEADER);
        let skipped = header.count.wrapping_sub(self.expected) % COUNT_MODULUS;
        if skipped > COUNT_MODULUS / 2
            && self.last_seq.is_some_and(|last| seq.wrapping_sub(last) > u32::MAX / 2)
        {
            return None; // late
        }
        let plain = if self.stateless {
            self.stateless(seq, skipped, data, wire_len)
        } else {
            self.stateful(skipped, header, data, wire_len)
        };
        match &plain {
            Some(_) => {
                (self.noise, self.last_seq) = (0, Some(seq));
                self.expected = (header.count + 1) % COUNT_MODULUS;
            }
            None => self.noise += 1,
        }
        plain
    }

    fn stateless(&mut self, seq: u32, skipped: u16, data: &[u8], wire_len: usize) -> Option<Vec<u8>> {
        let gap = self.last_seq.map_or(0, |last| seq.wrapping_sub(last));
        let mut keys = self.keys.clone();
        let mut changes = u32::from(skipped) + 1;
        for _ in 0..=(gap / u32::from(COUNT_MODULUS)).min(TURNS_MAX) {
            for _ in 0..changes {
                keys.advance();
            }
            let mut plain = data.to_vec();
            keys.cipher().apply(&mut plain);
            if is_packet(&plain, wire_len) {
                self.keys = keys;
                return Some(plain);
            }
            changes = u32::from(COUNT_MODULUS);
        }
        None
    }

    fn stateful(&mut self, skipped: u16, header: Header, data: &[u8], wire_len: usize) -> Option<Vec<u8>> {
        // Packets with the low octet FF change the key, from the expected count to this one.
        let flags = ((self.expected + skipped + 1) >> 8) - (self.expected >> 8);
        if skipped == 0 && flags == 0 && !header.flushed {
            let mut plain = data.to_vec();
            self.cipher.as_mut()?.apply(&mut plain);
            if is_packet(&plain, wire_len) {
                return Some(plain);
            }
            self.cipher = None;
            return None;
        }
        if skipped > 0 && !header.flushed {
            self.cipher = None;
            return None;
        }
        // With the A bit the sender reinitializes RC4 with the current key (RFC 3078), or changes the key
        // once more before that (Linux): try which one gives a packet.
        let mut keys = self.keys.clone();
        for _ in 0..flags {
            keys.advance();
        }
        for _ in 0..2 {
            let (mut cipher, mut plain) = (keys.cipher(), data.to_vec());
            cipher.apply(&mut plain);
            if is_packet(&plain, wire_len) {
                (self.keys, self.cipher) = (keys, Some(cipher));
                return Some(plain);
            }
            keys.advance();
        }
        self.cipher = None;
        None
    }
}

/// Whether it looks like a PPP frame: an IP packet with a valid header, or another network protocol.
fn is_packet(plain: &[u8], wire_len: usize) -> bool {
    match ppp::frame(plain) {
        Ok((ppp::IP, packet)) => {
            packet.octet(0).is_some_and(|first| first >> 4 == 4 && first & 15 >= 5)
                && packet.be16(2).is_some_and(|total| (20..=wire_len).contains(&total.into()))
        }
        Ok((ppp::IPV6, packet)) => packet.octet(0).is_some_and(|first| first >> 4 == 6),
        Ok((protocol, _)) => ppp::protocol_name(protocol).is_some(),
        Err(_) => false,
    }
}
