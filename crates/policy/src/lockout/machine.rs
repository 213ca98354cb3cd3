//! The state machine of the lockout.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::account::{Account, OWN_FOR, network};
use super::bans::{Ban, Bans};
use super::change::Key;
use super::rules::{HOUR, Rules};
use super::strikes::{Bucket, Sender};
use super::table::Table;

/// The most accounts that are remembered, with their own networks.
pub const MAX_ACCOUNTS: usize = 65_536;
/// The most names without an account whose failures are counted.
pub const MAX_INVENTED: usize = 4_096;
/// The most addresses whose failures are counted.
pub const MAX_ADDRESSES: usize = 16_384;
/// The most /24 networks whose failures are counted.
pub const MAX_NETWORKS: usize = 16_384;
/// The most addresses from which a login is remembered.
pub const MAX_KNOWN: usize = 16_384;
/// The most logins that are checked at once.
pub const MAX_IN_FLIGHT: usize = 16_384;
/// The most changes that wait to be stored; further ones are stored with the next change of the same entry.
const MAX_CHANGED: usize = 65_536;

/// A login that is being checked. It must be returned with [`Lockout::end`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a login that is not ended counts as a failure for ever"]
pub struct Ticket {
    name: Box<str>,
    from: Ipv4Addr,
    /// The account's own network that it came from.
    home: Option<Ipv4Net>,
}

/// Why a login is not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The account is locked for this address.
    Locked {
        /// When that ends.
        until: u64,
    },
    /// The limit of an hour is reached.
    HourlyLimit {
        /// When another login can be checked.
        until: u64,
    },
    /// The address is banned, and not the account's own.
    Banned {
        /// When that ends.
        until: u64,
    },
    /// As many logins are being checked as may fail: ask again when one has ended.
    Busy,
}

/// The result of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The password was right.
    Proven,
    /// The password was wrong, or there is no such account.
    Failed {
        /// Whether the account exists.
        exists: bool,
    },
    /// There was no verdict, or one that reveals nothing of the password.
    None,
}

/// What begins with a failed login.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consequences {
    /// The account, which exists, is locked until then.
    pub locked: Option<u64>,
    /// These networks are banned until then.
    pub banned: Vec<(Ipv4Net, u64)>,
}

/// Numbers for display.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Accounts that are locked, with the ends of their locks, the latest first.
    pub locked: Vec<(String, u64)>,
    /// Bans in force.
    pub banned: usize,
    /// Failed logins that were checked since the start.
    pub guesses: u64,
    /// Logins that were refused unchecked since the start.
    pub refused: u64,
    /// Entries of all tables.
    pub entries: usize,
}

/// Which logins are checked, and which addresses may connect.
#[derive(Clone, Debug)]
pub struct Lockout {
    pub(super) rules: Rules,
    pub(super) accounts: Table<Box<str>, Account>,
    pub(super) invented: Table<Box<str>, Account>,
    pub(super) addresses: Table<Ipv4Net, Sender>,
    pub(super) networks: Table<Ipv4Net, Sender>,
    /// Addresses from which a user logged in, with the time of the last login.
    pub(super) known: Table<Ipv4Addr, u64>,
    pub(super) bans: Bans,
    /// Logins that are being checked, by account and own network.
    pub(super) in_flight: BTreeMap<(Box<str>, Option<Ipv4Net>), u32>,
    pub(super) checking: usize,
    /// What changed since [`Lockout::take_changes`].
    pub(super) changed: BTreeSet<Key>,
    guesses: u64,
    refused: u64,
}

impl Lockout {
    /// Nothing is known.
    pub fn new(rules: Rules) -> Lockout {
        Lockout {
            rules,
            accounts: Table::new(MAX_ACCOUNTS),
            invented: Table::new(MAX_INVENTED),
            addresses: Table::new(MAX_ADDRESSES),
            networks: Table::new(MAX_NETWORKS),
            known: Table::new(MAX_KNOWN),
            bans: Bans::default(),
            in_flight: BTreeMap::new(),
            checking: 0,
            changed: BTreeSet::new(),
            guesses: 0,
            refused: 0,
        }
    }

    /// The rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Applies other rules; locks and bans stay as they are.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.get(name).or_else(|| self.invented.get(name))
    }

    /// Whether a user logged in from the address recently.
    fn is_known(&self, now: u64, from: Ipv4Addr) -> bool {
        self.known.get(&from).is_some_and(|at| now < at.saturating_add(OWN_FOR))
    }

    /// The ban because of which connections from an address are refused.
    pub fn ban_of(&self, now: u64, from: Ipv4Addr) -> Option<(Ipv4Net, &Ban)> {
        let is_known = self.is_known(now, from);
        self.bans.of(now, from).find(|(_, ban)| ban.by.is_some() || !is_known)
    }

    /// Asks whether a login may be checked. `name` is the account's, in the form in which accounts are compared.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn begin(&mut self, now: u64, name: &str, from: Ipv4Addr) -> Result<Ticket, Refusal> {
        let home = self.account(name).and_then(|account| account.home(now, from)).map(|home| home.network);
        match self.refusal(now, name, from, home) {
            None => {}
            Some(refusal) => {
                self.refused += u64::from(refusal != Refusal::Busy);
                return Err(refusal);
            }
        }
        let name: Box<str> = name.into();
        *self.in_flight.entry((name.clone(), home)).or_default() += 1;
        self.checking += 1;
        Ok(Ticket { name, from, home })
    }

    fn refusal(&self, now: u64, name: &str, from: Ipv4Addr, home: Option<Ipv4Net>) -> Option<Refusal> {
        let mut bans = self.bans.of(now, from).map(|(_, ban)| ban);
        if let Some(ban) = bans.find(|ban| ban.by.is_some() || home.is_none()) {
            return Some(Refusal::Banned { until: ban.until });
        }
        if self.checking >= MAX_IN_FLIGHT {
            return Some(Refusal::Busy);
        }
        let limit = self.rules.account();
        if limit.tries == 0 {
            return None;
        }
        let account = self.account(name).cloned().unwrap_or_default();
        let checking =
            |track: Option<Ipv4Net>| self.in_flight.get(&(name.into(), track)).copied().unwrap_or(0);
        let (strikes, bucket, size, beside) = match home {
            None => (account.strikes, account.foreign, self.rules.foreign_hourly(), checking(None)),
            Some(network) => {
                let strikes = account.homes.iter().find(|home| home.network == network);
                let all = account.homes.iter().map(|home| checking(Some(home.network))).sum();
                let strikes = strikes.map(|home| home.strikes).unwrap_or_default();
                (strikes, account.own, self.rules.own_hourly(), all)
            }
        };
        if strikes.lock.is_active(now) {
            return Some(Refusal::Locked { until: strikes.lock.until });
        }
        if !bucket.has_space(now, size, HOUR, 1) {
            return Some(Refusal::HourlyLimit { until: bucket.space_at(now, size, HOUR) });
        }
        let would_lock = strikes.recent(now, limit).saturating_add(checking(home)) >= limit.tries;
        let would_fill = !bucket.has_space(now, size, HOUR, beside.saturating_add(1));
        (would_lock || would_fill).then_some(Refusal::Busy)
    }

    /// Reports the result of a login.
    pub fn end(&mut self, now: u64, ticket: Ticket, verdict: Verdict) -> Consequences {
        let track = (ticket.name.clone(), ticket.home);
        if let Some(count) = self.in_flight.get_mut(&track) {
            *count -= 1;
            self.checking -= 1;
            if *count == 0 {
                self.in_flight.remove(&track);
            }
        }
        match verdict {
            Verdict::None => Consequences::default(),
            Verdict::Proven => {
                self.logged_in(now, &ticket.name, ticket.from);
                Consequences::default()
            }
            Verdict::Failed { exists } => self.failed(now, &ticket, exists),
        }
    }

    /// Remembers that the user of an account logged in from an address.
    fn logged_in(&mut self, now: u64, name: &str, from: Ipv4Addr) {
        let mut account = self.take(name);
        if let Some(forgotten) = account.logged_in(now, from) {
            self.note(Key::Home(name.into(), forgotten));
        }
        self.put_account(now, name, account);
        self.note(Key::Home(name.into(), network(from)));
        self.known.put(now, from, now, now.saturating_add(OWN_FOR));
    }

    fn failed(&mut self, now: u64, ticket: &Ticket, exists: bool) -> Consequences {
        self.guesses += 1;
        let Ticket { name, from, home } = ticket;
        let limit = self.rules.account();
        let (foreign_hourly, own_hourly) = (self.rules.foreign_hourly(), self.rules.own_hourly());
        let exists = exists || self.accounts.get(name).is_some();
        let mut account = self.take(name);
        let own = home.and_then(|network| account.home_mut(network));
        let locked = match own {
            Some(home) => {
                let locked = home.strikes.add(now, limit);
                account.own.add(now, own_hourly, HOUR);
                locked
            }
            None => {
                account.foreign.add(now, foreign_hourly, HOUR);
                account.strikes.add(now, limit)
            }
        };
        if exists {
            self.put_account(now, name, account);
            home.iter().for_each(|network| self.note(Key::Home(name.clone(), *network)));
        } else {
            let expires = account.expires();
            self.invented.put(now, name.clone(), account, expires);
        }
        Consequences { locked: locked.filter(|_| exists), banned: self.count_sender(now, *from) }
    }

    /// Counts a failed login of an address and its network; returns the bans that begin with it.
    fn count_sender(&mut self, now: u64, from: Ipv4Addr) -> Vec<(Ipv4Net, u64)> {
        if self.rules.address.tries == 0 || self.rules.ignores(from) {
            return Vec::new();
        }
        let limits = [self.rules.address(), self.rules.network()];
        let mut banned = Vec::new();
        for (key, limit) in [Ipv4Net::from(from), network(from)].into_iter().zip(limits) {
            let table = if key.prefix_len() == 32 { &mut self.addresses } else { &mut self.networks };
            let mut sender = table.get(&key).copied().unwrap_or_default();
            let until = sender.add(now, limit);
            let removed = table.put(now, key, sender, sender.expires());
            self.note(Key::Sender(key));
            removed.into_iter().for_each(|key| self.note(Key::Sender(key)));
            if let Some(until) = until
                && self.bans.get(key).is_none_or(|ban| ban.until < until)
                && self.put_ban(now, key, Ban { since: now, until, by: None, reason: String::new() })
            {
                banned.push((key, until));
            }
        }
        banned
    }

    pub(super) fn note(&mut self, key: Key) {
        if self.changed.len() < MAX_CHANGED {
            self.changed.insert(key);
        }
    }

    /// Takes an account out of its table, to change it.
    pub(super) fn take(&mut self, name: &str) -> Account {
        self.accounts.remove(name).or_else(|| self.invented.remove(name)).unwrap_or_default()
    }

    fn put_account(&mut self, now: u64, name: &str, account: Account) {
        let expires = account.expires();
        let removed = self.accounts.put(now, name.into(), account, expires);
        self.note(Key::Account(name.into()));
        removed.into_iter().for_each(|name| self.note(Key::Account(name)));
    }

    fn put_ban(&mut self, now: u64, network: Ipv4Net, ban: Ban) -> bool {
        let Some(removed) = self.bans.put(now, network, ban) else { return false };
        self.note(Key::Ban(network));
        removed.into_iter().for_each(|network| self.note(Key::Ban(network)));
        true
    }

    /// Unlocks an account for all addresses, or makes an address its own, as after a login from there.
    pub fn unlock(&mut self, now: u64, name: &str, from: Option<Ipv4Addr>) {
        let mut account = self.take(name);
        match from {
            None => {
                account.unlock();
                let homes: Vec<_> = account.homes.iter().map(|home| home.network).collect();
                homes.into_iter().for_each(|network| self.note(Key::Home(name.into(), network)));
                self.put_account(now, name, account);
            }
            Some(from) => {
                account.own = Bucket::default();
                self.put_account(now, name, account);
                self.logged_in(now, name, from);
            }
        }
    }

    /// Forgets an account that was removed.
    pub fn forget(&mut self, name: &str) {
        if self.accounts.remove(name).is_some() {
            self.note(Key::Account(name.into()));
        }
    }

    /// Bans a network; false if there are too many bans.
    pub fn ban(&mut self, now: u64, network: Ipv4Net, ban: Ban) -> bool {
        self.put_ban(now, network.trunc(), ban)
    }

    /// Lifts the ban of a network, with the failures that led to it; false if it is not banned.
    pub fn unban(&mut self, network: Ipv4Net) -> bool {
        let network = network.trunc();
        if self.bans.remove(network).is_none() {
            return false;
        }
        self.addresses.remove(&network);
        self.networks.remove(&network);
        self.note(Key::Ban(network));
        self.note(Key::Sender(network));
        true
    }

    /// Removes what is of no more use, also from what is stored. To be called now and then.
    pub fn expire(&mut self, now: u64) {
        let mut over: Vec<Key> = self.accounts.purge(now).into_iter().map(Key::Account).collect();
        self.invented.purge(now);
        self.known.purge(now);
        let senders = self.addresses.purge(now).into_iter().chain(self.networks.purge(now));
        over.extend(senders.map(Key::Sender));
        let bans: Vec<Ipv4Net> =
            self.bans.iter().filter(|(_, ban)| ban.until <= now).map(|(network, _)| *network).collect();
        for network in bans {
            self.bans.remove(network);
            over.push(Key::Ban(network));
        }
        over.into_iter().for_each(|key| self.note(key));
    }

    /// Whether an account is locked for some address.
    pub fn is_locked(&self, now: u64, name: &str) -> bool {
        let Some(account) = self.accounts.get(name) else { return false };
        let own = account.homes.iter().map(|home| home.strikes);
        own.chain([account.strikes]).any(|strikes| strikes.lock.is_active(now))
    }

    /// The bans in force, by network.
    pub fn bans(&self, now: u64) -> Vec<(Ipv4Net, Ban)> {
        let active = self.bans.iter().filter(|(_, ban)| now < ban.until);
        active.map(|(network, ban)| (*network, ban.clone())).collect()
    }

    /// Numbers for display; `most` locked accounts are named.
    pub fn numbers(&self, now: u64, most: usize) -> (usize, Numbers) {
        let locked = self.accounts.iter().filter(|(_, account)| account.strikes.lock.is_active(now));
        let mut locked: Vec<_> =
            locked.map(|(name, account)| (name.to_string(), account.strikes.lock.until)).collect();
        locked.sort_unstable_by_key(|(_, until)| core::cmp::Reverse(*until));
        let count = locked.len();
        locked.truncate(most);
        let tables = [
            self.accounts.len(),
            self.invented.len(),
            self.addresses.len(),
            self.networks.len(),
            self.known.len(),
            self.bans.iter().count(),
            self.in_flight.len(),
        ];
        let numbers = Numbers {
            locked,
            banned: self.bans.iter().filter(|(_, ban)| now < ban.until).count(),
            guesses: self.guesses,
            refused: self.refused,
            entries: tables.iter().sum(),
        };
        (count, numbers)
    }
}
