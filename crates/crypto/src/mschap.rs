//! MS-CHAP, version 1 (RFC 2433) and 2 (RFC 2759): what is computed from a password and two challenges.

use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::des;
use crate::digest::sha1;
use crate::secret::{NtHash, Password};

/// RFC 2759 section 8.7, Magic1.
const SIGNING: &[u8] = b"Magic server to client signing constant";
/// RFC 2759 section 8.7, Magic2.
const ITERATION: &[u8] = b"Pad to make it do more than one iteration";

/// The part of a name that is hashed: what follows the last backslash of `DOMAIN\user`. `user@realm` stays whole.
pub fn without_domain(name: &[u8]) -> &[u8] {
    name.rsplit(|octet| *octet == b'\\').next().unwrap_or(name)
}

/// The eight-octet challenge that version 2 uses (RFC 2759 section 8.2, ChallengeHash), without the domain of `name`.
pub fn challenge_hash(peer_challenge: &[u8; 16], authenticator_challenge: &[u8; 16], name: &[u8]) -> [u8; 8] {
    let digest = sha1(&[peer_challenge, authenticator_challenge, without_domain(name)]);
    let mut challenge = [0; 8];
    challenge.copy_from_slice(&digest[..8]);
    challenge
}

/// The answer to eight octets (RFC 2433 appendix A.5, ChallengeResponse): the NT-Response of version 1, and of
/// version 2 with the [`challenge_hash`].
pub fn nt_response(challenge: &[u8; 8], hash: &NtHash) -> [u8; 24] {
    respond(challenge, hash.as_bytes())
}

/// The NT-Response of version 2 (RFC 2759 section 8.1, GenerateNTResponse).
pub fn nt_response_v2(
    authenticator_challenge: &[u8; 16],
    peer_challenge: &[u8; 16],
    name: &[u8],
    hash: &NtHash,
) -> [u8; 24] {
    nt_response(&challenge_hash(peer_challenge, authenticator_challenge, name), hash)
}

/// What the server sends back to prove that it knows the hash too (RFC 2759 section 8.7): the 20 octets in
/// `S=` as hexadecimal digits.
pub fn authenticator_response(
    authenticator_challenge: &[u8; 16],
    peer_challenge: &[u8; 16],
    name: &[u8],
    hash: &NtHash,
    nt_response: &[u8; 24],
) -> [u8; 20] {
    let digest = sha1(&[&*hash.hash(), nt_response, SIGNING]);
    let challenge = challenge_hash(peer_challenge, authenticator_challenge, name);
    sha1(&[&digest, &challenge, ITERATION])
}

/// Compares two responses of a kind in constant time.
pub fn same<const N: usize>(one: &[u8; N], other: &[u8; N]) -> bool {
    one.ct_eq(other).into()
}

/// The LAN Manager hash (RFC 2433 appendix A.2), which only the 40- and 56-bit keys of version 1 need. `None` for a
/// password that is not ASCII (its code page is unknown) or longer than 14 characters (it has none).
pub(crate) fn lm_hash(password: &Password) -> Option<Zeroizing<[u8; 16]>> {
    let text = password.expose();
    if !text.is_ascii() || text.len() > 14 {
        return None;
    }
    let mut upper = Zeroizing::new([0; 14]);
    for (octet, character) in upper.iter_mut().zip(text.bytes()) {
        *octet = character.to_ascii_uppercase();
    }
    let mut hash = Zeroizing::new([0; 16]);
    for (half, block) in upper.chunks_exact(7).zip(hash.chunks_exact_mut(8)) {
        block.copy_from_slice(&des::encrypt(&seven(half), b"KGS!@#$%"));
    }
    Some(hash)
}

/// Three DES encryptions of the challenge under the three thirds of a hash, the last filled up with zeros.
pub(crate) fn respond(challenge: &[u8; 8], hash: &[u8; 16]) -> [u8; 24] {
    let mut padded = Zeroizing::new([0; 21]);
    padded[..16].copy_from_slice(hash);
    let mut response = [0; 24];
    for (third, block) in padded.chunks_exact(7).zip(response.chunks_exact_mut(8)) {
        let mut key = seven(third);
        block.copy_from_slice(&des::encrypt(&key, challenge));
        key.zeroize();
    }
    response
}

/// The first seven octets.
pub(crate) fn seven(octets: &[u8]) -> [u8; 7] {
    let mut key = [0; 7];
    for (to, from) in key.iter_mut().zip(octets) {
        *to = *from;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c156_only_the_domain_before_a_backslash_is_left_out() {
        assert_eq!(without_domain(b"BIGCO\\johndoe"), b"johndoe");
        assert_eq!(without_domain(b"A\\B\\johndoe"), b"johndoe");
        assert_eq!(without_domain(b"johndoe@bigco.example"), b"johndoe@bigco.example");
        assert_eq!(without_domain(b"johndoe"), b"johndoe");
        assert_eq!(without_domain(b"BIGCO\\"), b"");
        assert_eq!(without_domain(b""), b"");
    }

    #[test]
    fn no_lan_manager_hash_beyond_14_ascii_characters() {
        assert!(lm_hash(&Password::new("fourteen chars")).is_some());
        assert!(lm_hash(&Password::new("fifteen chars!!")).is_none());
        assert!(lm_hash(&Password::new("\u{e9}")).is_none());
    }
}
