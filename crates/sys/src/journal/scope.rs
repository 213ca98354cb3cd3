//! What an entry of a journal may touch: a fixed list. Undo acts with the rights of its user, often root, so that a
//! journal must never decide which file is overwritten.

use std::path::{Path, PathBuf};

use super::change::Change;
use crate::error::{Error, Kind, Result};
use crate::resolver::ResolverFiles;

/// The files that adit replaces: the resolver's configuration (`adit connect`) and its own sysctl file (`adit init`).
const FILES: [&str; 2] = ["/etc/resolv.conf", "/etc/sysctl.d/90-adit.conf"];
/// The kernel settings that adit changes (`adit init`).
const SYSCTLS: [&str; 1] = ["net.ipv4.ip_forward"];
/// The firewall table that adit loads: family and name.
const TABLE: (&str, &str) = ("inet", "adit");

/// What changes may touch. The default is the fixed list; a program that manages other files of the resolver adds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    files: Vec<PathBuf>,
    buses: Vec<String>,
}

impl Default for Scope {
    fn default() -> Scope {
        Scope { files: FILES.iter().map(PathBuf::from).collect(), buses: Vec::new() }
    }
}

impl Scope {
    /// Adds a file.
    #[must_use]
    pub fn with_file(mut self, path: impl Into<PathBuf>) -> Scope {
        self.files.push(path.into());
        self
    }

    /// Adds the resolver's configuration file, and its message bus.
    #[must_use]
    pub fn with_resolver(mut self, files: &ResolverFiles) -> Scope {
        self.buses.extend(files.bus.clone());
        self.with_file(&files.resolv_conf)
    }

    /// Checks that a change concerns nothing else.
    ///
    /// # Errors
    /// `Kind::NotPermitted` with what it concerns.
    pub(super) fn check(&self, change: &Change) -> Result<()> {
        let is_in_scope = match change {
            // Both exist only while their interface does, and belong to the network namespace of their owner.
            Change::Route(_) | Change::Address { .. } => true,
            Change::Sysctl { key, .. } => SYSCTLS.contains(&key.as_str()),
            // Compared as text: a path with `..` is not in the list.
            Change::File { path, .. } => self.has_file(path),
            Change::LinkDns { bus, .. } => bus.as_ref().is_none_or(|bus| self.buses.contains(bus)),
            Change::NftTable { family, name } => (family.as_str(), name.as_str()) == TABLE,
        };
        if is_in_scope {
            return Ok(());
        }
        Err(Error::new(Kind::NotPermitted, format!("cannot change {change}"), "adit never changes it")
            .with_fix("inspect the journal: another program wrote this entry"))
    }

    fn has_file(&self, path: &Path) -> bool {
        self.files.iter().any(|file| file.as_os_str() == path.as_os_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Before;

    fn file(path: &str) -> Change {
        Change::File { path: path.into(), before: Before::Nothing, wrote: String::new() }
    }

    fn sysctl(key: &str) -> Change {
        Change::Sysctl { key: key.into(), old: "0".into(), new: "1".into() }
    }

    fn table(family: &str, name: &str) -> Change {
        Change::NftTable { family: family.into(), name: name.into() }
    }

    fn dns(bus: Option<&str>) -> Change {
        Change::LinkDns { interface: "adit0".into(), index: 7, bus: bus.map(str::to_owned) }
    }

    #[test]
    fn only_listed_files_settings_and_tables_are_in_scope() {
        let scope = Scope::default();
        for change in [
            file("/etc/resolv.conf"),
            file("/etc/sysctl.d/90-adit.conf"),
            sysctl("net.ipv4.ip_forward"),
            table("inet", "adit"),
            dns(None),
        ] {
            assert!(scope.check(&change).is_ok(), "{change}");
        }
        for change in [
            file("/etc/passwd"),
            file("/etc/../etc/resolv.conf"),
            file("/etc/./resolv.conf"),
            file("/etc/resolv.conf/"),
            file("resolv.conf"),
            sysctl("kernel.core_pattern"),
            sysctl("kernel/core_pattern"),
            sysctl("net.ipv4.ip_forward.."),
            table("inet", "filter"),
            table("ip", "adit"),
            dns(Some("unix:path=/tmp/bus")),
        ] {
            let error = scope.check(&change).unwrap_err();
            assert_eq!(error.kind(), Kind::NotPermitted, "{change}");
        }
    }

    #[test]
    fn files_of_another_resolver_are_added() {
        let files =
            ResolverFiles { resolv_conf: "/x/resolv.conf".into(), bus: Some("unix:path=/x/bus".into()) };
        let scope = Scope::default().with_resolver(&files);
        assert!(scope.check(&file("/x/resolv.conf")).is_ok());
        assert!(scope.check(&dns(Some("unix:path=/x/bus"))).is_ok());
        assert!(scope.check(&dns(Some("unix:path=/y/bus"))).is_err());
    }
}
