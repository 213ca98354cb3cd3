//! The words in a database are for people: no verdict hangs on them.

use std::time::Duration;

use adit_diag::note::{Destination, Finding, LayerUp};
use adit_diag::{AuthMethod, LoginRefusal, NameForm, Note};
use adit_store::{Change, NewSession, SessionEnd, SessionUpdate, Step};
use serde_json::Value;

use crate::{World, at, server};

fn set_up() -> Vec<Note> {
    vec![
        Note::LayerUp(LayerUp::Control { local_call_id: 7852, peer_call_id: 2483 }),
        Note::LayerUp(LayerUp::Gre),
        Note::LayerUp(LayerUp::Lcp { mru: 1400 }),
    ]
}

/// A session with this record; `refusal` is what ended it.
fn add(world: &World, notes: Vec<Note>, refusal: Option<LoginRefusal>, is_up: bool) {
    let store = world.store();
    let from = "198.51.100.7:50000".parse().unwrap();
    let id = store.start_sessions(server(&store), &[NewSession { started: at(0), from }]).unwrap()[0];
    let up = SessionUpdate { up: is_up.then(|| at(1)), user: Some("bob".into()), ..SessionUpdate::default() };
    let steps = notes.into_iter().map(|note| Step {
        at: Duration::from_millis(20),
        who: note.who().word().into(),
        layer: note.protocol().name().into(),
        text: note.to_string(),
        note: Some(note),
    });
    let end = SessionEnd {
        at: at(60),
        why: if refusal.is_some() { "failed" } else { "user-request" }.into(),
        by: "received".into(),
        code: refusal.as_ref().map(|refusal| refusal.code().to_string()),
        detail: refusal.as_ref().map(ToString::to_string).unwrap_or_default(),
        refusal,
    };
    let ended = Change::End(id, Box::new(end), None, steps.collect(), 0);
    store.apply(&[Change::Update(id, Box::new(up)), ended], at(60)).unwrap();
}

/// Of the verdict on a session what programs look at.
fn verdict(world: &World, session: usize) -> Value {
    let mut verdict = world.json(&["session", &format!("s{session}")])["verdict"].take();
    for list in ["layers", "causes", "findings", "rules"] {
        for row in verdict[list].as_array_mut().unwrap() {
            for words in ["summary", "evidence", "because"] {
                row.as_object_mut().unwrap().remove(words);
            }
        }
    }
    verdict
}

#[test]
fn exchanged_texts_change_no_verdict() {
    let world = World::configured();
    let name = || "bob@corp".to_owned();
    let refusals = [
        LoginRefusal::WrongPassword,
        LoginRefusal::UnknownUser { name: name() },
        LoginRefusal::UnknownUserInThisForm { name: name(), other: "bob".to_owned(), form: NameForm::At },
        LoginRefusal::NoPassword { user: "bob".to_owned() },
        LoginRefusal::Disabled { user: "bob".to_owned(), because: "left".to_owned() },
    ];
    for refusal in refusals {
        let notes = [set_up(), vec![Note::Refused(refusal.clone().into())]].concat();
        add(&world, notes, Some(refusal), false);
    }
    let auth = LayerUp::Auth { method: AuthMethod::MsChapV2, user: "bob".to_owned() };
    let address = LayerUp::Address { local: [10, 99, 0, 1].into(), peer: [10, 99, 0, 14].into() };
    let up = [set_up(), vec![Note::LayerUp(auth), Note::LayerUp(address)]].concat();
    let last = Destination { address: [192, 168, 20, 5].into(), protocol: 6, port: 3389 };
    for finding in [
        Finding::Loss { lost: 310, sent: 1030 },
        Finding::Denied { packets: 3, key: "access.routes".to_owned(), last },
        Finding::SizeProbe { lost: 1400, passes: 1300 },
    ] {
        add(&world, [up.clone(), vec![Note::Finding(finding)]].concat(), None, true);
    }
    let before: Vec<Value> = (1..=8).map(|session| verdict(&world, session)).collect();
    let failures: Vec<Option<&str>> =
        before.iter().map(|verdict| verdict["first_failure"].as_str()).collect();
    let of_up = [None, Some("R02"), Some("M01")];
    assert_eq!(failures, [[Some("A01"); 4].as_slice(), &[Some("A02")], &of_up].concat());
    assert_eq!(before[5]["findings"][0]["code"], "G07");
    let connection = rusqlite::Connection::open(world.path("state/adit.db")).unwrap();
    let other = "finding R02: 7 of 9; lcp ok: A01 unknown user";
    connection.execute("UPDATE steps SET text = ?1", [other]).unwrap();
    connection.execute("UPDATE sessions SET detail = ?1 WHERE detail <> ''", [other]).unwrap();
    let after: Vec<Value> = (1..=8).map(|session| verdict(&world, session)).collect();
    assert_eq!(before, after);
}
