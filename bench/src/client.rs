//! One client: its machines, its connection, and pings or traffic through its tunnel.

use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, Counters};
use adit_ppp::auth::Credentials;
use adit_ppp::link::{LinkConfig, Side};
use adit_pptp::control::ControlConfig;
use adit_tunnel::events::{Command, Event, Input, Up, Why};
use adit_tunnel::path::{Origin, Path, PathConfig, Sink};
use adit_tunnel::{ClientConfig, ClientTunnel, Transmit};
use adit_wire::LocalCallId;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::io::Gre;
use crate::pings::{Pings, echo_request};
use crate::plan::{Load, Plan};
use crate::replies;

/// The result of one client.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The account.
    pub user: String,
    /// From the start of the TCP connection to IPCP; `None` when it did not get that far.
    pub setup: Option<Duration>,
    /// Its inner address.
    pub address: Option<Ipv4Addr>,
    /// Echo requests and replies.
    pub pings: Pings,
    /// What its data path counted.
    pub counters: Counters,
    /// The code, or the error.
    pub failed: Option<String>,
}

/// What is not answered after this time is lost. An answer brings the next ping at once.
const PING_PATIENCE: Duration = Duration::from_secs(2);
/// When octets that did not fit are sent again.
const SEND_AGAIN: Duration = Duration::from_millis(20);

pub(crate) struct Client {
    tunnel: ClientTunnel,
    stream: Rc<TcpStream>,
    gre: Rc<Gre>,
    server: Ipv4Addr,
    /// Its source address; unspecified: as the routing table selects.
    source: Ipv4Addr,
    call_id: u16,
    call: u32,
    path: Option<Path>,
    /// Packets that arrived before the reply to the call was read: a few at most.
    early: Vec<Vec<u8>>,
    up: Option<Up>,
    started: Instant,
    /// When it was last active: came up, or sent a ping.
    active: Option<Instant>,
    hold: Option<Duration>,
    pings_wanted: u32,
    size: u16,
    /// Whether each reply is compared with its request octet by octet.
    compare: bool,
    /// What is sent through its tunnel, and therefore what is a reply.
    load: Load,
    stopping: bool,
    closed: bool,
    /// Wakes the task that reads the connection when it is to end.
    over: Rc<Notify>,
    /// What the connection did not take yet.
    unsent: Vec<u8>,
    /// The time of its timer in the crowd.
    pub(crate) wakes: Option<Instant>,
    outcome: Outcome,
}

/// The connection of a client.
pub(crate) struct Connection {
    pub(crate) stream: Rc<TcpStream>,
    /// Notifies the task that reads the connection of work for it.
    pub(crate) over: Rc<Notify>,
    pub(crate) gre: Rc<Gre>,
}

/// Collects what the path puts out while it is borrowed.
struct Out<'a> {
    gre: &'a Gre,
    source: Ipv4Addr,
    server: Ipv4Addr,
    frames: Vec<(Vec<u8>, Origin)>,
    pings: &'a mut Pings,
    id: u16,
    compare: bool,
    load: Load,
}

impl Sink for Out<'_> {
    fn gre(&mut self, packet: &[u8]) {
        self.gre.send(self.source, self.server, packet);
    }

    fn ip(&mut self, packet: &mut [u8]) {
        match self.load {
            Load::Ping => self.pings.received(packet, self.id, self.compare),
            load => self.pings.answered += u64::from(replies::is_packet(load, packet)),
        }
    }

    fn frame(&mut self, frame: &[u8], origin: Origin) {
        self.pings.answered += u64::from(replies::is_frame(self.load, frame));
        self.frames.push((frame.to_vec(), origin));
    }

    fn dhcp(&mut self, _packet: &[u8]) {}
}

fn client_config(plan: &Plan, user: &str, call_id: u16) -> ClientConfig {
    let mut link = LinkConfig::new(Side::Client);
    link.credentials = Some(Credentials::new(user, Password::new(plan.password.clone())));
    link.methods = vec![AuthMethod::MsChapV2];
    if plan.patient {
        // Only the server sends keep-alives.
        link.echo = None;
    }
    let mut control = ControlConfig::client();
    control.setup_timeout = plan.patience;
    if plan.patient {
        control.echo_every = None;
    }
    ClientConfig {
        control: control.into(),
        link: link.into(),
        setup: plan.patience,
        mtu: 1400,
        call_id: LocalCallId::new(call_id),
    }
}

impl Client {
    /// Client `number` of the plan, whose set-up began at `started`.
    pub(crate) fn new(
        plan: &Plan,
        number: u32,
        connection: Connection,
        started: Instant,
        rng: Rng,
    ) -> Client {
        let Connection { stream, over, gre } = connection;
        let outcome = Outcome { user: plan.user_of(number), ..Outcome::default() };
        let call_id = plan.call_id_of(number);
        let config = client_config(plan, &outcome.user, call_id);
        Client {
            tunnel: ClientTunnel::new(config, *plan.server.ip(), Instant::now(), rng),
            stream,
            gre,
            server: *plan.server.ip(),
            source: plan.source_of(number),
            call_id,
            call: 0,
            path: None,
            early: Vec::new(),
            up: None,
            started,
            active: None,
            hold: (!plan.together).then_some(plan.hold),
            pings_wanted: plan.pings,
            size: plan.size,
            compare: plan.traffic.is_none(),
            load: plan.traffic.map_or(Load::Ping, |traffic| traffic.load),
            stopping: false,
            closed: false,
            over,
            unsent: Vec::new(),
            wakes: None,
            outcome,
        }
    }

    /// Its result.
    pub(crate) fn into_outcome(self) -> Outcome {
        self.outcome
    }

    pub(crate) fn is_up(&self) -> bool {
        self.up.is_some() && !self.closed
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(crate) fn pings(&self) -> &Pings {
        &self.outcome.pings
    }

    /// Octets of the connection; `None` at its end.
    pub(crate) fn control(&mut self, octets: Option<&[u8]>) {
        let input = octets.map_or(Input::ControlClosed, Input::Control);
        self.tunnel.handle_input(Instant::now(), input);
    }

    /// Closes the call.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
        self.tunnel.handle_command(Instant::now(), Command::Stop { why: Why::UserRequest });
    }

    /// Handles pending events and sends pending packets.
    pub(crate) fn settle(&mut self, output: &mut Vec<u8>) {
        self.events();
        while let Some(transmit) = self.tunnel.poll_transmit(output) {
            match transmit {
                Transmit::Control => self.write(output),
                Transmit::Frame { .. } => {
                    let now = Instant::now();
                    self.with_path(|path, out| path.send_frame(now, output, out));
                }
            }
            self.events();
        }
        if !self.unsent.is_empty() {
            let unsent = std::mem::take(&mut self.unsent);
            self.write(&unsent);
        }
    }

    fn write(&mut self, octets: &[u8]) {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(octets);
            return;
        }
        match self.stream.try_write(octets) {
            Ok(len) => self.unsent.extend_from_slice(octets.get(len..).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                self.unsent.extend_from_slice(octets);
            }
            Err(_) => self.tunnel.handle_input(Instant::now(), Input::ControlClosed),
        }
    }

    /// When its next timer is due.
    pub(crate) fn wake(&self) -> Option<Instant> {
        let tunnel = self.tunnel.poll_timeout().map(|(at, _)| at);
        let path = self.path.as_ref().and_then(Path::poll_timeout).map(|(at, _)| at);
        let again = (!self.unsent.is_empty()).then(|| Instant::now() + SEND_AGAIN);
        [tunnel, path, self.next_step(), again].into_iter().flatten().min()
    }

    /// When to ping next, or to close the call.
    fn next_step(&self) -> Option<Instant> {
        let active = self.active.filter(|_| !self.stopping)?;
        let pings = &self.outcome.pings;
        let more = pings.sent < u64::from(self.pings_wanted);
        let waits = pings.answered + pings.damaged < pings.sent && self.pings_wanted > 0;
        let wait = if waits { PING_PATIENCE } else { Duration::ZERO };
        let hold = if more { Duration::ZERO } else { self.hold? };
        Some(active + wait.max(hold))
    }

    pub(crate) fn time(&mut self, now: Instant) {
        self.tunnel.handle_timeout(now);
        self.with_path(|path, out| path.handle_timeout(now, out));
        if self.next_step().is_some_and(|at| at <= now) {
            if self.outcome.pings.sent < u64::from(self.pings_wanted) {
                self.ping(now);
            } else {
                self.stop();
            }
        }
    }

    pub(crate) fn ping(&mut self, now: Instant) {
        let Some(up) = &self.up else { return };
        let sequence = u16::try_from(self.outcome.pings.sent & 0xffff).unwrap_or(0);
        let mut packet = echo_request(up.local, up.peer, self.call_id, sequence, self.size);
        self.active = Some(now);
        self.send(now, &mut packet);
    }

    /// The two ends of its tunnel.
    pub(crate) fn ends(&self) -> Option<(Ipv4Addr, Ipv4Addr)> {
        self.up.as_ref().map(|up| (up.local, up.peer))
    }

    /// Sends an echo request that was made for it.
    pub(crate) fn send(&mut self, now: Instant, packet: &mut [u8]) {
        self.outcome.pings.sent += 1;
        self.with_path(|path, out| path.handle_ip(now, packet, out));
    }

    /// Sends a PPP frame of a control protocol.
    pub(crate) fn send_frame(&mut self, now: Instant, frame: &[u8]) {
        self.outcome.pings.sent += 1;
        self.with_path(|path, out| path.send_frame(now, frame, out));
    }

    pub(crate) fn packet(&mut self, packet: &mut [u8]) {
        let now = Instant::now();
        if self.up.is_none() && self.path.is_none() && self.early.len() < 8 {
            self.early.push(packet.to_vec());
        } else {
            self.with_path(|path, out| path.handle_gre(now, packet, out));
        }
    }

    fn with_path(&mut self, act: impl FnOnce(&mut Path, &mut Out<'_>)) {
        let Some(path) = &mut self.path else { return };
        let mut out = Out {
            gre: &self.gre,
            source: self.source,
            server: self.server,
            frames: Vec::new(),
            pings: &mut self.outcome.pings,
            id: self.call_id,
            compare: self.compare,
            load: self.load,
        };
        act(path, &mut out);
        let frames = std::mem::take(&mut out.frames);
        let call = self.call;
        for (frame, origin) in frames {
            self.tunnel.handle_input(Instant::now(), Input::Frame { call, frame: &frame, origin });
        }
    }

    fn events(&mut self) {
        while let Some(event) = self.tunnel.poll_event() {
            match event {
                Event::OpenPath { call, local_call_id, peer_call_id, .. } => {
                    self.call = call;
                    let config = PathConfig::new(local_call_id, peer_call_id);
                    self.path = Some(Path::new(config, Instant::now()));
                    for mut packet in std::mem::take(&mut self.early) {
                        self.packet(&mut packet);
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
                    self.over.notify_one();
                }
                Event::CallEnded { end, .. } => {
                    self.ended_by(&end);
                    if let Some(path) = self.path.take() {
                        self.outcome.counters = path.counters();
                    }
                }
                Event::Closed { end } => {
                    self.ended_by(&end);
                    self.closed = true;
                    self.over.notify_one();
                }
                _ => {}
            }
        }
    }

    /// Records why the session ended, unless this client ended it.
    fn ended_by(&mut self, end: &adit_tunnel::events::End) {
        if !self.stopping && self.outcome.failed.is_none() {
            let code = end.code.map_or_else(|| end.why.word().to_owned(), |code| code.to_string());
            self.outcome.failed = Some(format!("{code} {}", end.detail));
        }
    }
}
