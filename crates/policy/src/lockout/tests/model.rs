//! A model that keeps every attempt and counts anew for each question, compared with the machine over generated attempts.

use proptest::prelude::*;

use super::*;

/// A failed or successful login.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    at: u64,
    name: usize,
    from: Ipv4Addr,
    is_right: bool,
}

const NAMES: [&str; 3] = ["alice", "bob", "carol"];

#[derive(Default)]
struct Model {
    attempts: Vec<Attempt>,
}

fn same_network(a: Ipv4Addr, b: Ipv4Addr) -> bool {
    u32::from(a) >> 8 == u32::from(b) >> 8
}

impl Model {
    /// Whether an address was the account's own before the attempt with this index.
    fn is_own(&self, before: usize, now: u64, name: usize, from: Ipv4Addr) -> bool {
        let earlier = self.attempts[..before].iter();
        earlier
            .filter(|a| a.is_right && a.name == name && same_network(a.from, from))
            .any(|a| now < a.at + 30 * DAY)
    }

    /// The attempts on an account, from its own addresses or from others, with their index.
    fn of(&self, name: usize, own: bool) -> impl Iterator<Item = Attempt> {
        let all = self.attempts.iter().enumerate().filter(move |(_, a)| a.name == name);
        all.filter(move |(n, a)| self.is_own(*n, a.at, name, a.from) == own).map(|(_, a)| *a)
    }

    /// The end of the lock that a row of attempts leads to.
    fn locked_until(attempts: impl Iterator<Item = Attempt>) -> u64 {
        let (mut in_a_row, mut last, mut until, mut locks) = (0, 0, 0, 0u32);
        for attempt in attempts {
            if attempt.is_right {
                (in_a_row, until, locks) = (0, 0, 0);
                continue;
            }
            in_a_row = if attempt.at - last < 10 * MINUTE { in_a_row + 1 } else { 1 };
            last = attempt.at;
            if in_a_row == 5 {
                if attempt.at >= until + DAY {
                    locks = 0;
                }
                until = attempt.at + (MINUTE * 2u64.pow(locks.min(20))).min(DAY);
                (in_a_row, locks) = (0, locks + 1);
            }
        }
        until
    }

    /// Whether a bucket of this size that drains in an hour has space, in thousandths.
    fn has_space(attempts: impl Iterator<Item = Attempt>, now: u64, size: u64) -> bool {
        let (mut filled, mut at) = (0u64, 0);
        for attempt in attempts.filter(|attempt| !attempt.is_right) {
            filled = filled.saturating_sub((attempt.at - at) * size * 1_000 / HOUR);
            filled = (filled + 1_000).min(size * 1_000);
            at = attempt.at;
        }
        filled.saturating_sub((now - at) * size * 1_000 / HOUR) + 1_000 <= size * 1_000
    }

    fn allows(&self, now: u64, name: usize, from: Ipv4Addr) -> bool {
        let own = self.is_own(self.attempts.len(), now, name, from);
        if own {
            // A network that is new to the account begins without failures.
            let here = self.of(name, true).filter(|a| same_network(a.from, from));
            now >= Model::locked_until(here) && Model::has_space(self.of(name, true), now, 20)
        } else {
            // A right password from elsewhere resets nothing.
            let wrong = self.of(name, false).filter(|a| !a.is_right);
            let until = Model::locked_until(wrong);
            now >= until && Model::has_space(self.of(name, false), now, 10)
        }
    }
}

fn step() -> impl Strategy<Value = (u64, usize, u32, bool)> {
    let wait = prop_oneof![
        0u64..1_000,
        0u64..5 * MINUTE,
        0u64..2 * HOUR,
        Just(16 * MINUTE),
        Just(MINUTE),
        Just(3 * MINUTE),
        0u64..40 * DAY
    ];
    (wait, 0usize..3, 0u32..6, prop::bool::weighted(0.15))
}

proptest! {
    #[test]
    fn the_machine_decides_as_a_model_that_keeps_every_attempt(steps in prop::collection::vec(step(), 1..150)) {
        let mut rules = rules();
        rules.address.tries = 0;
        // So short that the limit of an hour is reached, too.
        rules.lock = Duration::from_secs(60);
        let (mut lockout, mut model, mut now) = (Lockout::new(rules), Model::default(), T);
        for (wait, name, place, is_right) in steps {
            now += wait;
            // Two addresses of each of three networks.
            let from = address(((place / 2) << 8) | (place % 2));
            let begun = lockout.begin(now, NAMES[name], from);
            prop_assert_eq!(begun.is_ok(), model.allows(now, name, from), "{:?} {} from {}", begun, NAMES[name], from);
            let Ok(ticket) = begun else { continue };
            let verdict = if is_right { Verdict::Proven } else { WRONG };
            drop(lockout.end(now, ticket, verdict));
            model.attempts.push(Attempt { at: now, name, from, is_right });
        }
    }

    #[test]
    fn what_is_stored_and_restored_decides_as_before(
        steps in prop::collection::vec(step(), 1..80),
        after in prop::collection::vec(step(), 1..40),
    ) {
        let mut lockout = Lockout::new(rules());
        let mut now = T;
        let mut rows = std::collections::BTreeMap::new();
        for (wait, name, place, is_right) in steps {
            now += wait;
            let verdict = if is_right { Verdict::Proven } else { WRONG };
            drop(attempt(&mut lockout, now, NAMES[name], far(place), verdict));
            for change in lockout.take_changes() {
                let key = match &change {
                    Change::Account(name, _) => (0, name.to_string()),
                    Change::Home(name, network, _) => (1, format!("{name} {network}")),
                    Change::Sender(network, _) => (2, network.to_string()),
                    Change::Ban(network, _) => (3, network.to_string()),
                };
                rows.insert(key, change);
            }
        }
        let mut restored = Lockout::new(rules());
        rows.into_values().for_each(|change| restored.restore(now, change));
        for (wait, name, place, is_right) in after {
            now += wait;
            let verdict = if is_right { Verdict::Proven } else { WRONG };
            prop_assert_eq!(lockout.ban_of(now, far(place)).is_some(), restored.ban_of(now, far(place)).is_some());
            let made = attempt(&mut lockout, now, NAMES[name], far(place), verdict);
            prop_assert_eq!(attempt(&mut restored, now, NAMES[name], far(place), verdict), made);
        }
    }
}
