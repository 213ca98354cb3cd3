//! Our server and our client with peers that do not behave.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::time::Duration;

use adit_crypto::Rng;
use adit_diag::AuthMethod;
use adit_sim::client::ClientHost;
use adit_sim::conversation::play;
use adit_sim::judge::judge;
use adit_sim::link::Quality;
use adit_sim::node::Node;
use adit_sim::rude::{Manner, Rude};
use adit_sim::scenario::{CLIENT, SERVER, Scenario};
use adit_sim::world::World;

fn scenario(seed: u64) -> Scenario {
    Scenario::plain(seed, &mut Rng::from_number(seed))
}

#[test]
fn c014_c038_rude_clients_do_not_disturb_a_good_one() {
    for manner in Manner::ALL {
        for seed in 0..12 {
            let mut scenario = scenario(seed);
            scenario.rude = vec![manner; 3];
            scenario.datagrams = 40;
            let report = play(scenario.clone(), false);
            judge(&scenario, &report).unwrap_or_else(|what| panic!("{manner:?} seed {seed}: {what}"));
            assert!(report.elapsed < Duration::from_secs(200), "{manner:?} lasts {:?}", report.elapsed);
        }
    }
}

/// On a line without loss nothing in the set-up waits for a timer. The clock is virtual: no busy machine decides this.
#[test]
fn c233_every_call_with_ms_chap_v2_and_mppe_is_up_within_a_second() {
    for seed in 0..100 {
        let scenario = scenario(seed);
        let report = play(scenario.clone(), false);
        judge(&scenario, &report).unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        for side in report.clients.iter().chain(&report.servers) {
            let up = side.up.as_ref().unwrap();
            assert_eq!(
                (up.method, up.encryption.is_some()),
                (Some(AuthMethod::MsChapV2), true),
                "seed {seed}"
            );
            let took = side.up_after.unwrap();
            assert!(took < Duration::from_secs(1), "seed {seed}: up after {took:?}");
        }
    }
}

#[test]
fn c232_a_thousand_half_open_connections_do_not_stop_a_client() {
    let mut scenario = scenario(1);
    scenario.rude = vec![Manner::Silent; 1000];
    let report = play(scenario.clone(), false);
    judge(&scenario, &report).unwrap();
}

/// What the rude ones do reaches the layers that it is meant for.
#[test]
fn rudeness_arrives() {
    let mut lines = String::new();
    for seed in 0..4 {
        let mut scenario = scenario(seed);
        scenario.rude = Manner::ALL.to_vec();
        lines.push_str(&play(scenario, true).lines.join("\n"));
    }
    for text in [
        "failed C09 by Us: PPTP Magic Cookie",
        "received PPTP Call-Clear-Request",
        "received PPTP Echo-Request",
        "received LCP Configure-Request",
        "received LCP Terminate-Request",
        "sent LCP Code-Reject",
        "sent LCP Configure-Reject",
    ] {
        assert!(lines.contains(text), "{text} is nowhere");
    }
}

#[test]
fn our_client_gives_every_rude_server_up() {
    for manner in Manner::ALL {
        for seed in 0..40 {
            let mut rng = Rng::from_number(seed);
            let mut world = World::new(rng.fork(), true);
            let line = Quality::default();
            let server_site = world.add_site(Vec::new(), line.clone(), line.clone());
            let client_site = world.add_site(Vec::new(), line.clone(), line);
            let rude = Rude::new(manner, SERVER, true, rng.fork());
            world.add_host(server_site, Node::Rude(Box::new(rude)));
            let config = scenario(seed).clients.remove(0);
            let client = ClientHost::new(CLIENT, 40_000, SERVER, config, rng.fork());
            let client = world.add_host(client_site, Node::Client(client));
            world.watch.swear(CLIENT, adit_sim::inner::SECRET);
            world.act(client, |node, now, out| node.client_mut().unwrap().dial(now, out));
            let until = world.now() + Duration::from_secs(400);
            world.run(until, |world| world.host(client).client().unwrap().is_over()).unwrap();
            let text = || format!("{}\n{manner:?} seed {seed}", world.transcript.lines().join("\n"));
            let over = world.host(client).client().unwrap();
            assert!(over.is_over(), "{}", text());
            assert!(over.code().is_some(), "{}", text());
            assert_eq!(world.watch.violation, None, "{}", text());
        }
    }
}
