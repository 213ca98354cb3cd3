//! Captures, and their dissection by tshark.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::host::Host;
use crate::process::Running;

/// A running tcpdump; each packet is in the file as soon as it is seen.
#[derive(Debug)]
pub struct Capture {
    tcpdump: Running,
    folder: TempDir,
}

/// tcpdump reads and writes each packet at once; on a busy machine it may have to wait for its turn.
const QUIET: Duration = Duration::from_millis(250);

impl Capture {
    /// Starts to record what passes `interface` and matches `filter` (empty for everything).
    ///
    /// # Panics
    /// When tcpdump is not installed or does not accept the filter.
    #[track_caller]
    pub fn start(host: &Host, interface: &str, filter: &str) -> Capture {
        let folder =
            tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary directory for a capture: {e}"));
        let file = folder.path().join("capture.pcap");
        let mut tcpdump = host.spawn(
            Command::new("tcpdump")
                .args(["-i", interface, "-U", "--immediate-mode", "-s", "0", "-Z", "root", "-w"])
                .arg(file)
                .arg(filter),
        );
        tcpdump.wait_for("listening on", Duration::from_secs(20));
        Capture { tcpdump, folder }
    }

    /// The file (pcap).
    pub fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("capture.pcap")
    }

    /// Ends it and has tshark print `arguments` of it (such as `-Y gre -T fields -e gre.key.call_id`).
    ///
    /// # Panics
    /// When tshark is not installed or fails.
    #[track_caller]
    pub fn tshark(&mut self, arguments: &[&str]) -> String {
        self.stop();
        tshark(&self.file(), arguments)
    }

    /// Ends it, once it has written nothing for a quarter of a second: packets that it has not read when it ends are
    /// lost. The file is complete afterwards.
    pub fn stop(&mut self) {
        if self.tcpdump.status().is_none() {
            let mut seen = (Instant::now(), 0);
            while seen.0.elapsed() < QUIET {
                let len = std::fs::metadata(self.file()).map_or(0, |about| about.len());
                if len != seen.1 {
                    seen = (Instant::now(), len);
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            self.tcpdump.signal("INT");
            self.tcpdump.wait(Duration::from_secs(10));
        }
    }
}

#[track_caller]
fn tshark(file: &Path, arguments: &[&str]) -> String {
    let output = Command::new("tshark").arg("-n").arg("-r").arg(file).args(arguments).output();
    let output = output.unwrap_or_else(|e| panic!("cannot run tshark: {e}; install it"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tshark {arguments:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
