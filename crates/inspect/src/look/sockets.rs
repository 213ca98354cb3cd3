//! The processes that listen on the port, and those that hold protocol 47.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use adit_doctor::facts::host::{Check, Holder, Host, Listen};

use super::network::Network;
use super::{PORT, Purpose, not_tested};
use crate::read::proc::{self, LISTEN, Socket};

/// The most octets of a table that are read.
const TABLE_MAX: u64 = 16 << 20;
/// The most holders that are reported.
const HOLDERS_MAX: usize = 16;
/// The number of GRE: the "port" of a raw socket.
const GRE: u16 = 47;

pub(super) fn look(purpose: &Purpose, network: &Network, host: &mut Host) {
    let port = purpose.listen.first().map_or(PORT, |listen| listen.port);
    let mut listening = Vec::new();
    for (name, source) in [("tcp", "/proc/net/tcp"), ("tcp6", "/proc/net/tcp6")] {
        match table(name, source) {
            Ok(sockets) => listening.extend(sockets.into_iter().filter(|socket| {
                // A socket in a closing state has no owner.
                socket.state == LISTEN && socket.local.port() == port && socket.inode != 0
            })),
            // A kernel without IPv6.
            Err(_) if name == "tcp6" => {}
            Err(why) => {
                not_tested(host, Check::Listen, why);
                return;
            }
        }
    }
    let raw = table("raw", "/proc/net/raw").unwrap_or_default();
    let raw: Vec<Socket> = raw.into_iter().filter(|socket| socket.local.port() == GRE).collect();
    let owners = owners(listening.iter().chain(&raw).map(|socket| socket.inode).collect());
    let holders = |sockets: &[Socket], with_port: bool| -> Vec<Holder> {
        let mut holders: Vec<Holder> = Vec::new();
        for socket in sockets {
            let owner = owners.get(&socket.inode);
            let address = if with_port { socket.local.to_string() } else { socket.local.ip().to_string() };
            let holder = Holder {
                address,
                process: owner.map(|(process, _)| *process),
                name: owner.map(|(_, name)| name.clone()).unwrap_or_default(),
            };
            if !holders.contains(&holder) && holders.len() < HOLDERS_MAX {
                holders.push(holder);
            }
        }
        holders
    };
    let wanted = purpose.listen.iter().map(|listen| match (listen.address, &listen.interface) {
        (Some(address), _) => format!("{address}:{}", listen.port),
        (None, Some(interface)) => format!("{interface}:{}", listen.port),
        (None, None) => format!("0.0.0.0:{}", listen.port),
    });
    let missing = purpose.listen.iter().filter_map(|listen| {
        let address = listen.address.filter(|address| !address.is_unspecified() && !address.is_loopback())?;
        (network.known() && network.interface_of(address).is_none()).then(|| address.to_string())
    });
    host.listen = Some(Listen {
        wanted: wanted.collect(),
        port,
        holders: holders(&listening, true),
        gre: holders(&raw, false),
        daemon: purpose.daemon,
        missing: missing.collect(),
        ..Listen::default()
    });
}

fn table(name: &str, source: &'static str) -> Result<Vec<Socket>, String> {
    // Of the calling thread's network namespace, not of the process's.
    let path = format!("/proc/thread-self/net/{name}");
    let text =
        super::system::text(Path::new(&path), TABLE_MAX).map_err(|error| format!("{source}: {error}"))?;
    proc::sockets(source, &text).map_err(|error| error.to_string())
}

/// The processes that have sockets with these inodes, with their names.
fn owners(wanted: Vec<u64>) -> BTreeMap<u64, (u32, String)> {
    let mut owners = BTreeMap::new();
    let wanted: BTreeMap<String, u64> =
        wanted.into_iter().map(|inode| (format!("socket:[{inode}]"), inode)).collect();
    if wanted.is_empty() {
        return owners;
    }
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(descriptors) = fs::read_dir(entry.path().join("fd")) else { continue };
        for descriptor in descriptors.flatten() {
            let Ok(to) = fs::read_link(descriptor.path()) else { continue };
            if let Some(inode) = to.to_str().and_then(|to| wanted.get(to)) {
                let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
                owners.entry(*inode).or_insert((process, name.trim_end().to_owned()));
            }
        }
        if owners.len() == wanted.len() {
            break;
        }
    }
    owners
}
