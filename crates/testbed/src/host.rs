//! One simulated host: a network namespace.

use std::fmt;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::panic::resume_unwind;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use adit_sys::namespace::Namespace;
use adit_sys::ping::{Answer, Request};

use crate::process::Running;

/// A network namespace of its own, gone with this value.
#[derive(Debug)]
pub struct Host {
    name: String,
    namespace: Namespace,
}

/// What a command printed, and how it ended.
#[derive(Clone, Debug)]
pub struct Output {
    /// Whether it exited with 0.
    pub ok: bool,
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Host {
    /// A new host: loopback up, nothing else. `name` is for messages only.
    ///
    /// # Panics
    /// When this process may not make namespaces.
    pub fn new(name: &str) -> Host {
        let namespace = Namespace::create().unwrap_or_else(|e| {
            panic!("this test needs network namespaces and root (CAP_SYS_ADMIN, CAP_NET_ADMIN): {e}")
        });
        let host = Host { name: name.to_owned(), namespace };
        host.ip("link set dev lo up");
        // No duplicate address detection: an IPv6 address can be used at once.
        host.sysctl("net.ipv6.conf.all.accept_dad", "0");
        host.sysctl("net.ipv6.conf.default.accept_dad", "0");
        host
    }

    /// An existing namespace, by its name in `ip netns`.
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn existing(name: &str) -> Host {
        let path = Path::new("/run/netns").join(name);
        let namespace = Namespace::open(&path).unwrap_or_else(|e| panic!("{e}"));
        Host { name: name.to_owned(), namespace }
    }

    /// The name given to it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its namespace.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// A path that other programs can open while this value lives.
    pub fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.namespace.as_fd().as_raw_fd())
    }

    /// Runs `work` in a thread inside the namespace and returns its result; a panic in it is resumed here. Sockets,
    /// threads and processes that it makes stay in the namespace.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let inside = || {
            self.namespace.enter().unwrap_or_else(|e| panic!("this test needs root: {e}"));
            work()
        };
        thread::scope(|scope| match scope.spawn(inside).join() {
            Ok(result) => result,
            Err(panic) => resume_unwind(panic),
        })
    }

    /// Starts a thread inside the namespace that outlives the call.
    pub fn thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> thread::JoinHandle<T> {
        self.run(|| {
            let named = thread::Builder::new().name(self.name.clone());
            named.spawn(work).unwrap_or_else(|e| panic!("cannot start a thread: {e}"))
        })
    }

    /// Runs a command inside the namespace to its end.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn command(&self, command: &mut Command) -> Output {
        let output = self.run(|| command.stdin(Stdio::null()).output());
        let output =
            output.unwrap_or_else(|e| panic!("cannot run {:?}: {e}; install it", command.get_program()));
        Output {
            ok: output.status.success(),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs a shell script inside the namespace; failure is not an error.
    pub fn try_sh(&self, script: &str) -> Output {
        self.command(Command::new("sh").args(["-e", "-c", script]))
    }

    /// Runs a shell script inside the namespace and returns what it printed.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn sh(&self, script: &str) -> String {
        let output = self.try_sh(script);
        assert!(output.ok, "on {}: {script}\n{output}", self.name);
        output.stdout
    }

    /// `ip ARGUMENTS`.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn ip(&self, arguments: &str) -> String {
        self.sh(&format!("ip {arguments}"))
    }

    /// Loads an nft script.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn nft(&self, script: &str) {
        self.sh(&format!("nft -f - <<'END'\n{script}\nEND"));
    }

    /// Sets a sysctl of the namespace (`net.…`).
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn sysctl(&self, key: &str, value: &str) {
        self.sh(&format!("echo {value} > /proc/sys/{}", key.replace('.', "/")));
    }

    /// Limits what leaves `interface` to `kbit` kbit/s with a queue of `queue_ms` milliseconds (token bucket).
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn shape(&self, interface: &str, kbit: u32, queue_ms: u32) {
        self.sh(&format!(
            "tc qdisc replace dev {interface} root tbf rate {kbit}kbit burst 16kb latency {queue_ms}ms"
        ));
    }

    /// Sends ICMP echoes to `destination` until one is answered.
    ///
    /// # Panics
    /// When none is within ten seconds.
    #[track_caller]
    pub fn ping(&self, destination: Ipv4Addr) {
        let request = Request { timeout: Duration::from_millis(500), ..Request::new(destination) };
        let mut last = String::new();
        for _ in 0..20 {
            match self.try_ping(&request) {
                Ok(Answer::Reply(_)) => return,
                other => last = format!("{other:?}"),
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("{} cannot ping {destination}: {last}", self.name);
    }

    /// Sends one ICMP echo request; no reply is not an error.
    ///
    /// # Errors
    /// As [`adit_sys::ping::ping`], such as no route.
    pub fn try_ping(&self, request: &Request) -> adit_sys::Result<Answer> {
        self.run(|| adit_sys::ping::ping(request))
    }

    /// Starts a program inside the namespace; it is ended with the value returned.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn spawn(&self, command: &mut Command) -> Running {
        self.run(|| Running::start(command))
    }

    /// Gives the namespace a name for `ip netns` and other programs, until the value returned is dropped.
    ///
    /// # Panics
    /// When the name is taken.
    pub fn publish(&self, name: &str) -> Published {
        // `ip netns attach` needs a process inside it; the shell is one.
        self.sh(&format!("ip netns attach {name} $$"));
        Published(name.to_owned())
    }
}

/// A name in /run/netns, removed on drop.
#[derive(Debug)]
pub struct Published(String);

impl Published {
    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "exit {code}")?,
            None => f.write_str("ended by a signal")?,
        }
        write!(f, "\n{}{}", self.stdout, self.stderr)
    }
}
