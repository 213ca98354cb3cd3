//! The Change-Password packet of MS-CHAPv2 (RFC 2759 section 7): made by a client, opened by a server.

use core::fmt;

use zeroize::{Zeroize as _, Zeroizing};

use crate::Rng;
use crate::des;
use crate::mschap::{nt_response_v2, same, seven};
use crate::rc4::Rc4;
use crate::secret::{NtHash, Password};

/// Octets that hold the password in UTF-16LE, at the end.
const BLOCK: usize = 512;
/// Block and its 4-octet length.
pub const ENCRYPTED_PASSWORD: usize = BLOCK + 4;

/// What a Change-Password packet carries, and the challenge it answers.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// The name as sent in the Response that failed with E=648.
    pub name: Vec<u8>,
    /// `C=` of that Failure.
    pub authenticator_challenge: [u8; 16],
    /// The new password, encrypted with the old hash.
    pub encrypted_password: Box<[u8; ENCRYPTED_PASSWORD]>,
    /// The old hash, encrypted with the new one.
    pub encrypted_hash: [u8; 16],
    /// The client's challenge of this packet.
    pub peer_challenge: [u8; 16],
    /// The answer to both challenges under the *new* password.
    pub nt_response: [u8; 24],
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Change(..)")
    }
}

/// Why a change is refused. On the wire all are E=709.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeError {
    /// The old password is not the stored one (the block decrypts to an impossible length, or the hash differs).
    WrongOldPassword,
    /// The NT-Response does not fit the new password.
    WrongResponse,
    /// The new password is not Unicode.
    NotUnicode,
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ChangeError::WrongOldPassword => "the old password is wrong",
            ChangeError::WrongResponse => "the response does not fit the new password",
            ChangeError::NotUnicode => "the new password is not Unicode",
        })
    }
}

/// Creates the fields of the packet. `None` if the new password has more than 256 UTF-16 units.
pub fn make(
    rng: &mut Rng,
    name: &[u8],
    authenticator_challenge: &[u8; 16],
    old: &Password,
    new: &Password,
) -> Option<Change> {
    let mut padding = Zeroizing::new([0; BLOCK]);
    rng.fill(&mut *padding);
    make_from(&padding, rng.challenge(), name, authenticator_challenge, old, new)
}

/// [`make`] with everything random given.
pub(crate) fn make_from(
    padding: &[u8; BLOCK],
    peer_challenge: [u8; 16],
    name: &[u8],
    authenticator_challenge: &[u8; 16],
    old: &Password,
    new: &Password,
) -> Option<Change> {
    let (old, text, new) = (old.nt_hash(), new.utf16(), new.nt_hash());
    let start = BLOCK.checked_sub(text.len())?;
    let mut block = Box::new([0; ENCRYPTED_PASSWORD]);
    block[..start].copy_from_slice(&padding[..start]);
    block[start..BLOCK].copy_from_slice(&text);
    block[BLOCK..].copy_from_slice(&(text.len() as u32).to_le_bytes());
    Rc4::new(old.as_bytes()).apply(&mut block[..]);
    Some(Change {
        name: name.to_vec(),
        authenticator_challenge: *authenticator_challenge,
        encrypted_password: block,
        encrypted_hash: per_half(des::encrypt, new.as_bytes(), old.as_bytes()),
        peer_challenge,
        nt_response: nt_response_v2(authenticator_challenge, &peer_challenge, name, &new),
    })
}

/// Decrypts a change with the stored hash, checks everything in it and returns the new password.
pub fn open(change: &Change, old: &NtHash) -> Result<Password, ChangeError> {
    let mut block = Zeroizing::new(*change.encrypted_password);
    Rc4::new(old.as_bytes()).apply(&mut block[..]);
    let (text, length) = block.split_at(BLOCK);
    let length = length.iter().rev().fold(0_u32, |length, octet| length << 8 | u32::from(*octet));
    let start = usize::try_from(length)
        .ok()
        .filter(|length| length.is_multiple_of(2))
        .and_then(|length| BLOCK.checked_sub(length))
        .ok_or(ChangeError::WrongOldPassword)?;
    let units = text[start..].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    // Three octets of UTF-8 per unit at most: reserved in full, so that growing leaves no copy behind.
    let mut new = String::with_capacity(3 * (BLOCK - start) / 2);
    for character in char::decode_utf16(units) {
        match character {
            Ok(character) => new.push(character),
            Err(_) => {
                new.zeroize();
                return Err(ChangeError::NotUnicode);
            }
        }
    }
    let new = Password::new(new);
    let hash = new.nt_hash();
    let sent = NtHash::from_bytes(per_half(des::decrypt, hash.as_bytes(), &change.encrypted_hash));
    if sent != *old {
        return Err(ChangeError::WrongOldPassword);
    }
    let Change { name, authenticator_challenge, peer_challenge, .. } = change;
    let expected = nt_response_v2(authenticator_challenge, peer_challenge, name, &hash);
    if !same(&expected, &change.nt_response) {
        return Err(ChangeError::WrongResponse);
    }
    Ok(new)
}

/// DES over the two halves of a hash, each under seven octets of another (RFC 2759 section 8.12).
fn per_half(des: fn(&[u8; 7], &[u8; 8]) -> [u8; 8], key: &[u8; 16], hash: &[u8; 16]) -> [u8; 16] {
    let mut out = [0; 16];
    for (key, (from, to)) in key.chunks(7).zip(hash.chunks_exact(8).zip(out.chunks_exact_mut(8))) {
        let mut block = [0; 8];
        block.copy_from_slice(from);
        to.copy_from_slice(&des(&seven(key), &block));
    }
    out
}
