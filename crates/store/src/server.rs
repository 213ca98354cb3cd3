//! Servers that share a store: each knows its own sessions and leases.

use std::fs::{File, TryLockError};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::files::{create_complete, create_directory, directory_of, put_back, random_hex};
use crate::{Error, ErrorKind, Recovered, Result, ServerId};

/// What makes a server the same one after a restart. It is kept beside the server, not in the store: a store may be
/// shared. Two processes never have the same one, since its file is locked.
#[derive(Debug)]
pub struct ServerIdentity {
    key: String,
    name: String,
    /// The file; `None` for a store in memory.
    path: Option<PathBuf>,
    /// Holds the lock until the process ends, in whatever way.
    file: Mutex<Option<File>>,
}

impl ServerIdentity {
    /// Hexadecimal digits in an identity file: 128 bits.
    const DIGITS: usize = 32;

    /// The identity in a file: 32 hexadecimal digits and a line end. The file is made at first use, with its directory.
    /// `name` is for people, such as the host name.
    ///
    /// # Errors
    /// [`ErrorKind::ServerRuns`] while another process has it; [`ErrorKind::BadIdentity`].
    pub fn open(path: &Path, name: &str) -> Result<ServerIdentity> {
        let failed = |error: std::io::Error| Error::io(path, "opening the server identity", &error);
        let mut file = match File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                create_directory(directory_of(path))?;
                let text = format!("{}\n", random_hex::<{ ServerIdentity::DIGITS / 2 }>()?);
                match create_complete(path, text.as_bytes()) {
                    Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                        return Err(Error::io(path, "writing the server identity", &error));
                    }
                    _ => File::open(path).map_err(failed)?,
                }
            }
            opened => opened.map_err(failed)?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ErrorKind::ServerRuns.at(path)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut text = String::new();
        (&mut file).take(256).read_to_string(&mut text).map_err(failed)?;
        let key = text.trim_ascii();
        if key.len() != ServerIdentity::DIGITS || !key.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(ErrorKind::BadIdentity.at(path));
        }
        Ok(ServerIdentity {
            key: key.to_ascii_lowercase(),
            name: name.to_owned(),
            path: Some(path.to_owned()),
            file: Mutex::new(Some(file)),
        })
    }

    /// An identity for this process alone, for a store in memory.
    pub fn random(name: &str) -> Result<ServerIdentity> {
        let key = random_hex::<{ ServerIdentity::DIGITS / 2 }>()?;
        Ok(ServerIdentity { key, name: name.to_owned(), path: None, file: Mutex::default() })
    }

    /// Writes the file again if it was deleted: another identity after the next start would leave the sessions of this one
    /// open for ever. Returns the file if it was.
    ///
    /// # Errors
    /// Why it cannot be written, or [`ErrorKind::ServerRuns`] when another process was quicker.
    pub fn put_back(&self) -> Result<Option<&Path>> {
        let Some(path) = &self.path else { return Ok(None) };
        if !put_back(path, format!("{}\n", self.key).as_bytes(), "writing the server identity again")? {
            return Ok(None);
        }
        let failed = |error: std::io::Error| Error::io(path, "opening the server identity", &error);
        let file = File::open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ErrorKind::ServerRuns.at(path)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
        Ok(Some(path))
    }

    /// 32 hexadecimal digits, lower case.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// For people.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The servers that share the store.
pub trait Servers: Send + Sync {
    /// The number of a server: always the same for the same key. The first server takes over the sessions and leases of
    /// a store from before servers were told apart.
    fn register_server(&self, identity: &ServerIdentity) -> Result<ServerId>;
    /// At the start of a server: ends the sessions that its last run left running ("server stopped unexpectedly", at the
    /// time they were last seen) and frees their addresses. Those of other servers are left alone.
    fn recover(&self, server: ServerId, now: Timestamp) -> Result<Recovered>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_outlives_the_process_and_has_one_owner_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/server.id");
        let first = ServerIdentity::open(&path, "vpn1").unwrap();
        assert_eq!((first.key().len(), first.name()), (32, "vpn1"));
        let refused = ServerIdentity::open(&path, "vpn1").unwrap_err();
        assert_eq!(refused, ErrorKind::ServerRuns.at(&path));
        assert_eq!(refused.code(), Some(adit_diag::Code::S01));
        let key = first.key().to_owned();
        drop(first);
        let again = ServerIdentity::open(&path, "vpn2").unwrap();
        assert_eq!((again.key(), again.name()), (key.as_str(), "vpn2"));
        assert_ne!(ServerIdentity::random("vpn1").unwrap().key(), key);
    }

    #[test]
    fn a_damaged_identity_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.id");
        for damaged in ["", "0123", "zz3456789abcdef0123456789abcdef0", &"0".repeat(300)] {
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(ServerIdentity::open(&path, "").unwrap_err(), ErrorKind::BadIdentity.at(&path));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), damaged);
        }
    }
}
