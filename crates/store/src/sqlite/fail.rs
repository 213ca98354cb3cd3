//! From SQLite's errors to ours.

use std::path::Path;
use std::time::Duration;

use rusqlite::ErrorCode;

use super::file;
use crate::{Error, ErrorKind};

/// What a statement or our own check said, before the file's name is put to it.
#[derive(Debug)]
pub(super) enum Fail {
    /// SQLite.
    Sql(rusqlite::Error),
    /// Ours.
    Store(Error),
}

impl From<rusqlite::Error> for Fail {
    fn from(error: rusqlite::Error) -> Fail {
        Fail::Sql(error)
    }
}

impl From<Error> for Fail {
    fn from(error: Error) -> Fail {
        Fail::Store(error)
    }
}

impl From<ErrorKind> for Fail {
    fn from(kind: ErrorKind) -> Fail {
        Fail::Store(kind.into())
    }
}

impl Fail {
    /// The error for people. `waited` is the busy timeout.
    pub(super) fn at(self, path: &Path, waited: Duration) -> Error {
        let error = match self {
            Fail::Store(error) => return error,
            Fail::Sql(error) => error,
        };
        let detail = error.to_string();
        let kind = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ErrorKind::Locked { waited },
            Some(ErrorCode::DiskFull) => ErrorKind::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => ErrorKind::Corrupt { detail },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => return refused(path),
            Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => return file_error(path, detail),
            Some(_) => ErrorKind::Database { detail },
            // A value of the wrong form in a row: only a damaged disk or a foreign program writes one.
            None => ErrorKind::Corrupt { detail },
        };
        kind.at(path)
    }
}

/// SQLite names neither the missing permission nor the read-only file system that made it refuse to write.
fn refused(path: &Path) -> Error {
    let doing = "writing the database";
    match std::fs::OpenOptions::new().append(true).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem => {
            Error::io(path, doing, &error)
        }
        _ => ErrorKind::Permission { detail: doing.into() }.at(path),
    }
}

/// SQLite says "unable to open" and "disk I/O error" for many things; the file system knows which.
fn file_error(path: &Path, detail: String) -> Error {
    if let Err(error) = std::fs::OpenOptions::new().read(true).write(true).open(path) {
        if error.kind() == std::io::ErrorKind::NotFound {
            return ErrorKind::Missing.at(path);
        }
        return Error::io(path, "opening the database", &error);
    }
    // Beside the database, SQLite needs to write its log: try the same.
    match file::probe(path) {
        Err(error) => Error::io(path, "writing beside the database", &error),
        Ok(()) => ErrorKind::Io { detail }.at(path),
    }
}
