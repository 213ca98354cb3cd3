//! WATCHDOG=1 stands for progress: it stops when a thread without which no call works stands still.

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::common::*;

const PERIOD: Duration = Duration::from_secs(2);

/// Stops one thread, as a debugger does, until it is killed.
const STOP: &str = r#"
import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
thread = int(sys.argv[1])
for request in (0x4206, 0x4207):  # PTRACE_SEIZE, PTRACE_INTERRUPT
    if libc.ptrace(request, thread, None, None) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
os.waitpid(thread, 0x40000000)  # __WALL
print("stopped", flush=True)
time.sleep(60)
"#;

fn thread_of(pid: u32, name: &str) -> String {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let found = threads.flatten().find(|thread| {
        std::fs::read_to_string(thread.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name)
    });
    found.unwrap_or_else(|| panic!("no thread {name}")).file_name().into_string().unwrap()
}

/// Whether a report of progress arrives within this time.
fn reports(socket: &UnixDatagram, within: Duration) -> bool {
    let end = Instant::now() + within;
    let mut buffer = [0; 512];
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        socket.set_read_timeout(Some(left)).unwrap();
        let Ok(len) = socket.recv(&mut buffer) else { return false };
        if String::from_utf8_lossy(&buffer[..len]).contains("WATCHDOG=1") {
            return true;
        }
    }
    false
}

#[test]
fn progress_is_reported_only_while_workers_and_the_thread_of_their_events_make_some() {
    let (_client_host, server_host) = neighbours();
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("adit.toml"), with_io(CONFIG)).unwrap();
    let socket = UnixDatagram::bind(dir.path().join("notify")).unwrap();
    let mut command = adit(dir.path(), &["serve"]);
    command.env("NOTIFY_SOCKET", dir.path().join("notify"));
    command.env("WATCHDOG_USEC", PERIOD.as_micros().to_string());
    let mut server = server_host.spawn(&mut command);
    server.wait_for("ready", SOON);
    assert!(reports(&socket, SOON));
    for name in ["adit-data-0", "adit-dispatch"] {
        let thread = thread_of(server.pid(), name);
        let mut stop = server_host.spawn(Command::new("python3").args(["-c", STOP, &thread]));
        stop.wait_for("stopped", SOON);
        // One report may be under way.
        reports(&socket, PERIOD / 4);
        while reports(&socket, Duration::from_millis(1)) {}
        assert!(!reports(&socket, PERIOD * 2), "{name} stands still: systemd must notice");
        stop.kill();
        assert!(reports(&socket, SOON), "{name} works again");
    }
    server.signal("TERM");
    assert!(server.wait(SOON).success(), "{}", server.log());
}
