//! Files of accounts: CSV, chap-secrets of pppd, and lists of NT hashes.
//!
//! A reader takes the whole text, which is bounded, and returns the entries and the errors in lines; it knows neither
//! configuration nor accounts. [`crate::accounts`] checks the entries.

mod chap_secrets;
mod csv;
mod csv_quotes;
mod nt_hashes;
mod write;

use adit_api::accounts::{
    AccountChange, ImportEntry, ImportProblem, ImportSecret, MAX_IMPORT, MAX_IMPORT_ENTRY,
};
use adit_crypto::secret::NtHash;
use jiff::tz::TimeZone;
use zeroize::Zeroizing;

pub use write::{hex, write_csv};

/// The largest file that is read, in bytes.
pub const MAX_FILE: usize = 8 << 20;
/// The longest field, in bytes: an entry fits into a request.
const MAX_FIELD: usize = 8 << 10;

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values (RFC 4180) with a header row.
    Csv,
    /// The secrets file of pppd and poptop.
    ChapSecrets,
    /// `name:hash`, and the forms of pwdump and smbpasswd.
    NtHashes,
}

/// How a file is read.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// The form.
    pub format: Format,
    /// Only entries of chap-secrets for this server, and for every server.
    pub server: Option<&'a str>,
    /// Accept passwords that violate the configured rules.
    pub weak: bool,
    /// The time zone in which a day ends.
    pub zone: TimeZone,
}

/// What a file contains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The accounts, in order.
    pub entries: Vec<ImportEntry>,
    /// Lines with errors.
    pub problems: Vec<ImportProblem>,
    /// Lines that contain accounts, but none to import, with the reason.
    pub skipped: Vec<(u64, String)>,
}

impl Contents {
    fn refuse(&mut self, line: u64, user: &str, (message, fix): (String, &str)) {
        let fix = (!fix.is_empty()).then(|| fix.to_owned());
        self.problems.push(ImportProblem { line, user: user.to_owned(), message, fix });
    }

    /// Whether there are as many lines as one import may have; if so, that is an error of this line.
    fn is_full(&mut self, line: u64) -> bool {
        let is_full = self.entries.len() + self.problems.len() + self.skipped.len() >= MAX_IMPORT;
        if is_full {
            let message = format!("the file has more than {MAX_IMPORT} accounts; the rest was not read");
            self.refuse(line, "", (message, "split the file"));
        }
        is_full
    }
}

/// An error in a line: the message, and the fix.
type Fault = (String, &'static str);

/// Reads a file.
///
/// # Errors
/// The file cannot be read as a whole: the message, and the fix.
pub fn read(text: &[u8], reading: &Reading<'_>) -> Result<Contents, (String, String)> {
    if text.len() > MAX_FILE {
        let message = format!("the file is larger than {} MiB", MAX_FILE >> 20);
        return Err((message, "split the file".to_owned()));
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let text = core::str::from_utf8(text).map_err(|error| {
        let good = text.get(..error.valid_up_to()).unwrap_or_default();
        let line = good.iter().filter(|octet| **octet == b'\n').count() + 1;
        (format!("line {line} is not UTF-8"), "convert the file: iconv -f latin1 -t utf-8".to_owned())
    })?;
    let mut contents = match reading.format {
        Format::Csv => csv::read(text, reading)?,
        Format::ChapSecrets => chap_secrets::read(text, reading),
        Format::NtHashes => nt_hashes::read(text),
    };
    let entries = core::mem::take(&mut contents.entries);
    for entry in entries {
        match json_length(&entry) > MAX_IMPORT_ENTRY {
            true => {
                contents.refuse(entry.line, "", ("the line is too long".to_owned(), "shorten its fields"))
            }
            false => contents.entries.push(entry),
        }
    }
    Ok(contents)
}

/// The octets of an entry in a request.
pub fn json_length(entry: &ImportEntry) -> usize {
    serde_json::to_vec(entry).map(Zeroizing::new).map_or(usize::MAX, |json| json.len())
}

/// An entry with a name and a secret only.
fn entry(line: u64, name: &str, secret: ImportSecret) -> ImportEntry {
    ImportEntry {
        line,
        name: name.to_owned(),
        properties: AccountChange::default(),
        secret,
        password_changed: None,
        created: None,
        is_checked: false,
    }
}

/// Reads an NT hash.
fn nt_hash(text: &str) -> Result<NtHash, Fault> {
    const WRITE: &str = "write the MD4 of the password in UTF-16LE as 32 hexadecimal digits";
    let hash = adit_api::accounts::nt_hash_from_hex(text).ok_or_else(|| {
        let length = text.chars().count();
        let found = match length == 32 {
            true => "a character that is no hexadecimal digit".to_owned(),
            false => format!("{length} characters"),
        };
        (format!("the NT hash has {found}; expected 32 hexadecimal digits"), WRITE)
    })?;
    // The hash of the empty password, which exports contain for accounts without one.
    if hash == adit_crypto::secret::Password::new("").nt_hash() {
        return Err((
            "this is the NT hash of an empty password".to_owned(),
            "leave the line out, or set a password",
        ));
    }
    Ok(hash)
}

#[cfg(test)]
mod tests;
