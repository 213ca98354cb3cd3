//! The typed configuration: all values checked, all defaults filled in.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adit_diag::AuthMethod;
use adit_password::{PasswordRules, PasswordStyle};
use adit_policy::lockout::Rules;
use adit_policy::reach::{Locals, Prefixes, Question, Reach};
use adit_policy::{Access, AccountRules, DomainRule, PoolConfig};

/// A complete configuration.
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
    /// `[groups.*]`: the rules of each group, including those inherited from `[access]`.
    pub groups: BTreeMap<String, Access>,
    /// `[[test]]`: what users may reach.
    pub tests: Vec<ReachTest>,
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

    /// What users in `group` may reach on a host with these addresses, compiled.
    pub fn reach(&self, group: Option<&str>, locals: Arc<Locals>) -> Reach {
        let access = self.access_for(group);
        let pools: Vec<_> = self.pools.values().map(|pool| pool.net).collect();
        Reach {
            server: access.server.clone(),
            locals,
            clients: (!access.client_to_client).then(|| Prefixes::v4(&pools)),
            acl: Arc::new(access.compile(self.pools.get(&access.pool))),
            keys: access.keys.clone(),
        }
    }

    /// The addresses of the server that are known from the configuration alone.
    pub fn own_addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        let listen = self.server.listen.iter().filter_map(|listen| match listen {
            Listen::Address { address, .. } => Some(*address),
            Listen::Interface { .. } => None,
        });
        self.pools.values().map(|pool| pool.server).chain(listen)
    }
}

/// One `[[test]]`: what users may reach, and what they may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReachTest {
    /// Whose reach is tested.
    pub user: TestAs,
    /// All of these must be allowed.
    pub allow: Vec<Question>,
    /// All of these must be denied.
    pub deny: Vec<Question>,
}

/// Whose reach a test is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestAs {
    /// Users without a group.
    Default,
    /// The users of a group.
    Group(String),
}

/// The store of accounts, leases, sessions and events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// The database.
    pub url: StoreUrl,
    /// The key that seals password hashes.
    pub seal_key: SecretSource,
}

/// A database URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// SQLite in memory, for tests; the data is lost at exit.
    Memory,
}

/// The location of a secret.
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
    /// Error: a credential is named, but the service manager provides no credentials directory.
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

    /// Reads the secret unchanged, including a trailing line end.
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

/// The control connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The name that clients dial.
    pub name: Option<String>,
    /// Addresses on which calls are accepted.
    pub listen: Vec<Listen>,
    /// Accept only calls that arrive on this interface.
    pub interface: Option<String>,
    /// The Host Name sent to clients (RFC 2637 section 2.2).
    pub hostname: String,
    /// Echo-Requests of the control connection.
    pub echo: Echo,
    /// Time limit for ending all sessions when the server stops.
    pub shutdown_grace: Duration,
}

/// A listening address.
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

/// Keep-alive: the interval, and how many requests may stay unanswered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// Interval of requests; `None` disables them.
    pub every: Option<Duration>,
    /// Number of consecutive unanswered requests after which the peer is considered dead.
    pub lost: u32,
}

/// Authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// Authentication methods, preferred first.
    pub methods: Vec<AuthMethod>,
    /// Account sources, in the order in which they are queried.
    pub sources: Vec<AuthSource>,
    /// Handling of `DOMAIN\` in user names.
    pub domain: DomainRule,
    /// Passwords of local accounts.
    pub password: PasswordPolicy,
    /// When accounts are locked, and addresses banned.
    pub lockout: Rules,
    /// The RADIUS servers; `None` if there are none.
    pub radius: Option<Radius>,
}

/// `[auth.radius]`: servers that are asked about logins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Radius {
    /// The servers, in the order in which they are asked.
    pub servers: Vec<SocketAddrV4>,
    /// The secret shared with all of them.
    pub secret: SecretSource,
    /// How long one server has for its answer.
    pub timeout: Duration,
    /// How often a request is sent again within that time.
    pub retries: u8,
    /// Servers whose replies count without a Message-Authenticator.
    pub accept_unsigned: Vec<SocketAddrV4>,
    /// NAS-Identifier; `None` for the name of the server.
    pub nas_identifier: Option<String>,
    /// Whether the next source is asked if no server answers.
    pub is_optional: bool,
}

/// A source of accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthSource {
    /// The store.
    Local,
    /// The servers of `[auth.radius]`.
    Radius,
}

/// Password policy of local accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// Rules for new passwords.
    pub rules: PasswordRules,
    /// Maximum age of a password; `None` for no limit.
    pub max_age: Option<Duration>,
    /// Style of generated passwords.
    pub generate: PasswordStyle,
}

impl PasswordPolicy {
    /// The part of the policy that [`adit_policy::decide`] needs.
    pub fn account_rules(&self) -> AccountRules {
        AccountRules { password_max_age: self.max_age }
    }
}

/// PPP and the data path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Largest packet inside the tunnel, in bytes.
    pub mtu: u16,
    /// MSS of TCP connections through the tunnel.
    pub mss: Mss,
    /// MPPE key sizes, preferred first: 128, 56 or 40 bits.
    pub mppe_bits: Vec<u8>,
    /// Accept only stateless MPPE, which tolerates packet loss.
    pub mppe_stateless: bool,
    /// LCP Echo-Requests.
    pub echo: Echo,
    /// Reordering of GRE packets.
    pub reorder: Reorder,
    /// Time limit for the set-up of a call.
    pub setup: Duration,
    /// Whether IPv6 is negotiated too.
    pub ipv6: bool,
    /// Send no faster than the client acknowledges, within its window.
    pub windowing: bool,
    /// How GRE packets are received and sent.
    pub io: Io,
    /// How RC4 of MPPE is computed.
    pub cipher: Cipher,
    /// Threads for packets; `None`: by the number of cores.
    pub workers: Option<u8>,
}

/// How RC4 of MPPE is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// In the form that is faster on this processor, by a measurement at start.
    Auto,
    /// In assembly, if the processor is an x86-64 with AVX.
    Assembly,
    /// In safe Rust.
    Portable,
}

/// How GRE packets are received and sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Io {
    /// At present the same as `Socket`: AF_XDP bypasses this host's firewall, which is the administrator's decision.
    Auto,
    /// A raw socket.
    Socket,
    /// AF_XDP on the interface that the server listens on; if that fails, a raw socket and a warning.
    Xdp,
}

/// MSS of TCP connections through the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mss {
    /// Lowered to the MTU of the tunnel.
    Clamp,
    /// Unchanged.
    Off,
    /// Lowered to this value, in bytes.
    Size(u16),
}

/// Reordering of GRE packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reorder {
    /// Maximum number of packets kept while one is missing; 0 disables the wait.
    pub packets: u16,
    /// Maximum wait for a missing packet.
    pub wait: Duration,
}

/// Limits on load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of concurrent sessions.
    pub sessions: u32,
    /// Maximum number of concurrent calls in set-up.
    pub starting: u32,
    /// Maximum number of failed logins per minute from one address; 0 for no limit.
    pub calls_per_minute_per_address: u32,
    /// Whether several clients may share one public address.
    pub same_nat: SameNat,
}

/// Whether several clients may share one public address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameNat {
    /// Any number of clients.
    Allow,
    /// One client.
    Refuse,
}

/// Logging.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The least severe level that is logged.
    pub level: LogLevel,
    /// Destinations of log lines.
    pub to: Vec<LogTarget>,
    /// Format of log lines.
    pub format: LogFormat,
}

/// The level of a log line. Ordered: the most severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// A failure of this host.
    Error,
    /// A call that failed.
    Warn,
    /// Logins, session ends, and changes.
    Info,
    /// Every step of every call.
    Debug,
}

/// A destination of log lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// Standard error; systemd passes that of a service to the journal.
    Stderr,
    /// A file, appended to.
    File(PathBuf),
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `key=value`.
    Kv,
    /// One JSON document a line.
    Json,
}

/// Retention of stored data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Retention of events: logins, session ends and failures.
    pub events: Duration,
    /// Retention of session records.
    pub sessions: Duration,
}
