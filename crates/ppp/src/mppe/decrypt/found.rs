//! What a frame decrypts to under one key.

use adit_crypto::mppe::SessionKey;
use adit_crypto::rc4::Rc4;

use super::super::plausible::{Content, PEEK, content};

/// The key of a frame, and what it decrypts to.
pub(super) struct Found {
    pub(super) key: SessionKey,
    /// Behind the octets in `head`.
    pub(super) cipher: Rc4,
    pub(super) head: [u8; PEEK],
    pub(super) len: usize,
    pub(super) content: Content,
}

impl Found {
    /// Whether `data` is plausible under this stream.
    pub(super) fn new(key: SessionKey, mut cipher: Rc4, data: &[u8]) -> Option<Found> {
        let mut head = [0; PEEK];
        let len = data.len().min(PEEK);
        let octets = head.get_mut(..len)?;
        octets.copy_from_slice(data.get(..len)?);
        cipher.apply(octets);
        let content = content(octets, data.len())?;
        Some(Found { key, cipher, head, len, content })
    }

    /// The same with the stream of `key` from its beginning.
    pub(super) fn at_start(key: SessionKey, data: &[u8]) -> Option<Found> {
        let cipher = Rc4::new(key.octets());
        Found::new(key, cipher, data)
    }
}
