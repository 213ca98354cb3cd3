//! The judge: derives the verdict from the facts: the first layer that fails, what is ruled out, what to test
//! next.

use adit_diag::{Code, Layer};

use crate::rules::{self, Kind, Proof, Rule};
use crate::{
    At, Confidence, Evidence, Facts, Finding, Fired, LayerResult, Outcome, State, Vantage, Verdict, causes,
    layers, next,
};

/// A rule that fired.
struct Hit {
    rule: &'static Rule,
    proof: Proof,
}

/// Judges one call, or one host.
pub fn judge(facts: &Facts) -> Verdict {
    let hits: Vec<Hit> =
        rules::all().filter_map(|rule| (rule.when)(facts).map(|proof| Hit { rule, proof })).collect();
    let main = main(facts, &hits);
    let code = main.as_ref().map(|main| main.code);
    let outcome = match code {
        Some(_) => Outcome::Failed,
        None if layers::works(facts) => Outcome::Healthy,
        None => Outcome::NotProvable,
    };
    let layers = table(facts, main.as_ref(), &hits);
    let causes =
        main.as_ref().map(|main| causes::of(facts, main.code, &also(main, &hits))).unwrap_or_default();
    let fixes = match (facts.vantage, code) {
        (Vantage::Host, Some(code)) => crate::host::fixes(facts, code),
        _ => causes::fixes(facts, code, &causes),
    };
    Verdict {
        vantage: facts.vantage,
        subject: facts.subject.clone(),
        outcome,
        first_failure: code,
        headline: match &main {
            Some(main) => main.text.clone(),
            None => layers::so_far(facts, outcome),
        },
        confidence: main.as_ref().map_or(Confidence::High, |main| main.confidence),
        next: next::test(facts, code, outcome),
        innocent: layers::innocent(facts, &layers, code),
        causes,
        fixes,
        findings: findings(&hits, code),
        fired: fired(&hits),
        layers,
    }
}

/// The fault that becomes the verdict.
struct Main {
    code: Code,
    text: String,
    evidence: Vec<Evidence>,
    confidence: Confidence,
    /// Whether only the way the call ended is known.
    is_ending: bool,
}

/// Selects the fault. From a record: its code, because the program that took part knew most. Otherwise the
/// lowest layer with a fault, in it the rule with the highest weight, in the order of the table; otherwise,
/// if nothing explains the end, how it ended; otherwise what a machine recorded.
fn main(facts: &Facts, hits: &[Hit]) -> Option<Main> {
    let reported = || {
        let reported = facts.reported.as_ref()?;
        let text = if reported.detail.is_empty() {
            reported.code.title().to_owned()
        } else {
            reported.detail.clone()
        };
        Some(Main {
            code: reported.code,
            text,
            evidence: Vec::new(),
            confidence: Confidence::High,
            is_ending: false,
        })
    };
    if facts.vantage == Vantage::Record && facts.reported.is_some() {
        return reported();
    }
    // If many packets are lost, a missing answer proves nothing more.
    let loss = hits.iter().find(|hit| hit.rule.code == Code::G07 && rules::loss_is_heavy(facts));
    let is_excused = |hit: &&Hit| {
        let layer = hit.rule.code.layer();
        loss.is_some() && hit.proof.absence && (Layer::Lcp..=Layer::Route).contains(&layer)
    };
    let of = |kind| {
        let mut hits = hits.iter().filter(move |hit| hit.rule.kind == kind && !is_excused(hit));
        // The rules of a host are in the order of the checks.
        if facts.vantage == Vantage::Host {
            return hits.next();
        }
        let first = hits.clone().map(|hit| hit.rule.code.layer()).min()?;
        let mut best: Option<&Hit> = None;
        for hit in hits.filter(|hit| hit.rule.code.layer() == first) {
            if best.is_none_or(|best| hit.rule.weight > best.rule.weight) {
                best = Some(hit);
            }
        }
        best
    };
    let timed_out = facts
        .reported
        .as_ref()
        .is_some_and(|reported| [Code::L05, Code::A14, Code::I06].contains(&reported.code));
    let by_loss = || loss.filter(|_| timed_out || hits.iter().any(|hit| is_excused(&hit)));
    let Some(hit) = of(Kind::Fault).or_else(|| of(Kind::Ending)).or_else(by_loss) else { return reported() };
    Some(Main {
        code: hit.rule.code,
        text: hit.proof.text.clone(),
        evidence: evidence(&hit.proof),
        confidence: confidence(facts.vantage, &hit.proof),
        is_ending: hit.rule.kind == Kind::Ending,
    })
}

fn confidence(vantage: Vantage, proof: &Proof) -> Confidence {
    match (proof.absence, vantage.near()) {
        (false, _) => Confidence::High,
        (true, Some(_)) => Confidence::Medium,
        (true, None) => Confidence::Low,
    }
}

/// Other explanations of the same layer's end, as further causes. If a fault explains the end, the way it
/// ended is a consequence.
fn also(main: &Main, hits: &[Hit]) -> Vec<(Code, u8)> {
    let mut also: Vec<(Code, u8)> = Vec::new();
    let code = main.code;
    if !main.is_ending {
        return also;
    }
    for hit in hits.iter().filter(|hit| hit.rule.kind == Kind::Ending) {
        let other = hit.rule.code;
        if other != code && other.layer() == code.layer() && also.iter().all(|(known, _)| *known != other) {
            also.push((other, hit.rule.weight));
        }
    }
    also
}

fn evidence(proof: &Proof) -> Vec<Evidence> {
    let mut evidence = proof.more.clone();
    if proof.at != At::NOWHERE {
        evidence.insert(0, Evidence { text: proof.text.clone(), at: proof.at });
    }
    evidence
}

/// Layers in which one fault does not hide another: each target, address and size is independent.
const INDEPENDENT: [Layer; 4] = [Layer::Address, Layer::Route, Layer::Mtu, Layer::Host];

/// Problems besides the fault: findings, and faults that the first one does not explain.
fn findings(hits: &[Hit], main: Option<Code>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let is_beside = |hit: &&Hit| match hit.rule.kind {
        Kind::Finding => true,
        Kind::Fault => INDEPENDENT.contains(&hit.rule.code.layer()),
        Kind::Ending => false,
    };
    for hit in hits.iter().filter(is_beside).filter(|hit| Some(hit.rule.code) != main) {
        let finding =
            Finding { code: hit.rule.code, text: hit.proof.text.clone(), evidence: evidence(&hit.proof) };
        if findings.iter().all(|known| (known.code, &known.text) != (finding.code, &finding.text)) {
            findings.push(finding);
        }
    }
    findings
}

fn fired(hits: &[Hit]) -> Vec<Fired> {
    let fired = |hit: &Hit| Fired {
        rule: hit.rule.id,
        code: hit.rule.code,
        weight: hit.rule.weight,
        because: hit.proof.text.clone(),
    };
    hits.iter().map(fired).collect()
}

/// The table of layers. A layer that works stays "pass" even above the one that failed.
fn table(facts: &Facts, main: Option<&Main>, hits: &[Hit]) -> Vec<LayerResult> {
    let mut order: Vec<Layer> =
        if facts.vantage == Vantage::Host { Vec::new() } else { Layer::OF_A_CALL.to_vec() };
    let failed = main.map(|main| main.code.layer());
    if failed.is_some_and(|failed| !order.contains(&failed)) {
        order.extend(failed);
    }
    let mut results = Vec::new();
    for layer in order {
        let (mut state, summary) = layers::state(facts, layer);
        let (mut code, mut lines, mut text) = (None, Vec::new(), summary);
        let warning =
            hits.iter().find(|hit| hit.rule.kind == Kind::Finding && hit.rule.code.layer() == layer);
        if let Some(main) = main.filter(|main| main.code.layer() == layer) {
            (state, code, lines) = (State::Fail, Some(main.code), main.evidence.clone());
            text.clone_from(&main.text);
        } else if failed.is_some_and(|failed| layer > failed) && state != State::Pass {
            (state, text) = (State::NotReached, String::new());
        } else if let Some(hit) = warning
            && state == State::Pass
        {
            (state, code) = (State::Warn, Some(hit.rule.code));
            lines = vec![Evidence { text: hit.proof.text.clone(), at: hit.proof.at }];
        }
        let took = facts.took.get(&layer).copied();
        results.push(LayerResult { layer, state, code, summary: text, evidence: lines, took });
    }
    results
}
