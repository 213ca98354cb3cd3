//! The dependency arrows of ARCHITECTURE.md, checked against `cargo metadata`, and those between the files of a crate.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::{cycles, purity};

/// What a package may depend on outside this table is decided by its tier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tier {
    /// Pure: no I/O, clock, threads, async or environment.
    Core,
    /// I/O, one concern each.
    Shell,
    /// The command tree.
    Program,
    /// A simulated world: drives core only.
    Sim,
    /// Helpers for tests; shipped code never depends on them.
    Test,
    /// This tool.
    Tool,
}

/// Package, tier, height. An arrow goes from a greater height to a smaller one, never level, never up.
/// Heights have gaps, so that a crate between two others gets a line and nothing else changes.
const PACKAGES: &[(&str, Tier, u8)] = &[
    ("adit-wire", Tier::Core, 10),
    ("adit-crypto", Tier::Core, 10),
    ("adit-diag", Tier::Core, 0),
    ("adit-ppp", Tier::Core, 20),
    ("adit-pptp", Tier::Core, 20),
    ("adit-mfa", Tier::Core, 20),
    ("adit-policy", Tier::Core, 20),
    ("adit-radius", Tier::Core, 20),
    ("adit-capture", Tier::Core, 20),
    ("adit-api", Tier::Core, 25),
    ("adit-tunnel", Tier::Core, 30),
    ("adit-netstack", Tier::Core, 30),
    ("adit-doctor", Tier::Core, 30),
    ("adit-sys", Tier::Shell, 40),
    ("adit-nas", Tier::Shell, 40),
    ("adit-password", Tier::Shell, 40),
    ("adit-config", Tier::Shell, 50),
    ("adit-store", Tier::Shell, 50),
    ("adit-auth", Tier::Shell, 55),
    ("adit-inspect", Tier::Shell, 50),
    ("adit-dataplane", Tier::Shell, 52),
    ("adit-admin", Tier::Shell, 55),
    ("adit-server", Tier::Shell, 60),
    ("adit-client", Tier::Shell, 60),
    ("adit-probe", Tier::Shell, 60),
    ("adit", Tier::Program, 70),
    ("adit-sim", Tier::Sim, 40),
    ("adit-testbed", Tier::Test, 45),
    ("adit-bench", Tier::Test, 60),
    ("adit-fuzzing", Tier::Test, 80),
    ("xtask", Tier::Tool, 0),
];

/// What core may use from outside: arithmetic on bytes, nothing with I/O.
const CORE_MAY_USE: &[&str] = &[
    "rand_chacha",
    "rand_core",
    "rc4",
    "md4",
    "md-5",
    "sha1",
    "des",
    "sha2",
    "hmac",
    // Base 32, and QR codes as text: octets in, text out.
    "data-encoding",
    "qrcode",
    "subtle",
    "zeroize",
    "ipnet",
    "miniz_oxide",
    // What machines learn is stored and sent as data; serde describes its shape and reaches nothing.
    "serde",
    // The same data in few octets: what a session keeps of itself.
    "postcard",
    // The shape of that data for those who read it as JSON; a description, derived.
    "schemars",
    // TCP as a machine: packets and times in, packets out.
    "smoltcp",
    // Points in time as values; the source is searched for reads of the clock.
    "jiff",
];

/// Checks every arrow of the workspace, the arrows between the files of each crate, and the purity of core.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let out = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    ensure!(out.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&out.stderr));
    let metadata: Value = serde_json::from_slice(&out.stdout)?;
    let mut findings = Vec::new();
    for package in metadata["packages"].as_array().context("metadata without packages")? {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(from) = find(name) else {
            findings.push(format!("{name}: not in the table of layers (xtask/src/layers.rs)"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            let is_dev = dependency["kind"].as_str() == Some("dev");
            if let Some(problem) = judge(from, to, is_dev) {
                findings.push(format!("{name} -> {to}: {problem}"));
            }
        }
        cycles::check(root, package, &mut findings)?;
        if from.1 == Tier::Core {
            let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
            purity::check(root, manifest.parent().unwrap_or(root), &mut findings)?;
        }
    }
    if !findings.is_empty() {
        bail!("{} findings\n  {}", findings.len(), findings.join("\n  "));
    }
    Ok(())
}

fn find(name: &str) -> Option<&'static (&'static str, Tier, u8)> {
    PACKAGES.iter().find(|(package, ..)| *package == name)
}

/// The error in the arrow `from -> to`, if anything.
fn judge(from: &(&str, Tier, u8), to: &str, is_dev: bool) -> Option<String> {
    let Some((_, tier, height)) = find(to) else {
        let is_foreign_to_core = from.1 == Tier::Core && !is_dev && !CORE_MAY_USE.contains(&to);
        return is_foreign_to_core.then(|| "core does not use this crate (CORE_MAY_USE)".to_owned());
    };
    let is_test_help = matches!(tier, Tier::Sim | Tier::Test);
    if is_test_help {
        return (!is_dev && from.1 != Tier::Test)
            .then(|| "a test crate may only be a dev-dependency".to_owned());
    }
    if from.1 == Tier::Sim && *tier != Tier::Core {
        return Some("the simulator drives core only".to_owned());
    }
    (from.2 <= *height).then(|| format!("the arrow points up or level ({} to {height})", from.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrow(from: &str, to: &str, is_dev: bool) -> Option<String> {
        judge(find(from).unwrap(), to, is_dev)
    }

    #[test]
    fn arrows_point_down() {
        assert_eq!(arrow("adit-tunnel", "adit-ppp", false), None);
        assert_eq!(arrow("adit-dataplane", "adit-sys", false), None);
        assert!(arrow("adit-ppp", "adit-tunnel", false).is_some());
        assert!(arrow("adit-ppp", "adit-pptp", false).is_some());
        assert!(arrow("adit-store", "adit-config", false).is_some());
    }

    #[test]
    fn test_crates_are_for_tests() {
        assert_eq!(arrow("adit-sys", "adit-testbed", true), None);
        assert!(arrow("adit-sys", "adit-testbed", false).is_some());
        assert!(arrow("adit-sim", "adit-sys", false).is_some());
        assert_eq!(arrow("adit-sim", "adit-tunnel", false), None);
    }

    #[test]
    fn core_takes_no_crate_that_reaches_the_machine() {
        assert!(arrow("adit-ppp", "tokio", false).is_some());
        assert_eq!(arrow("adit-ppp", "proptest", true), None);
        assert_eq!(arrow("adit-sys", "tokio", false), None);
    }
}
