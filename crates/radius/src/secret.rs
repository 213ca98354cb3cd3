//! The secret that a RADIUS client shares with a server.

use core::fmt;

use zeroize::Zeroizing;

/// Fewer octets than this can be found by trying: a packet and its authenticator are enough to test a guess.
pub const ADVISED_LENGTH: usize = 16;

/// A shared secret. It is wiped after use and never printed.
#[derive(Clone)]
pub struct SharedSecret(Zeroizing<Vec<u8>>);

impl SharedSecret {
    /// Takes the octets unchanged. `None` if there are none, which RFC 2865 section 3 forbids.
    pub fn new(octets: &[u8]) -> Option<SharedSecret> {
        (!octets.is_empty()).then(|| SharedSecret(Zeroizing::new(octets.to_vec())))
    }

    /// Whether it has fewer than [`ADVISED_LENGTH`] octets.
    pub fn is_short(&self) -> bool {
        self.0.len() < ADVISED_LENGTH
    }

    /// The octets, for the digests of this crate.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_secret_does_not_exist_and_none_is_printed() {
        assert!(SharedSecret::new(b"").is_none());
        let secret = SharedSecret::new(b"fifteen octets.").unwrap();
        assert!(secret.is_short());
        assert!(!SharedSecret::new(b"sixteen octets..").unwrap().is_short());
        assert_eq!(format!("{secret:?}"), "SharedSecret(..)");
    }
}
