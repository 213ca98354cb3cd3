//! A server's record of a call, judged: the words of `adit session ID`.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use adit_diag::{Code, Layer};
use adit_doctor::from::record::{Record, Step, facts};
use adit_doctor::{Outcome, Side, State, Verdict, judge};

/// What a server of adit notes of a call that comes up: milliseconds, who, what.
const UP: &[(u64, &str, &str)] = &[
    (0, "note", "TCP 1723 accepted"),
    (
        11,
        "received",
        "Start-Control-Connection-Request version 1.0 host \"\" vendor \"Microsoft Windows NT\"",
    ),
    (12, "sent", "Start-Control-Connection-Reply result success"),
    (24, "received", "Outgoing-Call-Request call 2483 serial 1"),
    (25, "note", "call accepted as 7852: call 2483"),
    (25, "note", "control ok: call 7852 here, 2483 there"),
    (25, "sent", "Outgoing-Call-Reply result connected call 7852 peer's call 2483"),
    (31, "note", "gre ok: the peer's GRE arrives"),
    (58, "note", "lcp ok: mru 1400"),
    (60, "sent", "Challenge id 1: 16 octets from \"vpn\""),
    (92, "received", "Response id 1: 49 octets, name \"CORP\\\\alice\""),
    (101, "note", "auth ok: mschap-v2 as CORP\\\\alice"),
    (117, "note", "encrypt ok: mppe 128 stateless"),
    (130, "note", "address ok: local 10.99.0.1 peer 10.99.0.14"),
];

/// The first steps of [`UP`], up to this layer.
fn until(layer: Layer) -> Vec<Step<'static>> {
    let word = format!("{} ok: ", layer.word());
    let last = UP.iter().position(|(_, _, text)| text.starts_with(&word)).unwrap_or(UP.len() - 1);
    UP[..=last].iter().map(|(at, who, text)| Step { at: Duration::from_millis(*at), who, text }).collect()
}

fn record(layer: Layer) -> Record<'static> {
    Record {
        name: "s47",
        host: Some("vpn.example.org"),
        from: Some("203.0.113.77:51522".parse().unwrap()),
        address: Some([10, 99, 0, 14].into()),
        server_address: Some([10, 99, 0, 1].into()),
        was_up: layer >= Layer::Address,
        steps: until(layer),
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
    let end = Record { code: Some(code), detail, why: "failed", ..record(layer) };
    let verdict = judged(&end);
    assert_eq!(verdict.first_failure, Some(code), "{verdict}");
    assert_eq!(verdict.exit_code(), code.exit_code());
    // What came up before is proven, and what comes after was not reached.
    for result in &verdict.layers {
        let wanted = match result.layer {
            // A fault of this layer may come after the layer came up.
            layer if layer == code.layer() => State::Fail,
            layer if layer < code.layer() => State::Pass,
            _ => State::NotReached,
        };
        assert_eq!(result.state, wanted, "{:?}\n{verdict}", result.layer);
    }
    verdict
}

#[test]
fn gre_that_the_client_says_is_lost() {
    let detail = "the peer hears our GRE, as it says by Set-Link-Info; nothing of its own arrives here";
    insta::assert_snapshot!(failed(Layer::Control, Code::G02, detail));
}

#[test]
fn a_wrong_password_many_times() {
    let end = Record {
        code: Some(Code::A01),
        detail: "wrong password",
        why: "failed",
        user: Some("alice"),
        failures_in_a_row: 4,
        ..record(Layer::Lcp)
    };
    insta::assert_snapshot!(judged(&end));
}

#[test]
fn a_name_that_is_not_known() {
    for (detail, owner) in [
        ("unknown user: no account \"mallory\"", "accounts"),
        (
            "unknown user: no account \"bob@corp\", but there is \"bob\": the user has to give it without @",
            "client",
        ),
        ("the account bob has no password yet (adit user passwd bob)", "accounts"),
    ] {
        let verdict = failed(Layer::Lcp, Code::A01, detail);
        assert_eq!(verdict.causes.len(), 1, "the record knows: {verdict}");
        assert_eq!(verdict.causes[0].owner.word(), owner);
    }
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
    let end = Record {
        code: Some(Code::C05),
        detail: "all 200 sessions are in use (limits.sessions)",
        why: "failed",
        by: Some(Side::Server),
        ..Record { steps: until(Layer::Control)[..4].to_vec(), ..record(Layer::Control) }
    };
    let verdict = judged(&end);
    assert_eq!(verdict.first_failure, Some(Code::C05));
    assert_eq!(verdict.layer(Layer::Name).unwrap().state, State::Pass);
    assert_eq!(verdict.layer(Layer::Gre).unwrap().state, State::NotReached);
}

#[test]
fn a_call_that_ended_in_order_is_healthy_and_nothing_behind_it_is_claimed() {
    for steps in [until(Layer::Address), Vec::new()] {
        let end = Record { why: "user-request", by: Some(Side::Client), steps, ..record(Layer::Address) };
        let verdict = judged(&end);
        assert_eq!((verdict.outcome, verdict.first_failure), (Outcome::Healthy, None), "{verdict}");
        for layer in [Layer::Route, Layer::Mtu] {
            assert_eq!(verdict.layer(layer).unwrap().state, State::NotVisible);
        }
    }
}

#[test]
fn findings_of_a_call_that_was_up() {
    let note = |text| Step { at: Duration::from_secs(60), who: "note", text };
    let mut steps = until(Layer::Address);
    steps.push(note(
        "finding G07: 310 of 1030 GRE packets from the client never arrived (30 %): client to server",
    ));
    let lossy = Record { why: "user-request", steps: steps.clone(), ..record(Layer::Address) };
    insta::assert_snapshot!("loss", judged(&lossy));
    steps.push(note(
        "finding R02: 3 packets dropped that access.routes does not allow, the last to 192.168.20.5 tcp/3389",
    ));
    let denied = Record { why: "user-request", steps, ..record(Layer::Address) };
    insta::assert_snapshot!("denied", judged(&denied));
}

#[test]
fn large_packets_that_vanish_claim_no_direction() {
    let mut steps = until(Layer::Address);
    let text = "finding M01: packets of 1296 octets vanish, 1196 pass: to the client or back";
    steps.push(Step { at: Duration::from_secs(3), who: "note", text });
    let verdict = judged(&Record { why: "user-request", steps, ..record(Layer::Address) });
    assert_eq!(verdict.first_failure, Some(Code::M01));
    assert_eq!(verdict.headline, "packets of 1296 octets to the client or back vanish, 1196 octets pass");
}

#[test]
fn a_call_in_set_up_is_not_judged_before_there_is_something_to_judge() {
    let verdict = judged(&record(Layer::Gre));
    assert_eq!((verdict.outcome, verdict.first_failure), (Outcome::NotProvable, None));
}
