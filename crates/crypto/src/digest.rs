//! The three hashes over a list of pieces.

use md4::{Digest, Md4};

/// MD4 (RFC 1320).
pub(crate) fn md4(pieces: &[&[u8]]) -> [u8; 16] {
    hash::<Md4>(pieces).into()
}

/// MD5 (RFC 1321).
pub(crate) fn md5(pieces: &[&[u8]]) -> [u8; 16] {
    hash::<md5::Md5>(pieces).into()
}

/// SHA-1 (RFC 3174).
pub(crate) fn sha1(pieces: &[&[u8]]) -> [u8; 20] {
    hash::<sha1::Sha1>(pieces).into()
}

fn hash<D: Digest>(pieces: &[&[u8]]) -> md4::digest::Output<D> {
    let mut digest = D::new();
    for piece in pieces {
        digest.update(piece);
    }
    digest.finalize()
}
