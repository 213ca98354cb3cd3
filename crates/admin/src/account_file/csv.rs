//! Comma-separated values (RFC 4180). The header row names the columns.

use std::net::Ipv4Addr;

use adit_api::accounts::{AccountChange, ImportEntry, ImportSecret};
use adit_crypto::secret::Password;
use adit_diag::printable;
use ipnet::Ipv4Net;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::csv_quotes::misplaced_quote;
use super::{Contents, Fault, MAX_FIELD, Reading, nt_hash};

/// The columns, in the order in which an export has them.
pub(super) const COLUMNS: [&str; 15] = [
    "name",
    "password",
    "nt_hash",
    "reversible",
    "group",
    "address",
    "networks",
    "expires",
    "vpn",
    "disabled",
    "disabled_reason",
    "must_change",
    "note",
    "password_changed",
    "created",
];

pub(super) fn read(text: &str, reading: &Reading<'_>) -> Result<Contents, (String, String)> {
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let broken = |error: ::csv::Error| (format!("the file cannot be read as CSV: {error}"), String::new());
    let mut lines = LineCount { text: text.as_bytes(), at: 0, line: 1 };
    let header = reader.headers().map_err(broken)?.clone();
    if let Some((message, fix)) = misplaced_quote(between(text, 0, reader.position().byte()), lines.at(0)) {
        return Err((message, fix.to_owned()));
    }
    let columns = header_columns(&header)?;
    let mut contents = Contents::default();
    let mut record = ::csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(broken)? {
        let start = record.position().map_or(0, ::csv::Position::byte);
        let line = lines.at(start);
        if contents.is_full(line) {
            break;
        }
        if let Some(fault) = misplaced_quote(between(text, start, reader.position().byte()), line) {
            // Without a name: the misplaced quote may be in it.
            contents.refuse(line, "", fault);
            continue;
        }
        let row = Row { columns: &columns, record: &record };
        match account(line, &row, reading) {
            Ok(entry) => contents.entries.push(entry),
            Err(fault) => contents.refuse(line, row.certain_name(), fault),
        }
    }
    Ok(contents)
}

/// The text between two positions of the reader.
fn between(text: &str, start: u64, end: u64) -> &str {
    let index = |byte| usize::try_from(byte).unwrap_or(usize::MAX);
    text.get(index(start)..index(end)).unwrap_or_default()
}

/// Counts lines. The position of a record may lie before the line ends that separate it from the record before, so the
/// reader's own count is too small there.
struct LineCount<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl LineCount<'_> {
    /// The line of the first byte at or behind `byte` that is no line end; positions do not decrease.
    fn at(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(octet) = self.text.get(self.at) {
            if self.at >= byte && !matches!(octet, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*octet == b'\n');
            self.at += 1;
        }
        self.line
    }
}

/// The columns of a header.
fn header_columns(header: &::csv::StringRecord) -> Result<Vec<&'static str>, (String, String)> {
    let all = || format!("the columns are {}", COLUMNS.join(", "));
    let column_of = |name: &str| COLUMNS.iter().find(|column| name.trim().eq_ignore_ascii_case(column));
    if header.iter().all(|name| column_of(name).is_none()) {
        // Without its words: this may be an account with its password.
        return Err(match header.iter().any(|name| name.contains([';', '\t'])) {
            true => (
                "line 1: the columns are not separated by commas".to_owned(),
                "save the file with commas between the columns".to_owned(),
            ),
            false => ("line 1 is no header row: it has the name of no column".to_owned(), all()),
        });
    }
    if header.iter().any(|name| name.len() > MAX_FIELD) {
        return Err((format!("line 1: a field is longer than {MAX_FIELD} bytes"), all()));
    }
    let mut columns = Vec::new();
    for name in header {
        let Some(column) = column_of(name) else {
            let near = adit_diag::nearest(name, COLUMNS);
            let meant = near.map(|near| format!(": did you mean \"{near}\"?")).unwrap_or_default();
            return Err((format!("line 1: there is no column \"{}\"{meant}", printable(name)), all()));
        };
        if columns.contains(column) {
            return Err((format!("line 1: the column {column} is there twice"), "remove one".to_owned()));
        }
        columns.push(*column);
    }
    match columns.contains(&"name") {
        true => Ok(columns),
        false => Err(("line 1: the header row has no column \"name\"".to_owned(), all())),
    }
}

/// One row.
struct Row<'a> {
    columns: &'a [&'static str],
    record: &'a ::csv::StringRecord,
}

impl<'a> Row<'a> {
    /// The content of a column; `None` if the file does not have the column.
    fn get(&self, column: &str) -> Option<&'a str> {
        let index = self.columns.iter().position(|name| *name == column)?;
        self.record.get(index)
    }

    /// Whether the row has a field for each column.
    fn is_complete(&self) -> bool {
        self.record.len() == self.columns.len()
    }

    /// The name for a message; empty if another field may be in its place: part of a password with a comma, or a
    /// field that swallowed others.
    fn certain_name(&self) -> &'a str {
        let name = self.get("name").unwrap_or_default();
        if self.is_complete() && name.len() <= MAX_FIELD { name } else { "" }
    }

    /// The value of a column that `parse` reads; `None` if the file does not have the column.
    fn value<T>(
        &self,
        column: &str,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let Some(text) = self.get(column) else { return Ok(None) };
        match parse(text.trim()) {
            Some(value) => Ok(Some(value)),
            None => Err((format!("{column} \"{}\" is wrong", printable(text)), expected)),
        }
    }
}

fn account(line: u64, row: &Row<'_>, reading: &Reading<'_>) -> Result<ImportEntry, Fault> {
    if !row.is_complete() {
        let (found, expected) = (row.record.len(), row.columns.len());
        let message = format!("{found} fields; the header row has {expected} columns");
        return Err((message, "quote a field that has a comma or a quote: \"a, \"\"b\"\"\""));
    }
    if row.record.iter().any(|field| field.len() > MAX_FIELD) {
        let message = format!("a field is longer than {MAX_FIELD} bytes");
        return Err((message, "shorten it; a quote may be missing"));
    }
    let yes_or_no = |column, empty| {
        row.value(column, "write yes or no", |text| match text.to_ascii_lowercase().as_str() {
            "" => Some(empty),
            "yes" | "y" | "true" | "1" => Some(true),
            "no" | "n" | "false" | "0" => Some(false),
            _ => None,
        })
    };
    let time = |column| {
        let expected = "write a time, such as 2027-03-31T22:00:00Z, or leave it empty";
        row.value(column, expected, |text| optional(text, |text| text.parse::<Timestamp>().ok()))
    };
    let address = "one IPv4 address, such as 10.99.0.7, or empty for any of the pool";
    let networks = "IPv4 networks separated by spaces, such as 192.168.7.0/24";
    let expires = "the last valid day (2027-03-31), a time (2027-03-31T22:00:00Z), or empty for never";
    let properties = AccountChange {
        group: row.get("group").map(|group| Some(group.trim().to_owned()).filter(|group| !group.is_empty())),
        address: row
            .value("address", address, |text| optional(text, |text| text.parse::<Ipv4Addr>().ok()))?,
        networks: row.value("networks", networks, |text| {
            text.split_ascii_whitespace().map(|net| net.parse::<Ipv4Net>().ok()).collect()
        })?,
        expires: row.value("expires", expires, |text| optional(text, |text| end(text, &reading.zone)))?,
        disabled: disabled(row, yes_or_no("disabled", false)?)?,
        vpn: yes_or_no("vpn", true)?,
        must_change: yes_or_no("must_change", false)?,
        note: row.get("note").map(str::to_owned),
        ..AccountChange::default()
    };
    Ok(ImportEntry {
        line,
        name: row.get("name").unwrap_or_default().to_owned(),
        properties,
        secret: secret(row, yes_or_no("reversible", false)?, reading.weak)?,
        password_changed: time("password_changed")?.flatten(),
        created: time("created")?.flatten(),
        is_checked: false,
    })
}

/// A value, or `None` for an empty text; `None` around both if the text is not a value.
fn optional<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() || text == "never" { Some(None) } else { parse(text).map(Some) }
}

/// The end of validity, exclusive: a time, or the end of a day.
fn end(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let day = text.parse::<Date>().ok()?.tomorrow().ok()?;
    day.to_zoned_datetime(zone.clone()).ok().map(|start| start.timestamp())
}

/// Whether the account is disabled, and why; `None` if the file does not contain it.
fn disabled(row: &Row<'_>, is_disabled: Option<bool>) -> Result<Option<Option<String>>, Fault> {
    let reason = row.get("disabled_reason").unwrap_or_default();
    match is_disabled {
        Some(true) => Ok(Some(Some(reason.to_owned()))),
        Some(false) | None if !reason.is_empty() => Err((
            "the account has a disabled_reason and is not disabled".to_owned(),
            "write yes into the column disabled",
        )),
        Some(false) => Ok(Some(None)),
        None => Ok(None),
    }
}

/// The secret. A row with a password and its NT hash is one of an export: the password was accepted already.
fn secret(row: &Row<'_>, reversible: Option<bool>, weak: bool) -> Result<ImportSecret, Fault> {
    let (password, hash) =
        (row.get("password").unwrap_or_default(), row.get("nt_hash").unwrap_or_default().trim());
    if reversible == Some(true) && password.is_empty() {
        let message = "reversible is yes, and there is no password to store".to_owned();
        return Err((message, "write the password, or no into the column reversible"));
    }
    match (password.is_empty(), hash.is_empty()) {
        (true, true) => Ok(ImportSecret::None),
        (true, false) => nt_hash(hash).map(ImportSecret::NtHash),
        (false, true) => Ok(ImportSecret::Password { password: Password::new(password), reversible, weak }),
        (false, false) => {
            let password = Password::new(password);
            if password.nt_hash() != nt_hash(hash)? {
                let message = "the NT hash is not that of the password".to_owned();
                return Err((message, "leave one of them empty"));
            }
            Ok(ImportSecret::Password { password, reversible, weak: true })
        }
    }
}
