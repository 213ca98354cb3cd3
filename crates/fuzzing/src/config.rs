//! Configuration files.

use adit_config::{Checked, Source, apply};

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
    assert_eq!(
        is_refused,
        !checked.is_clean(adit_config::Level::Error),
        "errors and a configuration, or neither"
    );
}
