//! Why the store could not do something, and the one thing to do about it.

use core::fmt;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use adit_diag::{Code, Diagnostic};

use crate::SessionId;

/// The result of every call of the store.
pub type Result<T> = core::result::Result<T, Error>;

/// What went wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Error {
    /// What.
    pub kind: ErrorKind,
    /// Where.
    pub place: Place,
}

/// Where something went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// In the request: the store works, and cannot do what was asked.
    Request,
    /// In a file or directory: the database, what lies beside it, the key.
    File(PathBuf),
    /// In what the caller gave: a key from a credential or the environment.
    Caller,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no account of this name.
    NoSuchAccount(String),
    /// There is an account of this name already, spelt like this.
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
    /// The account was changed by another program since it was read.
    Changed(String),
    /// There is no session of this name.
    NoSuchSession(SessionId),
    /// Another program has held the lock for too long.
    Locked {
        /// How long this one waited.
        waited: Duration,
    },
    /// The disk, or the quota, is full.
    Full,
    /// The data is damaged.
    Corrupt {
        /// What the database said.
        detail: String,
    },
    /// The database belongs to another program.
    Foreign,
    /// A newer adit wrote the database.
    Newer {
        /// Its schema version.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// The operating system does not permit it.
    Permission {
        /// What was tried.
        detail: String,
    },
    /// The file system is mounted read-only.
    ReadOnly {
        /// What was tried.
        detail: String,
    },
    /// The database is not there, and it was only to be read.
    Missing,
    /// The database was deleted or moved while it was in use.
    Gone {
        /// Where it is now, if it was moved.
        moved: Option<PathBuf>,
    },
    /// Another file has taken the place of the database while it was in use.
    Replaced,
    /// The database has sealed passwords, but the key file is gone.
    NoKey,
    /// The key is not the one that sealed the passwords.
    WrongKey,
    /// The key file does not hold a key.
    BadKey,
    /// Another process is the server of this identity.
    ServerRuns,
    /// The identity file does not hold an identity.
    BadIdentity,
    /// One sealed password cannot be opened although the key is right: it was changed from outside.
    Unsealable {
        /// Whose.
        name: String,
    },
    /// The operating system's error about a file.
    Io {
        /// The error.
        detail: String,
    },
    /// Any other error of the database.
    Database {
        /// The error.
        detail: String,
    },
}

impl From<ErrorKind> for Error {
    /// An error of the request.
    fn from(kind: ErrorKind) -> Error {
        Error { kind, place: Place::Request }
    }
}

impl ErrorKind {
    /// The error in a file.
    pub(crate) fn at(self, path: &Path) -> Error {
        Error { kind: self, place: Place::File(path.into()) }
    }
}

impl Error {
    /// Whether the same request may succeed later without being changed: the store as a whole does not work now.
    pub fn is_transient(&self) -> bool {
        match &self.kind {
            ErrorKind::Locked { .. }
            | ErrorKind::Full
            | ErrorKind::Permission { .. }
            | ErrorKind::ReadOnly { .. }
            | ErrorKind::Io { .. }
            | ErrorKind::Gone { .. }
            | ErrorKind::Replaced
            | ErrorKind::ServerRuns => true,
            ErrorKind::NoSuchAccount(_)
            | ErrorKind::AccountExists(_)
            | ErrorKind::BadName { .. }
            | ErrorKind::AddressTaken { .. }
            | ErrorKind::Changed(_)
            | ErrorKind::NoSuchSession(_)
            | ErrorKind::Corrupt { .. }
            | ErrorKind::Foreign
            | ErrorKind::Newer { .. }
            | ErrorKind::Missing
            | ErrorKind::NoKey
            | ErrorKind::WrongKey
            | ErrorKind::BadKey
            | ErrorKind::BadIdentity
            | ErrorKind::Unsealable { .. }
            | ErrorKind::Database { .. } => false,
        }
    }

    /// The code, when it is a fault of this host; `None` when the caller asked for something that cannot be.
    pub fn code(&self) -> Option<Code> {
        match &self.kind {
            ErrorKind::NoSuchAccount(_)
            | ErrorKind::AccountExists(_)
            | ErrorKind::BadName { .. }
            | ErrorKind::AddressTaken { .. }
            | ErrorKind::Changed(_)
            | ErrorKind::NoSuchSession(_) => None,
            ErrorKind::ServerRuns => Some(Code::S01),
            ErrorKind::Full => Some(Code::S06),
            ErrorKind::Permission { .. } => Some(Code::S08),
            ErrorKind::Locked { .. }
            | ErrorKind::ReadOnly { .. }
            | ErrorKind::Corrupt { .. }
            | ErrorKind::Foreign
            | ErrorKind::Newer { .. }
            | ErrorKind::Missing
            | ErrorKind::Gone { .. }
            | ErrorKind::Replaced
            | ErrorKind::NoKey
            | ErrorKind::WrongKey
            | ErrorKind::BadKey
            | ErrorKind::BadIdentity
            | ErrorKind::Unsealable { .. }
            | ErrorKind::Io { .. }
            | ErrorKind::Database { .. } => Some(Code::S09),
        }
    }

    /// The one thing to do first.
    pub fn fix(&self) -> Option<String> {
        let place = &self.place;
        Some(match &self.kind {
            ErrorKind::NoSuchAccount(_) => "adit user list shows who there is".into(),
            ErrorKind::AccountExists(name) => format!("to change it: adit user set {name} ..."),
            ErrorKind::BadName { .. } => "choose another name".into(),
            ErrorKind::AddressTaken { by, .. } => {
                format!("take it from {by} first: adit user set {by} --no-address")
            }
            ErrorKind::Changed(name) => {
                format!("look at it again (adit user show {name}), then repeat")
            }
            ErrorKind::NoSuchSession(_) => "adit sessions --past shows the ones on record".into(),
            ErrorKind::Locked { .. } => format!("see who holds it: fuser -v {place}"),
            ErrorKind::Full => format!("make room: df -h {}", place.directory()),
            ErrorKind::Corrupt { .. } => format!(
                "stop adit, move it and {place}-wal away, put your backup there\n\
                 what can be read is saved by: sqlite3 {place} .recover"
            ),
            ErrorKind::Foreign => "give another file: --state-dir DIR, or store.url in adit.toml".into(),
            ErrorKind::Newer { .. } => "use the newer adit, or a backup from before the upgrade".into(),
            ErrorKind::Permission { .. } => "run it with sudo, or as the user adit".into(),
            ErrorKind::ReadOnly { .. } => format!(
                "see why (dmesg | tail), then make it writable: mount -o remount,rw {}
\
                 or name another directory: --state-dir DIR",
                place.directory()
            ),
            ErrorKind::Missing => {
                "nothing was written yet: adit user add NAME, or adit serve, makes it".into()
            }
            ErrorKind::Gone { moved: Some(to) } => format!("move it back: mv {} {place}", to.display()),
            ErrorKind::Gone { moved: None } => {
                "a running adit writes it back; otherwise restore your backup".into()
            }
            ErrorKind::Replaced => {
                format!("restart adit to use the {place} that is there now, or put the former one back")
            }
            ErrorKind::NoKey => format!(
                "put {place} back from your backup\n\
                 without it every password must be set again: adit user passwd NAME"
            ),
            ErrorKind::WrongKey => "put the key that belongs to this database back from your backup".into(),
            ErrorKind::BadKey => {
                format!("put {place} back from your backup: 64 hexadecimal digits")
            }
            ErrorKind::ServerRuns => {
                "adit status; or give this one its own --run-dir, --state-dir and addresses".into()
            }
            ErrorKind::BadIdentity => format!(
                "put {place} back from your backup: 32 hexadecimal digits\n\
                 without it, remove the file: a new one is made at the next start"
            ),
            ErrorKind::Unsealable { name } => format!("set a new one: adit user passwd {name}"),
            ErrorKind::Io { .. } => {
                format!("look at the disk: dmesg | tail; df -h {}", place.directory())
            }
            ErrorKind::Database { .. } => return None,
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
        let kind = match error.kind() {
            std::io::ErrorKind::PermissionDenied => ErrorKind::Permission { detail: doing.into() },
            std::io::ErrorKind::ReadOnlyFilesystem => ErrorKind::ReadOnly { detail: doing.into() },
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ErrorKind::Full,
            _ => ErrorKind::Io { detail: format!("{doing}: {error}") },
        };
        kind.at(path)
    }
}

impl Place {
    /// The directory of the file, for commands that look at the disk.
    fn directory(&self) -> String {
        match self {
            Place::File(path) => path.parent().unwrap_or(path).display().to_string(),
            Place::Request | Place::Caller => ".".into(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => write!(f, "{}", path.display()),
            Place::Request => f.write_str("the request"),
            Place::Caller => f.write_str("the key given"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.place;
        match &self.kind {
            ErrorKind::NoSuchAccount(name) => write!(f, "there is no user \"{}\"", name.escape_debug()),
            ErrorKind::AccountExists(name) => write!(f, "the user {name} exists already"),
            ErrorKind::BadName { name, why } => {
                write!(f, "\"{}\" cannot be a user name: it {why}", name.escape_debug())
            }
            ErrorKind::AddressTaken { address, by } => write!(f, "{address} is the fixed address of {by}"),
            ErrorKind::Changed(name) => write!(f, "another administrator changed {name} at the same time"),
            ErrorKind::NoSuchSession(id) => write!(f, "there is no session {id}"),
            ErrorKind::Locked { waited } => {
                write!(f, "{place} is locked by another program (waited {:.1} s)", waited.as_secs_f64())
            }
            ErrorKind::Full => write!(f, "no space left to write {place}"),
            ErrorKind::Corrupt { detail } => write!(f, "{place} is damaged: {detail}"),
            ErrorKind::Foreign => write!(f, "{place} is not a database of adit"),
            ErrorKind::Newer { found, known } => write!(
                f,
                "{place} was written by a newer adit (schema {found}; this program knows up to {known})"
            ),
            ErrorKind::Permission { detail } => write!(f, "permission denied: {place}: {detail}"),
            ErrorKind::ReadOnly { detail } => {
                write!(f, "the file system of {place} is mounted read-only: {detail}")
            }
            ErrorKind::Missing => write!(f, "there is no {place}"),
            ErrorKind::Gone { moved: Some(to) } => {
                write!(f, "the database {place} was moved to {} while it was in use", to.display())
            }
            ErrorKind::Gone { moved: None } => {
                write!(f, "the database {place} was deleted while it was in use")
            }
            ErrorKind::Replaced => {
                write!(f, "another file has taken the place of the database {place} while it was in use")
            }
            ErrorKind::NoKey => {
                write!(f, "the database has sealed passwords, but their key {place} is gone")
            }
            ErrorKind::WrongKey => {
                write!(f, "{place} is not the key that sealed the passwords of this database")
            }
            ErrorKind::BadKey => write!(f, "{place} does not hold a key"),
            ErrorKind::ServerRuns => write!(f, "another adit serves already: it has locked {place}"),
            ErrorKind::BadIdentity => write!(f, "{place} does not hold a server identity"),
            ErrorKind::Unsealable { name } => {
                write!(f, "the sealed password of {name} cannot be opened: it was changed outside of adit")
            }
            ErrorKind::Io { detail } | ErrorKind::Database { detail } => write!(f, "{place}: {detail}"),
        }
    }
}

impl core::error::Error for Error {}
