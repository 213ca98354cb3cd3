//! Accounts in responses.

use core::fmt;
use core::str::FromStr;
use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Account;
use crate::SessionId;

/// Login state of an account: the first reason that prevents a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The account can log in.
    Ok,
    /// An administrator disabled the account.
    Disabled,
    /// The account has expired.
    Expired,
    /// The account is locked after too many failed logins.
    Locked,
    /// The account may not use the VPN.
    NoVpn,
    /// The account has no password yet.
    NoPassword,
    /// The password must be changed at the next login.
    MustChange,
    /// The password has expired.
    PasswordExpired,
}

impl State {
    /// All states.
    pub const ALL: [State; 8] = [
        State::Ok,
        State::Disabled,
        State::Expired,
        State::Locked,
        State::NoVpn,
        State::NoPassword,
        State::MustChange,
        State::PasswordExpired,
    ];

    /// The name of the state in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Disabled => "disabled",
            State::Expired => "expired",
            State::Locked => "locked",
            State::NoVpn => "no-vpn",
            State::NoPassword => "no-password",
            State::MustChange => "must-change",
            State::PasswordExpired => "password-expired",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for State {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<State, &'static str> {
        State::ALL.into_iter().find(|state| state.word() == word).ok_or("not a state of an account")
    }
}

/// One account of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The account.
    pub account: Account,
    /// Its login state.
    pub state: State,
    /// Its active sessions, oldest first.
    pub connected: Vec<Connected>,
    /// How its last session ended: a code, or a reason.
    pub last_end: Option<String>,
}

/// An active session of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// Session ID.
    pub session: SessionId,
    /// The client's inner address.
    pub address: Option<Ipv4Addr>,
    /// The client's public address.
    pub from: IpAddr,
    /// Since when the session carries traffic.
    pub up: Timestamp,
}

/// A page of accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The accounts, sorted by name.
    pub accounts: Vec<Listed>,
    /// The `after` of the [`super::Request::List`] for the next page; `None` on the last page.
    pub next: Option<String>,
}

/// One account in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The account as in a list.
    pub listed: Listed,
    /// Its last attempts to log in, newest first.
    pub attempts: Vec<Attempt>,
}

/// A login attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Time of the attempt.
    pub at: Timestamp,
    /// Public address of the client.
    pub from: Option<IpAddr>,
    /// Why it failed; `None` when it succeeded. A string, because a newer version may have written a code that is
    /// unknown here.
    pub code: Option<String>,
    /// Session ID.
    pub session: Option<SessionId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_one_spelling() {
        for state in State::ALL {
            assert_eq!(state.word().parse(), Ok(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.word());
        }
    }
}
