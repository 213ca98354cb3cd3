//! Secrets at rest: sealed with a key that does not live in the database.
//!
//! ChaCha20-Poly1305 (RFC 8439) with a random nonce. The associated data names the account and the kind of secret, so
//! that a sealed password copied to another account does not open there.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use zeroize::{Zeroize as _, Zeroizing};

use crate::files::{create_complete, create_directory, directory_of, put_back, random};
use crate::{Error, ErrorKind, Result};

const KEY: usize = 32;
const NONCE: usize = 12;
const TAG: usize = 16;
/// The first octet of everything sealed: which construction.
const FORMAT: u8 = 1;

/// The source of the key that seals secrets.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// A key file, made at first use.
    File(PathBuf),
    /// From elsewhere, such as a systemd credential.
    Key(SealKey),
    /// Made for this store alone, for one that is in memory.
    Random,
}

/// The key that seals secrets. It is wiped when dropped and never shown.
#[derive(Clone)]
pub struct SealKey(Zeroizing<[u8; KEY]>);

impl core::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SealKey")
    }
}

impl SealKey {
    /// A key from 32 octets, such as a systemd credential.
    pub fn from_bytes(bytes: [u8; KEY]) -> SealKey {
        SealKey(Zeroizing::new(bytes))
    }

    /// Reads a key file: 64 hexadecimal digits and a line end.
    pub fn read(path: &Path) -> Result<SealKey> {
        let file = File::open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NoKey.at(path),
            _ => Error::io(path, "reading the key", &error),
        })?;
        // Longer than any key file: a wrong path, such as a device, must not fill the memory.
        let mut text = Zeroizing::new(Vec::with_capacity(256));
        file.take(256).read_to_end(&mut text).map_err(|e| Error::io(path, "reading the key", &e))?;
        SealKey::parse(&text).ok_or_else(|| ErrorKind::BadKey.at(path))
    }

    /// A key from its text, 64 hexadecimal digits with or without blanks around: as in an environment
    /// variable or a systemd credential.
    pub fn parse(text: &[u8]) -> Option<SealKey> {
        let digits = text.trim_ascii();
        let mut key = SealKey(Zeroizing::new([0; KEY]));
        if digits.len() != 2 * KEY || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        for (octet, pair) in key.0.iter_mut().zip(digits.chunks_exact(2)) {
            *octet = u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(key)
    }

    /// A new random key.
    pub(crate) fn random() -> Result<SealKey> {
        let mut key = SealKey(Zeroizing::new([0; KEY]));
        random(&mut *key.0)?;
        Ok(key)
    }

    /// Makes a new key file, mode 0600, and returns its key; the key of the file that is there when another program was
    /// quicker. The file is on the disk when this returns: a lost key is every password lost.
    pub fn create(path: &Path) -> Result<SealKey> {
        let failed = |error: std::io::Error| Error::io(path, "writing the key", &error);
        let key = SealKey::random()?;
        let text = key.text();
        create_directory(directory_of(path))?;
        match create_complete(path, text.as_bytes()) {
            Ok(()) => Ok(key),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => SealKey::read(path),
            Err(error) => Err(failed(error)),
        }
    }

    /// The content of a key file.
    fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(2 * KEY + 1));
        for octet in self.0.iter() {
            use core::fmt::Write as _;
            let _ = write!(text, "{octet:02x}");
        }
        text.push('\n');
        text
    }

    /// Writes the key file again if it was deleted; whether it was.
    pub(crate) fn put_back(&self, path: &Path) -> Result<bool> {
        put_back(path, self.text().as_bytes(), "writing the key again")
    }

    /// Seals `secret` for one purpose.
    pub(crate) fn seal(&self, purpose: &str, secret: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE];
        random(&mut nonce)?;
        let sealed = self
            .cipher()
            .encrypt(&Nonce::from(nonce), Payload { msg: secret, aad: purpose.as_bytes() })
            .map_err(|_| ErrorKind::Database { detail: "the secret is too long to seal".into() })?;
        let mut out = Vec::with_capacity(1 + NONCE + sealed.len());
        out.push(FORMAT);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Opens what [`SealKey::seal`] made for the same purpose; `None` when anything does not fit.
    pub(crate) fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (&format, rest) = sealed.split_first()?;
        if format != FORMAT || rest.len() < NONCE + TAG {
            return None;
        }
        let (nonce, text) = rest.split_first_chunk::<NONCE>()?;
        let opened =
            self.cipher().decrypt(&Nonce::from(*nonce), Payload { msg: text, aad: purpose.as_bytes() });
        opened.ok().map(Zeroizing::new)
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        let mut key = Key::from(*self.0);
        let cipher = ChaCha20Poly1305::new(&key);
        key.as_mut_slice().zeroize();
        cipher
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn seal(key: &SealKey, purpose: &str, secret: &[u8]) -> Vec<u8> {
        key.seal(purpose, secret).unwrap()
    }

    #[test]
    fn opens_only_for_its_purpose_and_key() {
        let key = SealKey::from_bytes([7; 32]);
        let sealed = seal(&key, "nt-hash alice", b"secret");
        assert_eq!(key.open("nt-hash alice", &sealed).as_deref().map(|v| &v[..]), Some(&b"secret"[..]));
        assert!(key.open("nt-hash bob", &sealed).is_none());
        assert!(key.open("password alice", &sealed).is_none());
        assert!(SealKey::from_bytes([8; 32]).open("nt-hash alice", &sealed).is_none());
        assert!(!sealed.windows(6).any(|w| w == b"secret"));
    }

    #[test]
    fn every_changed_octet_and_every_cut_is_noticed() {
        let key = SealKey::from_bytes([7; 32]);
        let sealed = seal(&key, "p", b"0123456789abcdef");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open("p", &changed).is_none(), "octet {at}");
            assert!(key.open("p", &sealed[..at]).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn two_seals_differ() {
        let key = SealKey::from_bytes([7; 32]);
        assert_ne!(seal(&key, "p", b"same"), seal(&key, "p", b"same"));
    }

    #[test]
    fn a_key_file_is_private_complete_and_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/er/seal.key");
        let first = SealKey::create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        let second = SealKey::create(&path).unwrap();
        let read = SealKey::read(&path).unwrap();
        assert_eq!(*first.0, *second.0);
        assert_eq!(*first.0, *read.0);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
        assert_eq!(format!("{first:?}"), "SealKey");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("seal.key");
        assert!(matches!(SealKey::read(&path), Err(Error { kind: ErrorKind::NoKey, .. })));
        for bad in ["", "00", &"g".repeat(64), &"+1".repeat(32), &"0".repeat(63), &"0".repeat(1000)] {
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(SealKey::read(&path), Err(Error { kind: ErrorKind::BadKey, .. })), "{bad:?}");
        }
        std::fs::write(&path, format!("{}\n", "0aF".repeat(64).chars().take(64).collect::<String>()))
            .unwrap();
        assert!(SealKey::read(&path).is_ok());
    }
}
