//! Support for resolv.conf(5).

use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use super::Dns;

/// The most servers that the C library queries.
const SERVERS_MAX: usize = 3;

/// Whether the C library queries systemd-resolved: the file is one of its own, or contains its stub address.
pub(super) fn leads_to_resolved(path: &Path) -> bool {
    let link = fs::read_link(path).is_ok_and(|to| to.to_string_lossy().contains("systemd/resolve"));
    let stub = || {
        let text = fs::read_to_string(path).unwrap_or_default();
        servers(&text).any(|server| matches!(server, "127.0.0.53" | "127.0.0.54"))
    };
    link || stub()
}

fn servers(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next()).flatten()
    })
}

/// The new text of the file: our servers first, our domains before the existing ones, and the existing
/// options. The file cannot direct some names to some servers. With domains the old servers follow, in case
/// ours are unreachable; without, all queries go to ours only.
pub(crate) fn resolv_conf(old: &str, dns: &Dns, by: &str) -> String {
    let mut text = format!("# Written by adit ({by}); the old file is restored when the tunnel goes down.\n");
    let own_search = old.lines().rev().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        matches!(words.next(), Some("search" | "domain")).then(|| words.collect::<Vec<_>>())
    });
    let mut search: Vec<&str> = dns.domains.iter().map(String::as_str).collect();
    for domain in own_search.unwrap_or_default() {
        if !search.contains(&domain) {
            search.push(domain);
        }
    }
    if !search.is_empty() {
        let _ = writeln!(text, "search {}", search.join(" "));
    }
    let mut all: Vec<String> = dns.servers.iter().map(IpAddr::to_string).collect();
    if !dns.domains.is_empty() {
        all.extend(
            servers(old).map(str::to_owned).filter(|s| !dns.servers.iter().any(|o| o.to_string() == *s)),
        );
    }
    for server in all.iter().take(SERVERS_MAX) {
        let _ = writeln!(text, "nameserver {server}");
    }
    for line in old.lines().filter(|line| line.starts_with("options") || line.starts_with("sortlist")) {
        let _ = writeln!(text, "{line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "# of the router\ndomain home\nsearch home.arpa lan\nnameserver 192.168.1.1\nnameserver 192.168.1.2\n\
                       nameserver 192.168.1.3\noptions edns0 timeout:2\n";

    fn dns(domains: &[&str]) -> Dns {
        Dns {
            servers: vec!["192.168.10.5".parse().unwrap()],
            domains: domains.iter().map(|d| (*d).to_owned()).collect(),
        }
    }

    #[test]
    fn all_names_go_to_our_servers_alone() {
        assert_eq!(
            resolv_conf(OLD, &dns(&[]), "connect office"),
            "# Written by adit (connect office); the old file is restored when the tunnel goes down.\n\
             search home.arpa lan\nnameserver 192.168.10.5\noptions edns0 timeout:2\n"
        );
    }

    #[test]
    fn with_domains_the_old_servers_follow() {
        let text = resolv_conf(OLD, &dns(&["corp.example.org", "lan"]), "x");
        let lines: Vec<_> = text.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "search corp.example.org lan home.arpa",
                "nameserver 192.168.10.5",
                "nameserver 192.168.1.1",
                "nameserver 192.168.1.2",
                "options edns0 timeout:2"
            ]
        );
    }

    #[test]
    fn resolved_is_known_by_its_link_or_its_stub() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("resolv.conf");
        assert!(!leads_to_resolved(&path));
        fs::write(&path, OLD).unwrap();
        assert!(!leads_to_resolved(&path));
        fs::write(&path, "nameserver 127.0.0.53\n").unwrap();
        assert!(leads_to_resolved(&path));
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("../run/systemd/resolve/stub-resolv.conf", &path).unwrap();
        assert!(leads_to_resolved(&path));
    }
}
