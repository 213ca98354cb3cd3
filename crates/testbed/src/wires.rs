//! Wires and switches.

use std::time::Duration;

use crate::host::Host;
use crate::wait_until;

/// One end of a wire: the host, the interface's name there, and its address (empty for none).
pub type End<'a> = (&'a Host, &'a str, &'a str);

/// Creates a wire (a veth pair) between two hosts and brings it up.
///
/// # Panics
/// When an interface of the name exists already.
#[track_caller]
pub fn wire(a: End<'_>, b: End<'_>) {
    let ((left, left_name, _), (right, right_name, _)) = (a, b);
    left.ip(&format!("link add name {left_name} type veth peer name {right_name} netns {}", right.path()));
    for (host, name, address) in [a, b] {
        if !address.is_empty() {
            host.ip(&format!("address add {address} dev {name}"));
        }
        host.ip(&format!("link set dev {name} up"));
    }
    // The kernel notices the carrier a moment later, and until then marks routes as "linkdown".
    for (host, name, _) in [a, b] {
        let up = || host.ip(&format!("-o link show dev {name}")).contains("state UP");
        wait_until("the wire's carrier", Duration::from_secs(20), up);
    }
}

/// Joins interfaces of one host into a switch called `name`.
///
/// # Panics
/// When an interface is missing.
#[track_caller]
pub fn bridge(host: &Host, name: &str, ports: &[&str]) {
    host.ip(&format!("link add name {name} type bridge"));
    for port in ports {
        host.ip(&format!("link set dev {port} master {name}"));
    }
    host.ip(&format!("link set dev {name} up"));
}
