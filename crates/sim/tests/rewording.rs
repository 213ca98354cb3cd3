//! What the doctor says of simulated sessions, from their records with all words exchanged.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../../diag/tests/notes/reword.rs"]
mod reword;
#[path = "../../doctor/tests/rewording/skeleton.rs"]
mod skeleton;

use std::time::Duration;

use adit_crypto::Rng;
use adit_diag::{Code, LoginRefusal, Note};
use adit_doctor::from::record::{Noted, Record, facts};
use adit_doctor::judge;
use adit_sim::conversation::{Side, play};
use adit_sim::scenario::{Fault, Scenario};
use adit_wire::note::Shown;
use reword::{OTHER, reword};
use serde_json::{Value, json};
use skeleton::Skeleton;

/// The record of a session as it is kept: each note for programs, with its text for people beside it.
fn document(side: &Side) -> Value {
    let mut notes: Vec<(Duration, Note)> = side.notes.clone();
    if side.code == Some(Code::A01) {
        // The server's part, which the simulation does without.
        notes.push((Duration::from_secs(1), Note::Refused(LoginRefusal::WrongPassword.into())));
    }
    let steps: Vec<Value> = notes
        .iter()
        .map(|(at, note)| {
            let micros = u64::try_from(at.as_micros()).unwrap();
            json!({ "at_us": micros, "text": Shown(note).to_string(), "note": note })
        })
        .collect();
    let detail = side.call.as_ref().or(side.closed.as_ref()).map(|end| end.detail.clone());
    json!({ "detail": detail.unwrap_or_default(), "why": "failed", "steps": steps })
}

/// Other words wherever people read.
fn reworded(mut document: Value) -> Value {
    document["detail"] = OTHER.into();
    document["why"] = "ended".into();
    for step in document["steps"].as_array_mut().unwrap() {
        step["text"] = OTHER.into();
        let note: Note = serde_json::from_value(step["note"].take()).unwrap();
        step["note"] = serde_json::to_value(reword(note)).unwrap();
    }
    document
}

fn verdict(side: &Side, document: &Value) -> Skeleton {
    let steps = document["steps"].as_array().unwrap();
    let notes: Vec<(Duration, Note)> = steps
        .iter()
        .map(|step| {
            let at = Duration::from_micros(step["at_us"].as_u64().unwrap());
            (at, serde_json::from_value(step["note"].clone()).unwrap())
        })
        .collect();
    Skeleton::of(&judge(&facts(&Record {
        name: "s1",
        was_up: side.up.is_some(),
        code: side.code,
        detail: document["detail"].as_str().unwrap(),
        why: document["why"].as_str().unwrap(),
        notes: notes.iter().map(|(at, note)| Noted { at: *at, note }).collect(),
        ..Record::default()
    })))
}

/// One of each kind, at a time when it hurts.
fn faults() -> Vec<Fault> {
    let soon = Duration::from_millis(200);
    let barred = [Code::A02, Code::A03, Code::A06, Code::A11].map(Fault::Barred);
    let mut faults = vec![
        Fault::None,
        Fault::GreOut,
        Fault::GreIn,
        Fault::GreBoth,
        Fault::GreRejected,
        Fault::GreLater(soon),
        Fault::TcpLater(soon),
        Fault::TcpReset(soon),
        Fault::Crash(soon),
        Fault::WrongPassword,
        Fault::UnknownName,
        Fault::SilentDirectory,
        Fault::NoMethod,
        Fault::ClientClear,
        Fault::ServerClear,
        Fault::Strengths,
        Fault::PoolEmpty,
        Fault::Full,
        Fault::MtuHole,
        Fault::Forgetful(soon),
    ];
    faults.extend(barred);
    faults
}

#[test]
fn no_verdict_on_a_session_hangs_on_how_a_message_reads() {
    let mut sessions = 0;
    for seed in 0..3 {
        for fault in faults() {
            let mut scenario = Scenario::plain(seed, &mut Rng::from_number(seed));
            scenario.inject(fault);
            for side in &play(scenario, false).servers {
                let document = document(side);
                let original = verdict(side, &document);
                assert_eq!(original, verdict(side, &reworded(document)), "{fault:?} seed {seed}");
                sessions += 1;
            }
        }
    }
    assert!(sessions >= 60, "{sessions} sessions were played");
}
