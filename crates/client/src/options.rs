//! Connection options: server, account, and changes to this host.

use std::path::PathBuf;
use std::time::Duration;

use adit_crypto::secret::Password;
use adit_dataplane::Io;
use adit_diag::AuthMethod;
use adit_ppp::ccp::MppePolicy;
use ipnet::Ipv4Net;

/// Default interval of LCP Echo-Requests on an idle link: a client notices a dead path sooner than a server does, because its
/// user waits for it.
pub const ECHO_EVERY: Duration = Duration::from_secs(10);
/// Default number of Echo-Requests without an answer after which the path is dead. On a line whose answers take longer than
/// the interval, they are as far apart as an answer takes.
pub const ECHO_LOST: u32 = 3;

/// Options of a connection.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// Name or address of the server.
    pub server: String,
    /// TCP port of the control connection.
    pub port: u16,
    /// Account name, with `DOMAIN\` in front where the server requires one.
    pub user: String,
    /// Its password.
    pub password: Password,
    /// Authentication methods that the client accepts, preferred first.
    pub methods: Vec<AuthMethod>,
    /// Encryption.
    pub mppe: MppePolicy,
    /// Traffic that goes through the tunnel.
    pub routes: Routes,
    /// Whether to use the DNS servers that the server assigns.
    pub dns: bool,
    /// Use these DNS servers only for names below these domains; empty for all names.
    pub domains: Vec<String>,
    /// Largest inner packet, in bytes.
    pub mtu: u16,
    /// Timeout of the set-up of a call.
    pub setup: Duration,
    /// LCP keep-alive: interval, and number of Echo-Requests that may stay unanswered.
    pub echo: Option<(Duration, u32)>,
    /// Do not reconnect when the tunnel is lost.
    pub once: bool,
    /// Wait for the network: also retry the first attempt while the server's name or address cannot be reached.
    pub wait: bool,
    /// Send no faster than the server acknowledges, within its window (RFC 2637 section 4.2).
    pub windowing: bool,
    /// How GRE packets are received and sent.
    pub io: Io,
    /// Name of the tunnel interface; a `%d` in it is replaced by a number.
    pub interface: String,
    /// Directory of the journal of changes to the host.
    pub state_dir: PathBuf,
    /// Directory in which `adit disconnect` finds the running client.
    pub run_dir: PathBuf,
}

/// Traffic that goes through the tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routes {
    /// Only these networks, and the server's own tunnel address.
    Split(Vec<Ipv4Net>),
    /// All traffic except the packets of the tunnel itself.
    All,
}

impl ConnectOptions {
    /// The defaults for a server, a user and a password: MS-CHAPv2, MPPE 128 required, no routes except the one to the
    /// server's tunnel address.
    pub fn new(server: &str, user: &str, password: Password) -> ConnectOptions {
        ConnectOptions {
            server: server.to_owned(),
            port: adit_wire::pptp::PORT,
            user: user.to_owned(),
            password,
            methods: vec![AuthMethod::MsChapV2],
            mppe: MppePolicy::default(),
            routes: Routes::Split(Vec::new()),
            dns: true,
            domains: Vec::new(),
            mtu: 1400,
            setup: Duration::from_secs(30),
            echo: Some((ECHO_EVERY, ECHO_LOST)),
            once: false,
            wait: false,
            windowing: false,
            io: Io::Auto,
            interface: "adit%d".to_owned(),
            state_dir: PathBuf::from("/var/lib/adit"),
            run_dir: PathBuf::from("/run/adit"),
        }
    }
}
