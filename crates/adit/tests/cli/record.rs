//! `adit explain user` and `adit explain route`

use adit_crypto::proof::Secret;
use adit_crypto::secret::Password;
use adit_diag::event::{CameUp, EventFacts, Failed, Mppe};
use adit_diag::note::{Cause, Destination, Finding, Why};
use adit_diag::{AuthMethod, Code, Layer, Note};
use adit_store::{
    AccountChange, Change, NewAccount, NewEvent, NewSession, SessionEnd, SessionId, SessionUpdate, Step,
};

use crate::{World, at, server};

/// Days, in seconds.
const DAY: i64 = 86_400;

fn add(world: &World, name: &str, group: Option<&str>) {
    let secret = Secret::Clear(Password::new("correct horse"));
    let new = NewAccount { group: group.map(Into::into), ..NewAccount::named(name) };
    world.store().add_account(&new, Some(&secret), false, at(-20 * DAY)).unwrap();
}

/// A call that came up: when, whose, from where, its address.
fn up(world: &World, seconds: i64, user: &str, from: &str, address: &str) {
    let (address, method) = (address.parse().unwrap(), Some(AuthMethod::MsChapV2));
    let up = CameUp { address, method, mppe: Mppe::Stateless(128), took_ms: 1_200 };
    write(world, seconds, user, from, None, EventFacts::SessionUp(up));
}

/// A call that failed: when, whose, from where, what was wrong, the evidence.
fn failed(world: &World, seconds: i64, user: &str, from: &str, code: Code, cause: impl Into<Cause>) {
    let (cause, vendor, findings) = (cause.into(), String::new(), Vec::new());
    let failed = Failed { why: Some(Why::Failed), after_ms: Some(400), cause, vendor, findings };
    let facts = match code.layer() {
        Layer::Auth => EventFacts::AuthFail(failed),
        _ => EventFacts::CallFail(failed),
    };
    write(world, seconds, user, from, Some(code), facts);
}

fn write(world: &World, seconds: i64, user: &str, from: &str, code: Option<Code>, facts: EventFacts) {
    let event = NewEvent {
        user: Some(user.to_owned()).filter(|user| !user.is_empty()),
        from: Some(from.parse().unwrap()),
        code,
        session: Some(SessionId(seconds.unsigned_abs() / 60)),
        ..NewEvent::new(at(seconds), facts)
    };
    world.store().apply(&[Change::Events(vec![event])], at(0)).unwrap();
}

#[test]
fn why_a_user_cannot_connect() {
    let world = World::configured();
    let config = format!("{}[auth.password]\nmax_age = \"3650d\"\n", crate::CONFIG);
    std::fs::write(world.path("adit.toml"), config).unwrap();
    for (name, group) in
        [("alice", Some("staff")), ("bob", None), ("carol", None), ("dave", None), ("erin", None)]
    {
        add(&world, name, group);
    }
    // An old password on a telephone.
    up(&world, 0, "alice", "198.51.100.7", "10.99.0.14");
    for n in 0..3 {
        failed(&world, DAY + n * 600, "alice", "198.51.100.7", Code::A01, "wrong password");
    }
    // Works at home, not in the hotel; there no name is sent.
    up(&world, 60, "bob", "198.51.100.99", "10.99.0.15");
    up(&world, 3600, "bob", "203.0.113.77", "10.99.0.15");
    failed(&world, DAY, "", "203.0.113.77", Code::G01, "no GRE packet has come back, while TCP 1723 works");
    // Switched off.
    let disabled = AccountChange { disabled: Some(Some("left".to_owned())), ..AccountChange::default() };
    world.store().change_account("carol", &disabled).unwrap();
    failed(&world, 120, "carol", "192.0.2.14", Code::A02, "carol is disabled: left");
    // Another encryption.
    failed(&world, 180, "dave", "192.0.2.15", Code::E01, "the client rejects MPPE");
    // A name with a domain, and a name of no account.
    failed(&world, 240, "bob@corp", "192.0.2.16", Code::A01, "unknown user: no account \"bob@corp\"");
    let runs: Vec<String> = ["alice", "bob", "carol", "dave", "erin", "bob@corp", "mallory"]
        .iter()
        .map(|user| world.run(&["explain", "user", user]))
        .collect();
    let text = runs.join("\n");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!("user", text);
    let json = world.json(&["explain", "user", "alice"]);
    assert_eq!(json["schema"], "adit.explain-user/1");
    assert_eq!(json["meanings"][0]["code"], "A01");
    assert_eq!(json["attempts"][0]["code"], "A01");
    assert_eq!(json["attempts"].as_array().unwrap().len(), 4);
    // Nothing was ever written.
    insta::assert_snapshot!("user_of_nothing", World::new().run(&["explain", "user", "alice"]));
}

#[test]
fn who_may_reach_what() {
    let world = World::configured();
    std::fs::write(
        world.path("adit.toml"),
        "[server]\nlisten = \"127.0.0.1\"\n[pool]\nnet = \"10.99.0.0/24\"\ndns = [\"192.168.10.5\"]\n[access]\nroutes = [\"192.168.10.0/24\"]\n\
         [groups.staff]\nroutes = [\"192.168.20.0/24\"]\n[groups.all]\ntunnel = \"all\"\n\
         [groups.rules]\nacl = [\"allow 192.168.10.0/24 tcp 443\", \"deny 192.168.10.20\", \"allow icmp\"]\n",
    )
    .unwrap();
    add(&world, "alice", Some("staff"));
    add(&world, "bob", None);
    add(&world, "carol", Some("all"));
    add(&world, "dave", Some("rules"));
    let store = world.store();
    let from = "198.51.100.7:50000".parse().unwrap();
    let id = store.start_sessions(server(&store), &[NewSession { started: at(0), from }]).unwrap()[0];
    let update = SessionUpdate { user: Some("alice".into()), ..SessionUpdate::default() };
    let last = Destination { address: [192, 168, 10, 20].into(), protocol: 6, port: 443 };
    let key = "groups.staff.routes".to_owned();
    let note = Note::Finding(Finding::Denied { packets: 3, key, last });
    let step = Step {
        at: std::time::Duration::from_secs(60),
        who: "note".into(),
        layer: "PPTP".into(),
        text: note.to_string(),
        note: Some(note),
    };
    let end = SessionEnd {
        at: at(90),
        why: "user-request".into(),
        by: "received".into(),
        code: None,
        detail: String::new(),
        refusal: None,
    };
    let end = Change::End(id, Box::new(end), None, vec![step], 0);
    let changes = [Change::Update(id, Box::new(update)), end];
    store.apply(&changes, at(90)).unwrap();
    let runs = [
        world.run(&["explain", "route", "alice", "192.168.10.20:443"]),
        world.run(&["explain", "route", "bob", "192.168.10.20:443"]),
        world.run(&["explain", "route", "bob", "10.99.0.1"]),
        world.run(&["explain", "route", "carol", "8.8.8.8:53"]),
        world.run(&["explain", "route", "dave", "192.168.10.20:3389"]),
        world.run(&["explain", "route", "dave", "192.168.10.20:443"]),
        world.run(&["explain", "route", "dave", "192.168.10.30"]),
        world.run(&["explain", "route", "dave", "10.99.0.20/icmp"]),
        world.run(&["explain", "route", "mallory", "8.8.8.8"]),
        world.run(&["explain", "route", "bob", "fileserver"]),
        world.run(&["explain", "route", "bob"]),
    ];
    let text = runs.join("\n").replace(&world.path("").display().to_string(), "DIR/");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!("route", text);
    let json = world.json(&["explain", "route", "alice", "192.168.10.20"]);
    assert_eq!((&json["allowed"], &json["code"]), (&false.into(), &"R02".into()));
    let json = world.json(&["explain", "key", "link.mtu", "access.routes"]);
    assert_eq!(json["keys"][1]["key"], "access.routes");
}
