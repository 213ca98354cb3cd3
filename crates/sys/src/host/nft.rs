//! Firewall rules as an nft script, loaded with `nft`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use adit_diag::Code;
use ipnet::Ipv4Net;

use crate::error::{Error, Kind, Result};

/// The table that contains all of our rules and nothing else.
const TABLE: &str = "inet adit";

/// The calls and clients that the rules must accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NftRules {
    /// TCP port of the control connection.
    pub port: u16,
    /// The interface on which calls arrive; `None` for any.
    pub interface: Option<String>,
    /// The clients' addresses; without any, forwarding is not changed.
    pub pools: Vec<Ipv4Net>,
    /// The interface on which to masquerade clients' addresses (Internet access through the tunnel).
    pub masquerade: Option<String>,
}

impl NftRules {
    /// Builds the script. Loading it again replaces the table as a whole, atomically.
    ///
    /// A separate table cannot override a drop in another one: if an `input` chain elsewhere has the policy
    /// drop, add the lines of [`NftRules::lines_for_input`] to that chain.
    pub fn script(&self) -> String {
        let mut text = format!("table {TABLE}\ndelete table {TABLE}\ntable {TABLE} {{\n");
        text.push_str("\tchain input {\n\t\ttype filter hook input priority filter - 10; policy accept;\n");
        for line in self.lines_for_input() {
            let _ = writeln!(text, "\t\t{line}");
        }
        text.push_str("\t}\n");
        if !self.pools.is_empty() {
            text.push_str(
                "\tchain forward {\n\t\ttype filter hook forward priority filter - 10; policy accept;\n",
            );
            let pools = set(&self.pools);
            let _ = writeln!(text, "\t\tip saddr {pools} accept comment \"adit: from clients\"");
            let _ = writeln!(text, "\t\tip daddr {pools} accept comment \"adit: to clients\"");
            text.push_str("\t}\n");
        }
        if let (Some(interface), false) = (&self.masquerade, self.pools.is_empty()) {
            text.push_str(
                "\tchain postrouting {\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n",
            );
            let _ = writeln!(
                text,
                "\t\tip saddr {} oifname {} masquerade comment \"adit: clients to the Internet\"",
                set(&self.pools),
                quoted(interface)
            );
            text.push_str("\t}\n");
        }
        text.push_str("}\n");
        text
    }

    /// The two rules that accept calls: control connection and GRE.
    pub fn lines_for_input(&self) -> Vec<String> {
        let on = self.interface.as_ref().map(|i| format!("iifname {} ", quoted(i))).unwrap_or_default();
        vec![
            format!("{on}tcp dport {} accept comment \"adit: PPTP control\"", self.port),
            format!("{on}ip protocol 47 accept comment \"adit: PPTP data (protocol 47)\""),
        ]
    }
}

fn set(pools: &[Ipv4Net]) -> String {
    let all: Vec<_> = pools.iter().map(|p| p.trunc().to_string()).collect();
    format!("{{ {} }}", all.join(", "))
}

/// A quoted string of nft. Quotes cannot be escaped, but interface names contain none.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace(['"', '\\', '\n'], ""))
}

/// Loads a script with `nft -f -`, as a transaction.
///
/// # Errors
/// `Kind::NotFound` without the nft program; S08 without CAP_NET_ADMIN; S03 with nft's own message otherwise.
pub fn apply_nft(script: &str) -> Result<()> {
    nft("cannot load firewall rules", &["-f", "-"], script)
}

/// Deletes a table, as `nft delete table` does.
///
/// # Errors
/// `Kind::NotFound` if it does not exist; otherwise as [`apply_nft`].
pub fn delete_nft_table(family: &str, name: &str) -> Result<()> {
    nft(&format!("cannot remove firewall table {family} {name}"), &["delete", "table", family, name], "")
}

fn nft(tried: &str, arguments: &[&str], input: &str) -> Result<()> {
    let missing = |e: &std::io::Error| {
        let error = Error::io(tried, e).with_code(Code::S03);
        if error.kind() == Kind::NotFound {
            error.with_fix("install nftables (apt install nftables)")
        } else {
            error
        }
    };
    let mut child = Command::new("nft")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| missing(&e))?;
    if let Some(mut stdin) = child.stdin.take() {
        // nft may stop reading at its first error; its own message is more useful than a broken pipe.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(|e| missing(&e))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let first = words.lines().find(|l| l.contains("rror")).or(words.lines().next()).unwrap_or("nft failed");
    let kind = match first {
        text if text.contains("Operation not permitted") => Kind::NotPermitted,
        text if text.contains("No such file or directory") => Kind::NotFound,
        _ => Kind::Other,
    };
    Err(Error::new(kind, tried, first.trim()).with_code(Code::S03).needs("CAP_NET_ADMIN"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_contains_the_requested_rules() {
        let rules = NftRules {
            port: 1723,
            interface: Some("eth0".to_owned()),
            pools: vec!["10.99.0.0/24".parse().unwrap()],
            masquerade: Some("eth0".to_owned()),
        };
        assert_eq!(
            rules.script(),
            "table inet adit\n\
             delete table inet adit\n\
             table inet adit {\n\
             \tchain input {\n\
             \t\ttype filter hook input priority filter - 10; policy accept;\n\
             \t\tiifname \"eth0\" tcp dport 1723 accept comment \"adit: PPTP control\"\n\
             \t\tiifname \"eth0\" ip protocol 47 accept comment \"adit: PPTP data (protocol 47)\"\n\
             \t}\n\
             \tchain forward {\n\
             \t\ttype filter hook forward priority filter - 10; policy accept;\n\
             \t\tip saddr { 10.99.0.0/24 } accept comment \"adit: from clients\"\n\
             \t\tip daddr { 10.99.0.0/24 } accept comment \"adit: to clients\"\n\
             \t}\n\
             \tchain postrouting {\n\
             \t\ttype nat hook postrouting priority srcnat; policy accept;\n\
             \t\tip saddr { 10.99.0.0/24 } oifname \"eth0\" masquerade comment \"adit: clients to the Internet\"\n\
             \t}\n\
             }\n"
        );
    }

    #[test]
    fn a_name_cannot_break_out_of_its_quotes() {
        let rules = NftRules {
            port: 1723,
            interface: Some("x\" ; flush ruleset ; \"".to_owned()),
            pools: Vec::new(),
            masquerade: None,
        };
        assert!(rules.script().contains("iifname \"x ; flush ruleset ; \" tcp"));
    }
}
