//! A conversation to be played: who is configured how, what lies between them, and what breaks.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use adit_crypto::Rng;
use adit_crypto::mppe::Strength;
use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, Code};
use adit_ppp::auth::{Credentials, MsChapError};
use adit_ppp::ccp::{Mode, MppePolicy};
use adit_ppp::link::{Echo, LinkConfig, Side};
use adit_pptp::control::ControlConfig;
use adit_tunnel::{ClientConfig, ServerConfig};
use adit_wire::LocalCallId;

use crate::link::Quality;
use crate::nat::Translation;
use crate::rewrite::Rewrite;
use crate::rude::Manner;
use crate::server::{Account, Service};

/// The server, as the world knows it.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The first client in its site; a second one has the next address.
pub const CLIENT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 10);
/// The client's translator, as the world knows it.
pub const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 5);
/// The server in the tunnel.
pub const INNER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// What breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// GRE from client to server vanishes.
    GreOut,
    /// GRE from server to client vanishes.
    GreIn,
    /// Both vanish.
    GreBoth,
    /// The client's router answers GRE in both directions with ICMP "administratively prohibited".
    GreRejected,
    /// GRE vanishes both ways after this time.
    GreLater(Duration),
    /// TCP vanishes from the beginning.
    NoTcp,
    /// The client's router answers TCP with a reset.
    TcpRejected,
    /// TCP vanishes after this time.
    TcpLater(Duration),
    /// Both ends get a reset at this time.
    TcpReset(Duration),
    /// No server listens on the server's port.
    Deaf,
    /// The server accepts TCP and never says a word.
    Mute,
    /// The server crashes at this time.
    Crash(Duration),
    /// The password is wrong.
    WrongPassword,
    /// The name is unknown.
    UnknownName,
    /// The account may not come in, with this code.
    Barred(Code),
    /// The directory never answers.
    SilentDirectory,
    /// Server and client have no method in common.
    NoMethod,
    /// The server requires encryption, the client has it off.
    ClientClear,
    /// The client requires encryption, the server has it off.
    ServerClear,
    /// Both require encryption, with other key lengths.
    Strengths,
    /// No address is left.
    PoolEmpty,
    /// No session is left.
    Full,
    /// The client's translator treats GRE so; [`Translation::Helper`] is no fault.
    Nat(Translation),
    /// Two clients behind a translator without a helper.
    Crowd,
    /// So many GRE packets and TCP segments out of a thousand are damaged.
    Damage(u16, u16),
    /// Packets larger than the path's MTU vanish.
    MtuHole,
    /// The client's firewall forgets GRE after so much silence; the call is silent for longer.
    Forgetful(Duration),
    /// Something else listens on the server's port.
    Banner,
    /// One thing is changed on the way.
    Rewritten(Rewrite),
}

/// How a conversation that works is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client hangs up.
    ClientStops,
    /// The client ends its call.
    ClientEndsCall,
    /// The server's operator ends the call.
    ServerEndsCall,
    /// The server is being stopped.
    ServerStops,
    /// Both hang up at once.
    BothStop,
}

/// Everything about a conversation; equal for equal seeds.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its origin.
    pub seed: u64,
    /// What breaks.
    pub fault: Fault,
    /// How it ends if nothing breaks.
    pub ending: Ending,
    /// The server.
    pub server: ServerConfig,
    /// What the server does besides.
    pub service: Service,
    /// The clients.
    pub clients: Vec<ClientConfig>,
    /// How the client's translator works, if it has one.
    pub nat: Option<Translation>,
    /// From client to server.
    pub up: Quality,
    /// From server to client.
    pub down: Quality,
    /// Inner datagrams to send each way.
    pub datagrams: u32,
    /// Their length.
    pub datagram_len: usize,
    /// Silence between traffic and end.
    pub idle: Duration,
    /// Others who use the server at the same time.
    pub rude: Vec<Manner>,
}

impl Scenario {
    /// The conversation of this number.
    pub fn from_seed(seed: u64) -> Scenario {
        let mut rng = Rng::from_number(seed);
        let fault = fault(&mut rng);
        let mut scenario = Scenario::plain(seed, &mut rng);
        scenario.quality(&mut rng);
        scenario.tastes(&mut rng);
        scenario.inject(fault);
        scenario
    }

    /// A conversation in which nothing is unusual.
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
        }
    }

    /// Lines good and bad.
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

    /// What people configure differently.
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
        let policy = |mode| MppePolicy { mode, strengths: strengths.to_vec(), stateless_only: true };
        Arc::make_mut(&mut self.server.link).mppe = policy(server);
        for config in &mut self.clients {
            Arc::make_mut(&mut config.link).mppe = policy(client);
        }
    }

    /// Breaks something.
    pub fn inject(&mut self, fault: Fault) {
        self.fault = fault;
        let require = |strength| MppePolicy { strengths: vec![strength], ..MppePolicy::default() };
        match fault {
            // The reset is made from the addresses that the ends know.
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

    /// Two clients with one Call ID behind a translator that goes by addresses.
    fn crowd(&mut self) {
        self.nat = Some(Translation::LastSender);
        if let Some(mut second) = self.clients.first().cloned() {
            Arc::make_mut(&mut second.link).credentials =
                Some(Credentials::new("bob", Password::new("battery staple")));
            self.clients.push(second);
        }
    }

    /// Whether GRE packets may be missing for other reasons than the fault.
    pub fn is_lossy(&self) -> bool {
        [&self.up, &self.down].iter().any(|quality| quality.loss > 0)
    }

    /// Whether the method has numbers for the reasons of a refusal; PAP and CHAP-MD5 have words alone.
    pub fn gives_reason(&self) -> bool {
        self.clients.iter().all(|client| client.link.methods.iter().all(|method| method.gives_keys()))
    }

    /// Whether data is encrypted once everything is settled: one end asks, the other does not refuse, and there are keys.
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
