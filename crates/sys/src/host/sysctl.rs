//! Kernel settings under /proc/sys.

use std::fs;
use std::path::PathBuf;

use crate::error::{Error, Kind, Result};

fn path(key: &str) -> PathBuf {
    // A dot in an interface name is written as a slash in a key, as in sysctl(8).
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    PathBuf::from("/proc/sys").join(key.chars().map(swap).collect::<String>())
}

/// Reads a setting such as `net.ipv4.ip_forward`.
///
/// # Errors
/// `Kind::NotFound` if this kernel does not have it.
pub fn read_sysctl(key: &str) -> Result<String> {
    let path = path(key);
    let text = fs::read_to_string(&path).map_err(|e| Error::io(format!("cannot read sysctl {key}"), &e))?;
    Ok(text.trim_end().to_owned())
}

/// Writes a setting. The journal is the only caller: it restores the old value.
pub(crate) fn write_sysctl(key: &str, value: &str) -> Result<()> {
    fs::write(path(key), value).map_err(|e| {
        let error = Error::io(format!("cannot set sysctl {key} to {value}"), &e).needs("CAP_NET_ADMIN");
        match error.kind() {
            Kind::NotPermitted | Kind::ReadOnly => error.with_fix_for_read_only(format!(
                "/proc/sys may be read-only here (ProtectKernelTunables=, containers): run `sysctl -w {key}={value}` on the host"
            )),
            _ => error,
        }
    })
}

/// Whether this host forwards IPv4 packets between interfaces.
///
/// # Errors
/// When /proc is not mounted.
pub fn ip_forward() -> Result<bool> {
    Ok(read_sysctl("net.ipv4.ip_forward")? != "0")
}

/// The reverse-path filter of an interface, which checks the source of received packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpFilter {
    /// The interface.
    pub interface: String,
    /// The effective value, the larger of its own value and the one for all interfaces: 0 off, 1 strict, 2
    /// loose.
    pub value: u8,
}

/// The reverse-path filter of every interface.
///
/// # Errors
/// When /proc is not mounted.
pub fn rp_filters() -> Result<Vec<RpFilter>> {
    let folder = "/proc/sys/net/ipv4/conf";
    let entries = fs::read_dir(folder).map_err(|e| Error::io(format!("cannot read {folder}"), &e))?;
    let read = |name: &str| {
        let text = fs::read_to_string(PathBuf::from(folder).join(name).join("rp_filter")).unwrap_or_default();
        text.trim().parse::<u8>().unwrap_or(0)
    };
    let all = read("all");
    let mut filters: Vec<_> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name != "all" && name != "default")
        .map(|name| RpFilter { value: read(&name).max(all), interface: name })
        .collect();
    filters.sort_by(|a, b| a.interface.cmp(&b.interface));
    Ok(filters)
}
