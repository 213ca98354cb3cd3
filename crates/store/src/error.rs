//! Why the store could not do something, and the one thing to do about it.

use core::fmt;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use adit_diag::{Code, Diagnostic};

use crate::SessionId;

/// The result of every call of the store.
pub type Result<T> = core::result::Result<T, Error>;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// There is no account of this name.
    NoSuchAccount(String),
    /// There is one already, spelt like this.
    AccountExists(String),
    /// The name cannot be an account's.
    BadName {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Another account has this fixed address.
    AddressTaken {
        /// The address.
        address: Ipv4Addr,
        /// Who has it.
        by: String,
    },
    /// Somebody else changed the account since it was read.
    Changed(String),
    /// There is no session of this name.
    NoSuchSession(SessionId),
    /// Another program has held the lock for too long.
    Locked {
        /// The database.
        path: PathBuf,
        /// How long this one waited.
        waited: Duration,
    },
    /// The disk, or the quota, is full.
    Full {
        /// The database.
        path: PathBuf,
    },
    /// The file is damaged.
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        detail: String,
    },
    /// The file is something else than adit's database.
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer adit wrote the file.
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// The operating system does not let us.
    Permission {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        detail: String,
    },
    /// The file is not there, and it was only to be read.
    Missing {
        /// The database.
        path: PathBuf,
    },
    /// The database has sealed passwords, but the key file is gone.
    NoKey {
        /// The key file.
        key: PathBuf,
    },
    /// The key is not the one that sealed the passwords.
    WrongKey {
        /// The key file, when it came from one.
        key: Option<PathBuf>,
    },
    /// The key file does not hold a key.
    BadKey {
        /// The key file.
        key: PathBuf,
    },
    /// One sealed password cannot be opened although the key is right: it was changed from outside.
    Unsealable {
        /// Whose.
        name: String,
    },
    /// The operating system's error about a file.
    Io {
        /// The file.
        path: PathBuf,
        /// The error.
        detail: String,
    },
    /// Anything else that SQLite says.
    Database {
        /// The database.
        path: PathBuf,
        /// The error.
        detail: String,
    },
}

impl Error {
    /// The code, when it is a fault of this host; `None` when the caller asked for something that cannot be.
    pub fn code(&self) -> Option<Code> {
        match self {
            Error::NoSuchAccount(_)
            | Error::AccountExists(_)
            | Error::BadName { .. }
            | Error::AddressTaken { .. }
            | Error::Changed(_)
            | Error::NoSuchSession(_) => None,
            Error::Full { .. } => Some(Code::S06),
            Error::Permission { .. } => Some(Code::S08),
            Error::Locked { .. }
            | Error::Corrupt { .. }
            | Error::Foreign { .. }
            | Error::Newer { .. }
            | Error::Missing { .. }
            | Error::NoKey { .. }
            | Error::WrongKey { .. }
            | Error::BadKey { .. }
            | Error::Unsealable { .. }
            | Error::Io { .. }
            | Error::Database { .. } => Some(Code::S09),
        }
    }

    /// The one thing to do first.
    pub fn fix(&self) -> Option<String> {
        Some(match self {
            Error::NoSuchAccount(_) => "adit user list shows who there is".into(),
            Error::AccountExists(name) => format!("to change it: adit user set {name} ..."),
            Error::BadName { .. } => "choose another name".into(),
            Error::AddressTaken { by, .. } => {
                format!("take it from {by} first: adit user set {by} --no-address")
            }
            Error::Changed(name) => format!("look at it again (adit user show {name}), then repeat"),
            Error::NoSuchSession(_) => "adit sessions --past shows the ones on record".into(),
            Error::Locked { path, .. } => format!("see who holds it: fuser -v {}", path.display()),
            Error::Full { path } => format!("make room: df -h {}", parent(path).display()),
            Error::Corrupt { path, .. } => format!(
                "stop adit, move the file away, put your backup there\n\
                 what can be read is saved by: sqlite3 {} .recover",
                path.display()
            ),
            Error::Foreign { .. } => "give another file: --state-dir DIR, or store.url in adit.toml".into(),
            Error::Newer { .. } => "use the newer adit, or a backup from before the upgrade".into(),
            Error::Permission { .. } => "run it with sudo, or as the user adit".into(),
            Error::Missing { .. } => {
                "nothing was written yet: adit user add NAME, or adit serve, makes it".into()
            }
            Error::NoKey { key } => format!(
                "put {} back from your backup\n\
                 without it every password must be set again: adit user passwd NAME",
                key.display()
            ),
            Error::WrongKey { .. } => {
                "put the key that belongs to this database back from your backup".into()
            }
            Error::BadKey { key } => {
                format!("put {} back from your backup: 64 hexadecimal digits", key.display())
            }
            Error::Unsealable { name } => format!("set a new one: adit user passwd {name}"),
            Error::Io { path, .. } => {
                format!("look at the disk: dmesg | tail; df -h {}", parent(path).display())
            }
            Error::Database { .. } => return None,
        })
    }

    /// The same as a diagnostic, when it has a code.
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        let diagnostic = Diagnostic::new(self.code()?).message(self.to_string());
        Some(match self.fix() {
            Some(fix) => diagnostic.fix(fix),
            None => diagnostic,
        })
    }

    /// An error of the operating system about `path`.
    pub(crate) fn io(path: &Path, doing: &str, error: &std::io::Error) -> Error {
        let path = path.to_path_buf();
        match error.kind() {
            std::io::ErrorKind::PermissionDenied => Error::Permission { path, detail: doing.into() },
            std::io::ErrorKind::ReadOnlyFilesystem => {
                Error::Permission { path, detail: format!("{doing}: the file system is read-only") }
            }
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::Full { path },
            _ => Error::Io { path, detail: format!("{doing}: {error}") },
        }
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoSuchAccount(name) => write!(f, "there is no user \"{}\"", name.escape_debug()),
            Error::AccountExists(name) => write!(f, "the user {name} exists already"),
            Error::BadName { name, why } => {
                write!(f, "\"{}\" cannot be a user name: it {why}", name.escape_debug())
            }
            Error::AddressTaken { address, by } => write!(f, "{address} is the fixed address of {by}"),
            Error::Changed(name) => write!(f, "somebody else changed {name} at the same time"),
            Error::NoSuchSession(id) => write!(f, "there is no session {id}"),
            Error::Locked { path, waited } => {
                write!(
                    f,
                    "{} is locked by another program (waited {:.1} s)",
                    path.display(),
                    waited.as_secs_f64()
                )
            }
            Error::Full { path } => write!(f, "no space left to write {}", path.display()),
            Error::Corrupt { path, detail } => write!(f, "{} is damaged: {detail}", path.display()),
            Error::Foreign { path } => write!(f, "{} is not a database of adit", path.display()),
            Error::Newer { path, found, known } => write!(
                f,
                "{} was written by a newer adit (schema {found}; this program knows up to {known})",
                path.display()
            ),
            Error::Permission { path, detail } => {
                write!(f, "permission denied: {}: {detail}", path.display())
            }
            Error::Missing { path } => write!(f, "there is no {}", path.display()),
            Error::NoKey { key } => {
                write!(f, "the database has sealed passwords, but their key {} is gone", key.display())
            }
            Error::WrongKey { key: Some(key) } => {
                write!(f, "{} is not the key that sealed the passwords of this database", key.display())
            }
            Error::WrongKey { key: None } => {
                f.write_str("the key given is not the one that sealed the passwords of this database")
            }
            Error::BadKey { key } => write!(f, "{} does not hold a key", key.display()),
            Error::Unsealable { name } => {
                write!(f, "the sealed password of {name} cannot be opened: it was changed outside of adit")
            }
            Error::Io { path, detail } => write!(f, "{}: {detail}", path.display()),
            Error::Database { path, detail } => write!(f, "{}: {detail}", path.display()),
        }
    }
}

impl core::error::Error for Error {}
