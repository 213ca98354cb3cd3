//! The resolver of this host: which servers are queried for which names.

mod lookup;
mod resolv_conf;
mod resolved;

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

pub use lookup::{LookupError, lookup};
pub(crate) use resolv_conf::resolv_conf;
pub(crate) use resolved::{revert_link, set_link};

/// Name servers, and the names for which they are queried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// The servers, in order.
    pub servers: Vec<IpAddr>,
    /// Only names below these domains are queried there; empty for all names.
    pub domains: Vec<String>,
}

/// How the name servers were set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsMethod {
    /// Through systemd-resolved, which keeps domains apart.
    Resolved,
    /// Through resolv.conf, which cannot: every name is queried at the same servers.
    ResolvConf,
}

impl fmt::Display for DnsMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DnsMethod::Resolved => "systemd-resolved",
            DnsMethod::ResolvConf => "resolv.conf",
        })
    }
}

/// Where the resolver is configured; a test has its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolverFiles {
    /// The file that the C library reads.
    pub resolv_conf: PathBuf,
    /// The message bus's address; `None` for the system's.
    pub bus: Option<String>,
}

impl Default for ResolverFiles {
    fn default() -> ResolverFiles {
        ResolverFiles { resolv_conf: PathBuf::from("/etc/resolv.conf"), bus: None }
    }
}

/// systemd-resolved where resolv.conf refers to it and it answers; else resolv.conf itself.
pub(crate) fn method(files: &ResolverFiles) -> DnsMethod {
    if resolv_conf::leads_to_resolved(&files.resolv_conf) && resolved::answers(files.bus.as_deref()) {
        DnsMethod::Resolved
    } else {
        DnsMethod::ResolvConf
    }
}
