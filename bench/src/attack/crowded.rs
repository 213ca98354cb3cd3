//! Good logins while the server is flooded with connections that never log in.

use std::net::Ipv4Addr;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use adit_bench::until::wait;
use adit_bench::watch::used;
use anyhow::Context as _;

use crate::adit::{Mppe, Server};
use crate::figures::Figures;
use crate::flood::{Flood, FloodPlan, Kind};
use crate::login::{self, Account, Login};
use crate::net::{Net, Role, USER};

/// Connections of the large floods, and the addresses that they are from.
const SLOTS: u32 = 4500;
const ADDRESSES: u32 = 4000;
/// New connections a second of the large floods.
const RATE: u32 = 2000;
/// Connections that have closed again before the user of the same address logs in.
const CLOSED: u64 = 3000;
/// New connections a second of the flood from behind the same NAT.
const NAT_RATE: u32 = 500;
/// How long a flood may take to fill.
const FILL: Duration = Duration::from_secs(15);
/// Further time for the server to accept what has been connected.
const SETTLE: Duration = Duration::from_secs(1);
/// Connections of one row at the most.
const TOTAL: u64 = 1_000_000;

const KNOWN: &str = "known";

/// Where the connections are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// 4,000 addresses.
    Everywhere,
    /// 256 addresses of one /24.
    OneNetwork,
    /// The address of the user, 500 a second.
    SameAddress,
    /// The address of the user, 3,000 in all, before the login.
    SameAddressBefore,
}

/// A flood as a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CrowdAttack {
    pub(crate) kind: Kind,
    pub(crate) from: Origin,
}

/// The bounds of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Logins of each sort.
    pub(crate) logins: u32,
    /// The time for one login.
    pub(crate) patience: Duration,
    /// No login begins after this time.
    pub(crate) length: Duration,
}

impl Origin {
    fn sources(self) -> Vec<Ipv4Addr> {
        // Of every /24 the same number of addresses, without .0 and .255.
        let everywhere = |n: u32| Ipv4Addr::new(198, 18, (n / 250) as u8, (1 + n % 250) as u8);
        match self {
            Origin::Everywhere => (0..ADDRESSES).map(everywhere).collect(),
            Origin::OneNetwork => (0..=255).map(|n| Ipv4Addr::new(198, 18, 7, n)).collect(),
            Origin::SameAddress | Origin::SameAddressBefore => vec![everywhere(0)],
        }
    }
}

impl CrowdAttack {
    pub(crate) fn name(&self) -> String {
        let kind = self.kind.name();
        match self.from {
            Origin::Everywhere => kind.to_owned(),
            Origin::OneNetwork => format!("one /24: {kind}"),
            Origin::SameAddress => format!("same NAT 500/s: {kind}"),
            Origin::SameAddressBefore => format!("same address 3000 before: {kind}"),
        }
    }

    fn plan(&self) -> FloodPlan {
        let (slots, rate, total) = match self.from {
            Origin::Everywhere => (SLOTS, RATE, TOTAL),
            Origin::OneNetwork => (256, 256, TOTAL),
            Origin::SameAddress => (SLOTS, NAT_RATE, TOTAL),
            Origin::SameAddressBefore => (64, RATE, CLOSED),
        };
        FloodPlan { kind: self.kind, slots, sources: self.from.sources(), rate, total }
    }

    /// Floods the server, and logs in meanwhile.
    pub(crate) fn run(&self, program: &Path, limits: Limits) -> anyhow::Result<Figures> {
        let net = Net::new();
        let never_seen = |n: u32| format!("new{n}");
        let users: Vec<String> =
            std::iter::once(KNOWN.to_owned()).chain((0..limits.logins).map(never_seen)).collect();
        let server = Server::start(program, net.host(Role::Server), Mppe::Stateless, &users)?;
        let crowd = net.host(Role::Crowd);
        let is_shared = matches!(self.from, Origin::SameAddress | Origin::SameAddressBefore);
        let user = if is_shared { None } else { Some(net.host(Role::User)) };
        let host = user.as_ref().unwrap_or(&crowd);
        let source = |n: u32| match (is_shared, n) {
            (true, _) => self.from.sources().first().copied().unwrap_or(USER),
            (false, 0) => USER,
            (false, n) => Ipv4Addr::new(198, 51, 100, n as u8),
        };
        let known = Account { user: KNOWN.to_owned(), source: source(0) };
        let mut figures = Figures::default();
        // The first login of all makes the user known; the second one is the time without a flood.
        for _ in 0..2 {
            let idle = known.log_in(host, limits.patience)?;
            anyhow::ensure!(idle.is_up, "the login without a flood failed: {:?}", idle.failed);
            figures.values.clear();
            figures.set("idle s", idle.seconds);
        }
        let plan = self.plan();
        let flood = Flood::start(&crowd, plan.clone());
        let wanted = u64::from(plan.slots) * 9 / 10;
        let is_full = || match (self.from, self.kind) {
            (Origin::SameAddressBefore, _) => flood.has_ended(),
            // Connections that close at once never fill the slots.
            (_, Kind::Close) => flood.counts.tried() >= wanted,
            _ => flood.counts.open() >= wanted,
        };
        let filled = wait(FILL, || is_full() || flood.has_ended());
        sleep(SETTLE);
        let (started, before) = (Instant::now(), used(server.pid()).context("adit serve is gone")?);
        let tried_before = flood.counts.tried();
        let (mut known_logins, mut new_logins): (Vec<Login>, Vec<Login>) = (Vec::new(), Vec::new());
        let mut open = flood.counts.open();
        for n in 0..limits.logins {
            if n > 0 && started.elapsed() > limits.length {
                break;
            }
            known_logins.push(known.log_in(host, limits.patience)?);
            let new = Account { user: never_seen(n), source: source(n + 1) };
            new_logins.push(new.log_in(host, limits.patience)?);
            open = open.max(flood.counts.open());
        }
        let seconds = started.elapsed().as_secs_f64();
        let after = used(server.pid()).context("adit serve is gone")?;
        let made = flood.counts.tried() - tried_before;
        let ended_early = flood.has_ended() && plan.total == TOTAL;
        flood.finish()?;
        anyhow::ensure!(!ended_early, "the flood has ended before the logins");
        login::report(&known_logins, KNOWN, &mut figures);
        login::report(&new_logins, "new", &mut figures);
        figures.set("cpu %", 100.0 * after.cpu.saturating_sub(before.cpu).as_secs_f64() / seconds);
        figures.set("memory MiB", after.rss_kib as f64 / 1024.0);
        figures.set("open", open as f64);
        figures.set("tried/s", made as f64 / seconds);
        if !filled {
            figures.note(format!("the server kept no more than {open} connections open"));
        }
        server.describe(&[], &mut figures);
        Ok(figures)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn sources_are_distinct_and_of_the_network_of_the_crowd() {
        for (from, number) in
            [(Origin::Everywhere, 4000), (Origin::OneNetwork, 256), (Origin::SameAddress, 1)]
        {
            let sources: BTreeSet<Ipv4Addr> = from.sources().into_iter().collect();
            assert_eq!(sources.len(), number);
            assert!(sources.iter().all(|source| source.octets()[..2] == [198, 18]));
        }
    }
}
