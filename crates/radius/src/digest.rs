//! MD5 and HMAC-MD5 over a list of pieces: the only two functions on which RADIUS is built.

use md5::{Digest as _, Md5};

/// The block size of MD5 in octets.
const BLOCK: usize = 64;

/// MD5 (RFC 1321).
pub(crate) fn md5(pieces: &[&[u8]]) -> [u8; 16] {
    let mut digest = Md5::new();
    for piece in pieces {
        digest.update(piece);
    }
    digest.finalize().into()
}

/// HMAC-MD5 (RFC 2104).
pub(crate) fn hmac_md5(key: &[u8], pieces: &[&[u8]]) -> [u8; 16] {
    let shortened = md5(&[key]);
    let key = if key.len() > BLOCK { &shortened } else { key };
    let pad = |with: u8| {
        let mut block = [with; BLOCK];
        for (octet, key) in block.iter_mut().zip(key) {
            *octet ^= key;
        }
        block
    };
    let inner = pad(0x36);
    let mut message: Vec<&[u8]> = vec![&inner];
    message.extend_from_slice(pieces);
    md5(&[&pad(0x5c), &md5(&message)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_longer_than_a_block_is_hashed_first() {
        // RFC 2202, test case 6.
        let mac = hmac_md5(&[0xaa; 80], &[b"Test Using Larger Than Block-Size Key", b" - Hash Key First"]);
        let expected =
            [0x6b, 0x1a, 0xb7, 0xfe, 0x4b, 0xd7, 0xbf, 0x8f, 0x0b, 0x62, 0xe6, 0xce, 0x61, 0xb9, 0xd0, 0xcd];
        assert_eq!(mac, expected);
    }
}
