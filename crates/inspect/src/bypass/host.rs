//! The obstacles on this host, from its own tools and /proc.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use adit_doctor::facts::host::NotTested;
use adit_sys::changes::tcx_programs;

use super::asked::Asked;
use super::obstacle::Obstacle;
use super::{capture, interface, ipsec, routing, rules, traffic};
use crate::look::rules::{legacy_tables, read};
use crate::look::run::{Limits, Silent, run_within};
use crate::look::system::{sysctl, text};

/// The most octets that are read of the list of packet sockets.
const PACKET_SOCKETS_MAX: u64 = 1 << 20;

/// A part of the host that is read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// The packet filter.
    Filter,
    /// The interface and its traffic control.
    Interface,
    /// Routing rules.
    Routing,
    /// IPsec policies.
    Ipsec,
}

pub(super) const PARTS: [Part; 4] = [Part::Filter, Part::Interface, Part::Routing, Part::Ipsec];

/// Finds what stands against a bypass of the IP stack; nothing is found only if the bypass changes nothing.
///
/// `own_program` is the id of the XDP program that adit itself has attached. All of it takes `within` at most; a
/// tool that takes longer is killed, and is an obstacle.
pub fn look(asked: &Asked, own_program: Option<u32>, within: Duration) -> Vec<Obstacle> {
    let limits = Limits::all_within(within, Arc::default());
    let parts = PARTS.into_iter().flat_map(|part| look_at(part, asked, own_program, &limits));
    let mut obstacles: Vec<Obstacle> = parts.collect();
    obstacles.extend(silent_settings(asked));
    obstacles
}

/// Reads one part with the tools.
pub(super) fn look_at(part: Part, asked: &Asked, own_program: Option<u32>, limits: &Limits) -> Vec<Obstacle> {
    match part {
        Part::Filter => filter(asked, limits),
        Part::Interface => {
            let name = asked.interface.as_str();
            let mut obstacles =
                with(limits, "ip", &["-j", "-d", "link", "show", "dev", name], "the interface", |text| {
                    interface::obstacles(text, name, own_program)
                });
            obstacles.extend(traffic_control(name, limits));
            obstacles
        }
        Part::Routing => with(limits, "ip", &["-j", "-4", "rule"], "the routing rules", |text| {
            routing::obstacles(text, asked)
        }),
        Part::Ipsec => ipsec_policies(asked, limits),
    }
}

fn filter(asked: &Asked, limits: &Limits) -> Vec<Obstacle> {
    const WHAT: &str = "the rules of the packet filter";
    match read(limits) {
        Ok(rules) => match rules.unlisted {
            Some(why) => vec![not_read(WHAT, why)],
            None => rules::obstacles(&rules.set, &asked.interface, &asked.addresses),
        },
        Err(why) => vec![not_read(WHAT, why)],
    }
}

fn traffic_control(name: &str, limits: &Limits) -> Vec<Obstacle> {
    const WHAT: &str = "traffic control";
    let list = match run_within(limits, "tc", &["-j", "qdisc", "show", "dev", name]) {
        Ok(list) => list,
        Err(silent) => return vec![not_read(WHAT, silent.not_tested("tc", "iproute2"))],
    };
    let (mut obstacles, places) = traffic::queues(&list, name);
    for place in places {
        let at: &[&str] = match place.as_str() {
            "root" => &[],
            "ingress" | "egress" => &[&place],
            handle => &["parent", handle],
        };
        let arguments = [&["-j", "filter", "show", "dev", name], at].concat();
        obstacles.extend(with(limits, "tc", &arguments, WHAT, |text| traffic::filters(text, name, &place)));
    }
    obstacles
}

fn ipsec_policies(asked: &Asked, limits: &Limits) -> Vec<Obstacle> {
    const WHAT: &str = "the IPsec policies";
    let list = match run_within(limits, "ip", &["xfrm", "policy"]) {
        Ok(list) => list,
        // The kernel has no IPsec.
        Err(Silent::Failed(why)) if why.contains("rotocol not supported") => return Vec::new(),
        Err(silent) => return vec![not_read(WHAT, silent.not_tested("ip", "iproute2"))],
    };
    let mut obstacles = ipsec::obstacles(&list, asked);
    // A version of `ip` or a kernel without this command has no other default than to accept.
    let default = run_within(limits, "ip", &["xfrm", "policy", "getdefault"]).unwrap_or_default();
    obstacles.extend(ipsec::default_obstacle(&default));
    obstacles
}

/// Settings whose changes are not all reported: reads a few files of /proc and asks the kernel.
pub(super) fn silent_settings(asked: &Asked) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    match legacy_tables() {
        Ok(tables) if tables.trim().is_empty() => {}
        Ok(tables) => {
            let names: Vec<&str> = tables.split_ascii_whitespace().collect();
            obstacles.push(Obstacle::LegacyTables(names.join(", ")));
        }
        Err(error) => obstacles.push(Obstacle::NotRead {
            what: "the names of legacy iptables tables",
            why: format!("{error} (CAP_DAC_READ_SEARCH is required, or `rmmod ip_tables` if it is not used)"),
        }),
    }
    let strict = |name: &str| sysctl(&format!("net/ipv4/conf/{name}/rp_filter")).unwrap_or(0);
    if strict("all").max(strict(&asked.interface)) == 1 {
        obstacles.push(Obstacle::ReversePath(asked.interface.clone()));
    }
    if sysctl("net/netfilter/nf_conntrack_acct").is_some_and(|value| value != 0) {
        obstacles.push(Obstacle::Accounting);
    }
    let interface = asked.interface.clone();
    let index = interface::index(&asked.interface);
    if let Some(index) = index {
        match text(Path::new("/proc/thread-self/net/packet"), PACKET_SOCKETS_MAX) {
            Ok(text) => obstacles.extend(capture::obstacle(&text, &interface, index)),
            // A kernel without packet sockets.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                obstacles.push(Obstacle::NotRead { what: "the packet sockets", why: error.to_string() });
            }
        }
    }
    match index.map(tcx_programs) {
        None => obstacles.push(Obstacle::Interface { interface, what: "does not exist".to_owned() }),
        Some(Ok(0)) => {}
        Some(Ok(_)) => obstacles.push(Obstacle::Program { interface, kind: "tcx" }),
        Some(Err(error)) => {
            let why = format!("{error} (the capabilities CAP_NET_ADMIN and CAP_BPF are required)");
            obstacles.push(Obstacle::NotRead { what: "the BPF programs of the interface", why });
        }
    }
    obstacles
}

/// Runs a tool and evaluates its output.
fn with(
    limits: &Limits,
    program: &str,
    arguments: &[&str],
    what: &'static str,
    evaluate: impl FnOnce(&str) -> Vec<Obstacle>,
) -> Vec<Obstacle> {
    match run_within(limits, program, arguments) {
        Ok(text) => evaluate(&text),
        Err(silent) => vec![not_read(what, silent.not_tested(program, "iproute2"))],
    }
}

fn not_read(what: &'static str, why: NotTested) -> Obstacle {
    let why = match why {
        NotTested::NeedsRoot { program } => format!("{program} needs the capability CAP_NET_ADMIN"),
        other => other.to_string(),
    };
    Obstacle::NotRead { what, why }
}
