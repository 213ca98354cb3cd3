//! What to connect to, as whom, and what to change on this host for it.

use std::path::PathBuf;
use std::time::Duration;

use adit_crypto::secret::Password;
use adit_dataplane::Io;
use adit_diag::AuthMethod;
use adit_ppp::ccp::MppePolicy;
use ipnet::Ipv4Net;

/// A connection to make.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// Name or address of the server.
    pub server: String,
    /// TCP port of the control connection.
    pub port: u16,
    /// Account name, with `DOMAIN\` in front where the server wants one.
    pub user: String,
    /// Its password.
    pub password: Password,
    /// Methods the client agrees to, preferred first.
    pub methods: Vec<AuthMethod>,
    /// Encryption.
    pub mppe: MppePolicy,
    /// What goes through the tunnel.
    pub routes: Routes,
    /// Whether to use the DNS servers that the server gives.
    pub dns: bool,
    /// Only names below these domains are asked there; empty for all names.
    pub domains: Vec<String>,
    /// Largest inner packet, in octets.
    pub mtu: u16,
    /// A call must be up by then.
    pub setup: Duration,
    /// LCP keep-alive: how often, and how many may stay unanswered.
    pub echo: Option<(Duration, u32)>,
    /// Do not connect again when the tunnel is lost.
    pub once: bool,
    /// Send no faster than the server acknowledges, within its window (RFC 2637 section 4.2).
    pub windowing: bool,
    /// What moves GRE packets.
    pub io: Io,
    /// Name of the tunnel interface; a `%d` in it is replaced by a number.
    pub interface: String,
    /// Where the journal of changes to the host is kept.
    pub state_dir: PathBuf,
    /// Where `adit disconnect` finds the running client.
    pub run_dir: PathBuf,
}

/// What goes through the tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routes {
    /// Only these networks, besides the server's own tunnel address.
    Split(Vec<Ipv4Net>),
    /// Everything, but for the packets of the tunnel itself.
    All,
}

impl ConnectOptions {
    /// The defaults for a server, a user and a password: MS-CHAPv2, MPPE 128 required, nothing routed but the server's
    /// tunnel address.
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
            echo: Some((Duration::from_secs(30), 4)),
            once: false,
            windowing: false,
            io: Io::Auto,
            interface: "adit%d".to_owned(),
            state_dir: PathBuf::from("/var/lib/adit"),
            run_dir: PathBuf::from("/run/adit"),
        }
    }
}
