//! The network state of this host, for the checks of the configuration.

use adit_config::{HostFacts, HostNet};
use adit_sys::host;
use adit_sys::net::{Interface, Net, OWNER};
use ipnet::{IpNet, Ipv4Net};

/// Interfaces, addresses and routes; `None` if the kernel does not answer.
pub(crate) fn of_this_host() -> Option<HostFacts> {
    let net = Net::open().ok()?;
    let interfaces = net.interfaces().ok()?;
    let find = |index: u32| interfaces.iter().find(|interface| interface.index == index);
    let mut facts = HostFacts {
        interfaces: interfaces.iter().map(|interface| interface.name.clone()).collect(),
        ..HostFacts::default()
    };
    for address in net.addresses().ok()? {
        if let (IpNet::V4(net), Some(interface)) = (address.address, find(address.interface))
            && !interface.loopback
        {
            facts.addresses.push(HostNet {
                net,
                interface: interface.name.clone(),
                ours: is_ours(interface),
            });
        }
    }
    for route in net.routes().ok()? {
        let interface = route.interface.and_then(find);
        if let (IpNet::V4(net), Some(interface)) = (route.destination, interface)
            && !route.is_default()
            && !interface.loopback
            && !net.addr().is_multicast()
        {
            let ours = route.owner == OWNER || is_ours(interface);
            facts.routes.push(HostNet { net, interface: interface.name.clone(), ours });
        }
    }
    Some(facts)
}

/// A private network for clients that overlaps no network of this host; `None` if there is none left.
pub(crate) fn free_pool() -> Option<Ipv4Net> {
    let used: Vec<IpNet> = match Net::open().and_then(|net| host::in_use(&net)) {
        Ok(used) => used.into_iter().map(|used| used.network).collect(),
        // If the kernel does not answer, propose the usual pool; a conflict is reported at start.
        Err(_) => Vec::new(),
    };
    host::suggest_pool(&used, 24)
}

/// Whether an interface belongs to adit.
pub(crate) fn is_ours(interface: &Interface) -> bool {
    interface.kind.as_deref() == Some("tun") && interface.name.starts_with("adit")
}
