//! Plays many conversations and prints which are judged wrong, and which codes each fault leads to where it may lead to
//! several: `survey [COUNT]`.

use std::collections::BTreeMap;

use adit_sim::conversation::{Report, play};
use adit_sim::judge::{Expectation, expectation, judge};
use adit_sim::scenario::Scenario;

/// Conversations, where no number is given.
const COUNT: u64 = 1000;

/// A fault, a side, whether its call came up, and its code: the seeds that led there.
type Codes = BTreeMap<(String, &'static str, bool, String), Vec<u64>>;

fn main() -> Result<(), String> {
    let count = match std::env::args().nth(1) {
        Some(text) => text.parse().map_err(|_| format!("usage: survey [COUNT]; {text} is no number"))?,
        None => COUNT,
    };
    let (mut codes, mut failed) = (Codes::new(), 0);
    for seed in 0..count {
        let scenario = Scenario::from_seed(seed);
        let report = play(scenario.clone(), false);
        if let Err(what) = judge(&scenario, &report) {
            failed += 1;
            println!("seed {seed} {:?} lossy {}: {what}", scenario.fault, scenario.is_lossy());
        }
        if matches!(expectation(scenario.fault), Expectation::Anything) {
            note(&mut codes, &scenario, &report);
        }
    }
    for ((fault, who, up, code), seeds) in codes {
        let some: Vec<u64> = seeds.iter().take(3).copied().collect();
        println!("{fault:16} {who} up {up:5} {code:10} {:4} e.g. {some:?}", seeds.len());
    }
    println!("{failed} of {count} are judged wrong");
    Ok(())
}

/// Adds what both sides of a conversation ended with.
fn note(codes: &mut Codes, scenario: &Scenario, report: &Report) {
    // The name alone: what follows differs from seed to seed.
    let fault = format!("{:?}", scenario.fault);
    let fault = fault.split('(').next().unwrap_or_default();
    for (who, sides) in [("client", &report.clients), ("server", &report.servers)] {
        for side in sides {
            let key = (fault.to_owned(), who, side.up.is_some(), format!("{:?}", side.code));
            codes.entry(key).or_default().push(scenario.seed);
        }
    }
}
