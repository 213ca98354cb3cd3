//! The capabilities of this process (capabilities(7)).

use std::fmt;

use crate::error::{Error, Kind, Result};

/// The capabilities that adit uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// Listening on a port below 1024. (1723 is above.)
    NetBindService,
    /// TUN, addresses, routes, large socket buffers.
    NetAdmin,
    /// Raw sockets, such as the GRE socket.
    NetRaw,
    /// Network namespaces.
    SysAdmin,
    /// BPF programs and maps, for AF_XDP.
    Bpf,
    /// Locked memory beyond the limit, for AF_XDP.
    IpcLock,
}

impl Capability {
    const ALL: [Capability; 6] = [
        Capability::NetBindService,
        Capability::NetAdmin,
        Capability::NetRaw,
        Capability::SysAdmin,
        Capability::Bpf,
        Capability::IpcLock,
    ];

    pub(super) fn bit(self) -> u32 {
        match self {
            Capability::NetBindService => 10,
            Capability::NetAdmin => 12,
            Capability::NetRaw => 13,
            Capability::SysAdmin => 21,
            Capability::Bpf => 39,
            Capability::IpcLock => 14,
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Capability::NetBindService => "CAP_NET_BIND_SERVICE",
            Capability::NetAdmin => "CAP_NET_ADMIN",
            Capability::NetRaw => "CAP_NET_RAW",
            Capability::SysAdmin => "CAP_SYS_ADMIN",
            Capability::Bpf => "CAP_BPF",
            Capability::IpcLock => "CAP_IPC_LOCK",
        })
    }
}

/// The capabilities in effect for the calling thread.
///
/// # Errors
/// When /proc is not mounted.
pub fn capabilities() -> Result<Vec<Capability>> {
    let path = "/proc/thread-self/status";
    let text = std::fs::read_to_string(path)
        .map_err(|e| Error::io(format!("cannot read {path}"), &e).with_fix("mount /proc"))?;
    let effective = effective(&text).ok_or_else(|| {
        Error::new(Kind::Damaged, format!("cannot read {path}"), "no line CapEff with a number")
    })?;
    Ok(Capability::ALL.into_iter().filter(|c| effective >> c.bit() & 1 == 1).collect())
}

/// Whether a capability is in effect; false if that cannot be determined.
pub fn has_capability(capability: Capability) -> bool {
    capabilities().is_ok_and(|all| all.contains(&capability))
}

fn effective(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_is_read() {
        assert_eq!(effective("Name:\tx\nCapPrm:\tff\nCapEff:\t0000000000003000\n"), Some(0x3000));
        assert_eq!(effective("Name:\tx\n"), None);
        assert_eq!(effective("CapEff:\tzz\n"), None);
    }
}
