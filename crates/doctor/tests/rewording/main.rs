//! No verdict on a record hangs on how a message reads.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../../../diag/tests/notes/reword.rs"]
mod reword;
mod skeleton;
#[path = "../../../diag/tests/notes/strategy.rs"]
mod strategy;

use std::time::Duration;

use adit_diag::{Code, Note};
use adit_doctor::from::record::{Noted, Record, facts};
use adit_doctor::judge;
use proptest::prelude::*;
use reword::{OTHER, reword};
use skeleton::Skeleton;

fn codes() -> impl Strategy<Value = Option<Code>> {
    use Code::*;
    prop::option::of(prop::sample::select(vec![C05, C06, G01, G03, L05, A01, A07, A14, E01, E05, I01, R02]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn the_words_of_a_record_do_not_matter(
        notes in prop::collection::vec(strategy::notes(), 0..12),
        refusal in prop::option::of(strategy::refusals()),
        code in codes(),
        was_up in any::<bool>(),
        detail in "[ -~]{0,40}",
    ) {
        let base = Record {
            name: "s47",
            was_up,
            code,
            refusal: refusal.as_ref(),
            why: "failed",
            ..Record::default()
        };
        let verdict = |notes: &[Note], detail: &str, why: &str| {
            let notes = notes.iter().map(|note| Noted { at: Duration::ZERO, note }).collect();
            Skeleton::of(&judge(&facts(&Record { notes, detail, why, ..base.clone() })))
        };
        let reworded: Vec<Note> = notes.iter().cloned().map(reword).collect();
        prop_assert_eq!(verdict(&notes, &detail, "failed"), verdict(&reworded, OTHER, "ended"));
    }
}
