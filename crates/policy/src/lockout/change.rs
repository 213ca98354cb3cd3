//! What has to be stored.

use ipnet::Ipv4Net;

use super::account::{Account, Home};
use super::bans::Ban;
use super::strikes::Sender;

/// One row to store, or to remove where there is no value. Names without an account are not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The failures of an account; without a value, its networks are removed too.
    Account(Box<str>, Option<Account>),
    /// A network from which its user logged in.
    Home(Box<str>, Ipv4Net, Option<Home>),
    /// The failures of an address, or of a /24 network.
    Sender(Ipv4Net, Option<Sender>),
    /// A ban.
    Ban(Ipv4Net, Option<Ban>),
}

/// The key of a [`Change`]. Accounts are before their networks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Account(Box<str>),
    Home(Box<str>, Ipv4Net),
    Sender(Ipv4Net),
    Ban(Ipv4Net),
}
