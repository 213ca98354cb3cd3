//! Every note can be shown, whatever is in it: it may come from a file.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

#[path = "../../diag/tests/notes/strategy.rs"]
mod strategy;

use adit_wire::note::Shown;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn any_note_can_be_shown_in_bounds(note in strategy::notes()) {
        let shown = Shown(&note).to_string();
        prop_assert!(shown.len() < 300_000, "{} octets", shown.len());
    }
}
