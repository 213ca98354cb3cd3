//! Accounts as they are shown.

use core::fmt;
use core::str::FromStr;
use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Account;
use crate::SessionId;

/// What stands between an account and a login: the first thing that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing.
    Ok,
    /// An administrator disabled it.
    Disabled,
    /// Its last day is over.
    Expired,
    /// Too many failed logins.
    Locked,
    /// It may not use the VPN.
    NoVpn,
    /// It has no password yet.
    NoPassword,
    /// Its password must be changed at the next login.
    MustChange,
    /// Its password is too old.
    PasswordExpired,
}

impl State {
    /// Every state.
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

    /// The word in JSON.
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
    /// Whether it can log in.
    pub state: State,
    /// Its sessions that are up now, oldest first.
    pub connected: Vec<Connected>,
    /// How its last session ended: a code, or a word.
    pub last_end: Option<String>,
}

/// A session of an account that is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// Its name.
    pub session: SessionId,
    /// The client's inner address.
    pub address: Option<Ipv4Addr>,
    /// The client's public address.
    pub from: IpAddr,
    /// Since when it carries traffic.
    pub up: Timestamp,
}

/// A page of accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// By name.
    pub accounts: Vec<Listed>,
    /// What to give as [`super::Request::List`]'s `after` for the next page; `None` when this is the last.
    pub next: Option<String>,
}

/// One account in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// As in a list.
    pub listed: Listed,
    /// Its last attempts to log in, newest first.
    pub attempts: Vec<Attempt>,
}

/// One attempt to log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub from: Option<IpAddr>,
    /// What was wrong; `None` when it succeeded. Text, because a newer program may have written one that this one does
    /// not know.
    pub code: Option<String>,
    /// The session.
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
