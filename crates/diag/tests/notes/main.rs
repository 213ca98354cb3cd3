//! Every note can be kept and read back.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod strategy;

use adit_diag::{LoginRefusal, Note};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn a_note_survives_json_and_a_binary_format(note in strategy::notes()) {
        let json = serde_json::to_string(&note).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Note>(&json).unwrap(), &note, "{}", json);
        let octets = postcard::to_allocvec(&note).unwrap();
        prop_assert_eq!(&postcard::from_bytes::<Note>(&octets).unwrap(), &note);
    }

    #[test]
    fn a_refusal_survives_json_and_keeps_its_code(refusal in strategy::refusals()) {
        let json = serde_json::to_string(&refusal).unwrap();
        let back: LoginRefusal = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(back.code(), refusal.code());
        prop_assert_eq!(back, refusal);
    }

    #[test]
    fn garbage_is_an_error_and_no_panic(octets in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = postcard::from_bytes::<Note>(&octets);
    }
}
