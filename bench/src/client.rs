//! One client: from the TCP connection to the orderly end, with pings in between.

use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::secret::Password;
use adit_ppp::auth::{Credentials, Method};
use adit_ppp::link::{LinkConfig, Role};
use adit_pptp::control::ControlConfig;
use adit_tunnel::events::{Command, Event, Input, Up, Why};
use adit_tunnel::path::{Counters, Path, PathConfig, Sink};
use adit_tunnel::{ClientConfig, ClientTunnel, Transmit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::io::Gre;
use crate::load::Plan;
use crate::traffic::{self, Pings};

/// How a client fared.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The account.
    pub user: String,
    /// From the start of the TCP connection to IPCP; `None` when it did not come so far.
    pub setup: Option<Duration>,
    /// Its inner address.
    pub address: Option<Ipv4Addr>,
    /// Echo requests and replies.
    pub pings: Pings,
    /// What its data path counted.
    pub counters: Counters,
    /// The code, or what went wrong.
    pub failed: Option<String>,
}

/// What is not answered after this time is lost. An answer brings the next ping at once.
const PING_PATIENCE: Duration = Duration::from_secs(2);

struct Client {
    tunnel: ClientTunnel,
    stream: TcpStream,
    gre: Rc<Gre>,
    packets: mpsc::Receiver<Vec<u8>>,
    server: Ipv4Addr,
    call_id: u16,
    call: u32,
    path: Option<Path>,
    /// Packets that came before the reply to the call was read, a handful at the most.
    early: Vec<Vec<u8>>,
    up: Option<Up>,
    started: Instant,
    /// When it last did something: came up, or sent a ping.
    active: Option<Instant>,
    hold: Duration,
    pings_wanted: u32,
    size: u16,
    stopping: bool,
    closed: bool,
    outcome: Outcome,
}

/// Collects what the path puts out while it is borrowed.
struct Out<'a> {
    gre: &'a Gre,
    server: Ipv4Addr,
    frames: Vec<Vec<u8>>,
    pings: &'a mut Pings,
    id: u16,
}

impl Sink for Out<'_> {
    fn gre(&mut self, packet: &[u8]) {
        self.gre.send(self.server, packet);
    }

    fn ip(&mut self, packet: &mut [u8]) {
        self.pings.received(packet, self.id);
    }

    fn frame(&mut self, frame: &[u8]) {
        self.frames.push(frame.to_vec());
    }

    fn dhcp(&mut self, _packet: &[u8]) {}
}

/// Runs client `number` of the plan.
pub(crate) async fn run(plan: &Plan, number: u32, gre: Rc<Gre>, rng: Rng) -> Outcome {
    let started = Instant::now();
    let outcome = Outcome { user: plan.user_of(number), ..Outcome::default() };
    let call_id = u16::try_from(number % 65_535 + 1).unwrap_or(1);
    let connected = tokio::time::timeout(Duration::from_secs(30), TcpStream::connect(plan.server)).await;
    let stream = match connected {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Outcome { failed: Some(error.to_string()), ..outcome },
        Err(_) => return Outcome { failed: Some("C01".to_owned()), ..outcome },
    };
    let _ = stream.set_nodelay(true);
    let packets = gre.listen(call_id);
    let server = *plan.server.ip();
    let config = client_config(plan, &outcome.user, call_id);
    let client = Client {
        tunnel: ClientTunnel::new(config, server, Instant::now(), rng),
        stream,
        gre: Rc::clone(&gre),
        packets,
        server,
        call_id,
        call: 0,
        path: None,
        early: Vec::new(),
        up: None,
        started,
        active: None,
        hold: plan.hold,
        pings_wanted: plan.pings,
        size: plan.size,
        stopping: false,
        closed: false,
        outcome,
    };
    let outcome = client.run().await;
    gre.forget(call_id);
    outcome
}

fn client_config(plan: &Plan, user: &str, call_id: u16) -> ClientConfig {
    let mut link = LinkConfig::new(Role::Client);
    link.credentials = Some(Credentials::new(user, Password::new(plan.password.clone())));
    link.methods = vec![Method::MsChapV2];
    ClientConfig {
        control: ControlConfig::client(),
        link,
        setup: Duration::from_secs(60),
        mtu: 1400,
        call_id,
    }
}

impl Client {
    async fn run(mut self) -> Outcome {
        let mut input = [0u8; 2048];
        let mut output = Vec::new();
        loop {
            self.events();
            self.transmit(&mut output).await;
            if self.closed {
                break;
            }
            let wake = self.wake();
            tokio::select! {
                read = self.stream.read(&mut input) => match read {
                    Ok(0) | Err(_) => self.tunnel.handle_input(Instant::now(), Input::ControlClosed),
                    Ok(len) => self.tunnel.handle_input(Instant::now(), Input::Control(&input[..len])),
                },
                packet = self.packets.recv() => if let Some(packet) = packet { self.packet(packet) },
                () = tokio::time::sleep_until(wake.into()) => self.time(),
            }
        }
        self.outcome
    }

    fn wake(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3600);
        let tunnel = self.tunnel.poll_timeout().map(|(at, _)| at);
        let path = self.path.as_ref().and_then(Path::poll_timeout).map(|(at, _)| at);
        let ping = self.next_step();
        [tunnel, path, ping].into_iter().flatten().min().unwrap_or(far)
    }

    /// When to ping next, or to hang up.
    fn next_step(&self) -> Option<Instant> {
        let active = self.active.filter(|_| !self.stopping)?;
        let pings = &self.outcome.pings;
        let wait = if pings.answered + pings.damaged >= pings.sent { Duration::ZERO } else { PING_PATIENCE };
        let hold = if pings.sent < u64::from(self.pings_wanted) { Duration::ZERO } else { self.hold };
        Some(active + wait.max(hold))
    }

    fn time(&mut self) {
        let now = Instant::now();
        self.tunnel.handle_timeout(now);
        self.with_path(|path, out| path.handle_timeout(now, out));
        if self.next_step().is_some_and(|at| at <= now) {
            if self.outcome.pings.sent < u64::from(self.pings_wanted) {
                self.ping(now);
            } else {
                self.stopping = true;
                self.tunnel.handle_command(now, Command::Stop { why: Why::UserRequest });
            }
        }
    }

    fn ping(&mut self, now: Instant) {
        let Some(up) = &self.up else { return };
        let sequence = u16::try_from(self.outcome.pings.sent & 0xffff).unwrap_or(0);
        let mut packet = traffic::echo_request(up.local, up.peer, self.call_id, sequence, self.size);
        self.outcome.pings.sent += 1;
        self.active = Some(now);
        self.with_path(|path, out| path.handle_ip(now, &mut packet, out));
    }

    fn packet(&mut self, mut packet: Vec<u8>) {
        let now = Instant::now();
        if self.up.is_none() && self.path.is_none() && self.early.len() < 8 {
            self.early.push(packet);
        } else {
            self.with_path(|path, out| path.handle_gre(now, &mut packet, out));
        }
    }

    fn with_path(&mut self, act: impl FnOnce(&mut Path, &mut Out<'_>)) {
        let Some(path) = &mut self.path else { return };
        let mut out = Out {
            gre: &self.gre,
            server: self.server,
            frames: Vec::new(),
            pings: &mut self.outcome.pings,
            id: self.call_id,
        };
        act(path, &mut out);
        let frames = std::mem::take(&mut out.frames);
        let call = self.call;
        for frame in frames {
            self.tunnel.handle_input(Instant::now(), Input::Frame { call, frame: &frame });
        }
    }

    fn events(&mut self) {
        while let Some(event) = self.tunnel.poll_event() {
            match event {
                Event::OpenPath { call, local_call_id, peer_call_id } => {
                    self.call = call;
                    let config = PathConfig::new(local_call_id, peer_call_id);
                    self.path = Some(Path::new(config, Instant::now()));
                    for packet in std::mem::take(&mut self.early) {
                        self.packet(packet);
                    }
                }
                Event::Path { command, .. } => {
                    if let Some(path) = &mut self.path {
                        path.command(Instant::now(), command);
                    }
                }
                Event::Up { up, .. } => {
                    self.outcome.setup.get_or_insert(self.started.elapsed());
                    self.outcome.address = Some(up.local);
                    self.up = Some(up);
                    self.active.get_or_insert_with(Instant::now);
                }
                Event::CallEnded { end, .. } | Event::Closed { end } if self.closed_by(&end) => {}
                Event::CallEnded { .. } => {
                    if let Some(path) = self.path.take() {
                        self.outcome.counters = path.counters();
                    }
                }
                Event::Closed { .. } => self.closed = true,
                _ => {}
            }
        }
    }

    /// Notes why it ended if that was not our wish; never swallows the event.
    fn closed_by(&mut self, end: &adit_tunnel::events::End) -> bool {
        if !self.stopping && self.outcome.failed.is_none() {
            let code = end.code.map_or_else(|| end.why.word().to_owned(), |code| code.to_string());
            self.outcome.failed = Some(format!("{code} {}", end.detail));
        }
        false
    }

    async fn transmit(&mut self, output: &mut Vec<u8>) {
        while let Some(transmit) = self.tunnel.poll_transmit(output) {
            match transmit {
                Transmit::Control => {
                    if self.stream.write_all(output).await.is_err() {
                        self.tunnel.handle_input(Instant::now(), Input::ControlClosed);
                    }
                }
                Transmit::Frame { .. } => {
                    let now = Instant::now();
                    self.with_path(|path, out| path.send_frame(now, output, out));
                }
            }
            self.events();
        }
    }
}
