//! `[link]`: sizes and encryption.

use adit_diag::Code;
use adit_policy::Encryption;

use crate::finding::Level;
use crate::model::{Config, Mss};
use crate::report::Report;

/// Largest inner packet on a path of 1500 octets: less 20 of IP, 16 of GRE, 4 of PPP and 4 of MPPE.
const FITS: u16 = 1456;

/// The minimum MTU of IPv6 (RFC 8200 section 5).
const IPV6: u16 = 1280;

pub(super) fn run(report: &mut Report<'_>, config: &Config) {
    sizes(report, config);
    encryption(report, config);
}

fn sizes(report: &mut Report<'_>, config: &Config) {
    let mtu = config.link.mtu;
    let path = ["link", "mtu"];
    let at = |report: &mut Report<'_>, level, message: String, label: &str, with: u16| {
        let finding = report.on(&path, Code::F17, level, message).label(label);
        let finding = match report.entry(&path) {
            Some(entry) => report.replacing(finding, &entry.node.spot, with.to_string()),
            None => finding,
        };
        report.push(finding);
    };
    if mtu > FITS {
        let message = format!("link.mtu {mtu} does not fit: GRE and MPPE leave {FITS} of 1500");
        at(report, Level::Warning, message, "every full packet would be cut in two", 1400);
    }
    if config.link.ipv6 && mtu < IPV6 {
        let message = format!("link.mtu {mtu} is too small for link.ipv6: IPv6 needs {IPV6}");
        at(report, Level::Error, message, "IPv6 cannot run", 1400);
    }
    if let Mss::Size(mss) = config.link.mss
        && mss > mtu.saturating_sub(40)
    {
        let path = ["link", "mss"];
        let most = mtu.saturating_sub(40);
        let message = format!("link.mss {mss} is more than link.mtu {mtu} less 40: full segments do not fit");
        let finding = report.on(&path, Code::F17, Level::Error, message).label(format!("{most} at most"));
        let finding = match report.entry(&path) {
            Some(entry) => report.replacing(finding, &entry.node.spot, "\"clamp\""),
            None => finding,
        };
        report.push(finding);
    }
}

fn encryption(report: &mut Report<'_>, config: &Config) {
    let mut weak = |path: &[&str], encryption: Encryption| {
        let (word, what) = match encryption {
            Encryption::Require => return,
            Encryption::Allow => ("allow", "calls without encryption are accepted"),
            Encryption::Off => ("off", "everything is sent in clear"),
        };
        let message = format!("{} is {word:?}: {what}", path.join("."));
        let finding =
            report.on(path, Code::F14, Level::Warning, message).label("weak").advice("mppe = \"require\"");
        report.push(finding);
    };
    weak(&["link", "mppe"], config.access.encryption);
    for (name, access) in &config.groups {
        if access.encryption != config.access.encryption {
            weak(&["groups", name, "link", "mppe"], access.encryption);
        }
    }
    if config.link.mppe_bits.iter().any(|bits| *bits < 128) {
        let message = "link.mppe_bits lets keys below 128 bits in: they are broken in minutes";
        let finding = report.on(&["link", "mppe_bits"], Code::F14, Level::Warning, message);
        report.push(finding.label("weak").advice("mppe_bits = [128]"));
    }
    if !config.link.mppe_stateless {
        let message = "link.mppe_stateless is false: one key serves many packets, and loss stalls the tunnel";
        let finding = report.on(&["link", "mppe_stateless"], Code::F14, Level::Warning, message);
        report.push(finding.label("weak").advice("mppe_stateless = true"));
    }
}
