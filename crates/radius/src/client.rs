//! A RADIUS client as a state machine: several servers, retransmission, fail-over and probes.
//!
//! The first server in service is asked. Without a usable answer in its time, the next one is asked with a request of its
//! own. An Accept, Reject or Challenge is final: no other server is asked after it. A server whose requests fail in
//! sequence is probed with Status-Server (RFC 5997) and, without an answer, not asked until probes are answered again.
//! When all servers are out of service, all are asked nevertheless: an attempt costs less than a login that is refused.
//!
//! Logins do not wait for each other: a slow answer delays only its own login.

mod config;
mod event;
mod pending;
mod server;
mod sockets;
mod timers;

use core::net::SocketAddr;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use adit_crypto::Rng;

use crate::check::{Dropped, OpenRequest, check_reply};
use crate::packet::{Code, Packet};
use crate::reply::Reply;
use crate::request::status_server;
pub use config::{ClientConfig, HealthConfig, MAX_SERVERS, Retransmission, ServerConfig};
pub use event::{Command, Event, Evidence, Failure, RequestId, ServerFailure, ServerId, SocketId, Transmit};
use pending::{Attempt, Due, Pending, Sent};
use server::{Change, Health, Owner, Probe, Server};
use sockets::Slot;
use timers::Timers;

/// The least time that a probe waits for its answer.
const LEAST_WAIT: Duration = Duration::from_millis(100);

/// The owner of a deadline, or of a packet to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Request(RequestId),
    Server(ServerId),
}

/// A client of several servers; see the module.
///
/// After each call, drain [`poll_event`](Client::poll_event) and [`poll_transmit`](Client::poll_transmit).
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    rng: Rng,
    servers: Vec<Server>,
    requests: BTreeMap<RequestId, Pending>,
    timers: Timers<Key>,
    transmits: VecDeque<Key>,
    events: VecDeque<Event>,
}

impl Client {
    /// Creates a client. Only the first [`MAX_SERVERS`] servers are asked.
    pub fn new(mut config: ClientConfig, rng: Rng) -> Client {
        config.servers.truncate(MAX_SERVERS);
        // Without a wait there would always be another probe to send.
        config.health.probe_wait = config.health.probe_wait.max(LEAST_WAIT);
        let server = |server: &ServerConfig| Server::new(server.clone(), config.sockets);
        let servers = config.servers.iter().map(server).collect();
        Client {
            config,
            rng,
            servers,
            requests: BTreeMap::new(),
            timers: Timers::new(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Whether a server is in service.
    pub fn is_in_service(&self, server: ServerId) -> bool {
        self.server(server).is_some_and(|server| !server.is_dead())
    }

    /// The number of open logins.
    pub fn open_requests(&self) -> usize {
        self.requests.len()
    }

    fn server(&self, id: ServerId) -> Option<&Server> {
        self.servers.get(usize::from(id.0))
    }

    /// Handles a request of the caller.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Cancel(id) => {
                self.close(id);
            }
            Command::Send { id, request, server } => {
                self.close(id);
                if self.requests.len() >= self.config.requests {
                    let why = Failure::TooManyRequests(self.config.requests);
                    self.events.push_back(Event::Failed { id, why });
                    return;
                }
                let is_pinned = server.is_some();
                let Some(first) = server.or_else(|| self.choose(&[])) else {
                    self.events.push_back(Event::Failed { id, why: Failure::NoServer });
                    return;
                };
                let attempt = Attempt::Waiting { server: first };
                self.requests.insert(id, Pending { request, is_pinned, failures: Vec::new(), attempt });
                self.attempt(now, id, first);
            }
        }
    }

    /// The next server to ask, after those that were asked in vain.
    fn choose(&self, failures: &[ServerFailure]) -> Option<ServerId> {
        let numbered = || self.servers.iter().zip((0..).map(ServerId));
        let untried = || numbered().filter(|(_, id)| failures.iter().all(|failure| failure.server != *id));
        let with = |health: fn(&Health) -> bool| {
            untried().find(|(server, _)| health(&server.health)).map(|(_, id)| id)
        };
        with(|health| matches!(health, Health::Alive { .. }))
            .or_else(|| with(|health| matches!(health, Health::Suspect { .. })))
            .or_else(|| {
                let are_all_dead = numbered().all(|(server, _)| server.is_dead());
                are_all_dead.then(|| with(|_| true)).flatten()
            })
    }

    /// Asks a server about a login: at once, or when an identifier is free.
    fn attempt(&mut self, now: Instant, id: RequestId, server_id: ServerId) {
        let (Some(server), Some(pending)) =
            (self.servers.get_mut(usize::from(server_id.0)), self.requests.get_mut(&id))
        else {
            self.fail(id, Failure::NoServer);
            return;
        };
        // Those that wait already have precedence.
        let free = server.waiting.is_empty().then(|| server.sockets.take(now, Owner::Request(id))).flatten();
        match free {
            Some(slot) => self.send(now, id, (server_id, slot)),
            None => {
                let until = now.checked_add(self.config.retransmission.total).unwrap_or(now);
                pending.attempt = Attempt::Waiting { server: server_id };
                server.waiting.push_back(id);
                self.timers.set(Key::Request(id), Some(until));
                self.plan(now, server_id);
            }
        }
    }

    /// Sends a login to a server for the first time.
    fn send(&mut self, now: Instant, id: RequestId, (server_id, slot): (ServerId, Slot)) {
        let (Some(server), Some(pending)) =
            (self.servers.get_mut(usize::from(server_id.0)), self.requests.get_mut(&id))
        else {
            return;
        };
        let mut authenticator = [0; 16];
        self.rng.fill(&mut authenticator);
        let packet = match pending.request.to_packet(slot.id, authenticator, &server.config.secret) {
            Ok(packet) => packet,
            Err(error) => {
                server.sockets.release(slot, now);
                self.fail(id, Failure::Unsendable(error));
                return;
            }
        };
        let timing = &self.config.retransmission;
        let sent = Sent::new(now, (server_id, slot), authenticator, packet, timing, &mut self.rng);
        self.timers.set(Key::Request(id), Some(sent.deadline()));
        pending.attempt = Attempt::Sent(sent);
        self.transmits.push_back(Key::Request(id));
        self.plan(now, server_id);
    }

    /// Removes a login and returns its identifier.
    fn close(&mut self, id: RequestId) -> Option<Pending> {
        let pending = self.requests.remove(&id)?;
        self.timers.set(Key::Request(id), None);
        self.leave(id, &pending.attempt);
        Some(pending)
    }

    /// Returns the identifier of an attempt, or its place among those that wait.
    fn leave(&mut self, id: RequestId, attempt: &Attempt) {
        match attempt {
            Attempt::Waiting { server } => {
                if let Some(server) = self.servers.get_mut(usize::from(server.0)) {
                    server.waiting.retain(|waiting| *waiting != id);
                }
            }
            Attempt::Sent(sent) => {
                if let Some(server) = self.servers.get_mut(usize::from(sent.server.0)) {
                    server.sockets.release(sent.slot, sent.last_sent);
                }
            }
        }
    }

    fn fail(&mut self, id: RequestId, why: Failure) {
        self.close(id);
        self.events.push_back(Event::Failed { id, why });
    }

    fn report(&mut self, server: ServerId, change: Option<Change>) {
        match change {
            Some(Change::Down) => self.events.push_back(Event::ServerDown(server)),
            Some(Change::Up) => self.events.push_back(Event::ServerUp(server)),
            None => {}
        }
    }

    /// Sets the deadline of a server anew.
    fn plan(&mut self, now: Instant, id: ServerId) {
        let config = &self.config.health;
        let due = self.servers.get_mut(usize::from(id.0)).and_then(|server| server.due(now, config));
        self.timers.set(Key::Server(id), due);
    }

    /// Handles a datagram that arrived on a socket.
    pub fn handle_input(&mut self, now: Instant, socket: SocketId, from: SocketAddr, datagram: &[u8]) {
        if let Err(why) = self.receive(now, socket, from, datagram)
            && why.is_evidence()
            && let Some(server) = self.servers.get_mut(usize::from(socket.server.0))
            && server.is_report_due(now, why)
        {
            self.events.push_back(Event::Dropped { server: socket.server, why });
        }
    }

    fn receive(
        &mut self,
        now: Instant,
        socket: SocketId,
        from: SocketAddr,
        datagram: &[u8],
    ) -> Result<(), Dropped> {
        let server = self.server(socket.server).ok_or(Dropped::NoRequest)?;
        if from != server.config.address {
            return Err(Dropped::WrongSource);
        }
        // The identifier counts even if the packet is malformed: it is then evidence for its request.
        let id = *datagram.get(1).ok_or(Dropped::NoRequest)?;
        match server.sockets.owner(Slot { socket: socket.number, id }).ok_or(Dropped::NoRequest)? {
            Owner::Probe => self.receive_probe_answer(now, socket.server, datagram),
            Owner::Request(id) => {
                let result = self.receive_reply(now, id, socket.server, datagram);
                if let (Err(why), Some(pending)) = (result, self.requests.get_mut(&id))
                    && let Attempt::Sent(sent) = &mut pending.attempt
                {
                    sent.dropped = Some(why);
                }
                result
            }
        }
    }

    fn receive_reply(
        &mut self,
        now: Instant,
        id: RequestId,
        server_id: ServerId,
        datagram: &[u8],
    ) -> Result<(), Dropped> {
        let packet = Packet::new_checked(datagram).map_err(Dropped::Malformed)?;
        let (Some(server), Some(pending)) =
            (self.servers.get_mut(usize::from(server_id.0)), self.requests.get(&id))
        else {
            return Err(Dropped::NoRequest);
        };
        let Attempt::Sent(Sent { authenticator, .. }) = &pending.attempt else {
            return Err(Dropped::NoRequest);
        };
        let secret = &server.config.secret;
        let is_signature_required = server.is_signature_required();
        let request = OpenRequest { code: Code::AccessRequest, authenticator, secret, is_signature_required };
        let is_signed = check_reply(&packet, &request)?;
        let outcome = match Reply::read(&packet, authenticator, secret) {
            Ok(Some(reply)) => pending.check(&reply).map(|()| reply),
            Ok(None) => return Err(Dropped::WrongCode(packet.code())),
            Err(error) => Err(error),
        };
        let change = server.answered(is_signed);
        self.report(server_id, change);
        self.close(id);
        self.events.push_back(match outcome {
            Ok(reply) => Event::Reply { id, server: server_id, reply },
            Err(error) => Event::Failed { id, why: Failure::Unusable { server: server_id, error } },
        });
        self.plan(now, server_id);
        Ok(())
    }

    fn receive_probe_answer(
        &mut self,
        now: Instant,
        server_id: ServerId,
        datagram: &[u8],
    ) -> Result<(), Dropped> {
        let packet = Packet::new_checked(datagram).map_err(Dropped::Malformed)?;
        let Some(server) = self.servers.get_mut(usize::from(server_id.0)) else {
            return Err(Dropped::NoRequest);
        };
        let Probe::Open { slot, authenticator, sent, .. } = &server.probe else {
            return Err(Dropped::NoRequest);
        };
        let (slot, sent) = (*slot, *sent);
        let secret = &server.config.secret;
        let request =
            OpenRequest { code: Code::StatusServer, authenticator, secret, is_signature_required: false };
        check_reply(&packet, &request)?;
        server.sockets.release(slot, sent);
        let change = server.probe_answered(now, &self.config.health);
        self.report(server_id, change);
        self.plan(now, server_id);
        Ok(())
    }

    /// Handles a report of the system that a packet sent from this socket did not reach its port (ICMP). It is evidence
    /// for the record and ends nothing: such a report is easily forged.
    pub fn handle_unreachable(&mut self, now: Instant, socket: SocketId) {
        if let Some(server) = self.servers.get_mut(usize::from(socket.server.0)) {
            server.unreachable = Some(now);
        }
    }

    /// Handles all deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(key) = self.timers.pop(now) {
            match key {
                Key::Request(id) => self.handle_request_timeout(now, id),
                Key::Server(id) => self.handle_server_timeout(now, id),
            }
        }
    }

    fn handle_request_timeout(&mut self, now: Instant, id: RequestId) {
        let Some(pending) = self.requests.get_mut(&id) else { return };
        let (server_id, waited) = match &mut pending.attempt {
            Attempt::Waiting { server } => (*server, true),
            Attempt::Sent(sent) => {
                let due = sent.handle_timeout(now, &self.config.retransmission, &mut self.rng);
                if due != Due::GiveUp {
                    if due == Due::SendAgain {
                        self.transmits.push_back(Key::Request(id));
                    }
                    self.timers.set(Key::Request(id), Some(sent.deadline()));
                    return;
                }
                (sent.server, false)
            }
        };
        self.give_up(now, id, server_id, waited);
    }

    /// Ends the attempt at one server and asks the next.
    fn give_up(&mut self, now: Instant, id: RequestId, server_id: ServerId, has_only_waited: bool) {
        let Some(mut pending) = self.close(id) else { return };
        let Some(server) = self.servers.get_mut(usize::from(server_id.0)) else { return };
        let address = server.config.address;
        pending.failures.push(match &pending.attempt {
            Attempt::Sent(sent) => sent.failure(address, server.unreachable),
            Attempt::Waiting { .. } => {
                ServerFailure { server: server_id, address, sent: 0, evidence: Evidence::NoIdentifier }
            }
        });
        // Our own shortage is not the server's failure.
        let change = if has_only_waited { None } else { server.failed(now, &self.config.health) };
        self.report(server_id, change);
        self.plan(now, server_id);
        let next = if pending.is_pinned { None } else { self.choose(&pending.failures) };
        match next {
            Some(next) => {
                self.requests.insert(id, pending);
                self.attempt(now, id, next);
            }
            None => {
                self.events.push_back(Event::Failed { id, why: Failure::NoAnswer(pending.failures) });
            }
        }
    }

    fn handle_server_timeout(&mut self, now: Instant, id: ServerId) {
        let Some(server) = self.servers.get_mut(usize::from(id.0)) else { return };
        let mut change = None;
        match &server.probe {
            Probe::Open { slot, sent, until, .. } if *until <= now => {
                server.sockets.release(*slot, *sent);
                change = server.probe_failed(now, &self.config.health);
            }
            _ => {}
        }
        let change = change.or_else(|| server.try_again(now, &self.config.health));
        if matches!(server.probe, Probe::Planned(at) if at <= now) {
            self.send_probe(now, id);
        }
        self.report(id, change);
        self.send_waiting(now, id);
        if let Some(server) = self.servers.get_mut(usize::from(id.0)) {
            server.forget_passed(now);
            while let Some(number) = server.sockets.close_idle(now) {
                self.events.push_back(Event::CloseSocket(SocketId { server: id, number }));
            }
        }
        self.plan(now, id);
    }

    fn send_probe(&mut self, now: Instant, id: ServerId) {
        let Some(server) = self.servers.get_mut(usize::from(id.0)) else { return };
        let mut authenticator = [0; 16];
        self.rng.fill(&mut authenticator);
        let until = now.checked_add(self.config.health.probe_wait);
        let slot = server.sockets.take(now, Owner::Probe);
        let packet = slot.and_then(|slot| {
            status_server(slot.id, authenticator, &self.config.nas, &server.config.secret).ok()
        });
        let (Some(slot), Some(packet), Some(until)) = (slot, packet, until) else {
            if let Some(slot) = slot {
                server.sockets.release(slot, now);
            }
            // It counts as unanswered at the next interval, and no sooner.
            server.probe =
                now.checked_add(self.config.health.probe_interval).map_or(Probe::None, Probe::Planned);
            return;
        };
        server.probe = Probe::Open { slot, authenticator, packet, sent: now, until };
        self.transmits.push_back(Key::Server(id));
    }

    /// Sends the logins that have waited, as far as identifiers are free.
    fn send_waiting(&mut self, now: Instant, server_id: ServerId) {
        while let Some(server) = self.servers.get_mut(usize::from(server_id.0))
            && let Some(id) = server.waiting.front().copied()
            && let Some(slot) = server.sockets.take(now, Owner::Request(id))
        {
            server.waiting.pop_front();
            self.send(now, id, (server_id, slot));
        }
    }

    /// Appends the next packet to `out`; returns where to send it.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>) -> Option<Transmit> {
        loop {
            let (server_id, slot, packet) = match self.transmits.pop_front()? {
                Key::Request(id) => match self.requests.get(&id).map(|pending| &pending.attempt) {
                    Some(Attempt::Sent(sent)) => (sent.server, sent.slot, &sent.packet),
                    // It was answered or withdrawn meanwhile.
                    _ => continue,
                },
                Key::Server(id) => match self.server(id).map(|server| &server.probe) {
                    Some(Probe::Open { slot, packet, .. }) => (id, *slot, packet),
                    _ => continue,
                },
            };
            let Some(server) = self.server(server_id) else { continue };
            out.extend_from_slice(packet);
            let socket = SocketId { server: server_id, number: slot.socket };
            return Some(Transmit { socket, to: server.config.address });
        }
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Client::handle_timeout), and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.timers.first().map(|(at, key)| match key {
            Key::Request(_) => (at, "answer of a RADIUS server"),
            Key::Server(_) => (at, "state of a RADIUS server"),
        })
    }
}
