//! MPPE, the packet engine (RFC 3078): what CCP agreed on turned into cipher text and back.
//!
//! [`Encryptor`] and [`Decryptor`] are the two directions of one link. They work on the information field of a 00FD
//! frame in place: two octets of header, then the cipher text of a protocol number and its packet.
//!
//! MPPE proves nothing: a forged or damaged frame decrypts to noise. So the receiver never believes a coherency count
//! by itself. It tries the key the count asks for on a copy of its state, and moves on only if the result is a packet.

mod decrypt;
mod encrypt;
mod plausible;
mod work;

use adit_crypto::mppe::{StartKeys, Strength};

pub use decrypt::{Begun, Decryptor, Refusal};
pub use encrypt::Encryptor;

/// MPPE as CCP agreed on it, with the keys of authentication.
#[derive(Clone, Debug)]
pub struct Mppe {
    /// Key length.
    pub strength: Strength,
    /// A new key for every packet, which is the only mode that survives loss gracefully.
    pub stateless: bool,
    /// Start keys seen from this side.
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
