//! The process that holds a TCP port.

use std::fmt;
use std::fs;
use std::path::Path;

/// A listening process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The addresses on which it listens, as `address:port`.
    pub addresses: Vec<String>,
    /// The process id; `None` if it is not visible (another user's, another container's).
    pub pid: Option<u32>,
    /// The process name; empty if it is not visible.
    pub name: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "{}, process {pid}", self.name),
            None => f.write_str("a process of another user"),
        }
    }
}

/// The process that listens on a TCP port of this network namespace.
pub fn port_holder(port: u16) -> Option<Holder> {
    let mut sockets = Vec::new();
    for (file, v6) in [("/proc/thread-self/net/tcp", false), ("/proc/thread-self/net/tcp6", true)] {
        sockets.extend(listening(&fs::read_to_string(file).unwrap_or_default(), port, v6));
    }
    let (_, inode) = sockets.first()?;
    let owner = owner(*inode);
    let addresses = sockets.iter().map(|(address, _)| address.clone()).collect();
    let (pid, name) = owner.map_or((None, String::new()), |(pid, name)| (Some(pid), name));
    Some(Holder { addresses, pid, name })
}

/// The addresses and inodes of the listening sockets in a table of /proc/net.
fn listening(table: &str, port: u16, v6: bool) -> Vec<(String, u64)> {
    table.lines().skip(1).filter_map(|line| listener(line, port, v6)).collect()
}

fn listener(line: &str, port: u16, v6: bool) -> Option<(String, u64)> {
    const LISTEN: &str = "0A";
    let mut fields = line.split_ascii_whitespace();
    let local = fields.nth(1)?;
    let state = fields.nth(1)?;
    let inode = fields.nth(5)?.parse().ok()?;
    let (address, its_port) = local.split_once(':')?;
    if state != LISTEN || u16::from_str_radix(its_port, 16) != Ok(port) {
        return None;
    }
    // Each 32-bit word is printed as a number in the byte order of the host; its octets in memory are the
    // address.
    let words: Vec<u8> = (0..address.len() / 8)
        .filter_map(|n| u32::from_str_radix(address.get(n * 8..n * 8 + 8)?, 16).ok())
        .flat_map(u32::to_ne_bytes)
        .collect();
    let text = if v6 {
        format!("[{}]:{port}", std::net::Ipv6Addr::from(<[u8; 16]>::try_from(words).ok()?))
    } else {
        format!("{}:{port}", std::net::Ipv4Addr::from(<[u8; 4]>::try_from(words).ok()?))
    };
    Some((text, inode))
}

/// The process that holds a socket with this inode.
fn owner(inode: u64) -> Option<(u32, String)> {
    let wanted = format!("socket:[{inode}]");
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(descriptors) = fs::read_dir(entry.path().join("fd")) else { continue };
        let has = |fd: &Path| fs::read_link(fd).is_ok_and(|to| to.as_os_str() == wanted.as_str());
        if descriptors.flatten().any(|fd| has(&fd.path())) {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            return Some((pid, name.trim_end().to_owned()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:06BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1049 1 0000000062fb34ba 100 0 0 10 0
   1: 0100007F:06BB 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 1050 1 0000000062fb34ba 100 0 0 10 0
   2: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1051 1 0000000062fb34ba 100 0 0 10 0
   3: garbage
";

    #[test]
    fn only_listeners_on_the_port_count() {
        assert_eq!(listening(TABLE, 1723, false), [("0.0.0.0:1723".to_owned(), 1049)]);
        #[cfg(target_endian = "little")]
        assert_eq!(listening(TABLE, 22, false), [("127.0.0.1:22".to_owned(), 1051)]);
        assert!(listening(TABLE, 80, false).is_empty());
    }

    #[test]
    fn our_own_listener_is_found_with_our_name() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let holder = port_holder(address.port()).unwrap();
        assert_eq!(holder.addresses, [address.to_string()]);
        assert_eq!(holder.pid, Some(std::process::id()));
        assert!(holder.to_string().ends_with(&format!(", process {}", std::process::id())));
        drop(listener);
        assert_eq!(port_holder(address.port()), None);
    }
}
