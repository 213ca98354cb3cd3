//! The accounts as they are to be after an import.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::Ipv4Addr;

use adit_api::accounts::{Account, ImportEntry, ImportProblem, ImportSecret, Imported, NewAccount};
use adit_api::{Error, Kind, Result};
use adit_crypto::proof::Secret;
use adit_policy::name::key;
use adit_store::NewAccountState;
use ipnet::Ipv4Net;

use super::problem;
use crate::Context;
use crate::accounts::check::check_address;

/// The accounts of the entries, and the accounts beside them.
pub(super) struct Plan<'a> {
    context: &'a Context<'a>,
    update: bool,
    accounts: &'a [Account],
    existing: HashMap<String, &'a Account>,
    planned: Vec<Planned<'a>>,
    /// The lines of the entries, by account.
    lines: HashMap<String, u64>,
}

/// One account before and after the import.
pub(super) struct Planned<'a> {
    entry: &'a ImportEntry,
    pub(super) before: Option<Box<Account>>,
    pub(super) after: Account,
    pub(super) has_new_secret: bool,
}

impl<'a> Plan<'a> {
    pub(super) fn new(context: &'a Context<'a>, accounts: &'a [Account], update: bool) -> Plan<'a> {
        let existing = accounts.iter().map(|account| (key(&account.name), account)).collect();
        Plan { context, update, accounts, existing, planned: Vec::new(), lines: HashMap::new() }
    }

    /// Adds the account of an entry.
    ///
    /// # Errors
    /// The account is in the file already, exists already and must not be changed, or has an unusable address.
    pub(super) fn add(&mut self, entry: &'a ImportEntry) -> Result<()> {
        let key = key(&entry.name);
        if let Some(line) = self.lines.get(&key) {
            let message = format!("the account is in line {line} already");
            return Err(Error::new(Kind::Conflict, message).fix("keep one of the lines"));
        }
        let before = self.existing.get(&key).copied();
        if before.is_some() && !self.update {
            return Err(Error::new(Kind::Conflict, "the account exists").fix("--update changes it"));
        }
        self.lines.insert(key, entry.line);
        let after = self.after(entry, before);
        let is_moved =
            before.is_none_or(|before| (before.address, &before.group) != (after.address, &after.group));
        if let Some(address) = after.address.filter(|_| is_moved) {
            check_address(self.context, address, after.group.as_deref())?;
        }
        let has_new_secret = entry.secret != ImportSecret::None;
        self.planned.push(Planned { entry, before: before.cloned().map(Box::new), after, has_new_secret });
        Ok(())
    }

    /// The account of an entry as it is to be.
    fn after(&self, entry: &ImportEntry, before: Option<&Account>) -> Account {
        let now = self.context.now;
        let base = match before {
            Some(before) => before.clone(),
            None => NewAccount::named(&entry.name).into_account(None, entry.created.unwrap_or(now)),
        };
        let mut after = entry.properties.clone().apply(base);
        let is_reversible = match &entry.secret {
            ImportSecret::None => return after,
            ImportSecret::Password { reversible, .. } => reversible.unwrap_or(after.reversible),
            ImportSecret::NtHash(_) => false,
        };
        after.reversible = is_reversible;
        after.password_changed = Some(entry.password_changed.unwrap_or(now));
        after
    }

    /// Checks that no address and no network belongs to two accounts after the import.
    /// Accounts with an error leave the plan.
    pub(super) fn check_together(&mut self) -> Vec<ImportProblem> {
        let mut addresses: HashMap<Ipv4Addr, &str> = HashMap::new();
        let mut networks = Networks::default();
        let kept = self.accounts.iter().filter(|account| !self.lines.contains_key(&key(&account.name)));
        for account in kept {
            addresses.extend(account.address.map(|address| (address, account.name.as_str())));
            account.networks.iter().for_each(|net| networks.add(*net, &account.name));
        }
        let mut problems = Vec::new();
        let mut refused = HashSet::new();
        for Planned { entry, after, .. } in &self.planned {
            let conflict = |message, fix: &str| problem(entry, Error::new(Kind::Conflict, message).fix(fix));
            if let Some(address) = after.address {
                if let Some(owner) = addresses.get(&address) {
                    let message = format!("{address} belongs to {owner} already");
                    problems.push(conflict(message, "give each account its own address"));
                    refused.insert(entry.line);
                    continue;
                }
                addresses.insert(address, &after.name);
            }
            let overlap = after.networks.iter().find_map(|net| Some((net, networks.overlapping(*net)?)));
            if let Some((net, (other, owner))) = overlap {
                let message = format!("{net} overlaps {other} of {owner}");
                problems.push(conflict(message, "give each network to one account"));
                refused.insert(entry.line);
                continue;
            }
            after.networks.iter().for_each(|net| networks.add(*net, &after.name));
        }
        self.planned.retain(|planned| !refused.contains(&planned.entry.line));
        problems
    }

    /// What the import would do.
    pub(super) fn report(&self) -> Imported {
        let mut report = Imported::default();
        for planned in &self.planned {
            match &planned.before {
                None => report.added += 1,
                Some(_) if planned.is_changed() => report.changed += 1,
                Some(_) => report.unchanged += 1,
            }
            match &planned.entry.secret {
                ImportSecret::None => report.without_password += u64::from(planned.before.is_none()),
                ImportSecret::NtHash(_) | ImportSecret::Password { weak: true, .. } => {
                    report.not_checked += 1
                }
                ImportSecret::Password { .. } => {}
            }
        }
        report
    }

    pub(super) fn into_planned(self) -> Vec<Planned<'a>> {
        self.planned
    }
}

impl Planned<'_> {
    fn is_changed(&self) -> bool {
        self.has_new_secret || self.before.as_deref() != Some(&self.after)
    }

    /// What to write; `None` if nothing changes.
    pub(super) fn state(&self) -> Option<NewAccountState> {
        let secret = match &self.entry.secret {
            ImportSecret::None => None,
            ImportSecret::Password { password, .. } => Some(Secret::Clear(password.clone())),
            ImportSecret::NtHash(hash) => Some(Secret::NtHash(hash.clone())),
        };
        let is_new = self.before.is_none();
        self.is_changed().then(|| NewAccountState { account: self.after.clone(), secret, is_new })
    }
}

/// Networks that do not overlap, by their first address.
#[derive(Default)]
struct Networks<'a>(BTreeMap<Ipv4Addr, (Ipv4Net, &'a str)>);

impl<'a> Networks<'a> {
    fn add(&mut self, net: Ipv4Net, owner: &'a str) {
        self.0.insert(net.network(), (net, owner));
    }

    /// A network that overlaps this one. Two prefixes overlap only if one contains the other, so it is the last one that
    /// begins at or before this one, or the first one behind that.
    fn overlapping(&self, net: Ipv4Net) -> Option<(Ipv4Net, &'a str)> {
        let before = self.0.range(..=net.network()).next_back();
        let behind = self.0.range(net.network()..).next();
        before
            .into_iter()
            .chain(behind)
            .map(|(_, found)| *found)
            .find(|(other, _)| net.contains(other) || other.contains(&net))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_networks_are_found_like_by_a_search_of_all() {
        let mut rng = adit_crypto::Rng::from_seed([7; 32]);
        for _ in 0..200 {
            let mut networks = Networks::default();
            let mut all: Vec<Ipv4Net> = Vec::new();
            for _ in 0..20 {
                let prefix = u8::try_from(20 + rng.below(12)).unwrap();
                let address = Ipv4Addr::from(0x0a00_0000 | u32::try_from(rng.below(1 << 14)).unwrap());
                let net = Ipv4Net::new(address, prefix).unwrap().trunc();
                let expected = all.iter().any(|other| net.contains(other) || other.contains(&net));
                assert_eq!(networks.overlapping(net).is_some(), expected, "{net} in {all:?}");
                if !expected {
                    networks.add(net, "owner");
                    all.push(net);
                }
            }
        }
    }
}
