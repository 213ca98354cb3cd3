//! The control connection, the call and its link, driven by one thread: TCP, the GRE socket, and the
//! inside of the tunnel.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use adit_diag::note::LayerUp;
use adit_diag::{Layer, Note};
use adit_netstack::Stack;
use adit_sys::gre::{GreSocket, IcmpKind, RecvBatch, SendBatch};
use adit_sys::poll::{Interest, Poller};
use adit_tunnel::events::{Command, End, Event, Input, Up, Why};
use adit_tunnel::path::{Collected, HEADROOM, Origin, Path, PathConfig};
use adit_tunnel::{ClientConfig, ClientTunnel, Transmit};
use adit_wire::{LocalCallId, PeerCallId, cp, gre, ppp};

use crate::bounds::GOODBYE;
use crate::record::Recorder;
use crate::stop::Stop;

const TCP: u64 = 0;
const GRE: u64 = 1;
const RECORDER: u64 = 2;
const STOP: u64 = 3;
const BATCH: usize = 32;
/// Maximum number of bytes kept of the first data from the server.
const FIRST_MAX: usize = 64;
/// Timeout of the answer to LCP's Terminate-Request.
const TERMINATE: Duration = Duration::from_millis(700);
/// The largest IP packet.
const PACKET: usize = 65_536;
/// Maximum number of replies to our own LCP echoes kept.
const ECHOES_MAX: usize = 512;
/// LCP option Magic-Number (RFC 1661 section 6.4).
const MAGIC: u8 = 5;
/// First data of our own LCP echoes, which distinguishes them from the link's keep-alive.
pub(crate) const MARK: &[u8; 4] = b"adit";

/// Events and counters of a call so far.
#[derive(Debug, Default)]
pub(crate) struct CallRecord {
    /// Host name and vendor name of the server.
    pub(crate) established: Option<(String, String)>,
    /// Both Call IDs.
    pub(crate) granted: Option<(LocalCallId, PeerCallId)>,
    /// Whether a frame arrived over GRE.
    pub(crate) heard: bool,
    /// The layers that came up.
    pub(crate) layers: Vec<LayerUp>,
    pub(crate) up: Option<Up>,
    pub(crate) call_end: Option<End>,
    pub(crate) end: Option<End>,
    /// The error, if the system refused to send GRE.
    pub(crate) denied: Option<String>,
    /// The largest MSS that a target announced, as it arrived here.
    pub(crate) mss: Option<u16>,
    /// Number of packets from the server that could not be decrypted, and of those that could.
    pub(crate) decrypted: (u64, u64),
    /// Whether we ended the call, and nothing had ended it before.
    pub(crate) hung_up: bool,
    /// The first data from the server, up to a limit.
    pub(crate) first_words: Vec<u8>,
    /// Source of GRE packets of our call that is not the server's address.
    pub(crate) elsewhere: Option<Ipv4Addr>,
}

/// Replies to our own LCP echoes, and acknowledgments in the server's GRE packets.
#[derive(Debug, Default)]
pub(crate) struct Echoes {
    /// Number and time of each reply.
    pub(crate) answers: Vec<(u32, Instant)>,
    /// Sequence numbers that the server's GRE packets acknowledged.
    pub(crate) acked: Vec<u32>,
    /// Our Magic-Number.
    magic: [u8; 4],
}

/// One call and its control connection.
pub(crate) struct Call<'a> {
    pub(crate) record: CallRecord,
    pub(crate) echoes: Echoes,
    pub(crate) stack: Option<Stack>,
    pub(crate) server: Ipv4Addr,
    pub(crate) recorder: &'a mut Recorder,
    pub(crate) gre: Option<&'a GreSocket>,
    tunnel: ClientTunnel,
    stream: TcpStream,
    unsent: Vec<u8>,
    path: Option<Path>,
    handle: u32,
    acknowledged: bool,
    terminate_id: u8,
    /// Without an account, only LCP frames are sent.
    lcp_only: bool,
    encryption_required: bool,
    mtu: u16,
    local: Option<Ipv4Addr>,
    received: RecvBatch,
    sending: SendBatch,
    poller: Poller,
    stop: &'a Stop,
    stopping: bool,
}

/// Configuration of a call.
pub(crate) struct Plan {
    pub(crate) config: ClientConfig,
    pub(crate) lcp_only: bool,
    pub(crate) encryption_required: bool,
    pub(crate) rng: adit_crypto::Rng,
}

impl<'a> Call<'a> {
    /// Starts PPTP on an open connection.
    pub(crate) fn new(
        plan: Plan,
        server: Ipv4Addr,
        stream: TcpStream,
        gre: Option<&'a GreSocket>,
        recorder: &'a mut Recorder,
        stop: &'a Stop,
    ) -> adit_sys::Result<Call<'a>> {
        let poller = Poller::new()?;
        poller.add(&stream, TCP, Interest::Read)?;
        if let Some(gre) = gre {
            poller.add(gre, GRE, Interest::Read)?;
        }
        if let Some(observer) = recorder.observer() {
            poller.add(observer, RECORDER, Interest::Read)?;
        }
        poller.add(stop.waker(), STOP, Interest::Read)?;
        let local = stream.local_addr().ok().and_then(|local| crate::record::v4(local.ip()));
        let mtu = plan.config.mtu;
        Ok(Call {
            record: CallRecord::default(),
            echoes: Echoes::default(),
            stack: None,
            server,
            recorder,
            gre,
            tunnel: ClientTunnel::new(plan.config, server, Instant::now(), plan.rng),
            stream,
            unsent: Vec::new(),
            path: None,
            handle: 0,
            acknowledged: false,
            terminate_id: 0,
            lcp_only: plan.lcp_only,
            encryption_required: plan.encryption_required,
            mtu,
            local,
            received: RecvBatch::new(BATCH, PACKET),
            sending: SendBatch::new(BATCH, PACKET),
            poller,
            stop,
            stopping: false,
        })
    }

    /// Runs until `done`, the deadline, the end of the connection, or a stop request. Returns whether it is done.
    pub(crate) fn work(&mut self, until: Instant, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        loop {
            self.drain();
            if done(self) {
                return true;
            }
            let is_requested = self.stop.is_requested() && !self.stopping;
            if self.record.end.is_some() || is_requested || Instant::now() >= until {
                return false;
            }
            self.turn(until);
        }
    }

    /// Whether the user requested a stop.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_requested()
    }

    /// Whether the call can still be used.
    pub(crate) fn lives(&self) -> bool {
        self.record.end.is_none() && self.record.call_end.is_none()
    }

    /// Ends the call and the connection in order.
    pub(crate) fn goodbye(&mut self) {
        self.stopping = true;
        self.record.hung_up |= self.lives();
        self.tunnel.handle_command(Instant::now(), Command::Stop { why: Why::UserRequest });
        self.work(Instant::now() + TERMINATE, |call| call.record.call_end.is_some());
        if self.record.call_end.is_none() && self.record.end.is_none() {
            // GRE gets no answer. Terminate LCP as if it had, so that the call is cleared over TCP.
            let frame = cp::frame(ppp::LCP, cp::TERMINATE_ACK, self.terminate_id, &[]);
            let call = self.handle;
            self.tunnel
                .handle_input(Instant::now(), Input::Frame { call, frame: &frame, origin: Origin::Clear });
        }
        self.work(Instant::now() + GOODBYE, |_| false);
        if let Some(path) = &self.path {
            let counters = path.counters();
            self.record.decrypted = (counters.decrypt_failures, counters.rx_packets);
        }
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
        // The answers to the shutdown belong to the capture.
        std::thread::sleep(Duration::from_millis(20));
        self.recorder.turn();
    }

    fn turn(&mut self, until: Instant) {
        let now = Instant::now();
        let path = self.path.as_ref().and_then(Path::poll_timeout);
        let stack = self.stack.as_mut().and_then(|stack| stack.poll_timeout(now));
        let next = [self.tunnel.poll_timeout(), path, stack].into_iter().flatten().map(|(at, _)| at).min();
        let wake = next.map_or(until, |at| at.min(until));
        let (mut tcp, mut gre) = (false, false);
        let waited = self.poller.wait(Some(wake.saturating_duration_since(now)), |ready| match ready.token {
            TCP => tcp = true,
            GRE => gre = true,
            _ => {}
        });
        if waited.is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        if self.stop.is_requested() {
            // The waker stays readable until it is cleared; waits would return at once.
            self.stop.waker().clear();
        }
        if tcp {
            self.read_control();
        }
        if gre {
            self.read_gre();
        }
        self.recorder.turn();
        let now = Instant::now();
        if self.tunnel.poll_timeout().is_some_and(|(at, _)| now >= at) {
            self.tunnel.handle_timeout(now);
        }
        if let Some((at, _)) = path.filter(|(at, _)| now >= *at) {
            let _ = at;
            self.with_path(|path, out| path.handle_timeout(now, out));
        }
        if let Some(stack) = &mut self.stack {
            stack.handle_timeout(now);
        }
    }

    fn read_control(&mut self) {
        let mut buffer = [0; 2048];
        match self.stream.read(&mut buffer) {
            Ok(0) => self.control_closed(),
            Ok(len) => {
                let octets = buffer.get(..len).unwrap_or_default();
                if self.record.first_words.is_empty() {
                    self.record.first_words = octets.get(..FIRST_MAX).unwrap_or(octets).to_vec();
                }
                self.tunnel.handle_input(Instant::now(), Input::Control(octets));
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.control_closed(),
        }
    }

    fn control_closed(&mut self) {
        let _ = self.poller.remove(&self.stream);
        self.tunnel.handle_input(Instant::now(), Input::ControlClosed);
    }

    fn read_gre(&mut self) {
        let Some(socket) = self.gre else { return };
        let now = Instant::now();
        let mut packets: Vec<(Ipv4Addr, Vec<u8>)> = Vec::new();
        if socket.receive(&mut self.received).is_ok() {
            packets.extend(self.received.packets().map(|packet| (packet.source, packet.gre.to_vec())));
        }
        for (source, mut packet) in packets {
            let Ok(header) = gre::Repr::parse(&packet) else { continue };
            let ours = self
                .path
                .as_ref()
                .is_some_and(|path| path.local_call_id() == LocalCallId::new(header.call_id));
            if source != self.server {
                if ours {
                    // Only record it: like any client, the call ignores it.
                    self.record.elsewhere.get_or_insert(source);
                }
                continue;
            }
            if let (true, Some(ack)) = (ours && self.echoes.acked.len() < ECHOES_MAX, header.ack) {
                self.echoes.acked.push(ack);
            }
            self.with_path(|path, out| path.handle_gre(now, &mut packet, out));
        }
        let call = self.handle;
        if !self.acknowledged && self.path.as_ref().is_some_and(Path::is_acknowledged) {
            self.acknowledged = true;
            self.tunnel.handle_input(now, Input::Acknowledged { call });
        }
        while let Some(report) = socket.icmp() {
            let code = match report.kind {
                IcmpKind::NetworkUnreachable => 0,
                IcmpKind::HostUnreachable => 1,
                IcmpKind::ProtocolUnreachable => 2,
                IcmpKind::Prohibited => 13,
                _ => continue,
            };
            if let (Some(from), true) = (report.from, report.destination == self.server) {
                self.tunnel.handle_input(now, Input::Unreachable { call, from, code });
            }
        }
    }

    /// Runs an operation of the data path and forwards its results.
    fn with_path(&mut self, work: impl FnOnce(&mut Path, &mut Collected)) -> Option<u32> {
        let path = self.path.as_mut()?;
        let mut out = Collected::default();
        work(path, &mut out);
        let mut number = None;
        for packet in &out.gre {
            number = gre::Repr::parse(packet).ok().and_then(|header| header.seq);
            self.send_gre(packet);
        }
        let now = Instant::now();
        for packet in &out.ip {
            if let Some(stack) = &mut self.stack {
                stack.handle_input(now, packet);
            }
        }
        let call = self.handle;
        for (frame, origin) in &out.frames {
            if !self.is_our_echo(now, frame) {
                self.tunnel.handle_input(now, Input::Frame { call, frame, origin: *origin });
            }
        }
        number
    }

    fn is_our_echo(&mut self, now: Instant, frame: &[u8]) -> bool {
        let Ok((ppp::LCP, information)) = ppp::frame(frame) else { return false };
        let Ok(packet) = cp::Packet::parse(adit_wire::Protocol::Lcp, information) else { return false };
        let Some((mark, rest)) = packet.data.get(4..).and_then(|data| data.split_first_chunk::<4>()) else {
            return false;
        };
        let Some(number) = rest.first_chunk::<4>().filter(|_| packet.code == cp::ECHO_REPLY && mark == MARK)
        else {
            return false;
        };
        if self.echoes.answers.len() < ECHOES_MAX {
            self.echoes.answers.push((u32::from_be_bytes(*number), now));
        }
        true
    }

    /// Sends an LCP Echo-Request with `len` octets of PPP information; returns its GRE sequence number.
    pub(crate) fn send_echo(&mut self, number: u32, len: usize) -> Option<u32> {
        let mut data = self.echoes.magic.to_vec();
        data.extend_from_slice(MARK);
        data.extend_from_slice(&number.to_be_bytes());
        data.resize(len.saturating_sub(4).max(data.len()), 0x55);
        let frame = cp::frame(ppp::LCP, cp::ECHO_REQUEST, number as u8, &data);
        self.with_path(|path, out| path.send_frame(Instant::now(), &frame, out))
    }

    /// Sends a GRE packet as it is, beginning with the GRE header.
    pub(crate) fn send_gre(&mut self, packet: &[u8]) {
        let Some(socket) = self.gre else { return };
        if !self.sending.push(self.server, self.local, packet) {
            return;
        }
        if let Some(error) = socket.send(&mut self.sending).error {
            self.record.denied.get_or_insert(crate::dial::words(&error));
        }
    }

    /// Handles pending events and sends pending output until there is neither.
    fn drain(&mut self) {
        let mut buffer = Vec::new();
        loop {
            while let Some(event) = self.tunnel.poll_event() {
                self.event(event);
            }
            let Some(transmit) = self.tunnel.poll_transmit(&mut buffer) else { break };
            match transmit {
                Transmit::Control => self.unsent.extend_from_slice(&buffer),
                Transmit::Frame { .. } => {
                    self.note_lcp(&buffer);
                    let is_lcp = matches!(ppp::frame(&buffer), Ok((ppp::LCP, _)));
                    if is_lcp || !self.lcp_only {
                        let now = Instant::now();
                        self.with_path(|path, out| path.send_frame(now, &buffer, out));
                    }
                }
            }
        }
        self.flush();
        while self.stack.as_mut().is_some_and(|stack| stack.poll_transmit(&mut buffer)) {
            let mut packet = vec![0; HEADROOM];
            packet.extend_from_slice(&buffer);
            let now = Instant::now();
            self.with_path(|path, out| path.handle_ip(now, &mut packet, out));
        }
    }

    fn flush(&mut self) {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(0) => break,
                Ok(len) => drop(self.unsent.drain(..len)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.unsent.clear();
                    if self.record.end.is_none() {
                        self.control_closed();
                    }
                }
            }
        }
    }

    /// Our own echoes use the Magic-Number of our Configure-Request; a Terminate-Request is known by its identifier.
    fn note_lcp(&mut self, frame: &[u8]) {
        let Ok((ppp::LCP, information)) = ppp::frame(frame) else { return };
        let Ok(packet) = cp::Packet::parse(adit_wire::Protocol::Lcp, information) else { return };
        if packet.code == cp::TERMINATE_REQUEST {
            self.terminate_id = packet.id;
        }
        if packet.code != cp::CONFIGURE_REQUEST {
            return;
        }
        for option in cp::Options::new(adit_wire::Protocol::Lcp, packet.data).flatten() {
            if let (MAGIC, Some(magic)) = (option.kind, option.data.first_chunk::<4>()) {
                self.echoes.magic = *magic;
            }
        }
    }

    fn event(&mut self, event: Event) {
        let now = Instant::now();
        match event {
            Event::OpenPath { call, local_call_id, peer_call_id, .. } => {
                self.handle = call;
                self.record.granted = Some((local_call_id, peer_call_id));
                let config = PathConfig {
                    encryption_required: self.encryption_required,
                    mtu: self.mtu,
                    // Do not clamp: the test observes the MSS that the other side sends.
                    max_mss: None,
                    ..PathConfig::new(local_call_id, peer_call_id)
                };
                self.path = Some(Path::new(config, now));
            }
            Event::Path { command, .. } => {
                if let Some(path) = &mut self.path {
                    path.command(now, command);
                }
            }
            Event::Established { host, vendor } => self.record.established = Some((host, vendor)),
            Event::Note { note: Note::LayerUp(LayerUp::Gre), .. } => self.record.heard = true,
            Event::Note { note: Note::LayerUp(up), .. } => {
                let layer = up.layer();
                self.record.layers.push(up);
                if layer == Layer::Lcp && self.lcp_only {
                    // Stop before the link requests an address, which is not needed.
                    self.record.hung_up = true;
                    self.tunnel.handle_command(now, Command::Stop { why: Why::UserRequest });
                    self.stopping = true;
                }
            }
            Event::CountTraffic { call } => {
                if let Some(path) = &self.path {
                    let counters = path.counters();
                    let (received, sent) = (counters.rx_packets, counters.tx_packets);
                    self.tunnel.handle_input(now, Input::Traffic { call, received, sent });
                }
            }
            Event::Up { up, .. } => self.record.up = Some(up),
            Event::CallEnded { end, .. } => {
                self.record.call_end.get_or_insert(end);
                self.tunnel.handle_command(now, Command::Stop { why: Why::UserRequest });
            }
            Event::Closed { end } => {
                self.record.end.get_or_insert(end);
            }
            Event::Ask { .. } | Event::Note { .. } => {}
        }
    }

    /// Whether a layer came up.
    pub(crate) fn has(&self, layer: Layer) -> bool {
        self.record.layers.iter().any(|up| up.layer() == layer)
    }

    /// Number of octets that MPPE adds to an IP packet in the PPP information field.
    pub(crate) fn overhead(&self) -> u16 {
        if self.record.up.as_ref().is_some_and(|up| up.encryption.is_some()) { 4 } else { 0 }
    }
}
