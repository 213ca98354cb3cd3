//! Attacks while users log in. The small ones are tests; `bench/lockout` runs those of the full size and prints the figures.

use adit_bench::{Plan, Report};
use serde_json::json;

use crate::common::*;
use crate::world::{HOME, World, attacker, plan, run, user};

/// An attack.
struct Attack {
    /// The accounts that are tried; `%n` stands for a number.
    account: &'static str,
    /// How many.
    accounts: u32,
    attempts: u32,
    addresses: u8,
    at_once: u32,
    /// Users who log in meanwhile.
    users: u8,
}

/// KiB in memory.
fn memory(world: &World) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", world.server.running.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn good(users: u8) -> Plan {
    let sources = (0..users).map(user).collect();
    let users = u32::from(users);
    Plan { users, at_once: 10, ..plan("good%n", PASSWORD, users, sources) }
}

/// Runs an attack while all users and the victim log in, who did so before. Returns the world for more questions, and the
/// report of the users.
fn attacked(attack: &Attack) -> (World, Report) {
    let names: Vec<String> = (0..attack.users).map(|n| format!("good{n}")).collect();
    let mut accounts: Vec<&str> = names.iter().map(String::as_str).collect();
    accounts.push("victim");
    let world = World::new(&accounts, attack.addresses, attack.users);
    assert!(run(&world.users, good(attack.users)).is_clean());
    assert!(world.logs_in("victim", HOME));
    let before = memory(&world);
    let Attack { account, accounts, attempts, addresses, at_once, users } = *attack;
    let sources = (0..addresses).map(attacker).collect();
    let bad = Plan { users: accounts, at_once, ..plan(account, "wrong", attempts, sources) };
    let (report, tried) = std::thread::scope(|scope| {
        let attack = scope.spawn(|| run(&world.attackers, bad));
        // While it goes on, again and again: each user logs in at all times of the attack.
        let mut worst = run(&world.users, good(users));
        assert!(worst.is_clean(), "{:?}", worst.failed);
        while !attack.is_finished() {
            let next = run(&world.users, good(users));
            assert!(next.is_clean(), "{:?}", next.failed);
            assert!(world.logs_in("victim", HOME), "the owner of the account");
            if next.setup_ms_max > worst.setup_ms_max {
                worst = next;
            }
        }
        (worst, attack.join().unwrap())
    });
    assert_eq!((tried.calls, tried.up), (attempts, 0));
    let lockout = world.lockout();
    let figures = json!({
        "account": account, "attempts": attempts, "addresses": addresses, "seconds": tried.seconds,
        "lockout": lockout,
        "users": users, "setup_ms_median": report.setup_ms_median, "setup_ms_max": report.setup_ms_max,
        "memory_kib_before": before, "memory_kib_after": memory(&world),
    });
    println!("{figures}");
    (world, report)
}

/// Guesses at one account: few are checked, and its user logs in all the time.
fn one_account(attempts: u32, addresses: u8, users: u8) {
    let at_once = attempts.min(150);
    let attack = Attack { account: "victim", accounts: 1, attempts, addresses, at_once, users };
    let (world, _) = attacked(&attack);
    let lockout = world.lockout();
    assert_eq!(lockout.guesses, 5, "{lockout:?}");
    assert_eq!((lockout.locked, lockout.refused), (1, u64::from(attempts) - 5), "{lockout:?}");
    assert!(!world.logs_in("victim", user(0)), "another address than the user's");
    let explained = world.server.adit(&["explain", "user", "victim"]).stdout;
    assert!(explained.contains("locked 1") && explained.contains("A04"), "{explained}");
    let unlock = ["user", "unlock", "victim", "--from", "198.19.0.99"];
    assert!(world.server.adit(&unlock).ok);
    assert!(world.logs_in("victim", user(0)), "the same /24");
}

/// Guesses at many accounts, most of which do not exist: the addresses are banned.
fn many_accounts(attempts: u32, addresses: u8, users: u8) {
    let attack = Attack { account: "name%n", accounts: 977, attempts, addresses, at_once: 100, users };
    let (world, _) = attacked(&attack);
    let lockout = world.lockout();
    assert_eq!(lockout.banned, u64::from(addresses), "{lockout:?}");
    // A ban needs twenty failed logins; those that run at its beginning are checked too.
    let most = u64::from(addresses) * 20 + u64::from(attack.at_once);
    assert!(lockout.guesses <= most, "{lockout:?}");
    assert!(lockout.turned_away > 0, "{lockout:?}");
}

#[test]
fn guesses_at_one_account_lock_it_and_not_its_user() {
    one_account(60, 30, 4);
}

#[test]
fn guesses_at_many_accounts_ban_the_addresses() {
    many_accounts(150, 3, 4);
}

#[test]
#[ignore = "a measurement: bench/lockout runs it"]
fn fifteen_hundred_guesses_at_one_account_from_250_addresses() {
    one_account(1_500, 250, 100);
}

#[test]
#[ignore = "a measurement: bench/lockout runs it"]
fn ten_thousand_guesses_from_50_addresses() {
    many_accounts(10_000, 50, 100);
}
