//! Ten thousand conversations: each works and is equal on both sides, or ends with a code that names its fault.
//!
//! One of them, with its transcript: `ADIT_SEED=1234 cargo test -p adit-sim --test conversations one -- --nocapture`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fmt::Write as _;

use adit_sim::conversation::{Report, play};
use adit_sim::judge::{Expectation, expectation, judge};
use adit_sim::scenario::Scenario;

fn describe(scenario: &Scenario, report: &Report, lines: usize) -> String {
    let mut text = String::new();
    let from = report.lines.len().saturating_sub(lines);
    for line in &report.lines[from..] {
        let _ = writeln!(text, "{line}");
    }
    let _ = writeln!(text, "seed {} fault {:?} ending {:?}", scenario.seed, scenario.fault, scenario.ending);
    for side in report.clients.iter().chain(&report.servers) {
        let _ = writeln!(text, "{:?} {:?} {:?}", side.code, side.call, side.closed);
    }
    text
}

fn run(seeds: core::ops::Range<u64>) {
    let mut entries = 0;
    let (mut sound, mut unlucky) = (0u32, 0u32);
    for seed in seeds.clone() {
        let scenario = Scenario::from_seed(seed);
        let report = play(scenario.clone(), false);
        entries += report.entries;
        if expectation(scenario.fault) == Expectation::Works {
            sound += 1;
            unlucky += u32::from(report.clients.iter().any(|client| client.code.is_some()));
        }
        if let Err(what) = judge(&scenario, &report) {
            let report = play(scenario.clone(), true);
            panic!(
                "{}\nseed {seed}: {what}\nagain: ADIT_SEED={seed} cargo test -p adit-sim --test conversations one -- --nocapture",
                describe(&scenario, &report, 400)
            );
        }
    }
    println!("{} conversations, {entries} entries; {unlucky} of {sound} unlucky", seeds.end - seeds.start);
    // A third of the lines loses up to 12 of 100 packets each way; even there nearly all must work.
    assert!(unlucky * 50 < sound, "{unlucky} of {sound} sound conversations failed");
}

#[test]
fn one() {
    let Some(seed) = std::env::var("ADIT_SEED").ok().and_then(|seed| seed.parse().ok()) else { return };
    let scenario = Scenario::from_seed(seed);
    println!("{scenario:#?}");
    let report = play(scenario.clone(), true);
    println!("{}", describe(&scenario, &report, usize::MAX));
    judge(&scenario, &report).unwrap();
}

/// Which codes each fault leads to, of those that may lead to several.
#[test]
#[ignore = "for people"]
fn codes() {
    let mut table = std::collections::BTreeMap::new();
    for seed in 0..20_000 {
        let scenario = Scenario::from_seed(seed);
        if !matches!(expectation(scenario.fault), Expectation::Anything) {
            continue;
        }
        let report = play(scenario.clone(), false);
        let fault = match format!("{:?}", scenario.fault) {
            fault if fault.contains("s)") => {
                format!("{} {}", fault.split('(').next().unwrap(), fault.len() > 18)
            }
            fault => fault.split('(').next().unwrap().to_owned(),
        };
        for (who, sides) in [("client", &report.clients), ("server", &report.servers)] {
            for side in sides {
                let key = (fault.clone(), who, side.up.is_some(), format!("{:?}", side.code));
                table.entry(key).or_insert_with(Vec::new).push(seed);
            }
        }
    }
    for ((fault, who, up, code), seeds) in table {
        println!(
            "{fault:16} {who} up {up:5} {code:10} {:4} e.g. {:?}",
            seeds.len(),
            &seeds[..seeds.len().min(3)]
        );
    }
}

/// Which seeds fail, and how; to work through them.
#[test]
#[ignore = "for people"]
fn survey() {
    let count = std::env::var("ADIT_COUNT").ok().and_then(|count| count.parse().ok()).unwrap_or(1000);
    let mut failed = 0;
    for seed in 0..count {
        let scenario = Scenario::from_seed(seed);
        let report = play(scenario.clone(), false);
        if let Err(what) = judge(&scenario, &report) {
            failed += 1;
            println!("seed {seed} {:?} lossy {}: {}", scenario.fault, scenario.is_lossy(), what);
        }
    }
    println!("{failed} of {count}");
}

#[test]
fn the_same_seed_gives_the_same_transcript() {
    for seed in 0..200 {
        let first = play(Scenario::from_seed(seed), false);
        let second = play(Scenario::from_seed(seed), false);
        assert_eq!((first.hash, first.entries), (second.hash, second.entries), "seed {seed}");
    }
}

macro_rules! thousands {
    ($($name:ident $n:literal)+) => {$(
        #[test]
        fn $name() {
            run($n * 1000..($n + 1) * 1000);
        }
    )+};
}

thousands! {
    conversations_0 0 conversations_1 1 conversations_2 2 conversations_3 3 conversations_4 4
    conversations_5 5 conversations_6 6 conversations_7 7 conversations_8 8 conversations_9 9
}
