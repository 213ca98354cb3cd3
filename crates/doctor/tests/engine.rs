//! The engine's own promises.

mod common;

use std::collections::BTreeSet;

use adit_diag::{AuthMethod, Code, Layer, patterns};
use adit_doctor::facts::AuthProtocol;
use adit_doctor::rules::{self, Kind};
use adit_doctor::{Facts, Outcome, State, Vantage, judge};
use proptest::prelude::*;

use common::*;

/// Rules without a pattern on the wire: what only a live probe or a host can see.
const OFF_THE_WIRE: &[&str] = &[
    "client-never-answers",
    "resolver-failed",
    "dns-differs",
    "other-address-dead",
    "denied-here",
    "gre-denied-here",
    "second-client",
    "gre-none-arrives",
    "routes-lack-target",
    "target-prohibited",
    "denied-by-rules",
    "target-no-route",
    "server-does-not-forward",
    "nothing-returns",
];

#[test]
fn a_rule_of_the_wire_points_to_a_code_of_its_pattern() {
    let patterns = patterns();
    let (mut unknown, mut wrong) = (BTreeSet::new(), Vec::new());
    for rule in rules::of_a_call().filter(|rule| rule.code.layer() != Layer::Host) {
        match patterns.iter().find(|pattern| pattern.id == rule.id) {
            Some(pattern) if pattern.causes.iter().all(|cause| cause.code != rule.code) => {
                wrong.push(format!("{} points to {}", rule.id, rule.code));
            }
            Some(_) => {}
            None => {
                unknown.insert(rule.id);
            }
        }
    }
    let known: BTreeSet<_> = OFF_THE_WIRE.iter().copied().filter(|id| !id.ends_with("-here")).collect();
    assert_eq!(wrong, [""; 0]);
    assert_eq!(unknown, known);
}

#[test]
fn weights_are_percents_and_a_finding_is_never_the_fault() {
    for rule in rules::all() {
        assert!((1..=100).contains(&rule.weight), "{}", rule.id);
    }
    for f in [up_to(D, Layer::Address), up_to(PC, Layer::Address)] {
        let mut f = f;
        f.auth.agreed = Some(seen(AuthProtocol::Method(AuthMethod::Pap)));
        f.encrypt = Default::default();
        let verdict = judge(&f);
        assert_eq!((verdict.outcome, verdict.first_failure), (Outcome::Healthy, None));
        let codes: Vec<_> = verdict.findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [Code::Q12, Code::Q11]);
    }
}

#[test]
fn without_facts_there_is_no_verdict() {
    for vantage in [D, PC, PS, R] {
        let verdict = judge(&Facts::new(vantage, ""));
        assert_eq!((verdict.outcome, verdict.first_failure), (Outcome::NotProvable, None));
        assert!(
            verdict.layers.iter().all(|layer| !matches!(layer.state, State::Pass | State::Fail)),
            "{verdict}"
        );
        assert_eq!(verdict.fired, []);
    }
}

#[test]
fn a_layer_that_works_proves_those_below() {
    let mut f = Facts::new(PC, "");
    f.address.opened = Some(seen(()));
    let verdict = judge(&f);
    for layer in &verdict.layers[..7] {
        assert_eq!(layer.state, State::Pass, "{:?}", layer.layer);
    }
    assert!(verdict.layers[7..].iter().all(|layer| layer.state == State::NotVisible));
}

proptest! {
    /// The first failure is the lowest layer whose faults fire, whatever else is wrong.
    #[test]
    fn the_lowest_layer_wins(faults in proptest::collection::btree_set(0usize..8, 1..5)) {
        use adit_doctor::facts::*;
        let mut f = up_to(Vantage::Client, Layer::Address);
        for fault in &faults {
            match fault {
                0 => f.name.no_route = Some(seen("no".into())),
                1 => f.call.reply = Some(seen(CallReply { result: 4, error: 0, cause: 0 })),
                2 => f.gre.stopped = Some(seen(GreStop { from: None, after_idle: secs(30), silent: secs(9) })),
                3 => f.lcp.looped_back = Some(seen(1)),
                4 => f.auth.proof_is_wrong = Some(seen(())),
                5 => f.encrypt.garbage = Some(seen("x".into())),
                6 => f.address.twice = Some(seen(SERVER)),
                _ => f.mtu.fragments_missing = Some(seen(3)),
            }
        }
        let order = [Layer::Name, Layer::Control, Layer::Gre, Layer::Lcp, Layer::Auth, Layer::Encrypt, Layer::Address, Layer::Mtu];
        let first = order[*faults.iter().next().unwrap()];
        let verdict = judge(&f);
        prop_assert_eq!(verdict.first_failure.map(Code::layer), Some(first));
        prop_assert!(rules::all().filter(|rule| rule.kind == Kind::Finding).all(|rule| Some(rule.code) != verdict.first_failure || rule.code.layer() == first));
    }
}
