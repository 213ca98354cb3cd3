//! Two hosts and the wire between them: every configuration has its own, so that none receives another's packets.

use std::net::Ipv4Addr;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use adit_testbed::{Host, Running, wire};

pub(crate) use adit_bench::until::{wait, wait_for};

/// The client's address on the wire.
pub(crate) const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The server's address on the wire.
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// The server's address inside the tunnel.
pub(crate) const INNER_SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The client's address inside the tunnel, where we choose it.
pub(crate) const INNER_CLIENT: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
/// The largest packet inside every tunnel, in octets.
pub(crate) const INNER_MTU: u32 = 1400;

/// How long a peer may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// Two hosts on a wire of MTU 1500, and what runs on them.
pub(crate) struct Pair {
    pub(crate) client: Host,
    pub(crate) server: Host,
    /// Where the server is reached through what is measured.
    pub(crate) target: Ipv4Addr,
    /// Processes whose CPU time is the tunnel's.
    pub(crate) tunnel: Vec<Running>,
    /// Everything else that has to live as long.
    pub(crate) others: Vec<Running>,
    /// Versions, and what was found out about how it runs.
    pub(crate) about: String,
    /// Files of the processes; removed at the end.
    pub(crate) dir: tempfile::TempDir,
}

impl Pair {
    pub(crate) fn new() -> anyhow::Result<Pair> {
        let (client, server) = (Host::new("client"), Host::new("server"));
        wire((&client, "eth0", "192.0.2.1/24"), (&server, "eth0", "192.0.2.2/24"));
        for host in [&client, &server] {
            host.sysctl("net.ipv6.conf.all.disable_ipv6", "1");
        }
        Ok(Pair {
            client,
            server,
            target: INNER_SERVER,
            tunnel: Vec::new(),
            others: Vec::new(),
            about: String::new(),
            dir: tempfile::tempdir()?,
        })
    }

    /// Both hosts with their role's name.
    pub(crate) fn hosts(&self) -> [(&Host, &'static str); 2] {
        [(&self.client, "client"), (&self.server, "server")]
    }

    /// A path below the directory of this pair.
    pub(crate) fn file(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// Gives the interfaces of a point-to-point tunnel their addresses, MTU and state.
    pub(crate) fn address(&self, client: &str, server: &str) -> anyhow::Result<()> {
        for (host, interface, ours, theirs) in [
            (&self.client, client, INNER_CLIENT, INNER_SERVER),
            (&self.server, server, INNER_SERVER, INNER_CLIENT),
        ] {
            try_sh(
                host,
                &format!(
                    "ip address add {ours}/32 peer {theirs} dev {interface}
                    ip link set {interface} mtu {INNER_MTU} up"
                ),
            )?;
        }
        Ok(())
    }

    /// Starts iperf3's server and waits until the path carries data.
    pub(crate) fn settle(&mut self) -> anyhow::Result<()> {
        let target = self.target.to_string();
        let until = Instant::now() + PATIENCE;
        while !self.client.try_sh(&format!("ping -q -c 1 -W 1 {target}")).ok {
            anyhow::ensure!(Instant::now() < until, "no echo reply: {}", self.logs());
            sleep(Duration::from_millis(100));
        }
        self.others.push(self.server.spawn(Command::new("iperf3").arg("-s")));
        let listens = || self.server.try_sh("ss -Hltn 'sport = 5201' | grep -q .").ok;
        anyhow::ensure!(wait(PATIENCE, listens), "iperf3 -s does not listen");
        Ok(())
    }

    /// The last lines of what the tunnel's processes printed.
    pub(crate) fn logs(&self) -> String {
        let tail = |running: &Running| {
            let log = running.log();
            let lines: Vec<&str> = log.lines().collect();
            lines[lines.len().saturating_sub(4)..].join(" / ")
        };
        self.tunnel.iter().map(tail).collect::<Vec<_>>().join(" // ")
    }

    /// The tunnel's processes.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.tunnel.iter().map(Running::pid).collect()
    }
}

/// Runs a shell script on a host.
///
/// # Errors
/// What it printed, when it fails.
pub(crate) fn try_sh(host: &Host, script: &str) -> anyhow::Result<String> {
    let output = host.try_sh(script);
    anyhow::ensure!(output.ok, "{} on {}: {}", script.trim(), host.name(), output.stderr.trim());
    Ok(output.stdout)
}
