//! The simulated host of a server: accounts, addresses, Call IDs.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::proof::{Secret, check, check_unknown};
use adit_crypto::secret::Password;
use adit_diag::Code;
use adit_ppp::auth::{AuthRequest, MsChapError, Rejection};
use adit_ppp::ccp::Mode;
use adit_ppp::link::AddressGrant;
use adit_pptp::call_id::CallIds;
use adit_tunnel::events::{Answer, CallHandle, Question, Terms, Unmatched};
use adit_tunnel::{ServerConfig, ServerTunnel};
use adit_wire::LocalCallId;
use adit_wire::pptp::PORT;

use crate::packet::{Body, Kind, Packet, Segment, gre_call_id};
use crate::shell::Shell;
use crate::tcp::{Socket, Tcp, segment};
use crate::world::{Host, Output};

/// An account.
#[derive(Clone, Debug)]
pub struct Account {
    /// The name.
    pub name: &'static str,
    /// The password.
    pub password: &'static str,
    /// Why it may not log in although the password is correct.
    pub bar: Option<(MsChapError, Code)>,
}

/// The services of a server besides the protocol.
#[derive(Clone, Debug)]
pub struct Service {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// The address pool.
    pub pool: Vec<Ipv4Addr>,
    /// The server's own address in the tunnel.
    pub local: Ipv4Addr,
    /// The DNS servers for clients.
    pub dns: Vec<Ipv4Addr>,
    /// The session limit.
    pub sessions: usize,
    /// The number of further rounds without a message that a login requires.
    pub rounds: u8,
    /// The delay of an answer; `None` for no answer.
    pub answers_after: Option<Duration>,
    /// Whether no server listens on the port.
    pub deaf: bool,
    /// Whether TCP is accepted, but nothing is read or sent.
    pub mute: bool,
    /// A text that is sent after TCP is accepted, whatever arrives.
    pub banner: Option<&'static [u8]>,
}

/// A host with a server.
pub struct ServerHost {
    address: Ipv4Addr,
    config: ServerConfig,
    service: Service,
    call_ids: CallIds,
    rng: Rng,
    connections: BTreeMap<Socket, Connection>,
    /// Closed connections, in the order in which they ended.
    pub past: Vec<Shell<ServerTunnel>>,
    /// Whether the host has crashed: no packet is received or sent.
    pub dead: bool,
}

struct Connection {
    shell: Shell<ServerTunnel>,
    /// Delayed answers, with their time.
    answers: Vec<(Instant, u32, Answer)>,
    /// The number of rounds so far.
    rounds: u8,
    /// The Call IDs of the connection.
    call_ids: Vec<(CallHandle, LocalCallId)>,
    address: Option<(CallHandle, Ipv4Addr)>,
}

impl ServerHost {
    /// Creates a server at `address`.
    pub fn new(address: Ipv4Addr, config: ServerConfig, service: Service, mut rng: Rng) -> ServerHost {
        ServerHost {
            address,
            config,
            service,
            call_ids: CallIds::new(1..=65535, &mut rng),
            rng,
            connections: BTreeMap::new(),
            past: Vec::new(),
            dead: false,
        }
    }

    /// The open connections.
    pub fn live(&self) -> impl Iterator<Item = &Shell<ServerTunnel>> {
        self.connections.values().map(|connection| &connection.shell)
    }

    /// The numbers of Call IDs and addresses in use.
    pub fn in_use(&self) -> (usize, usize) {
        let addresses = self.connections.values().filter(|connection| connection.address.is_some()).count();
        (self.call_ids.used(), addresses)
    }

    /// Applies an operation to every open connection.
    pub fn each(
        &mut self,
        now: Instant,
        out: &mut Output,
        mut act: impl FnMut(&mut Shell<ServerTunnel>, &mut Output),
    ) {
        let sockets: Vec<Socket> = self.connections.keys().copied().collect();
        for socket in sockets {
            if let Some(connection) = self.connections.get_mut(&socket) {
                act(&mut connection.shell, out);
            }
            self.settle(now, socket, out);
        }
    }

    fn accept(&mut self, now: Instant, remote: Socket, out: &mut Output) {
        let local = (self.address, PORT);
        let tunnel = ServerTunnel::new(self.config.clone(), remote.0, now, self.rng.fork());
        let required = self.config.link.mppe.mode == Mode::Require;
        let tcp = Tcp::new(local, remote);
        let shell = Shell::new("server", self.address, tunnel, tcp, required, self.config.mtu);
        let connection =
            Connection { shell, answers: Vec::new(), rounds: 0, call_ids: Vec::new(), address: None };
        self.connections.insert(remote, connection);
        out.packets.push(segment(local, remote, Kind::SynAck));
    }

    fn tcp(&mut self, now: Instant, remote: Socket, tcp: Segment, out: &mut Output) {
        if tcp.dst_port != PORT || self.service.deaf {
            if tcp.kind == Kind::Syn {
                out.packets.push(segment((self.address, tcp.dst_port), remote, Kind::Rst));
            }
            return;
        }
        if tcp.kind == Kind::Syn {
            match self.connections.contains_key(&remote) {
                true => out.packets.push(segment((self.address, PORT), remote, Kind::SynAck)),
                false if self.service.mute => {
                    out.packets.push(segment((self.address, PORT), remote, Kind::SynAck));
                }
                false if let Some(banner) = self.service.banner => {
                    let local = (self.address, PORT);
                    let banner_segment = Kind::Data { offset: 0, octets: banner.to_vec() };
                    out.packets.push(segment(local, remote, Kind::SynAck));
                    out.packets.push(segment(local, remote, banner_segment));
                }
                false => self.accept(now, remote, out),
            }
        } else if let Some(connection) = self.connections.get_mut(&remote) {
            connection.shell.handle_tcp(now, tcp.kind, out);
        }
        self.settle(now, remote, out);
    }

    fn gre(&mut self, now: Instant, from: Ipv4Addr, octets: Vec<u8>, out: &mut Output) {
        let key = gre_call_id(&octets);
        let named = LocalCallId::new(key);
        let owner = self.connections.iter().find(|(socket, c)| socket.0 == from && c.shell.owns(named));
        let Some(socket) = owner.map(|(socket, _)| *socket) else {
            return self.unmatched(now, from, key, out);
        };
        if let Some(connection) = self.connections.get_mut(&socket) {
            connection.shell.handle_gre(now, octets, out);
        }
        self.settle(now, socket, out);
    }

    /// Handles a GRE packet that belongs to no call. A late packet of an earlier call has a Call ID that was
    /// in use.
    fn unmatched(&mut self, now: Instant, from: Ipv4Addr, key: u16, out: &mut Output) {
        let named = LocalCallId::new(key);
        let was_used = self.past.iter().any(|shell| shell.used(named));
        for (socket, connection) in &mut self.connections {
            if socket.0 != from && connection.shell.owns(named) {
                connection.shell.handle_unmatched(now, Unmatched::Source(from), out);
            } else if socket.0 == from && !was_used && !connection.shell.used(named) {
                connection.shell.handle_unmatched(now, Unmatched::CallId(key), out);
            }
        }
    }

    /// Answers questions, and releases the resources of what has ended.
    fn settle(&mut self, now: Instant, socket: Socket, out: &mut Output) {
        while let Some(question) = self.next_question(socket) {
            let (id, call, question) = question;
            let answer = self.answer(now, socket, call, question);
            let Some(connection) = self.connections.get_mut(&socket) else { return };
            match answer {
                Answer::AcceptCall { .. } | Answer::RefuseCall { .. } => {
                    connection.shell.machine().handle_answer(now, id, answer);
                    connection.shell.turn(now, out);
                }
                answer => {
                    if let Some(after) = self.service.answers_after {
                        connection.answers.push((now + after, id, answer));
                    }
                }
            }
        }
        let Some(connection) = self.connections.get_mut(&socket) else { return };
        for (handle, call) in connection.shell.calls() {
            if call.end.is_none() {
                continue;
            }
            if connection.address.is_some_and(|(of, _)| of == *handle) {
                connection.address = None;
            }
            for (_, id) in connection.call_ids.extract_if(.., |(of, _)| of == handle) {
                self.call_ids.release(now, id);
            }
        }
        if connection.shell.closed.is_some()
            && let Some(connection) = self.connections.remove(&socket)
        {
            for (_, id) in connection.call_ids {
                self.call_ids.release(now, id);
            }
            self.past.push(connection.shell);
        }
    }

    fn next_question(&mut self, socket: Socket) -> Option<(u32, CallHandle, Question)> {
        self.connections.get_mut(&socket)?.shell.questions.pop()
    }

    fn answer(&mut self, now: Instant, socket: Socket, call: CallHandle, question: Question) -> Answer {
        match question {
            Question::Call(_) => self.take_call(now, socket, call),
            Question::Authenticate(request) => self.authenticate(socket, &request),
            Question::Address { .. } => self.lend(socket, call),
        }
    }

    fn take_call(&mut self, now: Instant, socket: Socket, call: CallHandle) -> Answer {
        let refuse = |detail: &str| Answer::RefuseCall { code: Code::C05, detail: detail.to_owned() };
        if self.call_ids.used() >= self.service.sessions {
            return refuse("all sessions are in use");
        }
        match (self.call_ids.allocate(now), self.connections.get_mut(&socket)) {
            (Some(call_id), Some(connection)) => {
                connection.call_ids.push((call, call_id));
                Answer::AcceptCall { call_id }
            }
            _ => refuse("no Call ID is free"),
        }
    }

    fn authenticate(&mut self, socket: Socket, request: &AuthRequest) -> Answer {
        let reject = |error, code| {
            let message = "Authentication failure".to_owned();
            Answer::Reject(Rejection { error, code, retry: false, message })
        };
        let account = self.service.accounts.iter().find(|account| account.name.as_bytes() == request.name);
        let Some(account) = account else {
            check_unknown(&request.proof);
            return reject(MsChapError::AuthenticationFailure, Code::A01);
        };
        match (check(&request.proof, &Secret::Clear(Password::new(account.password))), account.bar) {
            (Err(_), _) => reject(MsChapError::AuthenticationFailure, Code::A01),
            (Ok(_), Some((error, code))) => reject(error, code),
            (Ok(proven), None) => match self.connections.get_mut(&socket) {
                Some(connection) if connection.rounds < self.service.rounds => {
                    connection.rounds += 1;
                    Answer::Challenge { message: String::new() }
                }
                _ => Answer::Accept { proven, terms: Terms::default() },
            },
        }
    }

    fn lend(&mut self, socket: Socket, call: CallHandle) -> Answer {
        let used: Vec<Ipv4Addr> =
            self.connections.values().filter_map(|c| c.address.map(|(_, address)| address)).collect();
        let free = self.service.pool.iter().copied().find(|address| !used.contains(address));
        match (free, self.connections.get_mut(&socket)) {
            (Some(peer), Some(connection)) => {
                connection.address = Some((call, peer));
                let (local, dns) = (self.service.local, self.service.dns.clone());
                Answer::Address(AddressGrant { peer, local, dns, wins: Vec::new() })
            }
            _ => Answer::NoAddress { code: Code::I01, detail: "the pool is empty".to_owned() },
        }
    }
}

impl Host for ServerHost {
    fn address(&self) -> Ipv4Addr {
        self.address
    }

    fn handle_packet(&mut self, now: Instant, packet: Packet, out: &mut Output) {
        if self.dead {
            return;
        }
        match packet.body {
            Body::Tcp(tcp) => {
                let remote = (packet.src, tcp.src_port);
                self.tcp(now, remote, tcp, out);
            }
            Body::Gre(octets) => self.gre(now, packet.src, octets, out),
            Body::Unreachable(unreachable) => {
                let sockets: Vec<Socket> = self.connections.keys().copied().collect();
                for socket in sockets {
                    if let Some(connection) = self.connections.get_mut(&socket) {
                        connection.shell.handle_unreachable(now, packet.src, &unreachable, out);
                    }
                    self.settle(now, socket, out);
                }
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant, out: &mut Output) {
        if self.dead {
            return;
        }
        let sockets: Vec<Socket> = self.connections.keys().copied().collect();
        for socket in sockets {
            let Some(connection) = self.connections.get_mut(&socket) else { continue };
            let due: Vec<(Instant, u32, Answer)> =
                connection.answers.extract_if(.., |(at, _, _)| *at <= now).collect();
            for (_, id, answer) in due {
                connection.shell.machine().handle_answer(now, id, answer);
                connection.shell.turn(now, out);
            }
            if connection.shell.poll_timeout().is_some_and(|at| at <= now) {
                connection.shell.handle_timeout(now, out);
            }
            self.settle(now, socket, out);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        if self.dead {
            return None;
        }
        let connections = self.connections.values();
        connections
            .flat_map(|connection| {
                let answers = connection.answers.iter().map(|(at, _, _)| *at);
                answers.chain(connection.shell.poll_timeout())
            })
            .min()
    }
}
