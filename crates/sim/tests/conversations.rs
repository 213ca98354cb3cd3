//! Ten thousand conversations: each works and is equal on both sides, or ends with a code that names its fault.
//!
//! One of them, with its transcript: `cargo run -p adit-sim --example conversation 1234`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use adit_sim::conversation::play;
use adit_sim::judge::{Expectation, expectation, judge};
use adit_sim::scenario::Scenario;

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
                "{}\nseed {seed}: {what}\nagain: cargo run -p adit-sim --example conversation {seed}",
                report.describe(&scenario, 400)
            );
        }
    }
    println!("{} conversations, {entries} entries; {unlucky} of {sound} unlucky", seeds.end - seeds.start);
    // A third of the lines loses up to 12 of 100 packets each way; even there nearly all must work.
    assert!(unlucky * 50 < sound, "{unlucky} of {sound} sound conversations failed");
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
