//! The configuration as types: everything checked, every default filled in.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use adit_diag::AuthMethod;
use adit_policy::{Access, AccountRules, DomainRule, PasswordRules, PasswordStyle, PoolConfig};

/// One whole configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `[store]`.
    pub store: Store,
    /// `[server]`.
    pub server: Server,
    /// `[pool]` and `[pools.*]`, by name; the short form is named `default`.
    pub pools: BTreeMap<String, PoolConfig>,
    /// `[access]`: the rules of users without a group.
    pub access: Access,
    /// `[groups.*]`: the rules of each group, with what it takes over from `[access]`.
    pub groups: BTreeMap<String, Access>,
    /// `[auth]`.
    pub auth: Auth,
    /// `[link]`.
    pub link: Link,
    /// `[limits]`.
    pub limits: Limits,
    /// `[log]`.
    pub log: Log,
    /// `[retention]`.
    pub retention: Retention,
}

impl Config {
    /// The rules of a user in `group`. A group that is not defined has the rules of `[access]`.
    pub fn access_for(&self, group: Option<&str>) -> &Access {
        group.and_then(|group| self.groups.get(group)).unwrap_or(&self.access)
    }
}

/// Where accounts, leases, sessions and events are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// The database.
    pub url: StoreUrl,
    /// The key that seals password hashes.
    pub seal_key: SecretSource,
}

/// A database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// SQLite in memory, gone at the end: for tests.
    Memory,
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// In a file.
    File(PathBuf),
    /// In an environment variable.
    Env(String),
    /// In a systemd credential (`LoadCredential=`).
    Credential(String),
}

impl SecretSource {
    /// The file that holds the secret; an environment variable has none.
    ///
    /// Error: a credential is named, but the service manager gave no directory for credentials.
    pub fn path(&self) -> io::Result<Option<PathBuf>> {
        match self {
            SecretSource::File(path) => Ok(Some(path.clone())),
            SecretSource::Env(_) => Ok(None),
            SecretSource::Credential(name) => match std::env::var_os("CREDENTIALS_DIRECTORY") {
                Some(directory) => Ok(Some(PathBuf::from(directory).join(name))),
                None => Err(io::Error::new(io::ErrorKind::NotFound, "CREDENTIALS_DIRECTORY is not set")),
            },
        }
    }

    /// Reads the secret as it is, without taking a line end away.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        match (self, self.path()?) {
            (SecretSource::Env(name), _) => match std::env::var_os(name) {
                Some(value) => Ok(value.into_encoded_bytes()),
                None => Err(io::Error::new(io::ErrorKind::NotFound, format!("{name} is not set"))),
            },
            (_, Some(path)) => fs::read(path),
            (_, None) => Err(io::Error::from(io::ErrorKind::NotFound)),
        }
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::File(path) => write!(f, "file {}", path.display()),
            SecretSource::Env(name) => write!(f, "environment variable {name}"),
            SecretSource::Credential(name) => write!(f, "credential {name}"),
        }
    }
}

/// The control connection's side of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The name that clients dial.
    pub name: Option<String>,
    /// Where calls are taken.
    pub listen: Vec<Listen>,
    /// Only calls that arrive on this interface are taken.
    pub interface: Option<String>,
    /// The host name told to clients (RFC 2637 section 2.2).
    pub hostname: String,
    /// Echo-Requests of the control connection.
    pub echo: Echo,
    /// How long sessions may take to end when the server stops.
    pub shutdown_grace: Duration,
}

/// Where calls are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// An address; 0.0.0.0 is every address.
    Address {
        /// The address.
        address: Ipv4Addr,
        /// The TCP port, 1723.
        port: u16,
    },
    /// Every address of an interface.
    Interface {
        /// Its name.
        name: String,
        /// The TCP port, 1723.
        port: u16,
    },
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Address { address, port } => write!(f, "{address}:{port}"),
            Listen::Interface { name, port } => write!(f, "{name}:{port}"),
        }
    }
}

/// Keep-alive: a question every so often, and how many may go unanswered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// Time between questions; `None` asks nothing.
    pub every: Option<Duration>,
    /// Unanswered questions in a row that mean the peer is gone.
    pub lost: u32,
}

/// Who may log in, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// Methods, the preferred one first.
    pub methods: Vec<AuthMethod>,
    /// Who is asked, in order.
    pub sources: Vec<AuthSource>,
    /// What happens to `DOMAIN\`.
    pub domain: DomainRule,
    /// Passwords of local accounts.
    pub password: PasswordPolicy,
}

/// Who knows the accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthSource {
    /// The store.
    Local,
}

/// Passwords of local accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// What a new password must be.
    pub rules: PasswordRules,
    /// A password older than this has expired; `None` never does.
    pub max_age: Option<Duration>,
    /// How passwords are made for people.
    pub generate: PasswordStyle,
}

impl PasswordPolicy {
    /// The part that [`adit_policy::decide`] asks for.
    pub fn account_rules(&self) -> AccountRules {
        AccountRules { password_max_age: self.max_age }
    }
}

/// PPP and the data path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Largest packet inside the tunnel, in octets.
    pub mtu: u16,
    /// What happens to the segment size of TCP connections.
    pub mss: Mss,
    /// MPPE key sizes, the preferred one first: 128, 56 or 40 bits.
    pub mppe_bits: Vec<u8>,
    /// Only stateless MPPE, which survives loss.
    pub mppe_stateless: bool,
    /// LCP Echo-Requests.
    pub echo: Echo,
    /// GRE sequence repair.
    pub reorder: Reorder,
    /// A call must be up by then.
    pub setup: Duration,
    /// Whether IPv6 is negotiated too.
    pub ipv6: bool,
    /// Send no faster than the client acknowledges, within its window.
    pub windowing: bool,
    /// What moves GRE packets.
    pub io: Io,
}

/// What moves GRE packets between the network and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Io {
    /// Today the same as `Socket`: AF_XDP passes by this host's firewall, and that is for its owner to decide.
    Auto,
    /// A raw socket.
    Socket,
    /// AF_XDP on the interface that the server listens on; a raw socket, and a warning, where that cannot be.
    Xdp,
}

/// The segment size of TCP connections through the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mss {
    /// Lowered to what fits the tunnel.
    Clamp,
    /// Left alone.
    Off,
    /// Lowered to this, in octets.
    Size(u16),
}

/// How long a packet out of order is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reorder {
    /// Packets kept while one is missing; 0 waits for none.
    pub packets: u16,
    /// Longest wait for a missing packet.
    pub wait: Duration,
}

/// How much is too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sessions at once.
    pub sessions: u32,
    /// Calls in set-up at once.
    pub starting: u32,
    /// New calls a minute from one address; 0 is no limit.
    pub calls_per_minute_per_address: u32,
    /// Several clients behind one address.
    pub same_nat: SameNat,
}

/// Several clients behind one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameNat {
    /// As many as call.
    Allow,
    /// One.
    Refuse,
}

/// What is logged, where, and how it looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The least severe line that is written.
    pub level: LogLevel,
    /// Where lines go.
    pub to: Vec<LogTarget>,
    /// How a line looks.
    pub format: LogFormat,
}

/// How severe a line is. Ordered: the most severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// This host could not do what was needed.
    Error,
    /// A call that failed.
    Warn,
    /// Logins, ends, changes.
    Info,
    /// Every step of every call.
    Debug,
}

/// Where log lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// Standard error; a service's goes to the journal.
    Stderr,
    /// A file, appended to.
    File(PathBuf),
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `key=value`.
    Kv,
    /// One JSON document a line.
    Json,
}

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Logins, ends and failures.
    pub events: Duration,
    /// Totals of sessions.
    pub sessions: Duration,
}
