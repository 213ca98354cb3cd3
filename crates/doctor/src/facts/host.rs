//! The host that looks, or is looked at. One struct a line of `adit doctor --server`.

use core::fmt;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use adit_diag::Code;
use ipnet::Ipv4Net;

/// S.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Kernel, rights, devices.
    pub system: Option<System>,
    /// Who takes calls.
    pub listen: Option<Listen>,
    /// What the packet filter does to a call.
    pub filter: Option<Filter>,
    /// The way to the clients.
    pub wan: Option<Wan>,
    /// The way to the networks behind.
    pub forward: Option<Forward>,
    /// The reverse-path filter.
    pub reverse_path: Option<ReversePath>,
    /// Whether answers come back to the pool.
    pub back: Option<Back>,
    /// The DNS servers that clients are given.
    pub dns: Vec<DnsServer>,
    /// The address pools.
    pub pools: Vec<Pool>,
    /// What `adit check` says of the configuration and this host.
    pub config: Option<Config>,
    /// Packet sizes.
    pub sizes: Option<Sizes>,
    /// The kernel's table of connections.
    pub tracking: Option<Tracking>,
    /// The clock.
    pub clock: Option<Clock>,
    /// The disk of the state directory.
    pub disk: Option<Disk>,
    /// Local accounts.
    pub users: Option<Users>,
    /// What became of the calls of the last day.
    pub calls: Option<Calls>,
    /// What was not looked at, with the reason.
    pub not_tested: BTreeMap<Check, NotTested>,
}

/// Why something was not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTested {
    /// Only root may run this program so.
    NeedsRoot {
        /// The program.
        program: String,
    },
    /// A program is missing.
    NotInstalled {
        /// The program.
        program: String,
        /// The package of Debian that has it.
        package: String,
    },
    /// Anything else, in words.
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

/// A line of `adit doctor --server`, in the order in which they are shown: from the outside in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Kernel, rights, devices.
    Host,
    /// The configuration.
    Config,
    /// Who listens.
    Listen,
    /// The packet filter.
    Firewall,
    /// Translation in front, or here.
    Nat,
    /// Passing packets on.
    Forward,
    /// The reverse-path filter.
    RpFilter,
    /// The way back to the pool.
    Return,
    /// Names inside.
    Dns,
    /// Addresses for clients.
    Pool,
    /// Packet sizes.
    Mtu,
    /// The clock.
    Clock,
    /// The disk.
    Disk,
    /// Accounts.
    Users,
    /// The last day.
    Calls,
    /// One account that was asked for.
    User,
    /// One session that was asked for.
    Session,
}

impl Check {
    /// All, in order.
    pub const ALL: [Check; 17] = [
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
        Check::Clock,
        Check::Disk,
        Check::Users,
        Check::Calls,
        Check::User,
        Check::Session,
    ];

    /// The word of lines and JSON.
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
            Check::Clock => "clock",
            Check::Disk => "disk",
            Check::Users => "users",
            Check::Calls => "last 24 h",
            Check::User => "user",
            Check::Session => "session",
        }
    }
}

/// Kernel, rights, devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct System {
    /// `6.1.0-18-amd64`.
    pub kernel: String,
    /// Rights that the server needs and this process lacks: `CAP_NET_RAW`.
    pub missing_rights: Vec<String>,
    /// A server runs: its rights are proven, with any rights of this process.
    pub runs: bool,
    /// Why /dev/net/tun cannot be used; `None` when it can.
    pub tun: Option<String>,
    /// Descriptors that the server may have, where it runs.
    pub files: Option<u64>,
    /// Sessions that it may have.
    pub sessions: Option<u64>,
}

/// Who takes calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listen {
    /// Where calls are meant to arrive: `203.0.113.10:1723`.
    pub wanted: Vec<String>,
    /// The port.
    pub port: u16,
    /// Who listens there.
    pub holders: Vec<Holder>,
    /// Who holds sockets of protocol 47.
    pub gre: Vec<Holder>,
    /// The process of the server that answers on the control socket.
    pub daemon: Option<u32>,
    /// Of the wanted addresses, those that no interface of this host has.
    pub missing: Vec<String>,
    /// It answers with a PPTP message: `None` not asked.
    pub answers: Option<bool>,
    /// New calls are refused, because an administrator paused the server.
    pub draining: bool,
    /// Sessions, and how many there may be.
    pub sessions: Option<(u64, u64)>,
}

/// A process with a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Its address.
    pub address: String,
    /// Its process; `None` when it cannot be seen.
    pub process: Option<u32>,
    /// Its name; empty when it cannot be seen.
    pub name: String,
}

/// What the packet filter does to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Whose rules were read: `nftables`, `nftables and iptables`.
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
    /// Rules that drop what the tracking calls invalid, before GRE is accepted.
    pub invalid: Vec<Rule>,
    /// The tracking may call GRE invalid: the kernel is old and has no module for it loaded.
    pub gre_untracked: bool,
    /// A helper follows control connections.
    pub helper: Option<String>,
}

/// What becomes of one sort of packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Of those of an ordinary client.
    pub fate: Fate,
    /// What decided.
    pub rule: Option<Rule>,
    /// Rules for some clients only that decide otherwise.
    pub except: Vec<Rule>,
    /// Rules that are not understood.
    pub doubts: Vec<Rule>,
    /// The source address is changed to another than that the client talks to.
    pub source: Option<(String, Rule)>,
    /// The command that would let them pass.
    pub fix: Option<String>,
}

/// What becomes of packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They pass.
    Passes,
    /// They vanish.
    Dropped,
    /// They vanish, and the sender is told.
    Rejected,
    /// They go to another machine.
    Elsewhere(String),
    /// It depends on something that is not understood.
    Unknown,
}

impl Fate {
    /// They do not arrive.
    pub const fn is_lost(&self) -> bool {
        matches!(self, Fate::Dropped | Fate::Rejected)
    }
}

/// A rule of the packet filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where: `inet filter input handle 12`.
    pub place: String,
    /// As its owner wrote it.
    pub text: String,
    /// Packets that it has met, of any sort, where that is counted.
    pub packets: Option<u64>,
    /// It is the policy of the chain.
    pub policy: bool,
}

/// The way to the clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wan {
    /// The interface of the default route; empty without one.
    pub interface: String,
    /// The address that clients reach, as far as this host knows.
    pub address: Option<Ipv4Addr>,
    /// The router.
    pub router: Option<Ipv4Addr>,
    /// The server listens there on purpose: clients are in the same network.
    pub inside_only: bool,
}

/// The way to the networks behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forward {
    /// net.ipv4.ip_forward, where it could be read.
    pub on: Option<bool>,
    /// Networks that clients may reach behind this host; empty: only this host.
    pub networks: Vec<Ipv4Net>,
    /// From the tunnel to them.
    pub out: Option<Passage>,
    /// And back.
    pub back: Option<Passage>,
    /// Networks that a rule of the packet filter names and denies, while others pass.
    pub denied: Vec<(Ipv4Net, Passage)>,
    /// Networks to which no route leads.
    pub no_route: Vec<Ipv4Net>,
    /// Pools whose packets do not go to the tunnel, each with where they go.
    pub pool_elsewhere: Vec<(Ipv4Net, String)>,
    /// Clients' addresses are translated on their way.
    pub translated: bool,
    /// A rule lowers segment sizes.
    pub clamped: bool,
}

/// The reverse-path filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReversePath {
    /// Interfaces where it is strict.
    pub strict: Vec<String>,
    /// Packets that arrive where the answer would not leave.
    pub bites: Vec<Bite>,
    /// Packets dropped for it since the host started.
    pub dropped: Option<u64>,
    /// Answers to questions from the pool that it dropped while they were asked.
    pub grew: Option<u64>,
}

/// Where the reverse-path filter drops what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bite {
    /// The interface that drops.
    pub interface: String,
    /// Whose packets.
    pub from: String,
    /// Where the way back leads.
    pub way_back: String,
    /// It is known that such packets come.
    pub certain: bool,
}

/// Whether answers come back to the pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Back {
    /// Our end of the tunnel, from which was asked.
    pub from: Option<Ipv4Addr>,
    /// The address of this host in the networks behind: what a router there would send the pool to.
    pub ours: Option<Ipv4Addr>,
    /// Who was asked.
    pub asked: Vec<Asked>,
}

/// A host in the networks behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Who.
    pub who: Ipv4Addr,
    /// He answers ARP: he is there.
    pub seen: bool,
    /// He answers this host itself.
    pub answers_us: bool,
    /// He answers an address of the pool; `None` when it was not tried.
    pub answers_pool: Option<bool>,
}

/// A DNS server that clients are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsServer {
    /// Which.
    pub server: Ipv4Addr,
    /// How long it took to answer this host; `None`: it did not.
    pub answered: Option<Duration>,
    /// It answers our end of the tunnel; `None` when that was not tried.
    pub answers_pool: Option<bool>,
}

/// An address pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Its network.
    pub net: Ipv4Net,
    /// Addresses in use; `None` when no server runs.
    pub used: Option<u64>,
    /// Addresses that can be given.
    pub size: u64,
    /// Who holds how many, the most first.
    pub holders: Vec<(String, u64)>,
    /// No DNS server is given with it.
    pub no_dns: bool,
}

/// What `adit check` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The file; empty: the built-in configuration.
    pub file: String,
    /// It cannot be used.
    pub broken: bool,
    /// The remarks.
    pub remarks: Vec<Remark>,
}

/// One remark of `adit check`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Its code.
    pub code: Code,
    /// It keeps something from working.
    pub error: bool,
    /// What, with the line.
    pub text: String,
    /// What to write instead.
    pub fix: Option<String>,
}

/// Packet sizes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The largest packet of the interface to the clients.
    pub outer: u32,
    /// The largest packet inside the tunnel.
    pub inner: u32,
    /// What the tunnel adds at most.
    pub overhead: u32,
    /// Segment sizes are lowered: by the server or a rule.
    pub clamped: bool,
}

/// The kernel's table of connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracking {
    /// Entries.
    pub entries: u64,
    /// The most.
    pub limit: u64,
    /// Entries of GRE, where they could be seen.
    pub gre: Option<u64>,
    /// After so many seconds without traffic GRE is forgotten.
    pub gre_seconds: Option<u64>,
    /// The server asks the client for a sign of life so often; 0: never.
    pub echo_seconds: u64,
}

/// The clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Now, RFC 3339 UTC.
    pub now: String,
    /// It lies before this program was made, or absurdly far after.
    pub absurd: bool,
    /// The kernel's clock is synchronised.
    pub synchronised: Option<bool>,
}

/// The disk of the state directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// The directory.
    pub path: String,
    /// Octets free for us.
    pub free: u64,
    /// Octets of it all.
    pub size: u64,
    /// Files that can still be made; `None` where they are not counted.
    pub files: Option<u64>,
    /// It cannot be written.
    pub read_only: bool,
}

/// Local accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// All.
    pub all: u64,
    /// Who cannot log in, with the reason.
    pub barred: Vec<(String, Code)>,
    /// Who cannot log in after the next days.
    pub soon: Vec<String>,
}

/// What became of the calls of the last day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Logins that worked.
    pub up: u64,
    /// Failures by code, the most first.
    pub failed: Vec<Failed>,
    /// Who sent packets where the account may not, and which.
    pub denied: Vec<(String, String)>,
}

/// Failures of one code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The code.
    pub code: Code,
    /// How many.
    pub count: u64,
    /// The address they came from most, and how many of them.
    pub most_from: Option<(String, u64)>,
}
