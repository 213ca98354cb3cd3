//! The MPPE packet engine (RFC 3078): encrypts and decrypts with the parameters that CCP agreed on.
//!
//! [`Encryptor`] and [`Decryptor`] are the two directions of one link. They work on the information field of a 00FD
//! frame in place: two octets of header, then the cipher text of a protocol number and its packet.
//!
//! MPPE has no integrity check: a forged or damaged frame decrypts to noise. So the receiver does not trust
//! the coherency count. It tries the key for that count on a copy of its state, and updates the state only if
//! the result is plausible: noise is, in less than one of 2^32 frames.

mod decrypt;
mod encrypt;
mod plausible;
mod work;

use adit_crypto::mppe::{StartKeys, Strength};

pub use decrypt::{Begun, Decryptor, Opened, Refusal, State};
pub use encrypt::Encryptor;
pub use plausible::Content;

/// The MPPE parameters that CCP agreed on, with the keys from authentication.
#[derive(Clone, Debug)]
pub struct Mppe {
    /// Key length.
    pub strength: Strength,
    /// Whether every packet has a new key, which is the only mode that tolerates loss well.
    pub stateless: bool,
    /// The start keys of this side.
    pub keys: StartKeys,
}

impl Mppe {
    /// The direction to the peer, from count 0.
    pub fn encryptor(&self) -> Encryptor {
        Encryptor::new(&self.keys.send, self.strength, self.stateless)
    }

    /// The direction from the peer, from count 0.
    pub fn decryptor(&self) -> Decryptor {
        Decryptor::new(&self.keys.receive, self.strength, self.stateless)
    }
}

#[cfg(test)]
mod tests;
