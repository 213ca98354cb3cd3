//! The world of the fault matrix.
//!
//! ```text
//! client 192.168.1.23 ─┐
//!                      home ── transit ── edge ── server 203.0.113.10 ── LAN ── onward 172.16.50.9
//! neighbour .24 ───────┘ NAT              firewall        192.168.10.1     │
//!                                                              office 192.168.10.5 DNS, .20 HTTPS
//! ```

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use std::time::Duration;

use adit_testbed::{Capture, Host, MountNamespace, Output, Relay, Running, Seeded, bridge, wait_until, wire};
use tempfile::TempDir;

use crate::common::documents::{self, Document, Sessions};
use crate::common::services::{Answers, Dns, Tcp};
use crate::common::{self, CONFIG, PASSWORD, SERVER, SOON, add_user, with_io};

/// What the client dials.
pub(crate) const NAME: &str = "vpn.example.org";
/// Where the client is.
pub(crate) const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 23);
/// What the world sees of every client behind the home router.
pub(crate) const HOME: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
/// A name that only the office's DNS server knows.
pub(crate) const INNER_NAME: &str = "files.corp.example.org";

/// What the server runs with, but where a row says otherwise; every section that a row adds to is there.
fn config() -> String {
    with_io(&format!("{CONFIG}[auth]\n[link]\n"))
}

/// What stands between client and transit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// A router with NAT that reads PPTP, as "PPTP passthrough" does.
    Helper,
    /// NAT that knows nothing of PPTP and lets nothing in that it cannot match.
    Strict,
    /// NAT that knows nothing of PPTP and gives all GRE to one address inside.
    Funnel(Ipv4Addr),
    /// No NAT: every router knows the client's address.
    Routed,
}

/// What stands before the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    /// A router.
    Routed,
    /// A router with the public address, that hands on TCP 1723 and, if so, GRE. The server is [`BEHIND`].
    Forward { gre: bool },
}

/// The server's address where it stands behind a port forward.
pub(crate) const BEHIND: Ipv4Addr = Ipv4Addr::new(192, 168, 200, 10);

/// How the line between transit and edge treats GRE: towards the server, and back.
pub(crate) type Line = (Seeded, Seeded);

/// What to build.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) home: Home,
    pub(crate) edge: Edge,
    pub(crate) line: Option<Line>,
    pub(crate) config: String,
    pub(crate) users: Vec<&'static str>,
    /// Whether `adit serve` runs; a row without has another server, or none.
    pub(crate) serve: bool,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan {
            home: Home::Helper,
            edge: Edge::Routed,
            line: None,
            config: config(),
            users: vec!["alice"],
            serve: true,
        }
    }
}

impl Plan {
    /// No server listens yet.
    pub(crate) fn without_server() -> Plan {
        Plan { serve: false, ..Plan::default() }
    }

    /// A server that runs with `instead` in place of `this` in [`config`].
    pub(crate) fn with(this: &str, instead: &str) -> Plan {
        Plan::default().and(this, instead)
    }

    pub(crate) fn and(mut self, this: &str, instead: &str) -> Plan {
        assert!(self.config.contains(this), "{this} is not in {}", self.config);
        self.config = self.config.replacen(this, instead, 1);
        self
    }
}

/// All of it; gone with this value.
pub(crate) struct World {
    // First, so that what runs ends before its namespace goes.
    pub(crate) serving: Option<Running>,
    pub(crate) space: MountNamespace,
    /// What only the server's programs see, where that matters.
    pub(crate) server_lan: Option<MountNamespace>,
    pub(crate) outer_names: Answers,
    pub(crate) office_dns: Option<Dns>,
    pub(crate) office_web: Option<Tcp>,
    _outer_dns: Dns,
    pub(crate) client: Host,
    pub(crate) home: Host,
    pub(crate) transit: Host,
    pub(crate) edge: Host,
    pub(crate) server: Host,
    pub(crate) office: Host,
    /// The LAN's switch and its way onward.
    pub(crate) lan: Host,
    _relay: Option<Relay>,
    /// The server's files.
    pub(crate) dir: TempDir,
    /// The client's files.
    pub(crate) client_dir: TempDir,
}

impl World {
    pub(crate) fn build(plan: &Plan) -> World {
        let [client, home, transit, edge, server, office, lan] =
            ["client", "home", "transit", "edge", "server", "office", "lan"].map(Host::new);
        wire((&client, "eth0", "192.168.1.23/24"), (&home, "port0", ""));
        bridge(&home, "lan0", &["port0"]);
        home.ip("address add 192.168.1.1/24 dev lan0");
        client.ip("route add default via 192.168.1.1");
        wire((&home, "wan0", "198.51.100.7/24"), (&transit, "home0", "198.51.100.1/24"));
        home.ip("route add default via 198.51.100.1");
        let relay = lay_line(plan, &transit, &edge);
        transit.ip("route add default via 192.0.2.2");
        edge.ip("route add default via 192.0.2.1");
        match plan.edge {
            Edge::Routed => {
                wire((&edge, "srv0", "203.0.113.1/24"), (&server, "eth0", "203.0.113.10/24"));
                server.ip("route add default via 203.0.113.1");
            }
            Edge::Forward { gre } => {
                wire((&edge, "srv0", "192.168.200.1/24"), (&server, "eth0", "192.168.200.10/24"));
                server.ip("route add default via 192.168.200.1");
                forward(&edge, gre);
            }
        }
        wire((&server, "lan0", "192.168.10.1/24"), (&lan, "port0", ""));
        wire((&office, "eth0", "192.168.10.20/24"), (&lan, "port1", ""));
        office.ip("address add 192.168.10.5/24 dev eth0");
        office.ip("route add default via 192.168.10.254");
        bridge(&lan, "lan0", &["port0", "port1"]);
        lan.ip("address add 192.168.10.254/24 dev lan0");
        lan.ip("address add 172.16.50.9/32 dev lo");
        lan.ip("route add 10.99.0.0/24 via 192.168.10.1");
        server.ip("route add 172.16.50.0/24 via 192.168.10.254");
        for router in [&home, &transit, &edge, &server, &lan] {
            router.sysctl("net.ipv4.ip_forward", "1");
            // No ICMP redirects here: they would be seen as a fault.
            router.sysctl("net.ipv4.conf.all.send_redirects", "0");
        }
        put_nat(plan.home, &home, &transit);

        let outer_names = Answers::new(&[(NAME, SERVER)]);
        let outer_dns = Dns::start(&home, "192.168.1.1".parse().unwrap(), outer_names.clone());
        let inner = Answers::new(&[(INNER_NAME, common::LAN_HOST)]);
        let office_dns = Dns::start(&office, "192.168.10.5".parse().unwrap(), inner);
        let office_web = Tcp::start(&office, "192.168.10.20:443".parse().unwrap());

        let (dir, client_dir) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        std::fs::write(
            client_dir.path().join("resolv.conf"),
            "nameserver 192.168.1.1\noptions timeout:1 attempts:2\n",
        )
        .unwrap();
        std::fs::write(client_dir.path().join("password"), format!("{PASSWORD}\n")).unwrap();
        let resolv = client_dir.path().join("resolv.conf");
        let space =
            MountNamespace::new(&client, &format!("mount --bind {} /etc/resolv.conf", resolv.display()));
        std::fs::write(dir.path().join("adit.toml"), &plan.config).unwrap();
        for user in &plan.users {
            add_user(dir.path(), user, &[]);
        }
        client.ping("198.51.100.1".parse().unwrap());
        server.ping("192.0.2.1".parse().unwrap());
        let mut world = World {
            serving: None,
            space,
            server_lan: None,
            outer_names,
            office_dns: Some(office_dns),
            office_web: Some(office_web),
            _outer_dns: outer_dns,
            client,
            home,
            transit,
            edge,
            server,
            office,
            lan,
            _relay: relay,
            dir,
            client_dir,
        };
        if plan.serve {
            world.serve();
        }
        world
    }

    /// Starts `adit serve`.
    pub(crate) fn serve(&mut self) {
        let mut running = self.server.spawn(&mut self.adit_at_server(&["serve"]));
        running.wait_for("ready", SOON);
        self.serving = Some(running);
    }

    /// A command of adit with the server's files.
    fn adit_at_server(&self, arguments: &[&str]) -> Command {
        let command = common::adit(self.dir.path(), arguments);
        match &self.server_lan {
            Some(space) => space.inside(&command),
            None => command,
        }
    }

    /// Runs one there.
    pub(crate) fn at_server(&self, arguments: &[&str]) -> Output {
        self.server.command(&mut self.adit_at_server(arguments))
    }

    /// Runs one there; its document.
    pub(crate) fn document<T: Document>(&self, arguments: &[&str]) -> T {
        let output = self.at_server(&[arguments, &["--json"]].concat());
        documents::parse(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{output}"))
    }

    /// Runs a command of adit at the client, with its name server.
    pub(crate) fn at_client(&self, arguments: &[&str]) -> Output {
        let command = common::adit(self.client_dir.path(), arguments);
        self.client.command(&mut self.space.inside(&command))
    }

    /// Starts one there.
    pub(crate) fn start_at_client(&self, arguments: &[&str]) -> Running {
        let command = common::adit(self.client_dir.path(), arguments);
        self.client.spawn(&mut self.space.inside(&command))
    }

    /// The file with this password in it.
    pub(crate) fn password_file(&self, password: &str) -> String {
        let file = self.client_dir.path().join(format!("password-{}", password.len()));
        std::fs::write(&file, format!("{password}\n")).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// `adit connect` at the client. Does not wait.
    pub(crate) fn dial(&self, user: &str, more: &[&str]) -> Running {
        let file = self.password_file(PASSWORD);
        let usual =
            ["connect", NAME, "-u", user, "--password-file", &file, "--once", "--no-dns", "--io", "socket"];
        let mut arguments = usual.to_vec();
        if !more.contains(&"--all") {
            arguments.extend(["--routes", "192.168.10.0/24"]);
        }
        arguments.extend(more);
        self.start_at_client(&arguments)
    }

    /// A second host in the client's home.
    pub(crate) fn neighbour(&self) -> Host {
        let neighbour = Host::new("neighbour");
        wire((&neighbour, "eth0", "192.168.1.24/24"), (&self.home, "port1", ""));
        self.home.ip("link set dev port1 master lan0");
        neighbour.ip("route add default via 192.168.1.1");
        neighbour
    }

    /// Waits until so many sessions are up.
    pub(crate) fn wait_for_sessions(&self, count: usize) {
        wait_until("the sessions", SOON, || {
            let sessions = self.document::<Sessions>(&["sessions"]).sessions;
            sessions.iter().filter(|session| session.state == adit_api::session::State::Up).count() == count
        });
    }

    /// Adds rules to a host's own firewall: `chain` is input, output or forward, its policy to accept.
    pub(crate) fn firewall(host: &Host, chain: &str, rules: &str) {
        host.nft(&format!(
            "table ip row {{ chain {chain} {{ type filter hook {chain} priority 0; policy accept;\n{rules}\n}}\n}}"
        ));
    }

    /// Records everything at the client's and the server's outer interface.
    pub(crate) fn record(&self) -> [Capture; 2] {
        [Capture::start(&self.client, "eth0", ""), Capture::start(&self.server, "eth0", "")]
    }
}

fn lay_line(plan: &Plan, transit: &Host, edge: &Host) -> Option<Relay> {
    let (a, b) = ((transit, "edge0", "192.0.2.1/24"), (edge, "wan0", "192.0.2.2/24"));
    match &plan.line {
        None => {
            wire(a, b);
            None
        }
        Some((there, back)) => Some(Relay::between(a, b, there.clone(), back.clone())),
    }
}

fn forward(edge: &Host, gre: bool) {
    edge.ip("address add 203.0.113.10/32 dev wan0");
    let gre = if gre { format!("ip protocol 47 dnat to {BEHIND};") } else { String::new() };
    edge.nft(&format!(
        "table ip nat {{\n\
             chain prerouting {{ type nat hook prerouting priority -100; ip daddr 203.0.113.10 tcp dport 1723 dnat to {BEHIND}; {} }}\n\
             chain postrouting {{ type nat hook postrouting priority 100; oifname \"wan0\" snat to 203.0.113.10; }}\n\
         }}",
        gre.replace("ip protocol", "ip daddr 203.0.113.10 ip protocol")
    ));
}

fn put_nat(kind: Home, home: &Host, transit: &Host) {
    if kind == Home::Routed {
        transit.ip(&format!("route add 192.168.1.0/24 via {HOME}"));
        return;
    }
    let (helper, funnel) = match kind {
        Home::Helper => (
            "ct helper pptp { type \"pptp\" protocol tcp; }\n\
             chain watch { type filter hook prerouting priority 0; tcp dport 1723 ct helper set \"pptp\"; }\n",
            String::new(),
        ),
        Home::Funnel(to) => (
            "",
            format!(
                "chain funnel {{ type nat hook prerouting priority -100; iifname \"wan0\" ip protocol 47 dnat to {to}; }}\n"
            ),
        ),
        _ => ("", String::new()),
    };
    let guard = if funnel.is_empty() { "" } else { "ip protocol 47 accept;" };
    let loaded = home.try_sh(&format!(
        "nft -f - <<'END'\n\
         table ip home {{\n\
             {helper}{funnel}\
             chain out {{ type nat hook postrouting priority 100; oifname \"wan0\" masquerade; }}\n\
             chain guard {{ type filter hook forward priority 0; policy accept;\n\
                 iifname \"wan0\" ct state established,related accept; {guard} iifname \"wan0\" drop; }}\n\
         }}\nEND"
    ));
    assert!(loaded.ok, "this test needs a kernel with NAT, nf_conntrack_pptp and nf_nat_pptp:\n{loaded}");
}

/// A call from another host, up until the value returned is dropped.
pub(crate) fn hold_a_call(host: &Host, user: &str) -> (Running, TempDir) {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let file = file.to_str().unwrap();
    let arguments = [
        "connect",
        "203.0.113.10",
        "-u",
        user,
        "--password-file",
        file,
        "--once",
        "--no-dns",
        "--io",
        "socket",
        "--routes",
        "192.168.10.0/24",
    ];
    let mut running = host.spawn(&mut common::adit(dir.path(), &arguments));
    running.wait_for("connected", SOON);
    (running, dir)
}

/// What a command needs to read a file: its path.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A moment, for packets that are on their way.
pub(crate) fn settle() {
    std::thread::sleep(Duration::from_millis(300));
}

/// Good lines both ways, to be spoiled.
pub(crate) fn line(seed: u64) -> Line {
    (Seeded::new(seed), Seeded::new(seed + 1))
}
