//! Simulated servers, and a network that loses, repeats and delays packets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::proof::Proof;
use adit_crypto::secret::Password;
use adit_radius::client::{
    Client, ClientConfig, Command, Event, Failure, RequestId, ServerConfig, ServerId, SocketId,
};
use adit_radius::number::standard;
use adit_radius::{
    AccessRequest, Builder, Call, Code, Credentials, Nas, Packet, Reply, RequireMessageAuthenticator,
    SharedSecret, Signing,
};

pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A server. The name of the user decides what it does; see [`Model::reply`].
pub(crate) struct Model {
    pub(crate) address: SocketAddr,
    pub(crate) secret: SharedSecret,
    pub(crate) is_up: bool,
    pub(crate) answers_status: bool,
    pub(crate) signs: bool,
    /// Access-Requests that it has read, without those repeated.
    pub(crate) logins: Vec<String>,
    /// Status-Servers that it has read.
    pub(crate) probes: usize,
    seen: BTreeSet<(SocketId, Vec<u8>)>,
}

impl Model {
    fn new(number: u16) -> Model {
        Model {
            address: SocketAddr::from(([10, 0, 0, 7 + number as u8], 1812)),
            secret: secret(number),
            is_up: true,
            answers_status: true,
            signs: true,
            logins: Vec::new(),
            probes: 0,
            seen: BTreeSet::new(),
        }
    }

    /// The answer to a packet, and how long it takes: `bad` is rejected, `more` challenged, `slow` takes 60 s.
    fn reply(&mut self, socket: SocketId, octets: &[u8]) -> Option<(Duration, Vec<u8>)> {
        let packet = Packet::new_checked(octets).unwrap();
        if !self.is_up {
            return None;
        }
        let mut delay = 10 * MILLISECOND;
        let code = if packet.code() == Code::StatusServer {
            self.probes += 1;
            if !self.answers_status {
                return None;
            }
            Code::AccessAccept
        } else {
            let name = packet.flattened().find(|a| a.number == standard::USER_NAME).unwrap().value;
            let name = String::from_utf8(name.to_vec()).unwrap();
            // A server knows a repeated request by its octets, and answers it once.
            if !self.seen.insert((socket, octets.to_vec())) && name.starts_with("slow") {
                return None;
            }
            let code = match &*name {
                bad if bad.starts_with("bad") => Code::AccessReject,
                more if more.starts_with("more") => Code::AccessChallenge,
                slow if slow.starts_with("slo") => {
                    delay = 60 * SECOND;
                    Code::AccessAccept
                }
                _ => Code::AccessAccept,
            };
            self.logins.push(name);
            code
        };
        let mut builder = Builder::new(code, packet.id(), [0; 16]);
        if self.signs {
            builder.message_authenticator();
        }
        builder.octets(standard::STATE, b"state").text(standard::REPLY_MESSAGE, "from the server");
        Some((delay, builder.finish(Signing::Reply(*packet.authenticator()), &self.secret).unwrap()))
    }
}

pub(crate) fn secret(number: u16) -> SharedSecret {
    SharedSecret::new(format!("a secret of server {number}").as_bytes()).unwrap()
}

/// A packet on its way.
pub(crate) struct Flight {
    pub(crate) socket: SocketId,
    pub(crate) from: SocketAddr,
    pub(crate) octets: Vec<u8>,
}

/// A packet that the client has sent.
pub(crate) struct Sent {
    pub(crate) at: Instant,
    pub(crate) socket: SocketId,
    pub(crate) octets: Vec<u8>,
}

/// The final result of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Accept(u16),
    Reject(u16),
    Challenge(u16),
    Failed(Failure),
}

pub(crate) struct World {
    pub(crate) begun: Instant,
    pub(crate) now: Instant,
    pub(crate) client: Client,
    pub(crate) servers: Vec<Model>,
    pub(crate) flights: BTreeMap<(Instant, u64), Flight>,
    count: u64,
    pub(crate) sent: Vec<Sent>,
    pub(crate) ends: BTreeMap<RequestId, (Duration, End)>,
    pub(crate) events: Vec<(Duration, Event)>,
    /// Of 100 packets in each direction, how many are lost and how many arrive twice.
    pub(crate) loss: (u64, u64),
    pub(crate) rng: Rng,
}

/// The configuration of so many servers.
pub(crate) fn config(servers: u16) -> ClientConfig {
    let server = |number| ServerConfig {
        address: Model::new(number).address,
        secret: secret(number),
        require: RequireMessageAuthenticator::Yes,
    };
    ClientConfig::new((0..servers).map(server).collect(), Nas::default())
}

pub(crate) fn pap(name: &str) -> Box<AccessRequest> {
    with_proof(name, Proof::Pap { password: Password::new("x") })
}

pub(crate) fn with_proof(name: &str, proof: Proof) -> Box<AccessRequest> {
    Box::new(AccessRequest {
        user_name: name.as_bytes().to_vec(),
        credentials: Credentials::Proof(proof),
        nas: Arc::new(Nas::default()),
        call: Call::default(),
        state: None,
    })
}

impl World {
    pub(crate) fn new(config: ClientConfig, seed: u64) -> World {
        let begun = Instant::now();
        let mut rng = Rng::from_number(seed);
        let servers = (0..).zip(&config.servers).map(|(number, _)| Model::new(number)).collect();
        World {
            begun,
            now: begun,
            client: Client::new(config, rng.fork()),
            servers,
            flights: BTreeMap::new(),
            count: 0,
            sent: Vec::new(),
            ends: BTreeMap::new(),
            events: Vec::new(),
            loss: (0, 0),
            rng,
        }
    }

    pub(crate) fn send(&mut self, id: u64, name: &str) {
        self.command(Command::Send { id: RequestId(id), request: pap(name), server: None });
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.client.handle_command(self.now, command);
        self.drain();
    }

    /// Puts a packet to the client on its way.
    pub(crate) fn fly(&mut self, delay: Duration, flight: Flight) {
        self.count += 1;
        self.flights.insert((self.now + delay, self.count), flight);
    }

    /// How often a packet arrives.
    fn copies(&mut self) -> u64 {
        let draw = self.rng.below(100);
        let (lost, twice) = self.loss;
        if draw < lost { 0 } else { 1 + u64::from(draw < lost + twice) }
    }

    pub(crate) fn drain(&mut self) {
        while let Some(event) = self.client.poll_event() {
            let (id, end) = match &event {
                Event::Reply { id, server, reply } => {
                    let end = match reply {
                        Reply::Accept(_) => End::Accept(server.0),
                        Reply::Reject(_) => End::Reject(server.0),
                        Reply::Challenge(_) => End::Challenge(server.0),
                    };
                    (*id, end)
                }
                Event::Failed { id, why } => (*id, End::Failed(why.clone())),
                _ => {
                    self.events.push((self.now - self.begun, event));
                    continue;
                }
            };
            let former = self.ends.insert(id, (self.now - self.begun, end));
            assert!(former.is_none(), "{id:?} has two ends");
        }
        let mut octets = Vec::new();
        while let Some(transmit) = self.client.poll_transmit(&mut octets) {
            let octets = std::mem::take(&mut octets);
            let socket = transmit.socket;
            self.sent.push(Sent { at: self.now, socket, octets: octets.clone() });
            for _ in 0..self.copies() {
                let server = &mut self.servers[usize::from(socket.server.0)];
                assert_eq!(server.address, transmit.to);
                let Some((delay, reply)) = server.reply(socket, &octets) else { continue };
                let from = server.address;
                for copy in 0..self.copies() {
                    let delay = delay + self.rng.below(20) as u32 * MILLISECOND + copy as u32 * SECOND;
                    self.fly(delay, Flight { socket, from, octets: reply.clone() });
                }
            }
        }
    }

    /// Proceeds to the next packet or deadline before `until`; `false` if there is none.
    pub(crate) fn step(&mut self, until: Instant) -> bool {
        let packet = self.flights.keys().next().copied();
        let deadline = self.client.poll_timeout().map(|(at, _)| at);
        let next = packet.map(|(at, _)| at).into_iter().chain(deadline).min();
        let Some(next) = next.filter(|next| *next <= until) else {
            self.now = until;
            return false;
        };
        self.now = self.now.max(next);
        match packet.filter(|(at, _)| *at <= self.now) {
            Some(key) => {
                let Flight { socket, from, octets } = self.flights.remove(&key).unwrap();
                self.client.handle_input(self.now, socket, from, &octets);
            }
            None => {
                self.client.handle_timeout(self.now);
                let due = self.client.poll_timeout().map(|(at, _)| at);
                assert!(due.is_none_or(|due| due > self.now), "a deadline that stays due");
            }
        }
        self.drain();
        true
    }

    pub(crate) fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.step(until) {}
    }

    pub(crate) fn end(&self, id: u64) -> Option<&End> {
        self.ends.get(&RequestId(id)).map(|(_, end)| end)
    }

    /// A login from its beginning to its end, which must be within a minute.
    pub(crate) fn login(&mut self, id: u64, name: &str) -> End {
        self.send(id, name);
        let until = self.now + 60 * SECOND;
        while self.end(id).is_none() && self.step(until) {}
        self.end(id).unwrap_or_else(|| panic!("login {id} has no end")).clone()
    }

    /// The text of a failure.
    pub(crate) fn failure(&self, id: u64) -> String {
        match self.end(id) {
            Some(End::Failed(why)) => why.to_string(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn changes(&self) -> Vec<(&'static str, u16)> {
        let change = |(_, event): &(Duration, Event)| match event {
            Event::ServerDown(ServerId(server)) => Some(("down", *server)),
            Event::ServerUp(ServerId(server)) => Some(("up", *server)),
            _ => None,
        };
        self.events.iter().filter_map(change).collect()
    }
}
