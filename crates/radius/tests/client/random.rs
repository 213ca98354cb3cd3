//! Random worlds: whatever happens, each login has one end, and the rules of the wire hold.

use std::collections::BTreeMap;

use adit_radius::client::{ClientConfig, Command, RequestId};

use crate::world::{MILLISECOND, SECOND, World, config};

/// Plays a world and returns the number of logins.
fn play(seed: u64) -> World {
    let mut world = World::new(ClientConfig { sockets: 2, ..config(3) }, seed);
    world.loss = (world.rng.below(60), world.rng.below(30));
    let mut next = 0;
    for _ in 0..150 {
        match world.rng.below(20) {
            0 => {
                let server = world.rng.below(3) as usize;
                world.servers[server].is_up ^= true;
            }
            1 => {
                let server = world.rng.below(3) as usize;
                world.servers[server].answers_status ^= true;
            }
            2 => {
                let id = RequestId(world.rng.below(next + 1));
                // An end may already have been reported; a withdrawn login counts as ended here.
                world.command(Command::Cancel(id));
            }
            _ => {
                for _ in 0..world.rng.below(20) {
                    let name = ["alice", "bad", "more", "slow"][world.rng.below(4) as usize];
                    world.send(next, name);
                    next += 1;
                }
            }
        }
        let pause = world.rng.below(3_000) as u32 * MILLISECOND;
        world.run(pause);
    }
    world.run(120 * SECOND);
    world
}

#[test]
fn each_login_ends_once_and_identifiers_rest_after_their_use() {
    for seed in 0..40 {
        let world = play(seed);
        // The second end of a login fails in the world itself.
        assert_eq!(world.client.open_requests(), 0, "seed {seed}");
        let mut uses = BTreeMap::new();
        for sent in &world.sent {
            let key = (sent.socket, sent.octets[1]);
            if let Some((at, octets)) = uses.insert(key, (sent.at, &sent.octets)) {
                let is_repeated = octets == &sent.octets;
                assert!(
                    is_repeated || sent.at - at >= 30 * SECOND,
                    "seed {seed}: {key:?} again after {:?}",
                    sent.at - at
                );
            }
        }
        assert!(world.sent.iter().all(|sent| sent.socket.number < 2), "seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_packets_and_ends() {
    for seed in 0..10 {
        let outcome = |world: &World| {
            let sent: Vec<_> =
                world.sent.iter().map(|sent| (sent.at - world.begun, sent.octets.clone())).collect();
            (sent, format!("{:?} {:?}", world.ends, world.events))
        };
        assert_eq!(outcome(&play(seed)), outcome(&play(seed)), "seed {seed}");
    }
}
