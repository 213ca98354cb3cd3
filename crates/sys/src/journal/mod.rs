//! Every change to this host is written down before it is made, so that it can always be undone: on exit, at the next
//! start after a crash, and by `adit undo`.
//!
//! Each owner has a file of its own in the journal's folder and holds a lock on it while it lives. A file whose lock is
//! free has no owner any more: [`recover`] undoes what is in it and removes it. Undoing never touches what another
//! program has changed since, and doing it twice does no harm.

mod change;
mod format;
mod recover;
mod replace;
mod undo;
mod undone;

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;

pub use change::{Before, Change, Lasts};
pub use recover::{Outcome, Report, Still, recover};
pub use undone::Undone;

use crate::error::{Error, Kind, Result};
use crate::host;
use crate::namespace::Namespace;
use crate::net::{Interface, Net, Route};
use crate::resolver::{self, Dns, DnsMethod, ResolverFiles};
use format::JournalFile;

/// Reads a journal's file: the changes that are still to be undone, by number, and how many lines cannot be read.
/// Changes nothing; [`recover`] undoes.
pub fn read(octets: &[u8]) -> (Vec<Change>, usize) {
    let content = format::parse(octets);
    (content.changes.into_values().collect(), content.damaged.len())
}

/// The changes of one owner. Dropping it undoes them, unless they were meant to last.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    by: String,
    lasts: Lasts,
    namespace: Namespace,
    net: Net,
    /// Made with the first change.
    file: Option<JournalFile>,
    /// What is still to be undone, in the order in which it was done.
    changes: Vec<(u32, Change)>,
    next: u32,
}

impl Journal {
    /// A journal without changes yet, in the calling thread's network namespace. `by` names its owner in messages:
    /// "connect office".
    ///
    /// # Errors
    /// When the folder can neither be found nor made.
    pub fn open(folder: &Path, by: &str, lasts: Lasts) -> Result<Journal> {
        use std::os::unix::fs::DirBuilderExt as _;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|e| {
            Error::io(format!("cannot create the journal's folder {}", folder.display()), &e)
                .with_fix("run as root, or give a state directory that this user may write to")
        })?;
        Ok(Journal {
            folder: folder.to_owned(),
            by: by.to_owned(),
            lasts,
            namespace: Namespace::current()?,
            net: Net::open()?,
            file: None,
            changes: Vec::new(),
            next: 1,
        })
    }

    /// The network of the namespace in which this journal was opened.
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// What is still to be undone, in the order in which it was done.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().map(|(_, change)| change)
    }

    /// Adds a route.
    ///
    /// # Errors
    /// `Kind::Exists` when there is one with the same destination, metric and table, of any owner; else as
    /// [`Net::add_route`], or when the journal cannot be written.
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

    /// Gives an interface an address.
    ///
    /// # Errors
    /// `Kind::Exists` when the interface already has it; else as [`Net::add_address`], or when the journal cannot be
    /// written.
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
    /// `Kind::NotFound` when this kernel has no such setting, S08 when it may not be written.
    pub fn set_sysctl(&mut self, key: &str, value: &str) -> Result<bool> {
        let old = host::read_sysctl(key)?;
        if old == value {
            return Ok(false);
        }
        let change = Change::Sysctl { key: key.to_owned(), old, new: value.to_owned() };
        self.make(change, |_| host::write_sysctl(key, value))?;
        Ok(true)
    }

    /// Replaces a file's content, or makes the file. A symbolic link is replaced by a file, and put back on undo.
    ///
    /// # Errors
    /// When the old content is no text or larger than 64 KiB (it would have to be kept), or the file cannot be written.
    pub fn replace_file(&mut self, path: &Path, content: &str) -> Result<()> {
        let before = replace::before(path)?;
        let change = Change::File { path: path.to_owned(), before, wrote: content.to_owned() };
        self.make(change, |_| replace::write(path, content))
    }

    /// Sends the names of `dns.domains` (all names, if there are none) to `dns.servers`, through systemd-resolved where it
    /// runs this host's resolver, else through resolv.conf.
    ///
    /// # Errors
    /// What systemd-resolved answers, or as [`Journal::replace_file`].
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
        }
        Ok(method)
    }

    /// Loads a firewall table, given as an nft script that makes the table `family name` and nothing else.
    ///
    /// # Errors
    /// As [`host::apply_nft`].
    pub fn load_nft_table(&mut self, family: &str, name: &str, script: &str) -> Result<()> {
        let change = Change::NftTable { family: family.to_owned(), name: name.to_owned() };
        self.make(change, |_| host::apply_nft(script))
    }

    /// Undoes everything, the last change first, and reports the outcome of each. What could not be undone stays in
    /// the journal for the next try.
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

    /// Writes the change down, makes it, and forgets it again if it could not be made.
    fn make(&mut self, change: Change, make: impl FnOnce(&Journal) -> Result<()>) -> Result<()> {
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

    /// Notes that a change is not in force any more. If that cannot be written, the change is undone a second time later,
    /// which does no harm.
    fn forget(&mut self, number: u32) {
        if let Some(file) = &mut self.file {
            drop(file.undone(number));
        }
    }

    /// Removes the file when there is nothing to undo.
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
