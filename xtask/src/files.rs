//! Checks over the text of every file: length, hosts in URLs, and words that do not belong in the repository.

use std::path::Path;

use anyhow::bail;

use crate::source;

/// Lines of a Rust file, without its tests. A longer file has more than one purpose.
const MAX_LINES: usize = 800;

/// Hosts whose pages may be cited. Any other host is a mistake, or needs a line here.
const KNOWN_HOSTS: &[&str] = &[
    "docs.rs",
    "w3.org",
    "github.com",
    "iana.org",
    "keepachangelog.com",
    "learn.microsoft.com",
    "opensource.org",
    "apache.org",
    "man7.org",
    "json-schema.org",
    "rfc-editor.org",
    "rustup.rs",
    "semver.org",
    "wireshark.org",
    "www.freedesktop.org",
    "docs.kernel.org",
    "man.freebsd.org",
    "kb.cert.org",
];

/// Names that are free to use in examples (RFC 2606, RFC 6761), and addresses.
const EXAMPLE_ENDINGS: &[&str] =
    &["example", "example.org", "example.com", "example.net", "test", "localhost"];

/// Names of GRE and of the PPTP port in rules of nft, iptables, ip and firewall-cmd. A host without /etc/protocols and
/// /etc/services (Debian without netbase) refuses such a rule; the numbers 47 and 1723 always work.
const NAMES_IN_RULES: &[&str] = &[
    "ip protocol gre",
    "ip protocol != gre",
    "l4proto gre",
    "l4proto != gre",
    "ipproto gre",
    "-p gre",
    "--add-protocol=gre",
    "{ gre,",
    "gre : ",
    "dport pptp",
    "sport pptp",
];

/// Files in which rules are only read, as other programs print them: readers accept name and number.
const READ_ONLY_RULES: &[&str] = &[
    "fuzz/",
    "crates/inspect/tests/data/",
    "crates/inspect/src/bypass/tests.rs",
    "crates/inspect/src/filter/tests.rs",
    "xtask/src/files.rs",
];

/// Runs every check of this module and lists all findings at once.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let mut findings = Vec::new();
    for file in source::files(root)? {
        let Ok(text) = std::fs::read_to_string(root.join(&file)) else { continue };
        let name = file.display().to_string();
        if name == "Cargo.lock" || name == "fuzz/Cargo.lock" {
            continue;
        }
        if name.ends_with(".rs") && !source::is_test_file(&file) {
            let lines = source::without_tests(&text).lines().count();
            if lines > MAX_LINES {
                findings.push(format!("{name}: {lines} lines, {MAX_LINES} at most without tests"));
            }
        }
        let folder = root.join(&file).parent().map(Path::to_path_buf).unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            if name.ends_with(".md") {
                for link in links(line).filter(|link| !folder.join(link).exists()) {
                    findings.push(format!("{name}:{}: nothing is at {link}", number + 1));
                }
            }
            for problem in judge(&name, line) {
                findings.push(format!("{name}:{}: {problem}", number + 1));
            }
        }
    }
    if !findings.is_empty() {
        bail!("{} findings\n  {}", findings.len(), findings.join("\n  "));
    }
    Ok(())
}

/// Everything that is wrong with one line of the file `name`.
fn judge(name: &str, line: &str) -> Vec<String> {
    let mut problems = Vec::new();
    // Only .ci/ may refer to files outside the repository.
    if !name.starts_with(".ci/") && name != "xtask/src/files.rs" && line.contains("../shared") {
        problems.push("refers to a folder beside the repository".to_owned());
    }
    if line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ") {
        problems.push("conflict marker".to_owned());
    }
    if let Some(found) = NAMES_IN_RULES.iter().find(|text| line.contains(**text))
        && !READ_ONLY_RULES.iter().any(|place| name.starts_with(place))
    {
        problems.push(format!("{found:?}: write the number (47, 1723), names are not known on every host"));
    }
    for host in hosts(line) {
        if !is_known(host) {
            problems.push(format!("address with the unknown host {host:?} (see KNOWN_HOSTS in xtask)"));
        }
    }
    problems
}

/// The files that a line of Markdown links to.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let link = rest.split([')', '#']).next().unwrap_or_default();
        (!link.is_empty() && !link.contains(":") && !link.contains(' ')).then_some(link)
    })
}

/// The hosts of the `scheme://host` addresses in a line.
fn hosts(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("://").filter_map(|(at, mark)| {
        let scheme = line[..at].rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let rest = &line[at + mark.len()..];
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-')).unwrap_or(rest.len());
        let host = rest[..end].trim_end_matches('.');
        (matches!(scheme, "http" | "https" | "ftp" | "git" | "ssh") && !host.is_empty()).then_some(host)
    })
}

fn is_known(host: &str) -> bool {
    let within =
        |domain: &&str| host == *domain || host.strip_suffix(*domain).is_some_and(|h| h.ends_with('.'));
    let is_address = host.chars().all(|c| c.is_ascii_digit() || c == '.');
    let is_label = !host.contains('.');
    is_address || is_label || KNOWN_HOSTS.iter().any(within) || EXAMPLE_ENDINGS.iter().any(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_host_is_found_and_a_known_one_is_not() {
        assert_eq!(judge("a.md", "see https://www.rfc-editor.org/rfc/rfc2637").len(), 0);
        assert_eq!(judge("a.md", "see https://vpn.example.org. and http://127.0.0.1:8723/").len(), 0);
        let strange = ["https", "://mirror.corp.invalid/x"].concat();
        assert_eq!(judge("a.md", &strange).len(), 1);
    }

    #[test]
    fn names_of_protocols_and_ports_in_rules_are_found() {
        for rule in ["nft add rule inet f i ip protocol gre accept", "iptables -A INPUT -p gre -j ACCEPT"] {
            assert_eq!(judge("docs/how-to/a.md", rule).len(), 1, "{rule}");
            assert_eq!(judge("crates/inspect/tests/data/iptables.txt", rule).len(), 0, "{rule}");
        }
        assert_eq!(judge("a.rs", "meta l4proto vmap { tcp : accept, gre : drop }").len(), 1);
        assert_eq!(judge("a.rs", "tcp dport pptp accept").len(), 1);
        assert_eq!(judge("a.rs", "ip protocol 47 accept; tcp dport 1723 accept; let gre: Gre = x;").len(), 0);
    }

    #[test]
    fn links_to_files_are_found() {
        let line = "see [a](docs/a.md), [b](b.md#part), [c](#here) and [d](https://example.org/d)";
        assert_eq!(links(line).collect::<Vec<_>>(), ["docs/a.md", "b.md"]);
    }

    #[test]
    fn paths_outside_the_repository_are_allowed_only_in_ci() {
        let line = ["cat ..", "/shared/x"].concat();
        assert_eq!(judge("README.md", &line).len(), 1);
        assert_eq!(judge(".ci/run", &line).len(), 0);
    }
}
