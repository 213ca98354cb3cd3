//! Stateful MPPE between our server and our client: agreed only where one end prefers it, and repaired after loss.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::sync::Arc;

use adit_crypto::Rng;
use adit_crypto::mppe::Strength;
use adit_ppp::ccp::Stateful;
use adit_sim::conversation::{Report, play};
use adit_sim::judge::judge;
use adit_sim::link::Quality;
use adit_sim::scenario::Scenario;

const ALL: [Stateful; 3] = [Stateful::Refuse, Stateful::Accept, Stateful::Prefer];

fn scenario(seed: u64, server: Stateful, client: Stateful) -> Scenario {
    let mut scenario = Scenario::plain(seed, &mut Rng::from_number(seed));
    Arc::make_mut(&mut scenario.server.link).mppe.stateful = server;
    for config in &mut scenario.clients {
        Arc::make_mut(&mut config.link).mppe.stateful = client;
    }
    scenario
}

fn judged(scenario: &Scenario) -> Report {
    let report = play(scenario.clone(), false);
    judge(scenario, &report).unwrap_or_else(|what| panic!("seed {}: {what}", scenario.seed));
    report
}

#[test]
fn both_ends_have_the_mode_of_their_policies() {
    for server in ALL {
        for client in ALL {
            let both = [server, client];
            let stateless = !both.contains(&Stateful::Prefer) || both.contains(&Stateful::Refuse);
            for seed in 0..8 {
                let report = judged(&scenario(seed, server, client));
                let wanted = Some((Strength::Bits128, stateless));
                assert_eq!(report.encryption, [(wanted, wanted)], "{both:?}, seed {seed}");
            }
        }
    }
}

/// Loss hits the negotiation too. Whatever mode it leads to, both ends have the same one.
#[test]
fn loss_neither_ends_a_stateful_session_nor_damages_a_packet() {
    let (mut stateful, mut sent, mut received) = (0, 0, 0);
    for seed in 0..100 {
        let mut scenario = scenario(seed, Stateful::Accept, Stateful::Prefer);
        scenario.datagrams = 200;
        (scenario.up, scenario.down) = (lossy(), lossy());
        let report = judged(&scenario);
        if report.encryption.iter().any(|(ours, _)| *ours == Some((Strength::Bits128, false))) {
            stateful += 1;
            sent += report.clients[0].sent;
            received += report.servers.iter().map(|side| side.received.len()).max().unwrap();
        }
    }
    assert!(stateful >= 90, "{stateful} of 100 calls are stateful");
    // A loss costs the packets up to the answer to a Reset-Request.
    assert!(received * 2 > sent as usize, "{received} of {sent} datagrams arrived");
}

fn lossy() -> Quality {
    Quality { loss: 10, ..Quality::default() }
}
