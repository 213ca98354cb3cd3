//! The simulated host of a client, which dials a server.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_diag::Code;
use adit_ppp::ccp::Mode;
use adit_tunnel::events::{Command, Unmatched, Why};
use adit_tunnel::{ClientConfig, ClientTunnel};
use adit_wire::LocalCallId;
use adit_wire::pptp::PORT;

use crate::packet::{Body, Kind, Packet, Segment, gre_call_id};
use crate::shell::Shell;
use crate::tcp::{Socket, Tcp, segment};
use crate::world::{Host, Output};

/// The intervals after which a SYN is retransmitted.
const SYN_RETRIES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(7)];
/// The time limit for TCP to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A host with one client.
pub struct ClientHost {
    address: Ipv4Addr,
    local: Socket,
    server: Socket,
    config: ClientConfig,
    rng: Option<Rng>,
    state: State,
    /// Whether to close the connection when a call ends, as the real client does.
    hung_up: bool,
}

enum State {
    Idle,
    Connecting { since: Instant, tries: usize },
    Open(Box<Shell<ClientTunnel>>),
    Failed(Code),
}

impl ClientHost {
    /// Creates a client at `address` that will call `server`.
    pub fn new(address: Ipv4Addr, port: u16, server: Ipv4Addr, config: ClientConfig, rng: Rng) -> ClientHost {
        ClientHost {
            address,
            local: (address, port),
            server: (server, PORT),
            config,
            rng: Some(rng),
            state: State::Idle,
            hung_up: false,
        }
    }

    /// Starts to dial.
    pub fn dial(&mut self, now: Instant, out: &mut Output) {
        self.state = State::Connecting { since: now, tries: 0 };
        out.packets.push(segment(self.local, self.server, Kind::Syn));
    }

    /// The socket of its end of the TCP connection.
    pub fn socket(&self) -> Socket {
        self.local
    }

    /// The client's shell, once TCP is open.
    pub fn shell(&self) -> Option<&Shell<ClientTunnel>> {
        match &self.state {
            State::Open(shell) => Some(shell),
            _ => None,
        }
    }

    /// The client's shell, mutable.
    pub fn shell_mut(&mut self) -> Option<&mut Shell<ClientTunnel>> {
        match &mut self.state {
            State::Open(shell) => Some(shell),
            _ => None,
        }
    }

    /// Whether the client has finished.
    pub fn is_over(&self) -> bool {
        match &self.state {
            State::Failed(_) => true,
            State::Open(shell) => shell.closed.is_some(),
            State::Idle | State::Connecting { .. } => false,
        }
    }

    /// The exit code: that of the first failure.
    pub fn code(&self) -> Option<Code> {
        match &self.state {
            State::Failed(code) => Some(*code),
            State::Open(shell) => shell.code(),
            State::Idle | State::Connecting { .. } => None,
        }
    }

    fn open(&mut self, now: Instant, out: &mut Output) {
        let Some(rng) = self.rng.take() else { return };
        let required = self.config.link.mppe.mode == Mode::Require;
        let mtu = self.config.mtu;
        let tunnel = ClientTunnel::new(self.config.clone(), self.server.0, now, rng);
        let tcp = Tcp::new(self.local, self.server);
        let mut shell = Shell::new("client", self.address, tunnel, tcp, required, mtu);
        shell.turn(now, out);
        self.state = State::Open(Box::new(shell));
    }

    fn tcp(&mut self, now: Instant, segment: Segment, out: &mut Output) {
        match (&mut self.state, segment.kind) {
            (State::Connecting { .. }, Kind::SynAck) => self.open(now, out),
            (State::Connecting { .. }, Kind::Rst) => self.state = State::Failed(Code::C02),
            (State::Open(shell), kind) => shell.handle_tcp(now, kind, out),
            _ => {}
        }
        self.hang_up(now, out);
    }

    /// Stops a client that has no call.
    fn hang_up(&mut self, now: Instant, out: &mut Output) {
        if let State::Open(shell) = &mut self.state
            && !self.hung_up
            && shell.closed.is_none()
            && shell.calls().values().any(|call| call.end.is_some())
        {
            self.hung_up = true;
            shell.command(now, Command::Stop { why: Why::UserRequest }, out);
        }
    }
}

impl Host for ClientHost {
    fn address(&self) -> Ipv4Addr {
        self.address
    }

    fn handle_packet(&mut self, now: Instant, packet: Packet, out: &mut Output) {
        let foreign = packet.src != self.server.0;
        if foreign && !matches!(packet.body, Body::Unreachable(_) | Body::Gre(_)) {
            return;
        }
        match packet.body {
            Body::Tcp(segment) if segment.dst_port == self.local.1 => self.tcp(now, segment, out),
            Body::Gre(octets) => {
                if let State::Open(shell) = &mut self.state {
                    let key = gre_call_id(&octets);
                    match (foreign, shell.used(LocalCallId::new(key))) {
                        (false, true) => shell.handle_gre(now, octets, out),
                        (false, false) => shell.handle_unmatched(now, Unmatched::CallId(key), out),
                        (true, true) => shell.handle_unmatched(now, Unmatched::Source(packet.src), out),
                        (true, false) => {}
                    }
                }
            }
            Body::Unreachable(unreachable) => {
                if let State::Open(shell) = &mut self.state {
                    shell.handle_unreachable(now, packet.src, &unreachable, out);
                }
            }
            Body::Tcp(_) => {}
        }
        self.hang_up(now, out);
    }

    fn handle_timeout(&mut self, now: Instant, out: &mut Output) {
        match &mut self.state {
            State::Connecting { since, tries } => {
                if now >= *since + CONNECT_TIMEOUT {
                    self.state = State::Failed(Code::C01);
                } else if SYN_RETRIES.get(*tries).is_some_and(|after| now >= *since + *after) {
                    *tries += 1;
                    out.packets.push(segment(self.local, self.server, Kind::Syn));
                }
            }
            State::Open(shell) => shell.handle_timeout(now, out),
            State::Idle | State::Failed(_) => {}
        }
        self.hang_up(now, out);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Connecting { since, tries } => {
                let after = SYN_RETRIES.get(*tries).copied().unwrap_or(CONNECT_TIMEOUT);
                Some(*since + after)
            }
            State::Open(shell) => shell.poll_timeout(),
            State::Idle | State::Failed(_) => None,
        }
    }
}
