//! Files of accounts to import.

use adit_admin::account_file::{Format, MAX_FILE, Reading, json_length, read};
use adit_api::accounts::{MAX_IMPORT, MAX_IMPORT_ENTRY};
use jiff::tz::TimeZone;

/// Reads a file in the format that its first octet selects; what is found is bounded and has a line of the file.
pub(crate) fn account_file(data: &[u8]) {
    let Some((selector, text)) = data.split_first() else { return };
    let format = match selector % 3 {
        0 => Format::Csv,
        1 => Format::ChapSecrets,
        _ => Format::NtHashes,
    };
    let server = (selector & 0x80 != 0).then_some("pptpd");
    let reading = Reading { format, server, weak: false, zone: TimeZone::UTC };
    let Ok(contents) = read(text, &reading) else { return };
    assert!(text.len() <= MAX_FILE, "a file that is too large was read");
    let lines = text.iter().filter(|octet| **octet == b'\n').count() as u64 + 1;
    let of_entries = contents.entries.iter().map(|entry| entry.line);
    let found: Vec<u64> = of_entries.chain(contents.problems.iter().map(|problem| problem.line)).collect();
    assert!(found.len() <= MAX_IMPORT + 1, "{} entries and errors", found.len());
    assert!(found.iter().all(|line| (1..=lines).contains(line)), "a line of {lines}: {found:?}");
    assert!(
        contents.entries.iter().all(|entry| json_length(entry) <= MAX_IMPORT_ENTRY),
        "an entry is too long"
    );
}
