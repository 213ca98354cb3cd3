//! Changes to the host, with all data that is needed to undo them.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::net::Route;

/// How long changes remain in effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lasts {
    /// Until the owner exits.
    UntilExit,
    /// Until `adit undo` (changes made by `adit init`).
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
        /// The index of the interface, which is never reused.
        index: u32,
        /// The address.
        address: IpNet,
        /// The address at the other end.
        peer: Option<IpAddr>,
    },
    /// A kernel setting was changed.
    Sysctl {
        /// The name of the setting.
        key: String,
        /// The value before the change.
        old: String,
        /// The value after the change.
        new: String,
    },
    /// A file was replaced or created.
    File {
        /// The path.
        path: PathBuf,
        /// The content before the change.
        before: Before,
        /// The content after the change.
        wrote: String,
    },
    /// systemd-resolved was configured with name servers for an interface.
    LinkDns {
        /// The interface's name, for messages.
        interface: String,
        /// Its index.
        index: u32,
        /// The address of the message bus, if it is not the system bus.
        bus: Option<String>,
    },
    /// A firewall table was loaded.
    NftTable {
        /// The family, "inet".
        family: String,
        /// The name.
        name: String,
    },
}

/// What existed at a path before a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// Nothing.
    Nothing,
    /// A file.
    File {
        /// The content.
        content: String,
        /// The permission bits.
        mode: u32,
        /// The owner.
        uid: u32,
        /// The group.
        gid: u32,
    },
    /// A symbolic link.
    Link {
        /// The target, as written in the link.
        target: PathBuf,
    },
}

impl Change {
    /// Whether the kernel removes it with the network namespace, or on reboot.
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
