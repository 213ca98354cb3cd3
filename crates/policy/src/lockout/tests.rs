//! Behaviour of the lockout, and a comparison with a naive model.

mod model;

use std::net::Ipv4Addr;
use std::time::Duration;

use ipnet::Ipv4Net;

use super::*;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// The beginning of the tests.
const T: u64 = 20_000 * DAY;

fn rules() -> Rules {
    Rules {
        tries: 5,
        window: Duration::from_secs(600),
        lock: Duration::from_secs(900),
        address: AddressRules { tries: 20, ban: Duration::from_secs(3_600), ignore: Vec::new() },
    }
}

fn address(n: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x0b00_0000 + n)
}

/// An address in a /24 network of its own.
fn far(n: u32) -> Ipv4Addr {
    address((n << 8) | 7)
}

const HOME: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);

fn attempt(
    lockout: &mut Lockout,
    now: u64,
    name: &str,
    from: Ipv4Addr,
    verdict: Verdict,
) -> Result<Consequences, Refusal> {
    let ticket = lockout.begin(now, name, from)?;
    Ok(lockout.end(now, ticket, verdict))
}

const WRONG: Verdict = Verdict::Failed { exists: true };
const UNKNOWN: Verdict = Verdict::Failed { exists: false };

fn with_home() -> Lockout {
    let mut lockout = Lockout::new(rules());
    attempt(&mut lockout, T, "alice", HOME, Verdict::Proven).unwrap();
    lockout
}

#[test]
fn c168_an_attack_from_many_addresses_locks_the_account_and_not_its_owner() {
    let mut lockout = with_home();
    let mut checked = 0;
    for n in 0..1_500 {
        let now = T + u64::from(n) * 10;
        checked += u32::from(attempt(&mut lockout, now, "alice", far(n % 250), WRONG).is_ok());
        assert_eq!(
            attempt(&mut lockout, now, "alice", HOME, Verdict::Proven),
            Ok(Consequences::default()),
            "{n}"
        );
    }
    assert_eq!(checked, 5);
    let now = T + MINUTE;
    let neighbour = Ipv4Addr::new(198, 51, 100, 200);
    assert!(attempt(&mut lockout, now, "alice", neighbour, Verdict::Proven).is_ok(), "the same /24");
    let elsewhere = attempt(&mut lockout, now, "alice", Ipv4Addr::new(192, 0, 2, 1), Verdict::Proven);
    assert_eq!(elsewhere, Err(Refusal::Locked { until: T + 40 + 15 * MINUTE }));
    assert_eq!(lockout.numbers(now, 9).1.locked, [("alice".to_owned(), T + 40 + 15 * MINUTE)]);
}

#[test]
fn the_failures_that_are_checked_in_an_hour_are_bounded_over_all_addresses() {
    let most = rules().guesses_per_hour().unwrap();
    assert_eq!(most, 60);
    let mut lockout = with_home();
    for n in 1..8u32 {
        attempt(&mut lockout, T, "alice", far(1_000 + n), Verdict::Proven).unwrap();
    }
    let mut times = Vec::new();
    for n in 0..20_000u32 {
        let now = T + 1 + u64::from(n) * 1_000;
        let from = if n % 2 == 0 { far(n % 250) } else { far(1_000 + n % 8) };
        if attempt(&mut lockout, now, "alice", from, WRONG).is_ok() {
            times.push(now);
        }
    }
    let in_hour = |from: u64| times.iter().filter(|at| (from..from + HOUR).contains(*at)).count() as u64;
    let worst = times.iter().map(|at| in_hour(*at)).max().unwrap();
    assert!(worst <= most && worst > 5, "{worst}");
}

#[test]
fn logins_at_the_same_time_cannot_exceed_the_limit() {
    let mut lockout = Lockout::new(rules());
    let tickets: Vec<Ticket> = (0..5).map(|n| lockout.begin(T, "alice", far(n)).unwrap()).collect();
    assert_eq!(lockout.begin(T, "alice", far(9)), Err(Refusal::Busy));
    let other = lockout.begin(T, "bob", far(9)).unwrap();
    assert_eq!(lockout.end(T, other, Verdict::None), Consequences::default());
    for (n, ticket) in tickets.into_iter().enumerate() {
        let locked = lockout.end(T, ticket, WRONG).locked;
        assert_eq!(locked.is_some(), n == 4, "{n}");
    }
    assert!(matches!(lockout.begin(T, "alice", far(9)), Err(Refusal::Locked { .. })));
    assert!(lockout.in_flight.is_empty() && lockout.checking == 0);
}

#[test]
fn the_limit_of_an_hour_holds_whatever_the_locks_do() {
    let short = Rules { lock: Duration::from_secs(60), window: Duration::from_secs(60), ..rules() };
    let mut lockout = Lockout::new(short);
    let (mut checked, mut limited) = (0, 0);
    for n in 0..60u32 {
        match attempt(&mut lockout, T + u64::from(n) * 61_000, "alice", far(n), WRONG) {
            Ok(_) => checked += 1,
            Err(Refusal::HourlyLimit { until }) => {
                limited += 1;
                // When there is space for one, another one at the same time waits.
                let mut then = lockout.clone();
                let first = then.begin(until, "alice", far(98)).unwrap();
                assert_eq!(then.begin(until, "alice", far(99)), Err(Refusal::Busy));
                let _ = then.end(until, first, Verdict::None);
            }
            Err(Refusal::Locked { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!((10..=20).contains(&checked) && limited > 0, "{checked} checked, {limited} refused");
}

#[test]
fn an_own_network_is_locked_by_its_own_failures_alone() {
    let mut lockout = with_home();
    attempt(&mut lockout, T, "alice", far(1), Verdict::Proven).unwrap();
    for _ in 0..5 {
        attempt(&mut lockout, T, "alice", HOME, WRONG).unwrap();
    }
    assert!(matches!(lockout.begin(T, "alice", HOME), Err(Refusal::Locked { .. })));
    assert!(attempt(&mut lockout, T, "alice", far(1), Verdict::Proven).is_ok());
    assert!(attempt(&mut lockout, T, "alice", far(2), Verdict::Proven).is_ok());
}

#[test]
fn an_address_is_own_for_thirty_days() {
    let mut lockout = with_home();
    let now = T + OWN_FOR - MINUTE;
    for n in 0..5 {
        attempt(&mut lockout, now, "alice", far(n), WRONG).unwrap();
    }
    assert!(attempt(&mut lockout, now, "alice", HOME, Verdict::None).is_ok());
    assert!(matches!(lockout.begin(T + OWN_FOR, "alice", HOME), Err(Refusal::Locked { .. })));
}

#[test]
fn names_without_an_account_are_locked_like_others_and_take_no_space_of_accounts() {
    let (mut known, mut unknown) = (Lockout::new(rules()), Lockout::new(rules()));
    for n in 0..40u32 {
        let now = T + u64::from(n) * MINUTE;
        let asked =
            |lockout: &mut Lockout, verdict| attempt(lockout, now, "alice", far(n), verdict).map(drop);
        assert_eq!(asked(&mut known, WRONG), asked(&mut unknown, UNKNOWN), "{n}");
    }
    for n in 0..3 * MAX_INVENTED as u32 {
        attempt(&mut known, T + DAY, &format!("invented{n}"), far(n), UNKNOWN).unwrap();
    }
    assert_eq!((known.invented.len(), known.accounts.len()), (MAX_INVENTED, 1));
    let stored = known.take_changes();
    assert!(stored.iter().all(|change| !matches!(change, Change::Account(name, _) if &**name != "alice")));
}

#[test]
fn an_address_is_banned_and_the_next_ban_is_longer() {
    let mut lockout = Lockout::new(rules());
    let bans = |lockout: &mut Lockout, now: u64| -> Vec<(Ipv4Net, u64)> {
        let all = (0..20).map(|n| attempt(lockout, now, &format!("user{n}"), far(1), WRONG));
        all.flat_map(|consequences| consequences.unwrap().banned).collect()
    };
    let banned = Ipv4Net::from(far(1));
    assert_eq!(bans(&mut lockout, T), [(banned, T + HOUR)]);
    assert_eq!(lockout.ban_of(T, far(1)).map(|(network, _)| network), Some(banned));
    assert_eq!(lockout.begin(T, "carol", far(1)), Err(Refusal::Banned { until: T + HOUR }));
    assert_eq!(lockout.ban_of(T + HOUR, far(1)), None);
    assert_eq!(bans(&mut lockout, T + HOUR), [(banned, T + 3 * HOUR)]);
    assert!(lockout.unban(banned) && !lockout.unban(banned));
    assert_eq!(bans(&mut lockout, T + HOUR), [(banned, T + 2 * HOUR)], "all is forgotten");
}

#[test]
fn a_network_is_banned_as_a_whole_and_its_users_still_connect() {
    let mut lockout = with_home();
    let of_network = |n: u32| Ipv4Addr::from((u32::from(HOME) & 0xffff_ff00) | (20 + n));
    let mut banned = Vec::new();
    for n in 0..100 {
        let made = attempt(&mut lockout, T, &format!("user{n}"), of_network(n % 50), UNKNOWN);
        banned.extend(made.into_iter().flat_map(|made| made.banned));
    }
    let network: Ipv4Net = "198.51.100.0/24".parse().unwrap();
    assert_eq!(banned, [(network, T + HOUR)]);
    assert!(lockout.ban_of(T, of_network(99)).is_some());
    assert_eq!(lockout.ban_of(T, HOME), None, "a user logged in from it");
    assert!(attempt(&mut lockout, T, "alice", HOME, Verdict::Proven).is_ok());
    assert!(matches!(lockout.begin(T, "bob", HOME), Err(Refusal::Banned { .. })), "not bob's");
    let by = Some("root".to_owned());
    assert!(lockout.ban(T, network, Ban { since: T, until: T + DAY, by, reason: String::new() }));
    assert!(lockout.ban_of(T, HOME).is_some(), "an administrator means every address");
}

#[test]
fn ignored_networks_and_switched_off_rules_ban_and_lock_nothing() {
    let mut ignoring = rules();
    ignoring.address.ignore = vec!["11.0.0.0/8".parse().unwrap()];
    let off = Rules { tries: 0, address: AddressRules { tries: 0, ..rules().address }, ..rules() };
    for (rules, expected) in [(ignoring, 5), (off, 500)] {
        let mut lockout = Lockout::new(rules);
        let made: Vec<_> = (0..500).flat_map(|_| attempt(&mut lockout, T, "alice", far(1), WRONG)).collect();
        assert_eq!(made.len(), expected);
        assert!(made.iter().all(|made| made.banned.is_empty()));
    }
}

#[test]
fn unlock_opens_the_account_or_only_one_network() {
    let locked = || {
        let mut lockout = with_home();
        (0..5).for_each(|n| drop(attempt(&mut lockout, T, "alice", far(n), WRONG)));
        lockout
    };
    let mut lockout = locked();
    lockout.unlock(T, "alice", None);
    assert!(attempt(&mut lockout, T, "alice", far(77), WRONG).is_ok());
    let mut lockout = locked();
    lockout.unlock(T, "alice", Some(far(77)));
    assert!(attempt(&mut lockout, T, "alice", far(77), Verdict::Proven).is_ok());
    assert!(matches!(lockout.begin(T, "alice", far(78)), Err(Refusal::Locked { .. })));
    lockout.forget("alice");
    assert!(attempt(&mut lockout, T, "alice", far(78), WRONG).is_ok());
}

#[test]
fn a_restart_keeps_locks_bans_and_own_addresses() {
    let mut lockout = with_home();
    (0..5).for_each(|n| drop(attempt(&mut lockout, T, "alice", far(n), WRONG)));
    (0..19).for_each(|n| drop(attempt(&mut lockout, T, &format!("user{n}"), far(9), WRONG)));
    let ban = Ban { since: T, until: T + DAY, by: Some("root".into()), reason: "scan".into() };
    lockout.ban(T, "192.0.2.0/24".parse().unwrap(), ban);
    let changes = lockout.take_changes();
    assert!(lockout.take_changes().is_empty());
    let mut restored = Lockout::new(rules());
    changes.into_iter().for_each(|change| restored.restore(T + 1, change));
    for (name, from) in [("alice", far(77)), ("alice", HOME), ("bob", "192.0.2.9".parse().unwrap())] {
        let asked = |lockout: &mut Lockout| attempt(lockout, T + 1, name, from, Verdict::None);
        assert_eq!(asked(&mut restored), asked(&mut lockout), "{name} from {from}");
    }
    let one_more = attempt(&mut restored, T + 1, "user99", far(9), WRONG).unwrap();
    assert_eq!(one_more.banned.len(), 1, "19 failures were remembered");
    let mut behind = Lockout::new(rules());
    lockout.restore(
        T,
        Change::Ban(far(3).into(), Some(Ban { since: T, until: u64::MAX, by: None, reason: String::new() })),
    );
    lockout.changed.insert(change::Key::Ban(far(3).into()));
    lockout.take_changes().into_iter().for_each(|change| behind.restore(T - DAY, change));
    assert_eq!(behind.ban_of(T - 1, far(3)).map(|(_, ban)| ban.until), Some(T), "a day at most");
}

#[test]
fn memory_is_bounded_in_a_flood_of_addresses() {
    let mut lockout = Lockout::new(rules());
    for n in 0..3 * MAX_ADDRESSES as u32 {
        drop(attempt(&mut lockout, T + u64::from(n), "alice", far(n), UNKNOWN));
        drop(attempt(&mut lockout, T + u64::from(n), &format!("user{n}"), far(n), UNKNOWN));
    }
    assert_eq!((lockout.addresses.len(), lockout.networks.len()), (MAX_ADDRESSES, MAX_NETWORKS));
    assert!(lockout.changed.len() <= 65_536);
}
