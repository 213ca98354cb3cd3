//! A server's record of a call, judged: the words of `adit session ID`.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use adit_diag::note::{Destination, Finding, LayerUp, Message, MessageKind, Octets, Packet, Treatment};
use adit_diag::{AuthMethod, Code, Layer, LoginRefusal, NameForm, Note, Protocol};
use adit_doctor::from::record::{Noted, Record, facts};
use adit_doctor::{Outcome, Side, State, Verdict, judge};

fn packet(sent: bool, protocol: Protocol, kind: MessageKind) -> Note {
    let message = Message { protocol, kind, id: None, length: 0, octets: Octets::default() };
    Note::Packet(Packet { sent, message, treatment: Treatment::Handled })
}

/// What a server of adit notes of a call that is set up, with its time in milliseconds.
fn up() -> Vec<(u64, Note)> {
    use MessageKind as Kind;
    let (alice, method) = ("CORP\\\\alice".to_owned(), AuthMethod::MsChapV2);
    let (local, peer) = ([10, 99, 0, 1].into(), [10, 99, 0, 14].into());
    vec![
        (11, packet(false, Protocol::Pptp, Kind::StartControlConnectionRequest)),
        (12, packet(true, Protocol::Pptp, Kind::StartControlConnectionReply)),
        (24, packet(false, Protocol::Pptp, Kind::OutgoingCallRequest)),
        (25, Note::LayerUp(LayerUp::Control { local_call_id: 7852, peer_call_id: 2483 })),
        (25, packet(true, Protocol::Pptp, Kind::OutgoingCallReply)),
        (31, Note::LayerUp(LayerUp::Gre)),
        (58, Note::LayerUp(LayerUp::Lcp { mru: 1400 })),
        (60, packet(true, Protocol::Chap, Kind::Challenge)),
        (92, packet(false, Protocol::Chap, Kind::Response)),
        (101, Note::LayerUp(LayerUp::Auth { method, user: alice })),
        (117, Note::LayerUp(LayerUp::Encrypt { bits: 128, stateless: true })),
        (130, Note::LayerUp(LayerUp::Address { local, peer })),
    ]
}

/// The first notes of [`up`], up to this layer.
fn until(layer: Layer) -> Vec<(u64, Note)> {
    let mut notes = up();
    let is_last = |(_, note): &(u64, Note)| matches!(note, Note::LayerUp(up) if up.layer() == layer);
    let last = notes.iter().position(is_last).unwrap();
    notes.truncate(last + 1);
    notes
}

fn noted(notes: &[(u64, Note)]) -> Vec<Noted<'_>> {
    notes.iter().map(|(at, note)| Noted { at: Duration::from_millis(*at), note }).collect()
}

fn record(layer: Layer, notes: &[(u64, Note)]) -> Record<'_> {
    Record {
        name: "s47",
        host: Some("vpn.example.org"),
        from: Some("203.0.113.77:51522".parse().unwrap()),
        address: Some([10, 99, 0, 14].into()),
        server_address: Some([10, 99, 0, 1].into()),
        was_up: layer >= Layer::Address,
        notes: noted(notes),
        ..Record::default()
    }
}

#[track_caller]
fn judged(record: &Record<'_>) -> Verdict {
    let verdict = judge(&facts(record));
    for line in verdict.to_string().lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    verdict
}

#[track_caller]
fn failed(layer: Layer, code: Code, detail: &'static str) -> Verdict {
    let notes = until(layer);
    let end = Record { code: Some(code), detail, why: "failed", ..record(layer, &notes) };
    of(code, &judged(&end))
}

#[track_caller]
fn of(code: Code, verdict: &Verdict) -> Verdict {
    assert_eq!(verdict.first_failure, Some(code), "{verdict}");
    assert_eq!(verdict.exit_code(), code.exit_code());
    // What came up before is proven, and later layers were not reached.
    for result in &verdict.layers {
        let wanted = match result.layer {
            // A fault of this layer may come after the layer came up.
            layer if layer == code.layer() => State::Fail,
            layer if layer < code.layer() => State::Pass,
            _ => State::NotReached,
        };
        assert_eq!(result.state, wanted, "{:?}\n{verdict}", result.layer);
    }
    verdict.clone()
}

#[test]
fn gre_that_the_client_reports_lost() {
    let detail = "the peer hears our GRE, as it says by Set-Link-Info; nothing of its own arrives here";
    insta::assert_snapshot!(failed(Layer::Control, Code::G02, detail));
}

#[test]
fn a_wrong_password_many_times() {
    let notes = until(Layer::Lcp);
    let end = Record {
        code: Some(Code::A01),
        detail: "wrong password",
        refusal: Some(&LoginRefusal::WrongPassword),
        why: "failed",
        user: Some("alice"),
        failures_in_a_row: 4,
        ..record(Layer::Lcp, &notes)
    };
    insta::assert_snapshot!(judged(&end));
}

#[test]
fn a_name_that_is_not_known() {
    let name = || "bob@corp".to_owned();
    let bob = || "bob".to_owned();
    for (refusal, owner) in [
        (LoginRefusal::UnknownUser { name: name() }, "accounts"),
        (LoginRefusal::UnknownUserInThisForm { name: name(), other: bob(), form: NameForm::At }, "client"),
        (LoginRefusal::NoPassword { user: bob() }, "accounts"),
    ] {
        let detail = refusal.to_string();
        let notes = until(Layer::Lcp);
        let base =
            Record { code: Some(Code::A01), detail: &detail, why: "failed", ..record(Layer::Lcp, &notes) };
        let verdict = of(Code::A01, &judged(&Record { refusal: Some(&refusal), ..base.clone() }));
        assert_eq!(verdict.causes.len(), 1, "the record knows: {verdict}");
        assert_eq!(verdict.causes[0].owner.word(), owner);
        // The note of it says the same.
        let mut notes = until(Layer::Lcp);
        notes.push((1_101, Note::Refused(refusal.clone().into())));
        assert_eq!(judged(&Record { notes: noted(&notes), ..base.clone() }), verdict);
        // Its words alone say nothing.
        assert!(judged(&base).causes.len() > 1);
    }
}

#[test]
fn a_refusal_that_was_put_right_does_not_explain_another_failure() {
    let mut notes = until(Layer::Lcp);
    notes.push((200, Note::Refused(LoginRefusal::WrongPassword.into())));
    let end = Record { code: Some(Code::E01), why: "failed", ..record(Layer::Lcp, &notes) };
    assert_eq!(facts(&end).auth.known, None);
}

#[test]
fn each_layer_has_its_place() {
    failed(Layer::Control, Code::G01, "no GRE packet has come back, while TCP 1723 works");
    failed(Layer::Gre, Code::G03, "7 GRE packets of the peer arrived, but none of ours was ever answered");
    failed(Layer::Control, Code::G04, "the peer's GRE names call 7, which was never agreed on");
    failed(Layer::Gre, Code::L01, "no agreement on the MRU");
    failed(Layer::Lcp, Code::A01, "unknown user: no account \"mallory\"");
    failed(Layer::Auth, Code::E01, "the client rejects MPPE");
    failed(Layer::Encrypt, Code::I01, "no address is free in pool default");
}

#[test]
fn a_refused_call_reached_this_server_and_no_more() {
    let notes = up();
    let end = Record {
        code: Some(Code::C05),
        detail: "all 200 sessions are in use (limits.sessions)",
        why: "failed",
        by: Some(Side::Server),
        ..record(Layer::Control, &notes[..3])
    };
    let verdict = judged(&end);
    assert_eq!(verdict.first_failure, Some(Code::C05));
    assert_eq!(verdict.layer(Layer::Name).unwrap().state, State::Pass);
    assert_eq!(verdict.layer(Layer::Gre).unwrap().state, State::NotReached);
}

#[test]
fn a_call_that_ended_in_order_is_healthy_and_nothing_behind_it_is_claimed() {
    for notes in [until(Layer::Address), Vec::new()] {
        let end = Record { why: "user-request", by: Some(Side::Client), ..record(Layer::Address, &notes) };
        let verdict = judged(&end);
        assert_eq!((verdict.outcome, verdict.first_failure), (Outcome::Healthy, None), "{verdict}");
        for layer in [Layer::Route, Layer::Mtu] {
            assert_eq!(verdict.layer(layer).unwrap().state, State::NotVisible);
        }
    }
}

#[test]
fn findings_of_a_call_that_was_up() {
    let mut notes = until(Layer::Address);
    notes.push((60_000, Note::Finding(Finding::Loss { lost: 310, sent: 1030 })));
    insta::assert_snapshot!(
        "loss",
        judged(&Record { why: "user-request", ..record(Layer::Address, &notes) })
    );
    let last = Destination { address: [192, 168, 20, 5].into(), protocol: 6, port: 3389 };
    let denied = Finding::Denied { packets: 3, key: "access.routes".to_owned(), last };
    notes.push((60_000, Note::Finding(denied)));
    insta::assert_snapshot!(
        "denied",
        judged(&Record { why: "user-request", ..record(Layer::Address, &notes) })
    );
}

#[test]
fn large_packets_that_vanish_claim_no_direction() {
    let mut notes = until(Layer::Address);
    notes.push((3_000, Note::Finding(Finding::SizeProbe { lost: 1296, passes: 1196 })));
    let verdict = judged(&Record { why: "user-request", ..record(Layer::Address, &notes) });
    assert_eq!(verdict.first_failure, Some(Code::M01));
    assert_eq!(verdict.headline, "packets of 1296 octets to the client or back vanish, 1196 octets pass");
}

#[test]
fn a_call_in_set_up_is_not_judged_before_there_is_something_to_judge() {
    let notes = until(Layer::Gre);
    let verdict = judged(&record(Layer::Gre, &notes));
    assert_eq!((verdict.outcome, verdict.first_failure), (Outcome::NotProvable, None));
}

#[test]
fn of_an_older_version_the_columns_are_judged_and_the_rest_is_not_known() {
    let old = |code: Option<Code>, was_up: bool, received: u64| {
        let why = if code.is_some() { "failed" } else { "user-request" };
        judged(&Record { code, why, was_up, received, has_untyped: true, ..record(Layer::Control, &[]) })
    };
    let not_known = |verdict: &Verdict, layer: Layer| {
        let result = verdict.layer(layer).unwrap();
        assert_eq!(result.state, State::NotTested, "{verdict}");
        assert!(result.summary.contains("not recorded in typed form"), "{verdict}");
    };
    let good = old(None, true, 720);
    assert_eq!((good.outcome, good.first_failure), (Outcome::Healthy, None), "{good}");
    not_known(&good, Layer::Route);
    not_known(&good, Layer::Mtu);
    let short = old(None, false, 0);
    assert_eq!(short.outcome, Outcome::NotProvable, "{short}");
    not_known(&short, Layer::Gre);
    for code in [Code::G01, Code::L05, Code::A01, Code::E01, Code::I01] {
        of(code, &old(Some(code), false, 0));
    }
    // Which of its causes it is, only the text says.
    assert!(old(Some(Code::A01), false, 0).causes.len() > 1);
}
