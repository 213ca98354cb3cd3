//! Detection of this host's networks.

use std::net::{IpAddr, Ipv4Addr};

use adit_sys::host;
use adit_sys::net::Net;
use ipnet::{IpNet, Ipv4Net};
use schemars::JsonSchema;
use serde::Serialize;

use super::firewall::Firewall;
use crate::facts;
use crate::failure::Failure;

/// Interface names of containers and virtual machines, whose networks are not proposed to clients.
const VIRTUAL: &[&str] =
    &["docker", "br-", "virbr", "veth", "cni", "flannel", "cali", "lxc", "podman", "adit"];

/// The network state of the host.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Host {
    /// The interface of the default route; null without one.
    wan: Option<Wan>,
    /// The other networks of this host.
    networks: Vec<Network>,
    /// The DNS servers of this host.
    #[schemars(with = "Vec<String>")]
    resolvers: Vec<IpAddr>,
    /// Whether IP forwarding is enabled.
    pub(super) forwarding: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Wan {
    /// The interface.
    interface: String,
    /// Its address with the prefix length.
    #[schemars(with = "Option<String>")]
    address: Option<Ipv4Net>,
    /// Whether the address is public, without address translation.
    public: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Network {
    /// The interface.
    interface: String,
    /// The address of this host in the network, with the prefix length.
    #[schemars(with = "String")]
    address: Ipv4Net,
    /// Whether it belongs to containers or virtual machines.
    is_virtual: bool,
}

impl Host {
    pub(super) fn look() -> Result<Host, Failure> {
        let net = Net::open()?;
        let wan = host::default_route(&net)?.map(|route| Wan {
            interface: route.interface,
            address: route.address.and_then(v4),
            public: route.public,
        });
        let interfaces = net.interfaces()?;
        let mut networks = Vec::new();
        for address in net.addresses()? {
            let Some(interface) = interfaces.iter().find(|interface| interface.index == address.interface)
            else {
                continue;
            };
            let Some(net) = v4(address.address) else { continue };
            let is_wan = wan.as_ref().is_some_and(|wan| wan.interface == interface.name);
            if is_wan || interface.loopback || facts::is_ours(interface) || net.addr().is_link_local() {
                continue;
            }
            let is_virtual = VIRTUAL.iter().any(|begin| interface.name.starts_with(begin));
            networks.push(Network { interface: interface.name.clone(), address: net, is_virtual });
        }
        networks.sort_by_key(|network| (network.is_virtual, network.interface.clone(), network.address));
        Ok(Host {
            wan,
            networks,
            resolvers: host::nameservers().servers,
            forwarding: host::ip_forward().unwrap_or(false),
        })
    }

    /// The proposed name or address that clients dial.
    pub(super) fn name(&self) -> String {
        let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let own = own.trim();
        match self.wan.as_ref().and_then(|wan| wan.address.filter(|_| wan.public)) {
            Some(address) => address.addr().to_string(),
            None if own.contains('.') => own.to_owned(),
            None => "vpn.example.org".to_owned(),
        }
    }

    pub(super) fn wan_address(&self) -> Option<Ipv4Addr> {
        self.wan.as_ref().and_then(|wan| wan.address).map(|address| address.addr())
    }

    pub(super) fn wan_interface(&self) -> Option<String> {
        self.wan.as_ref().map(|wan| wan.interface.clone())
    }

    /// The proposed networks that clients may reach: those of this host that are not virtual; without any, the private
    /// network that the host itself is in.
    pub(super) fn lan(&self) -> Vec<Ipv4Net> {
        let private = |net: &Ipv4Net| net.addr().is_private();
        let own = self.networks.iter().filter(|network| !network.is_virtual).map(|network| network.address);
        let mut lan: Vec<Ipv4Net> = own.filter(private).map(|net| net.trunc()).collect();
        if lan.is_empty() {
            lan.extend(self.wan.as_ref().and_then(|wan| wan.address).filter(private).map(|net| net.trunc()));
        }
        lan.dedup();
        lan
    }

    /// The DNS servers that clients can reach through the tunnel; IPCP allows two.
    pub(super) fn dns(&self, lan: &[Ipv4Net]) -> Vec<Ipv4Addr> {
        let reachable = |address: &Ipv4Addr| lan.iter().any(|net| net.contains(address));
        let v4 = |address: &IpAddr| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        };
        self.resolvers.iter().filter_map(v4).filter(reachable).take(2).collect()
    }

    /// Describes the host for the user.
    pub(super) fn text(&self, firewall: &Firewall) -> String {
        let mut text = String::from("Looking at this host\n");
        let mut line = |word: &str, interface: &str, address: &str, more: &str| {
            let line = format!("  {word:<5} {interface:<8} {address:<19} {more}");
            text.push_str(line.trim_end());
            text.push('\n');
        };
        match &self.wan {
            Some(wan) => {
                let address = wan.address.map_or_else(|| "no address".into(), |address| address.to_string());
                let kind = if wan.public { "public address" } else { "private address: behind a NAT router" };
                line("WAN", &wan.interface, &address, &format!("default route, {kind}"));
            }
            None => line("WAN", "-", "", "no default route"),
        }
        for network in &self.networks {
            let within = |server: &&IpAddr| match server {
                IpAddr::V4(server) => network.address.contains(server),
                IpAddr::V6(_) => false,
            };
            let resolvers: Vec<String> =
                self.resolvers.iter().filter(within).map(IpAddr::to_string).collect();
            let more = match (network.is_virtual, resolvers.is_empty()) {
                (true, _) => "containers or virtual machines".to_owned(),
                (false, true) => String::new(),
                (false, false) => format!("resolver {}", resolvers.join(", ")),
            };
            let word = if network.address.addr().is_private() { "LAN" } else { "NET" };
            line(word, &network.interface, &network.address.to_string(), &more);
        }
        text.push_str(&format!("  FW    {}\n", firewall.text()));
        text.push_str(&format!("  FWD   net.ipv4.ip_forward = {}\n\n", u8::from(self.forwarding)));
        text
    }
}

/// Networks as text, in one line.
pub(super) fn words(nets: &[Ipv4Net]) -> String {
    nets.iter().map(Ipv4Net::to_string).collect::<Vec<_>>().join(" ")
}

fn v4(net: IpNet) -> Option<Ipv4Net> {
    match net {
        IpNet::V4(net) => Some(net),
        IpNet::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(wan: &str, public: bool, networks: &[(&str, &str)]) -> Host {
        Host {
            wan: Some(Wan { interface: "eth0".into(), address: Some(wan.parse().unwrap()), public }),
            networks: networks
                .iter()
                .map(|(interface, address)| Network {
                    interface: (*interface).into(),
                    address: address.parse().unwrap(),
                    is_virtual: VIRTUAL.iter().any(|begin| interface.starts_with(begin)),
                })
                .collect(),
            resolvers: vec!["192.168.10.5".parse().unwrap(), "8.8.8.8".parse().unwrap()],
            forwarding: false,
        }
    }

    #[test]
    fn what_is_found_reads_like_the_manual() {
        let firewall = Firewall::of(
            r#"{"nftables": [
            {"chain": {"family": "inet", "table": "filter", "name": "input", "hook": "input", "policy": "drop"}}]}"#,
        );
        let host =
            host("203.0.113.10/24", true, &[("eth1", "192.168.10.1/24"), ("docker0", "172.17.0.1/16")]);
        assert_eq!(
            host.text(&firewall),
            "\
Looking at this host
  WAN   eth0     203.0.113.10/24     default route, public address
  LAN   eth1     192.168.10.1/24     resolver 192.168.10.5
  LAN   docker0  172.17.0.1/16       containers or virtual machines
  FW    nftables, input policy drop: no rule for tcp/1723, none for GRE
  FWD   net.ipv4.ip_forward = 0

"
        );
        assert_eq!(host.name(), "203.0.113.10");
        assert_eq!(words(&host.lan()), "192.168.10.0/24");
        assert_eq!(host.dns(&host.lan()), [Ipv4Addr::new(192, 168, 10, 5)]);
    }

    #[test]
    fn a_server_inside_a_lan_offers_that_lan() {
        let host = host("192.168.1.7/24", false, &[("docker0", "172.17.0.1/16")]);
        assert_eq!(words(&host.lan()), "192.168.1.0/24");
        assert!(host.dns(&host.lan()).is_empty());
        assert!(host.text(&Firewall::of("")).contains("private address: behind a NAT router"));
    }

    #[test]
    fn a_rented_server_has_no_lan() {
        assert!(host("203.0.113.10/24", true, &[]).lan().is_empty());
    }
}
