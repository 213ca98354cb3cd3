//! Files that adit reads: the configuration, and the journal of what was changed on the host.

use adit_config::{Checked, Level, Source, apply};
use adit_sys::journal;

/// Reads, checks and shows a file; every fix that is offered can be applied.
pub(crate) fn config_toml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let checked = Checked::parse(vec![Source::new("adit.toml", text)]);
    let _ = (checked.render(), checked.effective());
    for finding in checked.findings() {
        if let Some(fix) = &finding.fix
            && let Some(replace) = &fix.replace
            && finding.file == "adit.toml"
        {
            assert!(apply(text, replace).is_some(), "a fix that cannot be applied: {finding:?}");
        }
    }
    let is_refused = checked.config().is_none();
    assert_eq!(is_refused, !checked.is_clean(Level::Error), "errors and a configuration, or neither");
}

/// A damaged journal (crash, full disk, manual edit) yields no more changes than it has lines.
pub(crate) fn journal(data: &[u8]) {
    let (changes, damaged) = journal::read(data);
    let lines = data.iter().filter(|octet| **octet == b'\n').count();
    assert!(
        changes.len() + damaged <= lines,
        "{} changes and {damaged} damaged of {lines} lines",
        changes.len()
    );
    let cut = &data[..data.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1)];
    assert_eq!(journal::read(cut), (changes, damaged), "half a line at the end was read");
}
