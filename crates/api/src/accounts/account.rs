//! Accounts.

use std::net::{IpAddr, Ipv4Addr};

use adit_policy::name::key;
use ipnet::Ipv4Net;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

/// An account without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The account name as it was added; unique without regard to case.
    pub name: String,
    /// The configured group that the account belongs to; `None` for the defaults.
    pub group: Option<String>,
    /// The client's fixed inner address.
    pub address: Option<Ipv4Addr>,
    /// Networks behind this client, routed to it.
    pub networks: Vec<Ipv4Net>,
    /// End of validity, exclusive.
    pub expires: Option<Timestamp>,
    /// Why an administrator disabled the account; `None` when it is enabled.
    pub disabled: Option<String>,
    /// Whether the account may use the VPN.
    pub vpn: bool,
    /// End of the lock after failed logins.
    pub locked_until: Option<Timestamp>,
    /// Whether the password must be changed at the next login.
    pub must_change: bool,
    /// When the password was last set; `None` without a password.
    pub password_changed: Option<Timestamp>,
    /// Whether the clear-text password is stored too (sealed), for CHAP-MD5 and PAP peers.
    pub reversible: bool,
    /// When the account was added.
    pub created: Timestamp,
    /// Free-form note.
    pub note: String,
    /// The last successful login.
    pub last_login: Option<Login>,
    /// Change counter: see [`AccountChange::revision`].
    pub revision: i64,
}

/// A successful login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Time of the login.
    pub at: Timestamp,
    /// Public address of the client.
    pub from: IpAddr,
}

/// Properties of a new account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAccount {
    /// The account name; see [`adit_policy::name::check`].
    pub name: String,
    /// The account's group.
    pub group: Option<String>,
    /// The client's fixed inner address.
    pub address: Option<Ipv4Addr>,
    /// Networks behind this client.
    pub networks: Vec<Ipv4Net>,
    /// End of validity, exclusive.
    pub expires: Option<Timestamp>,
    /// Whether the account may use the VPN.
    pub vpn: bool,
    /// Whether the password must be changed at the first login.
    pub must_change: bool,
    /// Free-form note.
    pub note: String,
}

impl NewAccount {
    /// Converts into an account. `reversible`: whether the clear-text password is stored; `None` without a password.
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

    /// A new account with default properties.
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

/// Changes to an account; `None` leaves a property unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountChange {
    /// Change only if the account still has this [`Account::revision`]; `None` to change in any case.
    pub revision: Option<i64>,
    /// The new group, or none.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub group: Option<Option<String>>,
    /// The new fixed address, or none.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub address: Option<Option<Ipv4Addr>>,
    /// The networks behind the client.
    pub networks: Option<Vec<Ipv4Net>>,
    /// The new end of validity, or none.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub expires: Option<Option<Timestamp>>,
    /// The reason for disabling the account, or none to enable it.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Option<String>>,
    /// Whether the account may use the VPN.
    pub vpn: Option<bool>,
    /// The end of the lock, or none to unlock the account.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<Option<Timestamp>>,
    /// Whether the password must be changed at the next login.
    pub must_change: Option<bool>,
    /// Free-form note.
    pub note: Option<String>,
}

/// Treats a field that is present as a change, even if it is `null`.
fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

impl AccountChange {
    /// Applies the change. The revision is neither checked nor incremented here: the store does that.
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
    /// The account after a password change: whether the clear-text password is stored too, and whether the user must
    /// change the password at the next login.
    #[must_use]
    pub fn with_new_password(mut self, reversible: bool, must_change: bool, now: Timestamp) -> Account {
        self.password_changed = Some(now);
        self.reversible = reversible;
        self.must_change = must_change;
        self.revision += 1;
        self
    }

    /// The account in the form that the policy checks.
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
