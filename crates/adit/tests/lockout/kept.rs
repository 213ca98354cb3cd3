//! Locks, bans and addresses of earlier logins outlive the server, also when it is killed.

use adit_testbed::wait_until;

use crate::common::*;
use crate::world::{HOME, World, attacker, plan, run, user};

#[test]
fn a_killed_server_remembers_locks_bans_and_own_addresses() {
    let mut world = World::new(&["victim"], 5, 1);
    assert!(world.logs_in("victim", HOME));
    run(&world.attackers, plan("victim", "wrong", 5, (0..5).map(attacker).collect()));
    assert_eq!(world.lockout().locked, 1);
    let add = world.server.adit(&["ban", "add", "198.18.3.0/24", "--for", "2d", "--reason", "scan"]);
    assert!(add.ok, "{add}");
    wait_until("the lock in the account", SOON, || {
        world.server.adit(&["user", "list"]).stdout.contains("locked 1")
    });
    world.server.running.signal("KILL");
    let _ = world.server.running.wait(SOON);
    let list = world.server.adit(&["ban", "list", "--columns", "network,left_s,reason"]).stdout;
    assert!(list.contains("198.18.3.0/24") && list.contains("scan"), "without a server: {list}");

    world.server.running = start(&world.server.host, world.server.dir.path());
    let before = world.lockout();
    assert_eq!((before.locked, before.banned, before.guesses), (1, 1, 0));
    assert!(!world.logs_in("victim", user(0)));
    assert!(world.logs_in("victim", HOME));
    run(&world.attackers, plan("victim", "wrong", 1, vec![attacker(3)]));
    let after = world.lockout();
    assert_eq!((after.turned_away, after.guesses), (1, 0), "{after:?}");
    let status = world.server.adit(&["status"]).stdout;
    assert!(status.contains("A04 accounts locked after failed logins: victim (15 min)"), "{status}");
}
