//! The facts of the host of the probe or of the server. One struct for each line of `adit doctor --server`.

use core::fmt;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use adit_diag::Code;
use ipnet::Ipv4Net;

/// Facts of layer S.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Kernel, capabilities, devices.
    pub system: Option<System>,
    /// The processes that accept calls.
    pub listen: Option<Listen>,
    /// How the packet filter treats a call.
    pub filter: Option<Filter>,
    /// The path to the clients.
    pub wan: Option<Wan>,
    /// The path to the networks behind the server.
    pub forward: Option<Forward>,
    /// The reverse-path filter.
    pub reverse_path: Option<ReversePath>,
    /// Whether answers reach the pool.
    pub back: Option<Back>,
    /// The DNS servers that clients are given.
    pub dns: Vec<DnsServer>,
    /// The address pools.
    pub pools: Vec<Pool>,
    /// The remarks of `adit check` about the configuration and this host.
    pub config: Option<Config>,
    /// Packet sizes.
    pub sizes: Option<Sizes>,
    /// The form of RC4 that the running server uses, and why.
    pub rc4: Option<String>,
    /// The connection tracking table of the kernel.
    pub tracking: Option<Tracking>,
    /// The clock.
    pub clock: Option<Clock>,
    /// The disk of the state directory.
    pub disk: Option<Disk>,
    /// The faults of this host that the running server has found.
    pub reported: Vec<Reported>,
    /// Local accounts.
    pub users: Option<Users>,
    /// The results of the calls of the last day.
    pub calls: Option<Calls>,
    /// Checks that were not made, with the reason.
    pub not_tested: BTreeMap<Check, NotTested>,
}

/// Why a check was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTested {
    /// The program must be run as root for this check.
    NeedsRoot {
        /// The program.
        program: String,
    },
    /// A program is missing.
    NotInstalled {
        /// The program.
        program: String,
        /// The Debian package that contains it.
        package: String,
    },
    /// Another reason, as text.
    Other(String),
}

impl fmt::Display for NotTested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotTested::NeedsRoot { program } => {
                write!(f, "{program} needs root: sudo adit doctor --server")
            }
            NotTested::NotInstalled { program, package } => {
                write!(f, "{program} is not installed (apt install {package})")
            }
            NotTested::Other(why) => f.write_str(why),
        }
    }
}

impl From<String> for NotTested {
    fn from(why: String) -> NotTested {
        NotTested::Other(why)
    }
}

impl From<&str> for NotTested {
    fn from(why: &str) -> NotTested {
        NotTested::Other(why.to_owned())
    }
}

/// A line of `adit doctor --server`, in display order: from the outside in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Kernel, capabilities, devices.
    Host,
    /// The configuration.
    Config,
    /// The listening processes.
    Listen,
    /// The packet filter.
    Firewall,
    /// NAT in front of this host or on it.
    Nat,
    /// Packet forwarding.
    Forward,
    /// The reverse-path filter.
    RpFilter,
    /// The route back to the pool.
    Return,
    /// Name resolution inside the tunnel.
    Dns,
    /// The address pools for clients.
    Pool,
    /// Packet sizes.
    Mtu,
    /// The form of RC4.
    Rc4,
    /// The system clock.
    Clock,
    /// The disk.
    Disk,
    /// Accounts.
    Users,
    /// The calls of the last day.
    Calls,
    /// The account that was asked about.
    User,
    /// The session that was asked about.
    Session,
}

impl Check {
    /// All checks, in order.
    pub const ALL: [Check; 18] = [
        Check::Host,
        Check::Config,
        Check::Listen,
        Check::Firewall,
        Check::Nat,
        Check::Forward,
        Check::RpFilter,
        Check::Return,
        Check::Dns,
        Check::Pool,
        Check::Mtu,
        Check::Rc4,
        Check::Clock,
        Check::Disk,
        Check::Users,
        Check::Calls,
        Check::User,
        Check::Session,
    ];

    /// The name in output lines and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Check::Host => "host",
            Check::Config => "config",
            Check::Listen => "listen",
            Check::Firewall => "firewall",
            Check::Nat => "nat",
            Check::Forward => "forward",
            Check::RpFilter => "rp_filter",
            Check::Return => "return",
            Check::Dns => "dns",
            Check::Pool => "pool",
            Check::Mtu => "mtu",
            Check::Rc4 => "rc4",
            Check::Clock => "clock",
            Check::Disk => "disk",
            Check::Users => "users",
            Check::Calls => "last 24 h",
            Check::User => "user",
            Check::Session => "session",
        }
    }
}

/// The facts of kernel, capabilities and devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct System {
    /// `6.1.0-18-amd64`.
    pub kernel: String,
    /// Capabilities that the server needs and this process lacks: `CAP_NET_RAW`.
    pub missing_rights: Vec<String>,
    /// Whether a server runs, which proves its capabilities whatever those of this process are.
    pub runs: bool,
    /// Why /dev/net/tun cannot be used; `None` if it can.
    pub tun: Option<String>,
    /// The limit of file descriptors of the server, if it runs.
    pub files: Option<u64>,
    /// The limit of sessions.
    pub sessions: Option<u64>,
}

/// The processes that accept calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listen {
    /// The configured listen addresses: `203.0.113.10:1723`.
    pub wanted: Vec<String>,
    /// The port number.
    pub port: u16,
    /// The processes that listen there.
    pub holders: Vec<Holder>,
    /// The processes with sockets of protocol 47.
    pub gre: Vec<Holder>,
    /// The process of the server that answers on the control socket.
    pub daemon: Option<u32>,
    /// The configured addresses that no interface of this host has.
    pub missing: Vec<String>,
    /// Whether it answers with a PPTP message; `None` if not tested.
    pub answers: Option<bool>,
    /// Whether new calls are refused because an administrator paused the server.
    pub draining: bool,
    /// The number of sessions, and its limit.
    pub sessions: Option<(u64, u64)>,
}

/// A process that holds a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// The address of the socket.
    pub address: String,
    /// The process id; `None` if it cannot be determined.
    pub process: Option<u32>,
    /// The process name; empty if it cannot be determined.
    pub name: String,
}

/// How the packet filter treats a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The source of the rules: `nftables`, `nftables and iptables`.
    pub by: String,
    /// TCP to the server.
    pub control_in: Passage,
    /// TCP from the server.
    pub control_out: Passage,
    /// Protocol 47 to the server.
    pub gre_in: Passage,
    /// Protocol 47 from the server.
    pub gre_out: Passage,
    /// Rules that accept *port* 47.
    pub port_47: Vec<Rule>,
    /// Rules that drop packets of conntrack state "invalid", before GRE is accepted.
    pub invalid: Vec<Rule>,
    /// Whether conntrack may classify GRE as invalid: the kernel is old and its GRE module is not loaded.
    pub gre_untracked: bool,
    /// The conntrack helper that tracks control connections.
    pub helper: Option<String>,
}

/// How the packet filter treats one kind of packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// The result for an ordinary client.
    pub fate: Fate,
    /// The rule that decides.
    pub rule: Option<Rule>,
    /// Rules for some clients only that decide differently.
    pub except: Vec<Rule>,
    /// Rules that could not be interpreted.
    pub doubts: Vec<Rule>,
    /// A rule that changes the source address to one that the client does not use, and that address.
    pub source: Option<(String, Rule)>,
    /// A command that makes them pass.
    pub fix: Option<String>,
}

/// The result for packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Accepted.
    Passes,
    /// Dropped silently.
    Dropped,
    /// Dropped with an error to the sender.
    Rejected,
    /// Redirected to another machine.
    Elsewhere(String),
    /// Unknown, because of a rule that could not be interpreted.
    Unknown,
}

impl Fate {
    /// Whether the packets do not arrive.
    pub const fn is_lost(&self) -> bool {
        matches!(self, Fate::Dropped | Fate::Rejected)
    }
}

/// A rule of the packet filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The place of the rule: `inet filter input handle 12`.
    pub place: String,
    /// The text of the rule.
    pub text: String,
    /// The number of packets that it has matched, if it has a counter.
    pub packets: Option<u64>,
    /// Whether it is the policy of the chain.
    pub policy: bool,
}

/// The path to the clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wan {
    /// The interface of the default route; empty if there is none.
    pub interface: String,
    /// The address that clients connect to, as far as this host knows.
    pub address: Option<Ipv4Addr>,
    /// The default router.
    pub router: Option<Ipv4Addr>,
    /// Whether the server listens on an internal address on purpose: clients are in the same network.
    pub inside_only: bool,
}

/// The path to the networks behind the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forward {
    /// The value of net.ipv4.ip_forward, if it could be read.
    pub on: Option<bool>,
    /// Networks behind this host that clients may reach; empty: only this host.
    pub networks: Vec<Ipv4Net>,
    /// Packets from the tunnel to these networks.
    pub out: Option<Passage>,
    /// Packets from these networks to the tunnel.
    pub back: Option<Passage>,
    /// Networks that a packet filter rule denies, while others pass.
    pub denied: Vec<(Ipv4Net, Passage)>,
    /// Networks without a route.
    pub no_route: Vec<Ipv4Net>,
    /// Pools whose packets are not routed to the tunnel, each with where they are routed.
    pub pool_elsewhere: Vec<(Ipv4Net, String)>,
    /// Whether clients' addresses are translated (NAT).
    pub translated: bool,
    /// Whether a rule clamps the MSS.
    pub clamped: bool,
}

/// The reverse-path filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReversePath {
    /// Interfaces in strict mode.
    pub strict: Vec<String>,
    /// Packets that arrive on an interface other than the one of the return route.
    pub bites: Vec<Bite>,
    /// Packets dropped by it since the host started.
    pub dropped: Option<u64>,
    /// Answers to probes from the pool that it dropped during the test.
    pub grew: Option<u64>,
}

/// Wanted packets that the reverse-path filter drops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bite {
    /// The interface that drops them.
    pub interface: String,
    /// The sender of the packets.
    pub from: String,
    /// The interface of the return route.
    pub way_back: String,
    /// Whether such packets certainly occur.
    pub certain: bool,
}

/// Whether answers reach the pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Back {
    /// The server's tunnel address, from which the probes were sent.
    pub from: Option<Ipv4Addr>,
    /// The address of this host in the networks behind it, to which a router there must route the pool.
    pub ours: Option<Ipv4Addr>,
    /// The hosts that were probed.
    pub asked: Vec<Asked>,
}

/// A probed host in the networks behind the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The address.
    pub who: Ipv4Addr,
    /// Whether it answers ARP, and so exists.
    pub seen: bool,
    /// Whether it answers this host.
    pub answers_us: bool,
    /// Whether it answers an address of the pool; `None` if not tested.
    pub answers_pool: Option<bool>,
}

/// A DNS server that clients are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsServer {
    /// The address.
    pub server: Ipv4Addr,
    /// The time of its answer to this host; `None` without an answer.
    pub answered: Option<Duration>,
    /// Whether it answers the server's tunnel address; `None` if not tested.
    pub answers_pool: Option<bool>,
}

/// An address pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Its network.
    pub net: Ipv4Net,
    /// The number of addresses in use; `None` if no server runs.
    pub used: Option<u64>,
    /// The number of addresses in the pool.
    pub size: u64,
    /// The users with the number of addresses that they hold, in descending order.
    pub holders: Vec<(String, u64)>,
    /// Whether no DNS server is assigned with it.
    pub no_dns: bool,
}

/// The result of `adit check`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The configuration file; empty for the built-in configuration.
    pub file: String,
    /// Whether it is invalid.
    pub broken: bool,
    /// The remarks.
    pub remarks: Vec<Remark>,
}

/// One remark of `adit check`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Its code.
    pub code: Code,
    /// Whether it is an error rather than a warning.
    pub error: bool,
    /// The text, with the line number.
    pub text: String,
    /// The suggested setting.
    pub fix: Option<String>,
}

/// Packet sizes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The MTU of the interface to the clients.
    pub outer: u32,
    /// The MTU inside the tunnel.
    pub inner: u32,
    /// The largest overhead of the tunnel.
    pub overhead: u32,
    /// Whether the MSS is clamped, by the server or a rule.
    pub clamped: bool,
}

/// The connection tracking table of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracking {
    /// The number of entries.
    pub entries: u64,
    /// The limit of entries.
    pub limit: u64,
    /// The number of GRE entries, if visible.
    pub gre: Option<u64>,
    /// The timeout of GRE entries, in seconds without traffic.
    pub gre_seconds: Option<u64>,
    /// The interval of the server's echoes in seconds; 0 if disabled.
    pub echo_seconds: u64,
}

/// The system clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// The current time, RFC 3339 UTC.
    pub now: String,
    /// Whether it is implausibly early or late.
    pub absurd: bool,
    /// Whether the kernel's clock is synchronised.
    pub synchronised: Option<bool>,
}

/// The disk of the state directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// The directory.
    pub path: String,
    /// Free bytes available to the server.
    pub free: u64,
    /// The size in bytes.
    pub size: u64,
    /// Free inodes; `None` if they are not counted.
    pub files: Option<u64>,
    /// Whether it is mounted read-only.
    pub read_only: bool,
}

/// A fault of this host that the running server has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Its code.
    pub code: Code,
    /// What the server observed.
    pub text: String,
    /// How long ago it was over, in seconds; `None` while it lasts.
    pub repaired_s: Option<u64>,
}

/// Local accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// The number of accounts.
    pub all: u64,
    /// Accounts that cannot log in, with the reason.
    pub barred: Vec<(String, Code)>,
    /// Accounts that will expire in the next days.
    pub soon: Vec<String>,
}

/// The results of the calls of the last day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// The number of successful logins.
    pub up: u64,
    /// Failures by code, most frequent first.
    pub failed: Vec<Failed>,
    /// Users whose packets were denied, with the destinations.
    pub denied: Vec<(String, String)>,
}

/// The failures with one code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The code.
    pub code: Code,
    /// The number of failures.
    pub count: u64,
    /// The most frequent source address, with its number of failures.
    pub most_from: Option<(String, u64)>,
}
