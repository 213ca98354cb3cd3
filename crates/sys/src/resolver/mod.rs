//! The resolver of this host: which servers are queried for which names.

mod lookup;
mod resolv_conf;
mod resolved;
mod shared;

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

pub use lookup::{LookupError, lookup};
pub(crate) use resolv_conf::resolv_conf;
pub(crate) use resolved::{revert_link, set_link};

/// Name servers, and the domains for which they are queried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// The servers, in order.
    pub servers: Vec<IpAddr>,
    /// Only names below these domains are queried there; empty for all names.
    pub domains: Vec<String>,
}

/// How the name servers were set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsMethod {
    /// With systemd-resolved, which supports separate domains.
    Resolved,
    /// With resolv.conf, which does not: all names are resolved by the same servers.
    ResolvConf,
    /// Not at all, with the reason: this process is in a network namespace that has no file of its own.
    Kept(String),
}

impl fmt::Display for DnsMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DnsMethod::Resolved => "systemd-resolved",
            DnsMethod::ResolvConf => "resolv.conf",
            DnsMethod::Kept(why) => why,
        })
    }
}

/// The file that the C library reads.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The files that configure the resolver; tests use their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolverFiles {
    /// The file that the C library reads.
    pub resolv_conf: PathBuf,
    /// The address of the message bus; `None` for the system bus.
    pub bus: Option<String>,
}

impl Default for ResolverFiles {
    fn default() -> ResolverFiles {
        ResolverFiles { resolv_conf: PathBuf::from(RESOLV_CONF), bus: None }
    }
}

/// systemd-resolved if resolv.conf refers to it and it answers; otherwise resolv.conf itself. In another network namespace
/// than the machine's, systemd-resolved would take the interface for one of the machine's.
pub(crate) fn method(files: &ResolverFiles) -> DnsMethod {
    let is_reached = files.bus.is_some() || !shared::is_in_other_namespace();
    if is_reached
        && resolv_conf::leads_to_resolved(&files.resolv_conf)
        && resolved::answers(files.bus.as_deref())
    {
        return DnsMethod::Resolved;
    }
    // A file that was named explicitly is used as it is.
    match shared::belongs_to_machine(&files.resolv_conf) {
        Some(why) if files.resolv_conf == Path::new(RESOLV_CONF) => DnsMethod::Kept(why),
        _ => DnsMethod::ResolvConf,
    }
}
