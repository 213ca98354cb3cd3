//! Interfaces that lost their carrier when an XDP program was attached: a driver that resets its link, which interrupts every
//! connection of the host for seconds. They are remembered in a file, and use the socket from then on.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The most octets of the file that are read.
const MAX: usize = 64 * 1024;

/// The file, one interface a line.
#[derive(Clone, Debug)]
pub(crate) struct Remembered(pub(crate) PathBuf);

impl Remembered {
    /// Whether this interface is listed.
    pub(crate) fn contains(&self, interface: &str) -> bool {
        fs::read(&self.0).is_ok_and(|octets| {
            let octets = octets.get(..octets.len().min(MAX)).unwrap_or_default();
            String::from_utf8_lossy(octets).lines().any(|line| line.trim() == interface)
        })
    }

    /// Adds an interface.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn add(&self, interface: &str) -> io::Result<()> {
        if self.contains(interface) {
            return Ok(());
        }
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&self.0)?;
        writeln!(file, "{interface}")
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_remembered_once() {
        let dir = tempfile::tempdir().unwrap();
        let remembered = Remembered(dir.path().join("carrier"));
        assert!(!remembered.contains("eth0"));
        remembered.add("eth0").unwrap();
        remembered.add("eth1").unwrap();
        remembered.add("eth0").unwrap();
        assert!(remembered.contains("eth0") && remembered.contains("eth1") && !remembered.contains("eth"));
        assert_eq!(fs::read_to_string(remembered.path()).unwrap(), "eth0\neth1\n");
        assert!(Remembered(dir.path().join("none/carrier")).add("eth0").is_err());
    }
}
