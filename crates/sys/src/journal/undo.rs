//! Undo of one change.

use std::thread;

use super::change::Change;
use super::replace;
use super::undone::Undone;
use crate::error::{Error, Kind, Result};
use crate::host;
use crate::namespace::Namespace;
use crate::net::Net;
use crate::resolver;

/// Undoes a change inside the namespace in which it was made, whatever the namespace of the calling thread
/// is.
pub(super) fn undo_inside(namespace: &Namespace, change: &Change) -> Undone {
    let here = Namespace::current().and_then(|here| Ok(here.identity()? == namespace.identity()?));
    if here.unwrap_or(false) || !change.is_of_the_kernel() {
        return undo(change);
    }
    let inside = || match namespace.enter() {
        Ok(()) => undo(change),
        Err(error) => Undone::Failed(error),
    };
    let lost = || Error::new(Kind::Other, format!("cannot undo {change}"), "the thread ended unexpectedly");
    thread::scope(|scope| scope.spawn(inside).join().unwrap_or_else(|_| Undone::Failed(lost())))
}

fn undo(change: &Change) -> Undone {
    let result = match change {
        Change::Route(route) => Net::open().and_then(|net| net.del_route(route)),
        Change::Address { index, address, peer, .. } => {
            Net::open().and_then(|net| net.del_address(*index, *address, *peer))
        }
        Change::Sysctl { key, old, new } => return sysctl(key, old, new),
        Change::File { path, before, wrote } => return replace::restore(path, before, wrote),
        Change::LinkDns { index, bus, .. } => link_dns(*index, bus.as_deref()),
        Change::NftTable { family, name } => host::delete_nft_table(family, name),
    };
    match result {
        Ok(()) => Undone::Undone,
        Err(error) if error.kind() == Kind::NotFound => Undone::Gone,
        Err(error) => Undone::Failed(error),
    }
}

fn sysctl(key: &str, old: &str, new: &str) -> Undone {
    match host::read_sysctl(key) {
        Ok(now) if now == old => Undone::Gone,
        Ok(now) if now == new => match host::write_sysctl(key, old) {
            Ok(()) => Undone::Undone,
            Err(error) => Undone::Failed(error),
        },
        Ok(now) => Undone::Left(format!("another program has set it to {now}")),
        Err(error) if error.kind() == Kind::NotFound => Undone::Gone,
        Err(error) => Undone::Failed(error),
    }
}

/// Reverts the DNS settings of an interface, which exist only as long as the interface does.
fn link_dns(index: u32, bus: Option<&str>) -> Result<()> {
    let there = Net::open()?.interfaces()?.iter().any(|i| i.index == index);
    if there { resolver::revert_link(bus, index) } else { Err(gone()) }
}

fn gone() -> Error {
    Error::new(Kind::NotFound, "cannot revert the name servers", "the interface is gone")
}
