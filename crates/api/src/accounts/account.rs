//! People who may log in.

use std::net::{IpAddr, Ipv4Addr};

use adit_policy::name::key;
use ipnet::Ipv4Net;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

/// One account, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name, spelt as it was added; unique without regard to case.
    pub name: String,
    /// The group of the configuration it belongs to; `None` for the defaults.
    pub group: Option<String>,
    /// The address it always gets.
    pub address: Option<Ipv4Addr>,
    /// Networks behind this client, routed to it.
    pub networks: Vec<Ipv4Net>,
    /// It works until here, and not any more from here on.
    pub expires: Option<Timestamp>,
    /// Why an operator switched it off; `None` when it is on.
    pub disabled: Option<String>,
    /// Whether it may use the VPN at all.
    pub vpn: bool,
    /// Locked after failed logins until here.
    pub locked_until: Option<Timestamp>,
    /// Whether the password must be changed at the next login.
    pub must_change: bool,
    /// When its password was set last; `None` without one.
    pub password_changed: Option<Timestamp>,
    /// Whether the clear password is kept too (sealed), for CHAP-MD5 and PAP peers.
    pub reversible: bool,
    /// When it was added.
    pub created: Timestamp,
    /// Free-form note.
    pub note: String,
    /// The last time it logged in.
    pub last_login: Option<Login>,
    /// Counts changes: see [`AccountChange::revision`].
    pub revision: i64,
}

/// A successful login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// When.
    pub at: Timestamp,
    /// From which public address.
    pub from: IpAddr,
}

/// What a new account is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAccount {
    /// Its name; see [`adit_policy::name::check`].
    pub name: String,
    /// Its group.
    pub group: Option<String>,
    /// The address it always gets.
    pub address: Option<Ipv4Addr>,
    /// Networks behind this client.
    pub networks: Vec<Ipv4Net>,
    /// It works until here.
    pub expires: Option<Timestamp>,
    /// Whether it may use the VPN.
    pub vpn: bool,
    /// Whether the password must be changed at the first login.
    pub must_change: bool,
    /// Free-form note.
    pub note: String,
}

impl NewAccount {
    /// The account that it becomes. `reversible` says whether the clear password is kept too; `None` without a password.
    pub fn into_account(self, reversible: Option<bool>, now: Timestamp) -> Account {
        let NewAccount { name, group, address, networks, expires, vpn, must_change, note } = self;
        Account {
            name,
            group,
            address,
            networks,
            expires,
            disabled: None,
            vpn,
            locked_until: None,
            must_change,
            password_changed: reversible.map(|_| now),
            reversible: reversible == Some(true),
            created: now,
            note,
            last_login: None,
            revision: 1,
        }
    }

    /// An account with nothing special about it.
    pub fn named(name: &str) -> NewAccount {
        NewAccount {
            name: name.to_string(),
            group: None,
            address: None,
            networks: Vec::new(),
            expires: None,
            vpn: true,
            must_change: false,
            note: String::new(),
        }
    }
}

/// What to change about an account; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountChange {
    /// Change only if the account still has this [`Account::revision`]; `None` to change in any case.
    pub revision: Option<i64>,
    /// The group, or none.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub group: Option<Option<String>>,
    /// The fixed address, or none.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub address: Option<Option<Ipv4Addr>>,
    /// The networks behind the client.
    pub networks: Option<Vec<Ipv4Net>>,
    /// The end, or none.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub expires: Option<Option<Timestamp>>,
    /// The reason why it is switched off, or none to switch it on.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Option<String>>,
    /// Whether it may use the VPN.
    pub vpn: Option<bool>,
    /// The end of its lock, or none to unlock it.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<Option<Timestamp>>,
    /// Whether the password must be changed at the next login.
    pub must_change: Option<bool>,
    /// Free-form note.
    pub note: Option<String>,
}

/// A thing that is given is changed, also when it is given as `null`.
fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

impl AccountChange {
    /// The account with the change made. The revision is neither looked at nor raised: a store does that.
    pub fn apply(self, mut account: Account) -> Account {
        let AccountChange {
            revision: _,
            group,
            address,
            networks,
            expires,
            disabled,
            vpn,
            locked_until,
            must_change,
            note,
        } = self;
        account.group = group.unwrap_or(account.group);
        account.address = address.unwrap_or(account.address);
        account.networks = networks.unwrap_or(account.networks);
        account.expires = expires.unwrap_or(account.expires);
        account.disabled = disabled.unwrap_or(account.disabled);
        account.vpn = vpn.unwrap_or(account.vpn);
        account.locked_until = locked_until.unwrap_or(account.locked_until);
        account.must_change = must_change.unwrap_or(account.must_change);
        account.note = note.unwrap_or(account.note);
        account
    }
}

impl Account {
    /// The account after its password was set: whether the clear password is kept too, and whether the user must change
    /// it.
    #[must_use]
    pub fn with_new_password(mut self, reversible: bool, must_change: bool, now: Timestamp) -> Account {
        self.password_changed = Some(now);
        self.reversible = reversible;
        self.must_change = must_change;
        self.revision += 1;
        self
    }

    /// The account as the gate sees it.
    pub fn for_policy(&self) -> adit_policy::Account {
        let seconds = |at: Timestamp| u64::try_from(at.as_second()).unwrap_or(0);
        adit_policy::Account {
            name: key(&self.name),
            group: self.group.clone(),
            disabled: self.disabled.clone(),
            expires: self.expires.map(seconds),
            locked_until: self.locked_until.map(seconds),
            vpn_allowed: self.vpn,
            fixed_address: self.address,
            networks: self.networks.clone(),
            password_changed: self.password_changed.map(seconds),
            must_change: self.must_change,
            note: self.note.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_none_are_two_things() {
        let change = AccountChange { group: Some(None), vpn: Some(false), ..AccountChange::default() };
        let json = serde_json::to_string(&change).unwrap();
        assert_eq!(serde_json::from_str::<AccountChange>(&json).unwrap(), change);
        assert_eq!(serde_json::from_str::<AccountChange>("{}").unwrap(), AccountChange::default());
    }
}
