//! Plays one conversation and prints its scenario and its transcript: `conversation SEED`.
#![allow(clippy::unwrap_used, reason = "a tool")]

use adit_sim::conversation::play;
use adit_sim::judge::judge;
use adit_sim::scenario::Scenario;

fn main() -> Result<(), String> {
    let seed = std::env::args().nth(1).and_then(|seed| seed.parse().ok());
    let seed = seed.ok_or("usage: conversation SEED, a number as a failed test names it")?;
    let scenario = Scenario::from_seed(seed);
    println!("{scenario:#?}");
    let report = play(scenario.clone(), true);
    println!("{}", report.describe(&scenario, usize::MAX));
    judge(&scenario, &report)
}
