//! Changes of the host: one interface, its addresses, and routes to clients' networks. The kernel removes
//! them with the interface when the process ends, however it ends.

mod repair;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use adit_api::status::Warning;
use adit_config::{Config, Listen};
use adit_diag::Code;
use adit_policy::PoolConfig;
use adit_sys::Kind;
use adit_sys::net::{MAIN_TABLE, Net, Route};
use adit_sys::tun::{Tun, TunOptions};
use ipnet::{IpNet, Ipv4Net};

use crate::convert;
use crate::error::{Result, ServerError, sys_error};

pub(crate) use repair::Missing;

/// The host state that the server manages.
pub(crate) struct Host {
    net: Arc<Net>,
    interface: String,
    multi_queue: bool,
    mtu: u32,
    /// The index of the interface, which changes when it has to be created again.
    index: AtomicU32,
    /// The server's addresses on the interface.
    addresses: Mutex<BTreeSet<Ipv4Net>>,
    /// The networks behind clients that are routed to the interface.
    routes: Mutex<BTreeSet<Ipv4Net>>,
    /// When the routes of the host are read next.
    routes_due: Mutex<Instant>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Host {
    /// Creates the tunnel interface with the server addresses of all pools.
    ///
    /// # Errors
    /// S07 without TUN, S08 without rights, S10 when an address is in use on this host.
    pub(crate) fn set_up(config: &Config, interface: &str) -> Result<(Host, Tun)> {
        let multi_queue = convert::dataplane(config, None, None).worker_count() > 1;
        let options = TunOptions { name: interface.to_owned(), multi_queue, ..TunOptions::default() };
        let tun = Tun::open(&options).map_err(|error| sys_error(&error))?;
        let net = Net::open().map_err(|error| sys_error(&error))?;
        let host = Host {
            net: Arc::new(net),
            interface: tun.name().to_owned(),
            multi_queue,
            mtu: u32::from(config.link.mtu),
            index: AtomicU32::new(0),
            addresses: Mutex::default(),
            routes: Mutex::default(),
            routes_due: Mutex::new(Instant::now()),
        };
        host.bring_up().map_err(|error| sys_error(&error))?;
        host.set_addresses(addresses(config))?;
        Ok((host, tun))
    }

    /// Finds the interface, which was just created, and brings it up.
    fn bring_up(&self) -> adit_sys::Result<()> {
        let index = self.net.interface(&self.interface)?.index;
        self.index.store(index, Ordering::Relaxed);
        self.net.set_mtu(index, self.mtu)?;
        self.net.set_up(index, true)
    }

    fn index(&self) -> u32 {
        self.index.load(Ordering::Relaxed)
    }

    /// Sets the addresses of the interface.
    ///
    /// # Errors
    /// An address that cannot be added; the interface keeps those that it had.
    pub(crate) fn set_addresses(&self, wanted: BTreeSet<Ipv4Net>) -> Result<()> {
        let mut have = lock(&self.addresses);
        let mut added = Vec::new();
        for address in wanted.difference(&have) {
            if let Err(error) = self.add_address(*address) {
                for address in added {
                    self.delete_address(address);
                }
                return Err(sys_error(&error));
            }
            added.push(*address);
        }
        let obsolete: Vec<Ipv4Net> = have.difference(&wanted).copied().collect();
        for address in &obsolete {
            self.delete_address(*address);
        }
        *have = wanted;
        if !obsolete.is_empty() {
            // With the first address of a network the kernel removes the others of the same network.
            for address in have.iter() {
                self.add_address(*address).map_err(|error| sys_error(&error))?;
            }
        }
        Ok(())
    }

    fn add_address(&self, address: Ipv4Net) -> adit_sys::Result<()> {
        match self.net.add_address(self.index(), IpNet::V4(address), None) {
            Err(error) if error.kind() == Kind::Exists => Ok(()),
            added => added,
        }
    }

    fn delete_address(&self, address: Ipv4Net) {
        // An address that does not exist any more needs no removal.
        let _ = self.net.del_address(self.index(), IpNet::V4(address), None);
    }

    pub(crate) fn interface(&self) -> &str {
        &self.interface
    }

    /// The addresses to listen on, with interfaces resolved to theirs.
    pub(crate) fn listen_addresses(&self, listen: &[Listen]) -> Result<Vec<SocketAddrV4>> {
        let all = self.net.addresses().map_err(|error| sys_error(&error))?;
        let of = |name: &str| -> Vec<Ipv4Addr> {
            let Ok(interface) = self.net.interface(name) else { return Vec::new() };
            let mine = all.iter().filter(|address| address.interface == interface.index);
            mine.filter_map(|address| match address.address.addr() {
                IpAddr::V4(address) => Some(address),
                IpAddr::V6(_) => None,
            })
            .collect()
        };
        resolve(listen, of)
    }

    /// Adds a route to a network behind a client with this public address.
    ///
    /// # Errors
    /// The reason, as text for the record: the route would take packets of this host itself, or the kernel refused it.
    pub(crate) async fn add_route(&self, to: Ipv4Net, client: Ipv4Addr) -> std::result::Result<(), String> {
        let (net, own) = (Arc::clone(&self.net), self.index());
        let done = tokio::task::spawn_blocking(move || {
            let routes = net.routes().map_err(|error| error.to_string())?;
            if let Some(conflict) = conflict(to, client, own, &routes) {
                return Err(conflict);
            }
            // The route of an older session of the same account may still exist.
            net.replace_route(&Route::new(IpNet::V4(to), own)).map_err(|error| error.to_string())
        });
        let done = done.await.unwrap_or_else(|error| Err(error.to_string()));
        if done.is_ok() {
            lock(&self.routes).insert(to);
        }
        done
    }

    /// Removes a route to a network behind a client.
    pub(crate) async fn remove_route(&self, to: Ipv4Net) {
        lock(&self.routes).remove(&to);
        let (net, route) = (Arc::clone(&self.net), Route::new(IpNet::V4(to), self.index()));
        // The kernel may have removed it with the interface.
        let _ = tokio::task::spawn_blocking(move || net.del_route(&route)).await;
    }

    /// Settings of this host that keep clients from reaching other networks.
    pub(crate) fn warnings(&self, config: &Config) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |code: Code, text: String| warnings.push(Warning { code, text });
        let routed = config.access.routes.len()
            + config.groups.values().map(|access| access.routes.len()).sum::<usize>();
        if sysctl("net/ipv4/ip_forward") == Some(0) && routed > 0 {
            let text = "net.ipv4.ip_forward is 0: clients reach this host only, not the networks behind it";
            warn(Code::R06, text.to_owned());
        }
        if let Ok(interfaces) = self.net.interfaces() {
            let all = sysctl("net/ipv4/conf/all/rp_filter").unwrap_or(0);
            let strict =
                |name: &str| all.max(sysctl(&format!("net/ipv4/conf/{name}/rp_filter")).unwrap_or(0)) == 1;
            for interface in interfaces.iter().filter(|interface| interface.name == self.interface) {
                if strict(&interface.name) {
                    let text = format!(
                        "rp_filter is strict on {}: packets from networks behind clients may be dropped",
                        interface.name
                    );
                    warn(Code::S04, text);
                }
            }
        }
        warnings
    }
}

/// All addresses to listen on, with interfaces resolved to theirs.
pub(crate) fn resolve(
    listen: &[Listen],
    interface_addresses: impl Fn(&str) -> Vec<Ipv4Addr>,
) -> Result<Vec<SocketAddrV4>> {
    let mut all = Vec::new();
    for at in listen {
        match at {
            Listen::Address { address, port } => all.push(SocketAddrV4::new(*address, *port)),
            Listen::Interface { name, port } => {
                let found = interface_addresses(name);
                if found.is_empty() {
                    return Err(ServerError::new(
                        Code::S10,
                        format!("interface {name} in server.listen has no IPv4 address, or does not exist"),
                        "name an interface that `ip -4 address` shows, or an address",
                    ));
                }
                all.extend(found.into_iter().map(|address| SocketAddrV4::new(address, *port)));
            }
        }
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// The addresses of the interface with this configuration.
pub(crate) fn addresses(config: &Config) -> BTreeSet<Ipv4Net> {
    config.pools.values().filter_map(address_of).collect()
}

/// The server's address in a pool, with the prefix of the pool, so that the kernel routes the pool to the
/// interface.
fn address_of(pool: &PoolConfig) -> Option<Ipv4Net> {
    Ipv4Net::new(pool.server, pool.net.prefix_len()).ok()
}

fn sysctl(name: &str) -> Option<u32> {
    std::fs::read_to_string(Path::new("/proc/sys").join(name)).ok()?.trim().parse().ok()
}

/// Why a network must not be routed to a client: packets of this host itself would enter the tunnel. `own` is the tunnel
/// interface.
fn conflict(to: Ipv4Net, client: Ipv4Addr, own: u32, routes: &[Route]) -> Option<String> {
    if to.contains(&client) {
        return Some(format!("it contains the client's public address {client}, so GRE would loop"));
    }
    if to.network().is_loopback() || to.network().is_multicast() {
        return Some("loopback and multicast addresses are not behind a client".to_owned());
    }
    let mut others = routes.iter().filter(|route| route.table == MAIN_TABLE && route.interface != Some(own));
    others.find_map(|route| match route.gateway {
        _ if route.destination == IpNet::V4(to) => {
            Some("this host has a route to it through another interface".to_owned())
        }
        Some(IpAddr::V4(gateway)) if to.contains(&gateway) => {
            Some(format!("it contains {gateway}, a router of this host"))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_takes_no_network_that_this_host_needs() {
        const OWN: u32 = 7;
        let net = |text: &str| text.parse::<Ipv4Net>().unwrap();
        let route = |text: &str, interface| Route::new(IpNet::V4(net(text)), interface);
        let local = Route { table: 255, ..route("10.9.0.0/16", 2) };
        let default = route("0.0.0.0/0", 2).via(Some(Ipv4Addr::new(198, 51, 100, 1).into()));
        let routes = [
            route("203.0.113.0/24", 2),
            route("10.8.0.0/16", 3),
            route("192.168.7.0/24", OWN),
            local,
            default,
        ];
        let client = Ipv4Addr::new(203, 0, 113, 77);
        let is_refused = |to: &str| conflict(net(to), client, OWN, &routes).is_some();
        for to in [
            "203.0.113.0/24",
            "203.0.113.77/32",
            "203.0.0.0/16",
            "0.0.0.0/0",
            "10.8.0.0/16",
            "127.0.0.0/8",
            "224.0.0.0/4",
            "198.51.100.0/24",
        ] {
            assert!(is_refused(to), "{to}");
        }
        for to in [
            "192.168.7.0/24",
            "192.168.8.0/24",
            "10.8.4.0/24",
            "10.0.0.0/8",
            "10.9.0.0/16",
            "203.0.113.128/25",
        ] {
            assert!(!is_refused(to), "{to}");
        }
    }
}
