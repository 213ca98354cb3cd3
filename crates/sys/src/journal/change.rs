//! What can be changed, with all that is needed to undo it.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::net::Route;

/// How long changes are meant to stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lasts {
    /// As long as their owner lives.
    UntilExit,
    /// Until `adit undo` (what `adit init` sets up).
    UntilUndo,
}

/// One change to this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// A route was added.
    Route(Route),
    /// An address was added to an interface.
    Address {
        /// The interface's name, for messages.
        interface: String,
        /// Its index, which no other interface ever has.
        index: u32,
        /// The address.
        address: IpNet,
        /// The address at the other end.
        peer: Option<IpAddr>,
    },
    /// A kernel setting was changed.
    Sysctl {
        /// Its name.
        key: String,
        /// Its value before.
        old: String,
        /// Its value since.
        new: String,
    },
    /// A file was replaced or made.
    File {
        /// Which.
        path: PathBuf,
        /// What was there before.
        before: Before,
        /// What is there since.
        wrote: String,
    },
    /// systemd-resolved was given name servers for an interface.
    LinkDns {
        /// The interface's name, for messages.
        interface: String,
        /// Its index.
        index: u32,
        /// The message bus, if it is not the system's own.
        bus: Option<String>,
    },
    /// A firewall table was loaded.
    NftTable {
        /// Its family, "inet".
        family: String,
        /// Its name.
        name: String,
    },
}

/// What was at a path before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// Nothing.
    Nothing,
    /// A file.
    File {
        /// Its content.
        content: String,
        /// Its permission bits.
        mode: u32,
        /// Its owner.
        uid: u32,
        /// Its group.
        gid: u32,
    },
    /// A symbolic link.
    Link {
        /// To where, as written in the link.
        target: PathBuf,
    },
}

impl Change {
    /// Whether it is gone with the network namespace, or the running kernel, in which it was made.
    pub(super) fn is_of_the_kernel(&self) -> bool {
        !matches!(self, Change::File { .. })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Route(route) => write!(f, "route {route}"),
            Change::Address { interface, address, .. } => write!(f, "address {address} on {interface}"),
            Change::Sysctl { key, old, new } => write!(f, "sysctl {key} from {old} to {new}"),
            Change::File { path, .. } => write!(f, "file {}", path.display()),
            Change::LinkDns { interface, .. } => write!(f, "name servers of {interface} (systemd-resolved)"),
            Change::NftTable { family, name } => write!(f, "firewall table {family} {name}"),
        }
    }
}
