//! What is remembered of an account: its failed logins, and the networks from which its user logged in.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::rules::HOUR;
use super::strikes::{Bucket, Strikes};

/// An address is an account's own for so long after a login: 30 days.
pub const OWN_FOR: u64 = 30 * 24 * HOUR;
/// The most /24 networks from which the logins of one account are remembered; the oldest gives way.
pub const MAX_HOMES: usize = 16;

/// The /24 network of an address.
pub(super) fn network(from: Ipv4Addr) -> Ipv4Net {
    Ipv4Net::new(from, 24).unwrap_or_default().trunc()
}

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Failed logins from addresses that are not its own.
    pub strikes: Strikes,
    /// The same, for the limit of an hour.
    pub foreign: Bucket,
    /// Failed logins from its own addresses together, for the limit of an hour.
    pub own: Bucket,
    /// Networks from which its user logged in.
    pub(super) homes: Vec<Home>,
}

/// A network from which a user logged in: the account's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Home {
    /// The /24 network.
    pub network: Ipv4Net,
    /// The address of the last login.
    pub address: Ipv4Addr,
    /// When that was.
    pub at: u64,
    /// Failed logins from there since.
    pub strikes: Strikes,
}

impl Home {
    pub(super) fn is_valid(&self, now: u64) -> bool {
        now < self.at.saturating_add(OWN_FOR)
    }
}

impl Account {
    /// An account with these failures, and without networks of its own.
    pub fn new(strikes: Strikes, foreign: Bucket, own: Bucket) -> Account {
        Account { strikes, foreign, own, homes: Vec::new() }
    }

    /// The account's own network that holds an address.
    pub(super) fn home(&self, now: u64, from: Ipv4Addr) -> Option<&Home> {
        self.homes.iter().find(|home| home.network.contains(&from) && home.is_valid(now))
    }

    pub(super) fn home_mut(&mut self, network: Ipv4Net) -> Option<&mut Home> {
        self.homes.iter_mut().find(|home| home.network == network)
    }

    /// Remembers a login from an address; returns the network that is forgotten for it.
    pub(super) fn logged_in(&mut self, now: u64, from: Ipv4Addr) -> Option<Ipv4Net> {
        let home = Home { network: network(from), address: from, at: now, strikes: Strikes::default() };
        self.put_home(home)
    }

    /// Puts a network; returns the one that is forgotten for it.
    pub(super) fn put_home(&mut self, home: Home) -> Option<Ipv4Net> {
        if let Some(known) = self.home_mut(home.network) {
            *known = home;
            return None;
        }
        self.homes.push(home);
        if self.homes.len() <= MAX_HOMES {
            return None;
        }
        let oldest = self.homes.iter().min_by_key(|home| home.at)?.network;
        self.homes.retain(|home| home.network != oldest);
        Some(oldest)
    }

    /// Forgets failures and locks, not the networks.
    pub(super) fn unlock(&mut self) {
        self.strikes = Strikes::default();
        self.foreign = Bucket::default();
        self.own = Bucket::default();
        for home in &mut self.homes {
            home.strikes = Strikes::default();
        }
    }

    /// When nothing of it matters any more.
    pub(super) fn expires(&self) -> u64 {
        let homes = self.homes.iter().map(|home| home.at.saturating_add(OWN_FOR));
        homes.chain([self.strikes.expires()]).max().unwrap_or_default()
    }
}
