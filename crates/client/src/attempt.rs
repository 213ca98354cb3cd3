//! One connection attempt: from the TCP connection to the last packet.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_dataplane::{Dataplane, DataplaneConfig, Event as PathEvent, Events, Io};
use adit_diag::note::{Finding, LayerUp};
use adit_diag::{Code, Layer, Note};
use adit_ppp::auth::Credentials;
use adit_ppp::ccp::Mode;
use adit_ppp::link::{Echo, LinkConfig, Side};
use adit_pptp::control::ControlConfig;
use adit_sys::tun::Tun;
use adit_tunnel::events::{Command, Event, Input, Up, Why};
use adit_tunnel::path::PathConfig;
use adit_tunnel::{ClientConfig, ClientTunnel, Transmit};
use adit_wire::LocalCallId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::failure::Failure;
use crate::options::ConnectOptions;
use crate::progress::Progress;

/// Interval at which the packet counters are read.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// A server that does not read our data for this long is considered dead.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Report of a running attempt.
pub(crate) enum Report {
    /// A progress line for the user.
    Progress(Progress),
    /// The tunnel is up: the host can be configured. Boxed, because it is large and rare.
    Up(Box<Up>),
}

/// A tunnel that is being set up or carries traffic.
pub(crate) struct Attempt<'a> {
    options: &'a ConnectOptions,
    server: SocketAddrV4,
    tunnel: ClientTunnel,
    stream: TcpStream,
    dataplane: Dataplane,
    packets: mpsc::UnboundedReceiver<PathEvent>,
    call_id: LocalCallId,
    call: u32,
    local: Ipv4Addr,
    began: Instant,
    failure: Option<Failure>,
    closed: bool,
}

impl<'a> Attempt<'a> {
    /// Starts PPTP on an open TCP connection; `tun` is the tunnel interface.
    pub(crate) fn new(
        options: &'a ConnectOptions,
        server: SocketAddrV4,
        stream: TcpStream,
        tun: Tun,
        mut rng: Rng,
        began: Instant,
    ) -> Result<Attempt<'a>, Failure> {
        let local = match stream.local_addr() {
            Ok(std::net::SocketAddr::V4(local)) => *local.ip(),
            _ => return Err(Failure::new(Code::C03, "the connection was closed at once")),
        };
        let plane = DataplaneConfig {
            io: options.io,
            near: Some(*server.ip()),
            remember: Some(adit_dataplane::remembered_in(&options.state_dir)),
            ..DataplaneConfig::client()
        };
        let (dataplane, events) = Dataplane::start(plane, tun).map_err(host_failure)?;
        let call_id = dataplane
            .reserve_call_id(*server.ip())
            .ok_or_else(|| Failure::new(Code::S08, "no Call ID is free on this host"))?;
        let tunnel = ClientTunnel::new(config(options, call_id), *server.ip(), Instant::now(), rng.fork());
        Ok(Attempt {
            options,
            server,
            tunnel,
            stream,
            dataplane,
            packets: forward(events),
            call_id,
            call: 0,
            local,
            began,
            failure: None,
            closed: false,
        })
    }

    /// Why a raw socket carries the packets although AF_XDP was requested.
    pub(crate) fn xdp_refused(&self) -> Option<String> {
        let why = self.dataplane.no_xdp();
        (self.options.io == Io::Xdp && !why.is_empty()).then(|| format!("the socket is used: {why}"))
    }

    /// Runs the attempt to its end; `stop` requests an orderly shutdown.
    pub(crate) async fn run(
        mut self,
        mut stop: tokio::sync::watch::Receiver<bool>,
        report: &mut impl AsyncFnMut(Report) -> Result<(), Failure>,
    ) -> Failure {
        let mut input = [0u8; 2048];
        let mut output = Vec::with_capacity(2048);
        let mut count = tokio::time::interval(COUNT_EVERY);
        let mut stopping = false;
        while self.turn(&mut output, report).await {
            let wake = self.tunnel.poll_timeout().map(|(at, _)| at);
            tokio::select! {
                read = self.stream.read(&mut input) => match read {
                    Ok(0) | Err(_) => self.tunnel.handle_input(Instant::now(), Input::ControlClosed),
                    Ok(len) => self.tunnel.handle_input(Instant::now(), Input::Control(&input[..len])),
                },
                event = self.packets.recv() => if let Some(event) = event { self.path_event(event) },
                () = sleep_until(wake) => self.tunnel.handle_timeout(Instant::now()),
                _ = count.tick() => self.count(),
                _ = stop.changed(), if !stopping => {
                    stopping = true;
                    self.failure.get_or_insert(Failure { code: None, detail: "disconnected".to_owned() });
                    self.tunnel.handle_command(Instant::now(), Command::Stop { why: Why::UserRequest });
                }
            }
        }
        let _ = self.stream.shutdown().await;
        self.dataplane.stop();
        self.failure.unwrap_or(Failure { code: None, detail: "the server ended the connection".to_owned() })
    }

    /// Handles pending events, then sends pending output. Returns `false` when the connection is closed.
    async fn turn(
        &mut self,
        output: &mut Vec<u8>,
        report: &mut impl AsyncFnMut(Report) -> Result<(), Failure>,
    ) -> bool {
        loop {
            while let Some(event) = self.tunnel.poll_event() {
                if let Err(failure) = self.event(event, report).await {
                    self.failure.get_or_insert(failure);
                    self.tunnel.handle_command(Instant::now(), Command::Stop { why: Why::Failed });
                }
            }
            match self.tunnel.poll_transmit(output) {
                Some(Transmit::Control) => {
                    let written = tokio::time::timeout(WRITE_TIMEOUT, self.stream.write_all(output)).await;
                    if !matches!(written, Ok(Ok(()))) && !self.closed {
                        self.tunnel.handle_input(Instant::now(), Input::ControlClosed);
                    }
                }
                Some(Transmit::Frame { .. }) => self.dataplane.send_frame(self.call_id, output.clone()),
                None => return !self.closed,
            }
        }
    }

    async fn event(
        &mut self,
        event: Event,
        report: &mut impl AsyncFnMut(Report) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match event {
            Event::OpenPath { call, local_call_id, peer_call_id, window } => {
                self.call = call;
                let config = PathConfig {
                    encryption_required: self.options.mppe.mode == Mode::Require,
                    mtu: self.options.mtu,
                    window: if self.options.windowing { window } else { 0 },
                    ..PathConfig::new(local_call_id, peer_call_id)
                };
                self.dataplane.open(local_call_id, self.local, *self.server.ip(), config);
            }
            Event::Path { command, .. } => self.dataplane.command(self.call_id, command),
            Event::Established { host, vendor } => {
                let who = [vendor, host].into_iter().find(|name| !name.is_empty()).unwrap_or_default();
                let text = format!("tcp {} open, PPTP 1.0 \"{who}\"", self.server.port());
                report(Report::Progress(Progress::ok(Layer::Control, text, self.began.elapsed()))).await?;
            }
            Event::Note { note: Note::LayerUp(up), .. } => {
                let text = if up == LayerUp::Gre { "both ways".to_owned() } else { up.to_string() };
                // The GRE line waits for proof of both directions; the address line is reported with the host's set-up.
                if !matches!(up, LayerUp::Control { .. } | LayerUp::Address { .. }) {
                    report(Report::Progress(Progress::ok(up.layer(), text, self.began.elapsed()))).await?;
                }
            }
            Event::CountTraffic { .. } => self.count(),
            Event::Up { up, .. } => report(Report::Up(Box::new(up))).await?,
            Event::CallEnded { end, .. } => {
                self.failure.get_or_insert(end.into());
                self.dataplane.close(self.call_id);
                self.tunnel.handle_command(Instant::now(), Command::Stop { why: Why::UserRequest });
            }
            Event::Closed { end } => {
                self.failure.get_or_insert(end.into());
                self.closed = true;
            }
            Event::Note { note: Note::Finding(finding @ Finding::Unanswered { .. }), .. } => {
                let text = format!("{} ({}): adit explain {0}", finding.code(), finding);
                report(Report::Progress(Progress::note(Layer::Route, text, self.began.elapsed()))).await?;
            }
            // `Ask` is for servers only; other notes are for the record of `adit doctor`.
            Event::Ask { .. } | Event::Note { .. } => {}
        }
        Ok(())
    }

    fn path_event(&mut self, event: PathEvent) {
        let now = Instant::now();
        let call = self.call;
        match event {
            PathEvent::Frame { frame, origin, .. } => {
                self.tunnel.handle_input(now, Input::Frame { call, frame: &frame, origin });
            }
            PathEvent::DataRejected { .. } => self.tunnel.handle_input(now, Input::DataRejected { call }),
            PathEvent::Acknowledged { .. } => self.tunnel.handle_input(now, Input::Acknowledged { call }),
            PathEvent::Unreachable { from, code, .. } => {
                self.tunnel.handle_input(now, Input::Unreachable { call, from, code });
            }
            PathEvent::EncryptionBroken { .. } => {
                let detail = "the server keeps sending data that is not encrypted as agreed";
                self.failure.get_or_insert(Failure::new(Code::E05, detail));
                self.tunnel.handle_command(now, Command::Stop { why: Why::Failed });
            }
            PathEvent::Dhcp { .. } => {}
        }
    }

    fn count(&mut self) {
        if let Some(counters) = self.dataplane.counters(self.call_id) {
            let (received, sent) = (counters.rx_packets, counters.tx_packets);
            let call = self.call;
            self.tunnel.handle_input(Instant::now(), Input::Traffic { call, received, sent });
        }
        if let Some(unmatched) = self.dataplane.unmatched(self.call_id, *self.server.ip(), self.began) {
            let call = self.call;
            self.tunnel.handle_input(Instant::now(), Input::Unmatched { call, unmatched });
        }
    }
}

fn config(options: &ConnectOptions, call_id: LocalCallId) -> ClientConfig {
    let mut link = LinkConfig::new(Side::Client);
    link.mru = options.mtu;
    link.methods.clone_from(&options.methods);
    link.mppe = options.mppe.clone();
    let (domain, name) = options.user.rsplit_once('\\').unwrap_or(("", &options.user));
    let credentials = Credentials::new(name, options.password.clone());
    link.credentials = Some(Credentials { domain: domain.to_owned(), ..credentials });
    link.request_dns = options.dns;
    link.echo = options.echo.map(|(every, lost)| Echo { every, lost });
    ClientConfig {
        control: ControlConfig::client().into(),
        link: link.into(),
        setup: options.setup,
        mtu: options.mtu,
        call_id,
    }
}

/// A failure of this host, with the code of the error.
pub(crate) fn host_failure(error: adit_sys::Error) -> Failure {
    Failure::new(error.code().unwrap_or(Code::S08), error.to_string())
}

/// Forwards the events of the data plane, which a thread of its own waits for.
fn forward(events: Events) -> mpsc::UnboundedReceiver<PathEvent> {
    // Bounded in effect: the data plane limits the queue of a call, and there is only one call.
    let (sender, receiver) = mpsc::unbounded_channel();
    let spawned = std::thread::Builder::new().name("adit-events".to_owned()).spawn(move || {
        while let Some(event) = events.recv() {
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    if let Err(error) = spawned {
        eprintln!("error    no thread for packets: {error}");
    }
    receiver
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
