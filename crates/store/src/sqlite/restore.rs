//! A deleted database is written back from the file that is still open. The log of one that was moved or replaced is emptied.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use rusqlite::Connection;

use super::Sqlite;
use super::fail::Fail;
use super::file::FileId;
use crate::files::{create_directory, directory_of, give_to_owner_of, random_hex};
use crate::{Error, ErrorKind, Result};

impl Sqlite {
    /// Writes the database back to its place; false when it is there. A file that is there is never overwritten.
    pub(super) fn write_back(&self) -> Result<bool> {
        let mut connection = self.lock();
        let mut file = self.file();
        let Some(id) = *file else { return Ok(false) };
        match id.check(&self.path) {
            Ok(()) => return Ok(false),
            Err(Error { kind: ErrorKind::Gone { .. }, .. }) => {}
            Err(error) => return Err(error),
        }
        if let moved @ Some(_) = id.other_name() {
            return Err(ErrorKind::Gone { moved }.at(&self.path));
        }
        create_directory(directory_of(&self.real))?;
        let draft = self.real.with_extension(format!("draft.{}", random_hex::<8>()?));
        let written = self.copy(&connection, &draft);
        let _ = std::fs::remove_file(&draft);
        written?;
        // The former connection finds that its file has no name, and so leaves the new log alone when it closes.
        *connection = super::open::connect(&self.path, self.busy)?;
        self.durable.store(true, Ordering::Relaxed);
        *file =
            Some(FileId::of(&self.path).map_err(|e| Error::io(&self.path, "looking for the database", &e))?);
        Ok(true)
    }

    /// Moves what is committed from the log to the file, which another name may lead to now. The log keeps its name, and
    /// SQLite would read it into the file that has the name of the database at the next start, which damages that file.
    pub(super) fn empty_log(&self) {
        // If it fails, the next check tries again.
        let _ = self.lock().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }

    /// Writes a complete copy to `draft`, and gives it the name of the database.
    fn copy(&self, connection: &Connection, draft: &Path) -> Result<()> {
        let failed = |error: std::io::Error| Error::io(&self.path, "writing it back", &error);
        // SQLite would make it world-readable, and accepts an empty file.
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft).map_err(failed)?;
        let name = draft.to_string_lossy();
        let copied = connection.execute("VACUUM INTO ?1", [&*name]);
        copied.map_err(|error| Fail::from(error).at(&self.path, self.busy))?;
        let directory = directory_of(&self.real);
        give_to_owner_of(directory, draft).map_err(failed)?;
        File::open(draft).and_then(|file| file.sync_all()).map_err(failed)?;
        // The log of the deleted file would be read into the new one.
        for log in ["-wal", "-shm"] {
            match std::fs::remove_file(beside(&self.real, log)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        std::fs::hard_link(draft, &self.real).map_err(failed)?;
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
