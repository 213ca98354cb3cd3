//! The scenario of a conversation: the configurations, the network between them, and the fault.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use adit_crypto::Rng;
use adit_crypto::mppe::Strength;
use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, Code};
use adit_ppp::auth::{Credentials, MsChapError};
use adit_ppp::ccp::{Mode, MppePolicy, Stateful};
use adit_ppp::link::{Echo, LinkConfig, Side};
use adit_pptp::control::ControlConfig;
use adit_tunnel::{ClientConfig, ServerConfig};
use adit_wire::LocalCallId;

use crate::attacker::Attack;
use crate::link::Quality;
use crate::nat::Translation;
use crate::rewrite::Rewrite;
use crate::rude::Manner;
use crate::server::{Account, Service};

/// The public address of the server.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The first client in its site; a second one has the next address.
pub const CLIENT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 10);
/// The external address of the client's NAT.
pub const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 5);
/// The address of the server in the tunnel.
pub const INNER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// The fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// None.
    None,
    /// GRE from client to server is lost.
    GreOut,
    /// GRE from server to client is lost.
    GreIn,
    /// GRE is lost in both directions.
    GreBoth,
    /// The client's router answers GRE in both directions with ICMP "administratively prohibited".
    GreRejected,
    /// GRE is lost in both directions after this time.
    GreLater(Duration),
    /// TCP is lost from the beginning.
    NoTcp,
    /// The client's router answers TCP with a reset.
    TcpRejected,
    /// TCP is lost after this time.
    TcpLater(Duration),
    /// Both ends receive a reset at this time.
    TcpReset(Duration),
    /// No server listens on the server's port.
    Deaf,
    /// The server accepts TCP and sends nothing.
    Mute,
    /// The server crashes at this time.
    Crash(Duration),
    /// The password is wrong.
    WrongPassword,
    /// The name is unknown.
    UnknownName,
    /// The account may not log in, with this code.
    Barred(Code),
    /// The directory never answers.
    SilentDirectory,
    /// Server and client have no authentication method in common.
    NoMethod,
    /// The server requires encryption, the client has disabled it.
    ClientClear,
    /// The client requires encryption, the server has disabled it.
    ServerClear,
    /// Both require encryption, with different key lengths.
    Strengths,
    /// The address pool is exhausted.
    PoolEmpty,
    /// The session limit is reached.
    Full,
    /// The client's NAT translates GRE this way; [`Translation::Helper`] is no fault.
    Nat(Translation),
    /// Two clients behind a NAT without a helper.
    Crowd,
    /// This many GRE packets and TCP segments out of a thousand are damaged.
    Damage(u16, u16),
    /// Packets larger than the path's MTU are lost.
    MtuHole,
    /// The client's firewall removes GRE state after this idle time; the call is idle for longer.
    Forgetful(Duration),
    /// Another service listens on the server's port.
    Banner,
    /// One field is rewritten on the path.
    Rewritten(Rewrite),
}

/// How a working conversation is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client stops.
    ClientStops,
    /// The client ends its call.
    ClientEndsCall,
    /// The server's administrator ends the call.
    ServerEndsCall,
    /// The server shuts down.
    ServerStops,
    /// Both stop at the same time.
    BothStop,
}

/// A scenario; equal for equal seeds.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The seed.
    pub seed: u64,
    /// The fault.
    pub fault: Fault,
    /// How it ends without a fault.
    pub ending: Ending,
    /// The configuration of the server.
    pub server: ServerConfig,
    /// The services of the server besides the protocol.
    pub service: Service,
    /// The configurations of the clients.
    pub clients: Vec<ClientConfig>,
    /// The translation of the client's NAT, if it has one.
    pub nat: Option<Translation>,
    /// The line from client to server.
    pub up: Quality,
    /// The line from server to client.
    pub down: Quality,
    /// The number of inner datagrams to send in each direction.
    pub datagrams: u32,
    /// Their payload length.
    pub datagram_len: usize,
    /// The idle time between traffic and end.
    pub idle: Duration,
    /// Misbehaving hosts that use the server at the same time.
    pub rude: Vec<Manner>,
    /// The control frames that an attacker forges for each end while data is exchanged.
    pub forged: u32,
    /// The bursts of GRE packets that an attacker forges for each end while data is exchanged, and while none is.
    pub bursts: u32,
    /// Their kinds.
    pub attacks: &'static [Attack],
}

impl Scenario {
    /// Creates the scenario of this seed.
    pub fn from_seed(seed: u64) -> Scenario {
        let mut rng = Rng::from_number(seed);
        let fault = fault(&mut rng);
        let mut scenario = Scenario::plain(seed, &mut rng);
        scenario.quality(&mut rng);
        scenario.tastes(&mut rng);
        scenario.inject(fault);
        // A challenge needs an answer: where packets are lost, an end may take the other one for silent.
        let answers = fault == Fault::None && !scenario.is_lossy();
        if scenario.is_encrypted() && answers && rng.below(4) == 0 {
            scenario.forged = 1 + rng.below(60) as u32;
        }
        scenario.attack(&mut rng);
        scenario
    }

    /// Chooses whether GRE packets are forged for the ends of an encrypted call, and which.
    fn attack(&mut self, rng: &mut Rng) {
        let is_up_at_first = matches!(
            self.fault,
            Fault::None
                | Fault::MtuHole
                | Fault::Nat(Translation::LastSender)
                | Fault::GreLater(_)
                | Fault::TcpLater(_)
                | Fault::TcpReset(_)
                | Fault::Crash(_)
                | Fault::Forgetful(_)
        );
        if !is_up_at_first || !self.is_encrypted() || rng.below(2) == 0 {
            return;
        }
        self.bursts = 1 + rng.below(40) as u32;
        if self.fault != Fault::None || self.is_lossy() {
            self.attacks = Attack::DATA;
        }
        if rng.below(4) == 0 && !self.is_lossy() {
            Arc::make_mut(&mut self.server.link).mppe.stateful = Stateful::Accept;
            for client in &mut self.clients {
                Arc::make_mut(&mut client.link).mppe.stateful = Stateful::Prefer;
            }
        }
    }

    /// Creates a scenario without anything unusual.
    pub fn plain(seed: u64, rng: &mut Rng) -> Scenario {
        let mut link = LinkConfig::new(Side::Client);
        link.credentials = Some(Credentials::new("alice", Password::new("correct horse")));
        let client = ClientConfig {
            control: ControlConfig::client().into(),
            link: link.into(),
            setup: Duration::from_secs(90),
            mtu: 1400,
            call_id: LocalCallId::new(rng.below(65536) as u16),
        };
        let mut link = LinkConfig::new(Side::Server);
        link.local_name = "sim".into();
        link.test_sizes = true;
        let (control, link) = (ControlConfig::server().into(), link.into());
        let server = ServerConfig { control, link, setup: Duration::from_secs(90), mtu: 1400 };
        let account = |name, password| Account { name, password, bar: None };
        let service = Service {
            accounts: vec![account("alice", "correct horse"), account("bob", "battery staple")],
            pool: (10..20).map(|n| Ipv4Addr::new(10, 77, 0, n)).collect(),
            local: INNER,
            dns: vec![Ipv4Addr::new(10, 77, 0, 53)],
            sessions: 100,
            rounds: 0,
            answers_after: Some(Duration::from_millis(rng.below(300))),
            deaf: false,
            mute: false,
            banner: None,
        };
        Scenario {
            seed,
            fault: Fault::None,
            ending: Ending::ClientStops,
            server,
            service,
            clients: vec![client],
            nat: None,
            up: Quality::default(),
            down: Quality::default(),
            datagrams: 8,
            datagram_len: 64,
            idle: Duration::ZERO,
            rude: Vec::new(),
            forged: 0,
            bursts: 0,
            attacks: &Attack::ALL,
        }
    }

    /// Chooses the quality of the lines.
    fn quality(&mut self, rng: &mut Rng) {
        let bad = rng.below(3) == 0;
        for quality in [&mut self.up, &mut self.down] {
            let mut some = |most: u64| if bad { rng.below(most) as u16 } else { 0 };
            quality.loss = some(120);
            quality.duplicate = some(80);
            quality.reorder = some(200);
            quality.jitter = Duration::from_millis(u64::from(some(60)));
            quality.delay = Duration::from_micros(100 + rng.below(150_000));
        }
    }

    /// Chooses variations of the configuration.
    fn tastes(&mut self, rng: &mut Rng) {
        let one_of = |rng: &mut Rng, count| rng.below(count);
        self.ending = match one_of(rng, 5) {
            0 => Ending::ClientEndsCall,
            1 => Ending::ServerEndsCall,
            2 => Ending::ServerStops,
            3 => Ending::BothStop,
            _ => Ending::ClientStops,
        };
        self.datagrams = 5 + rng.below(40) as u32;
        self.datagram_len = 24 + rng.below(1300) as usize;
        for manner in Manner::ALL {
            if one_of(rng, 40) == 0 {
                self.rude.push(manner);
            }
        }
        if one_of(rng, 8) == 0 {
            self.idle = Duration::from_secs(rng.below(400));
        }
        if one_of(rng, 3) == 0 {
            self.nat = Some(Translation::Helper);
        }
        let server = Arc::make_mut(&mut self.server.link);
        (server.pfc, server.acfc) = (one_of(rng, 4) == 0, one_of(rng, 4) == 0);
        server.mru = 1000 + rng.below(501) as u16;
        server.ipv6 = one_of(rng, 4) == 0;
        server.echo = echo(rng);
        for client in &mut self.clients {
            let link = Arc::make_mut(&mut client.link);
            (link.pfc, link.acfc) = (one_of(rng, 4) == 0, one_of(rng, 4) == 0);
            link.mru = 1000 + rng.below(501) as u16;
            link.ipv6 = one_of(rng, 4) == 0;
            link.request_dns = one_of(rng, 4) != 0;
            link.echo = echo(rng);
        }
        self.methods(rng);
        self.encryption(rng);
    }

    fn methods(&mut self, rng: &mut Rng) {
        if rng.below(3) != 0 {
            return;
        }
        let common = match rng.below(4) {
            0 => AuthMethod::Pap,
            1 => AuthMethod::ChapMd5,
            2 => AuthMethod::MsChapV1,
            _ => AuthMethod::MsChapV2,
        };
        let mut methods = vec![AuthMethod::MsChapV2, common];
        methods.dedup();
        Arc::make_mut(&mut self.server.link).methods = methods;
        for client in &mut self.clients {
            Arc::make_mut(&mut client.link).methods = vec![common];
        }
        if !common.gives_keys() {
            self.policy(Mode::Off, Mode::Allow, &[Strength::Bits128]);
        }
    }

    fn encryption(&mut self, rng: &mut Rng) {
        let keys = self.clients.iter().all(|client| client.link.methods.iter().all(|m| m.gives_keys()));
        if !keys || rng.below(3) != 0 {
            return;
        }
        let modes = [Mode::Require, Mode::Prefer, Mode::Allow];
        let mut mode = || modes.get(rng.below(3) as usize).copied().unwrap_or(Mode::Require);
        let (server, client) = (mode(), mode());
        let strengths: &[Strength] = match rng.below(4) {
            0 => &[Strength::Bits40],
            1 => &[Strength::Bits56],
            2 => &[Strength::Bits128, Strength::Bits56, Strength::Bits40],
            _ => &[Strength::Bits128],
        };
        self.policy(server, client, strengths);
    }

    fn policy(&mut self, server: Mode, client: Mode, strengths: &[Strength]) {
        let policy = |mode| MppePolicy { mode, strengths: strengths.to_vec(), stateful: Stateful::Refuse };
        Arc::make_mut(&mut self.server.link).mppe = policy(server);
        for config in &mut self.clients {
            Arc::make_mut(&mut config.link).mppe = policy(client);
        }
    }

    /// Injects a fault.
    pub fn inject(&mut self, fault: Fault) {
        self.fault = fault;
        let require = |strength| MppePolicy { strengths: vec![strength], ..MppePolicy::default() };
        match fault {
            // The reset is built with the addresses that the ends know.
            Fault::TcpReset(_) => self.nat = None,
            Fault::Deaf => self.service.deaf = true,
            Fault::Banner => self.service.banner = Some(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
            Fault::Forgetful(_) => self.idle = Duration::from_secs(300),
            Fault::Mute => self.service.mute = true,
            Fault::WrongPassword => self.credentials("alice", "wrong"),
            Fault::UnknownName => self.credentials("mallory", "correct horse"),
            Fault::Barred(code) => {
                for account in &mut self.service.accounts {
                    account.bar = Some((bar(code), code));
                }
            }
            Fault::SilentDirectory => self.service.answers_after = None,
            Fault::NoMethod => {
                Arc::make_mut(&mut self.server.link).methods = vec![AuthMethod::MsChapV2];
                self.policy(Mode::Allow, Mode::Allow, &[Strength::Bits128]);
                for client in &mut self.clients {
                    Arc::make_mut(&mut client.link).methods = vec![AuthMethod::Pap];
                }
            }
            Fault::ClientClear => {
                self.common_method();
                self.policy(Mode::Require, Mode::Off, &[Strength::Bits128]);
            }
            Fault::ServerClear => {
                self.common_method();
                self.policy(Mode::Off, Mode::Require, &[Strength::Bits128]);
            }
            Fault::Strengths => {
                self.common_method();
                Arc::make_mut(&mut self.server.link).mppe = require(Strength::Bits128);
                for client in &mut self.clients {
                    Arc::make_mut(&mut client.link).mppe = require(Strength::Bits40);
                }
            }
            Fault::PoolEmpty => self.service.pool.clear(),
            Fault::Full => self.service.sessions = 0,
            Fault::Nat(translation) => self.nat = Some(translation),
            Fault::Crowd => self.crowd(),
            Fault::MtuHole => {
                for quality in [&mut self.up, &mut self.down] {
                    (quality.mtu, quality.black_hole) = (600, true);
                }
            }
            _ => {}
        }
    }

    fn credentials(&mut self, name: &str, password: &str) {
        for client in &mut self.clients {
            Arc::make_mut(&mut client.link).credentials =
                Some(Credentials::new(name, Password::new(password)));
        }
    }

    fn common_method(&mut self) {
        Arc::make_mut(&mut self.server.link).methods = vec![AuthMethod::MsChapV2];
        for client in &mut self.clients {
            Arc::make_mut(&mut client.link).methods = vec![AuthMethod::MsChapV2];
        }
    }

    /// Creates two clients with the same Call ID behind a NAT that distinguishes by address.
    fn crowd(&mut self) {
        self.nat = Some(Translation::LastSender);
        if let Some(mut second) = self.clients.first().cloned() {
            Arc::make_mut(&mut second.link).credentials =
                Some(Credentials::new("bob", Password::new("battery staple")));
            self.clients.push(second);
        }
    }

    /// Whether GRE packets may be lost for reasons other than the fault.
    pub fn is_lossy(&self) -> bool {
        [&self.up, &self.down].iter().any(|quality| quality.loss > 0)
    }

    /// Whether the method has numbers for the reasons of a refusal; PAP and CHAP-MD5 have only texts.
    pub fn gives_reason(&self) -> bool {
        self.clients.iter().all(|client| client.link.methods.iter().all(|method| method.gives_keys()))
    }

    /// Whether data is encrypted after set-up: one end asks for it, the other does not refuse, and there are
    /// keys.
    pub fn is_encrypted(&self) -> bool {
        let server = self.server.link.mppe.mode;
        self.clients.iter().all(|client| {
            let client = client.link.mppe.mode;
            server != Mode::Off && client != Mode::Off && (server.asks() || client.asks())
        }) && self.gives_reason()
    }
}

fn echo(rng: &mut Rng) -> Option<Echo> {
    match rng.below(4) {
        0 => Some(Echo { every: Duration::from_secs(5), lost: 4 }),
        1 => Some(Echo { every: Duration::from_secs(60), lost: 2 }),
        _ => Some(Echo::default()),
    }
}

fn bar(code: Code) -> MsChapError {
    match code {
        Code::A02 => MsChapError::AccountDisabled,
        Code::A03 => MsChapError::PasswordExpired,
        Code::A06 => MsChapError::RestrictedHours,
        Code::A11 => MsChapError::NoPermission,
        _ => MsChapError::AuthenticationFailure,
    }
}

fn fault(rng: &mut Rng) -> Fault {
    let soon = Duration::from_millis(rng.below(3000));
    let later = Duration::from_secs(20) + Duration::from_millis(rng.below(30_000));
    let bars = [Code::A02, Code::A03, Code::A06, Code::A11];
    let barred = bars.get(rng.below(4) as usize).copied().unwrap_or(Code::A02);
    let (gre, tcp) = (rng.below(200) as u16, rng.below(2) as u16 * rng.below(100) as u16);
    let forgets = Duration::from_secs(20 + rng.below(60));
    match rng.below(60) {
        0 => Fault::GreOut,
        1 => Fault::GreIn,
        2 => Fault::GreBoth,
        3 => Fault::GreRejected,
        4 => Fault::GreLater(soon),
        5 => Fault::GreLater(later),
        6 => Fault::NoTcp,
        7 => Fault::TcpRejected,
        8 => Fault::TcpLater(soon),
        9 => Fault::TcpLater(later),
        10 => Fault::TcpReset(soon),
        11 => Fault::TcpReset(later),
        12 => Fault::Deaf,
        13 => Fault::Mute,
        14 => Fault::Crash(soon),
        15 => Fault::Crash(later),
        16 => Fault::WrongPassword,
        17 => Fault::UnknownName,
        18 => Fault::Barred(barred),
        19 => Fault::SilentDirectory,
        20 => Fault::NoMethod,
        21 => Fault::ClientClear,
        22 => Fault::ServerClear,
        23 => Fault::Strengths,
        24 => Fault::PoolEmpty,
        25 => Fault::Full,
        26 => Fault::Nat(Translation::LastSender),
        27 => Fault::Nat(Translation::Unmatched),
        28 => Fault::Nat(Translation::ForgetsReply),
        29 => Fault::Nat(Translation::ForgetsKey),
        30 => Fault::Crowd,
        31 | 32 => Fault::Damage(gre, tcp),
        33 => Fault::MtuHole,
        34 => Fault::Forgetful(forgets),
        35 => Fault::Banner,
        _ => Fault::None,
    }
}
