//! Values that are hidden with the shared secret: passwords (RFC 2865 section 5.2) and keys (RFC 2548 section 2.4).

use zeroize::{Zeroize as _, Zeroizing};

use crate::digest::md5;
use crate::secret::SharedSecret;

/// The longest password in octets (RFC 2865 section 5.2).
pub const MAX_PASSWORD: usize = 128;

/// Octets per block.
const BLOCK: usize = 16;

/// Combines each block with a digest of the secret and of what precedes it. The block that is chained is always the
/// hidden one: the output when hiding, the input when revealing.
fn chain(secret: &SharedSecret, first: &[&[u8]], octets: &mut [u8], is_hiding: bool) {
    let mut before = first.concat();
    for block in octets.chunks_mut(BLOCK) {
        let mut mask = md5(&[secret.octets(), &before]);
        if !is_hiding {
            before = block.to_vec();
        }
        for (octet, mask) in block.iter_mut().zip(mask) {
            *octet ^= mask;
        }
        if is_hiding {
            before = block.to_vec();
        }
        mask.zeroize();
    }
}

/// Fills up with zeros to whole blocks, and to one at least.
fn padded(octets: &[u8]) -> Zeroizing<Vec<u8>> {
    let len = octets.len().next_multiple_of(BLOCK).max(BLOCK);
    let mut padded = Zeroizing::new(Vec::with_capacity(len));
    padded.extend_from_slice(octets);
    padded.resize(len, 0);
    padded
}

/// Hides a password as User-Password. `None` if it has more than [`MAX_PASSWORD`] octets.
pub fn hide_password(
    secret: &SharedSecret,
    request_authenticator: &[u8; 16],
    password: &[u8],
) -> Option<Vec<u8>> {
    if password.len() > MAX_PASSWORD {
        return None;
    }
    let mut octets = padded(password);
    chain(secret, &[request_authenticator], &mut octets, true);
    Some(core::mem::take(&mut *octets))
}

/// Reveals what was hidden like User-Password, with the zeros behind it. `None` if there is no whole number of blocks.
pub fn reveal_password(
    secret: &SharedSecret,
    request_authenticator: &[u8; 16],
    hidden: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    if hidden.is_empty() || hidden.len() > MAX_PASSWORD || !hidden.len().is_multiple_of(BLOCK) {
        return None;
    }
    let mut octets = Zeroizing::new(hidden.to_vec());
    chain(secret, &[request_authenticator], &mut octets, false);
    Some(octets)
}

/// Hides a key with a salt, whose first bit must be set and which must be unique in the packet: the direction of a
/// server. `None` if the key has more than 255 octets.
pub fn hide_key(
    secret: &SharedSecret,
    request_authenticator: &[u8; 16],
    salt: [u8; 2],
    key: &[u8],
) -> Option<Vec<u8>> {
    let length = u8::try_from(key.len()).ok()?;
    let clear = Zeroizing::new([&[length], key].concat());
    let mut octets = padded(&clear);
    chain(secret, &[request_authenticator, &salt], &mut octets, true);
    Some([&salt, octets.as_slice()].concat())
}

/// Reveals a key that was hidden with a salt: its octets without padding. `None` if the salt or a length is wrong, or
/// if the padding is not zero, which is a sign of another secret.
pub fn reveal_key(
    secret: &SharedSecret,
    request_authenticator: &[u8; 16],
    value: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (salt, hidden) = value.split_first_chunk::<2>()?;
    if salt[0] & 0x80 == 0 || hidden.is_empty() || !hidden.len().is_multiple_of(BLOCK) {
        return None;
    }
    let mut octets = Zeroizing::new(hidden.to_vec());
    chain(secret, &[request_authenticator, salt], &mut octets, false);
    let (length, clear) = octets.split_first()?;
    let (key, padding) = clear.split_at_checked(usize::from(*length))?;
    padding.iter().all(|octet| *octet == 0).then(|| Zeroizing::new(key.to_vec()))
}
