//! What must be wiped after use and never printed.

use core::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::digest::md4;

/// A password as a person types it: Unicode, neither normalised nor limited.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Password(String);

impl Password {
    /// Takes the text unchanged.
    pub fn new(text: impl Into<String>) -> Password {
        Password(text.into())
    }

    /// A password from octets of the wire (PAP): UTF-8, and what is not UTF-8 is read as Latin-1, the code page of
    /// old clients.
    pub fn from_wire(octets: &[u8]) -> Password {
        match core::str::from_utf8(octets) {
            Ok(text) => Password(text.to_owned()),
            Err(_) => Password(octets.iter().map(|octet| char::from(*octet)).collect()),
        }
    }

    /// The text itself. Ask for it late and do not keep it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it has no character at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// UTF-16LE without terminator, the form in which MS-CHAP hashes and carries a password (RFC 2759 section 8.3).
    pub fn utf16(&self) -> Zeroizing<Vec<u8>> {
        // Reserved in full, so that growing leaves no copy behind.
        let mut octets = Zeroizing::new(Vec::with_capacity(2 * self.0.len()));
        octets.extend(self.0.encode_utf16().flat_map(u16::to_le_bytes));
        octets
    }

    /// The NT hash (RFC 2759 section 8.3, NtPasswordHash).
    pub fn nt_hash(&self) -> NtHash {
        NtHash(md4(&[&self.utf16()]))
    }
}

/// Compares in time that depends on the lengths alone.
impl PartialEq for Password {
    fn eq(&self, other: &Password) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Password {}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// MD4 of the password in UTF-16LE. As good as the password itself for MS-CHAP.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct NtHash([u8; 16]);

impl NtHash {
    /// A hash that was stored.
    pub const fn from_bytes(octets: [u8; 16]) -> NtHash {
        NtHash(octets)
    }

    /// The octets, for the store.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// MD4 of the hash (RFC 2759 section 8.4, HashNtPasswordHash): what the server's proof and the keys are made of.
    pub(crate) fn hash(&self) -> Zeroizing<[u8; 16]> {
        Zeroizing::new(md4(&[&self.0]))
    }
}

/// Compares in constant time.
impl PartialEq for NtHash {
    fn eq(&self, other: &NtHash) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for NtHash {}

impl fmt::Debug for NtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NtHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let password = Password::new("hunter2");
        assert_eq!(format!("{password:?} {:?}", password.nt_hash()), "Password(..) NtHash(..)");
    }

    #[test]
    fn octets_of_old_clients_are_latin_1() {
        assert_eq!(Password::from_wire(b"caf\xe9").expose(), "caf\u{e9}");
        assert_eq!(Password::from_wire("caf\u{e9}".as_bytes()).expose(), "caf\u{e9}");
    }

    #[test]
    fn equality() {
        assert_eq!(Password::new("a"), Password::new("a"));
        assert_ne!(Password::new("a"), Password::new("ab"));
        assert_ne!(Password::new("a").nt_hash(), Password::new("b").nt_hash());
    }
}
