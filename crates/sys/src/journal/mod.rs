//! The undo journal. Every change to this host is recorded before it is made, so that it can always be
//! undone: on exit, at the next start after a crash, and by `adit undo`.
//!
//! Each owner has its own file in the journal's directory and holds a lock on it while it runs. The owner of
//! an unlocked file has exited: [`recover`] undoes the changes in it and removes it. Undo does not modify
//! what another program has changed since, and is idempotent.

mod change;
mod folder;
mod format;
mod recover;
mod replace;
mod scope;
mod undo;
mod undone;

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;

pub use change::{Before, Change, Lasts};
pub use recover::{Outcome, Report, Still, recover};
pub use scope::Scope;
pub use undone::Undone;

use crate::error::{Error, Kind, Result};
use crate::host;
use crate::namespace::Namespace;
use crate::net::{Interface, Net, Route};
use crate::resolver::{self, Dns, DnsMethod, ResolverFiles};
use folder::Folder;
use format::JournalFile;

/// Parses a journal file: returns the changes that are still to be undone, by number, and how many lines
/// cannot be parsed. Changes nothing; [`recover`] undoes.
pub fn read(octets: &[u8]) -> (Vec<Change>, usize) {
    let content = format::parse(octets);
    (content.changes.into_values().collect(), content.damaged.len())
}

/// The journal of one owner. Dropping it undoes its changes, unless they are meant to last.
#[derive(Debug)]
pub struct Journal {
    folder: Folder,
    scope: Scope,
    by: String,
    lasts: Lasts,
    namespace: Namespace,
    net: Net,
    /// Created with the first change.
    file: Option<JournalFile>,
    /// The changes still to be undone, in the order in which they were made.
    changes: Vec<(u32, Change)>,
    next: u32,
}

impl Journal {
    /// Creates an empty journal in the calling thread's network namespace. `by` is the name of its owner in
    /// messages: "connect office".
    ///
    /// # Errors
    /// If the directory does not exist and cannot be created, or another user may write in it.
    pub fn open(folder: &Path, by: &str, lasts: Lasts) -> Result<Journal> {
        use std::os::unix::fs::DirBuilderExt as _;
        let failed = |e: &io::Error| {
            Error::io(format!("cannot create the journal's folder {}", folder.display()), e)
                .with_fix("run as root, or give a state directory that this user may write to")
        };
        let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        // What is there and is no directory is reported below.
        if let Err(e) = created
            && e.kind() != io::ErrorKind::AlreadyExists
        {
            return Err(failed(&e));
        }
        let folder = Folder::open(folder)?.ok_or_else(|| failed(&io::ErrorKind::NotFound.into()))?;
        Ok(Journal {
            folder,
            scope: Scope::default(),
            by: by.to_owned(),
            lasts,
            namespace: Namespace::current()?,
            net: Net::open()?,
            file: None,
            changes: Vec::new(),
            next: 1,
        })
    }

    /// Sets what the changes may touch, instead of the fixed list.
    #[must_use]
    pub fn within(mut self, scope: Scope) -> Journal {
        self.scope = scope;
        self
    }

    /// The network configuration of the namespace in which this journal was opened.
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// The changes still to be undone, in the order in which they were made.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().map(|(_, change)| change)
    }

    /// Adds a route.
    ///
    /// # Errors
    /// `Kind::Exists` if there is one with the same destination, metric and table, of any owner; otherwise as
    /// [`Net::add_route`], or if the journal cannot be written.
    pub fn add_route(&mut self, route: &Route) -> Result<()> {
        let same = |r: &Route| {
            (r.destination, r.metric, r.table) == (route.destination.trunc(), route.metric, route.table)
        };
        if self.net.routes()?.iter().any(same) {
            return Err(Error::new(
                Kind::Exists,
                format!("cannot add route {route}"),
                "the route already exists",
            ));
        }
        self.make(Change::Route(route.clone()), |journal| journal.net.add_route(route))
    }

    /// Adds an address to an interface.
    ///
    /// # Errors
    /// `Kind::Exists` if the interface already has it; otherwise as [`Net::add_address`], or if the journal
    /// cannot be written.
    pub fn add_address(&mut self, interface: &Interface, address: IpNet, peer: Option<IpAddr>) -> Result<()> {
        let own = self.net.addresses()?;
        if own.iter().any(|a| a.interface == interface.index && a.address.addr() == address.addr()) {
            let tried = format!("cannot add address {address} to {}", interface.name);
            return Err(Error::new(Kind::Exists, tried, "the interface already has this address"));
        }
        let change =
            Change::Address { interface: interface.name.clone(), index: interface.index, address, peer };
        self.make(change, |journal| journal.net.add_address(interface.index, address, peer))
    }

    /// Sets a sysctl such as `net.ipv4.ip_forward`; returns whether that changed anything.
    ///
    /// # Errors
    /// `Kind::NotFound` if this kernel has no such setting, S08 without permission to write it.
    pub fn set_sysctl(&mut self, key: &str, value: &str) -> Result<bool> {
        let old = host::read_sysctl(key)?;
        if old == value {
            return Ok(false);
        }
        let change = Change::Sysctl { key: key.to_owned(), old, new: value.to_owned() };
        self.make(change, |_| host::write_sysctl(key, value))?;
        Ok(true)
    }

    /// Replaces the content of a file, or creates it. A symbolic link is replaced by a file, and restored on
    /// undo.
    ///
    /// # Errors
    /// If the old content is not text or is larger than 64 KiB (the journal must keep it), or the file cannot
    /// be written.
    pub fn replace_file(&mut self, path: &Path, content: &str) -> Result<()> {
        let before = replace::before(path)?;
        let change = Change::File { path: path.to_owned(), before, wrote: content.to_owned() };
        self.make(change, |_| replace::write(path, content))
    }

    /// Directs queries for `dns.domains` (all names, if there are none) to `dns.servers`, with
    /// systemd-resolved if it is the resolver of this host, otherwise with resolv.conf. In a network namespace without
    /// a resolv.conf of its own nothing is changed.
    ///
    /// # Errors
    /// The error of systemd-resolved, or as [`Journal::replace_file`].
    pub fn set_dns(&mut self, interface: &Interface, dns: &Dns, files: &ResolverFiles) -> Result<DnsMethod> {
        let method = resolver::method(files);
        match &method {
            DnsMethod::Resolved => {
                let change = Change::LinkDns {
                    interface: interface.name.clone(),
                    index: interface.index,
                    bus: files.bus.clone(),
                };
                self.make(change, |_| resolver::set_link(files.bus.as_deref(), interface.index, dns))?;
            }
            DnsMethod::ResolvConf => {
                let path = files.resolv_conf.as_path();
                let old = fs::read_to_string(path).unwrap_or_default();
                self.replace_file(path, &resolver::resolv_conf(&old, dns, &self.by))?;
            }
            DnsMethod::Kept(_) => {}
        }
        Ok(method)
    }

    /// Loads a firewall table, given as an nft script that creates the table `family name` and nothing else.
    ///
    /// # Errors
    /// As [`host::apply_nft`].
    pub fn load_nft_table(&mut self, family: &str, name: &str, script: &str) -> Result<()> {
        let change = Change::NftTable { family: family.to_owned(), name: name.to_owned() };
        self.make(change, |_| host::apply_nft(script))
    }

    /// Undoes all changes, the last one first, and returns the outcome of each. A change that could not be
    /// undone stays in the journal for the next attempt.
    pub fn undo(&mut self) -> Vec<(Change, Undone)> {
        self.undo_some(|_| true)
    }

    /// Undoes the changes for which `which` is true, as [`Journal::undo`] does.
    pub fn undo_some(&mut self, which: impl Fn(&Change) -> bool) -> Vec<(Change, Undone)> {
        let mut outcomes = Vec::new();
        let mut kept = Vec::new();
        while let Some((number, change)) = self.changes.pop() {
            if !which(&change) {
                kept.push((number, change));
                continue;
            }
            let undone = undo::undo_inside(&self.namespace, &change);
            if matches!(undone, Undone::Failed(_)) {
                kept.push((number, change.clone()));
            } else {
                self.forget(number);
            }
            outcomes.push((change, undone));
        }
        kept.reverse();
        self.changes = kept;
        self.tidy();
        outcomes
    }

    /// Records a change, makes it, and removes the record if it could not be made.
    fn make(&mut self, change: Change, make: impl FnOnce(&Journal) -> Result<()>) -> Result<()> {
        self.scope.check(&change)?;
        let number = self.next;
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let identity = self.namespace.identity()?;
                self.file.insert(JournalFile::create(&self.folder, &self.by, self.lasts, identity)?)
            }
        };
        file.intend(number, &change)?;
        self.next += 1;
        match make(self) {
            Ok(()) => {
                self.changes.push((number, change));
                Ok(())
            }
            Err(error) => {
                self.forget(number);
                self.tidy();
                Err(error)
            }
        }
    }

    /// Records that a change is no longer in effect. If that fails, the change is undone a second time later,
    /// which does no harm.
    fn forget(&mut self, number: u32) {
        if let Some(file) = &mut self.file {
            drop(file.undone(number));
        }
    }

    /// Removes the file if nothing is left to undo.
    fn tidy(&mut self) {
        if self.changes.is_empty()
            && let Some(file) = self.file.take()
        {
            file.remove();
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.lasts == Lasts::UntilExit {
            self.undo();
        }
    }
}
