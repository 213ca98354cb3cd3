//! The state machine: commands in, packets both ways, one event for each command.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use adit_capture::Dns;
use adit_wire::{icmp, ipv4, tcp as segment, udp};
use smoltcp::iface::SocketHandle;

use crate::echo::{self, Echo};
use crate::quote::{self, Quote};
use crate::tcp::{Progress, Tcp};
use crate::{dhcp, dns};

/// Commands that are open at a time; further ones end as [`Outcome::Refusal`] at once.
pub const QUESTIONS_MAX: usize = 64;
/// Packets that wait to be sent, at most.
const QUEUE_MAX: usize = 256;
/// A query without an answer is repeated after this time.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Where ports of our own begin (RFC 6335: dynamic).
const FIRST_PORT: u16 = 49_152;
const HOPS: u8 = 64;

/// The configuration of the host.
#[derive(Clone, Copy, Debug)]
pub struct StackConfig {
    /// Its address.
    pub local: Ipv4Addr,
    /// The largest packet that it sends for TCP, in octets.
    pub mtu: u16,
    /// Where its ports, sequence numbers and identifiers begin; a random number.
    pub seed: u64,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Send one ICMP echo.
    Ping {
        /// The destination.
        to: Ipv4Addr,
        /// Octets of the whole IP packet, from 28.
        size: u16,
        /// Sets DF.
        dont_fragment: bool,
        /// Time to live; `None` for 64.
        ttl: Option<u8>,
        /// How long to wait.
        wait: Duration,
    },
    /// Query a name server for the IPv4 addresses of a name; repeated each second.
    Lookup {
        /// The name server.
        server: Ipv4Addr,
        /// The name.
        name: String,
        /// How long to wait.
        wait: Duration,
    },
    /// Open a TCP connection, and close it when it is open.
    Dial {
        /// The destination.
        to: SocketAddrV4,
        /// How long to wait; the SYN is repeated.
        wait: Duration,
    },
    /// Request the routes that the other end hands out, with a DHCPINFORM; repeated each second.
    Routes {
        /// How long to wait.
        wait: Duration,
    },
}

/// The result of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The number that [`Stack::handle_command`] returned.
    pub id: u32,
    /// How long it took.
    pub took: Duration,
    /// The outcome.
    pub outcome: Outcome,
}

/// The outcome of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The echo reply arrived.
    Reply {
        /// Time to live left in it.
        ttl: u8,
    },
    /// The name server answered.
    Answer {
        /// 0 for success, 3 for a name that does not exist (RFC 1035 section 4.1.1).
        rcode: u8,
        /// The addresses; none is an answer too.
        addresses: Vec<Ipv4Addr>,
    },
    /// The networks that are handed out, each with the length of its prefix.
    Routes(Vec<(Ipv4Addr, u8)>),
    /// The TCP connection is open.
    Open {
        /// Time to live left in the SYN-ACK.
        ttl: u8,
        /// The maximum segment size it announces.
        mss: Option<u16>,
    },
    /// The TCP connection was reset.
    Reset {
        /// Time to live left in the RST; `None` when it was not seen.
        ttl: Option<u8>,
    },
    /// An ICMP error was received.
    Icmp {
        /// Its sender.
        from: Ipv4Addr,
        /// Type: 3 unreachable, 11 time exceeded.
        kind: u8,
        /// Code (RFC 792, RFC 1812).
        code: u8,
        /// The next hop's MTU, where the error is about size.
        mtu: Option<u16>,
    },
    /// Nothing arrived in time.
    Silent,
    /// The command cannot be carried out: no such name or address, or too many open commands.
    Refusal,
}

enum Asked {
    Ping {
        to: Ipv4Addr,
        sequence: u16,
    },
    Lookup {
        server: Ipv4Addr,
        port: u16,
        id: u16,
        packet: Vec<u8>,
        again: Instant,
    },
    Routes {
        id: u32,
        packet: Vec<u8>,
        again: Instant,
    },
    Dial {
        to: SocketAddrV4,
        port: u16,
        handle: SocketHandle,
        open: Option<(u8, Option<u16>)>,
        reset: Option<u8>,
    },
}

struct Question {
    id: u32,
    began: Instant,
    until: Instant,
    asked: Asked,
}

/// The host.
pub struct Stack {
    local: Ipv4Addr,
    identifier: u16,
    next: u16,
    next_id: u32,
    questions: Vec<Question>,
    /// Connections that are closing; forgotten when they are closed.
    closing: Vec<SocketHandle>,
    tcp: Tcp,
    output: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
}

impl Stack {
    /// A host without commands.
    pub fn new(config: StackConfig, now: Instant) -> Stack {
        Stack {
            local: config.local,
            identifier: (config.seed >> 48) as u16,
            next: (config.seed >> 32) as u16 & 0x3fff,
            next_id: 0,
            questions: Vec::new(),
            closing: Vec::new(),
            tcp: Tcp::new(config.local, config.mtu, config.seed, now),
            output: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Starts a command; its event has the number returned.
    pub fn handle_command(&mut self, now: Instant, command: Command) -> u32 {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        let wait = match &command {
            Command::Ping { wait, .. }
            | Command::Lookup { wait, .. }
            | Command::Dial { wait, .. }
            | Command::Routes { wait } => *wait,
        };
        let asked = if self.questions.len() < QUESTIONS_MAX { self.ask(now, command) } else { None };
        match asked {
            Some(asked) => self.questions.push(Question { id, began: now, until: now + wait, asked }),
            None => self.events.push_back(Event { id, took: Duration::ZERO, outcome: Outcome::Refusal }),
        }
        self.collect();
        id
    }

    fn ask(&mut self, now: Instant, command: Command) -> Option<Asked> {
        // Wraps within the dynamic ports; at most QUESTIONS_MAX of them are in use at a time.
        self.next = (self.next + 1) & 0x3fff;
        let port = FIRST_PORT + self.next;
        Some(match command {
            Command::Ping { to, size, dont_fragment, ttl, .. } => {
                let (from, identifier, sequence) = (self.local, self.identifier, self.next);
                let ttl = ttl.unwrap_or(HOPS);
                self.send(Echo { from, to, identifier, sequence, size, dont_fragment, ttl }.packet());
                Asked::Ping { to, sequence }
            }
            Command::Lookup { server, name, .. } => {
                let id = self.identifier ^ self.next.rotate_left(3);
                let query = dns::query(id, &name)?;
                let packet = udp::datagram_v4((self.local, port), (server, dns::PORT), &query);
                self.send(packet.clone());
                Asked::Lookup { server, port, id, packet, again: now + ASK_AGAIN }
            }
            Command::Routes { .. } => {
                let id = u32::from(self.identifier) << 16 | u32::from(self.next);
                let broadcast = (Ipv4Addr::BROADCAST, adit_wire::dhcp::SERVER_PORT);
                let ours = (self.local, adit_wire::dhcp::CLIENT_PORT);
                let packet = udp::datagram_v4(ours, broadcast, &dhcp::inform(id, self.local));
                self.send(packet.clone());
                Asked::Routes { id, packet, again: now + ASK_AGAIN }
            }
            Command::Dial { to, .. } => {
                let handle = self.tcp.dial(now, to, port)?;
                Asked::Dial { to, port, handle, open: None, reset: None }
            }
        })
    }

    /// Takes a packet from the pipe.
    pub fn handle_input(&mut self, now: Instant, packet: &[u8]) {
        let Ok(ip) = ipv4::Packet::new_checked(packet) else { return };
        if ip.dst() != self.local || ip.is_fragment() {
            return;
        }
        match ip.protocol() {
            ipv4::ICMP => self.icmp(now, ip),
            ipv4::UDP => self.udp(now, ip),
            ipv4::TCP => {
                self.note_segment(ip);
                self.tcp.handle_input(now, packet);
                self.judge_dials(now);
            }
            _ => {}
        }
        self.collect();
    }

    /// Handles the timers that are due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.tcp.turn(now);
        self.judge_dials(now);
        let mut again = Vec::new();
        for question in &mut self.questions {
            if let Asked::Lookup { packet, again: at, .. } | Asked::Routes { packet, again: at, .. } =
                &mut question.asked
                && now >= *at
            {
                *at = now + ASK_AGAIN;
                again.push(packet.clone());
            }
        }
        again.into_iter().for_each(|packet| self.send(packet));
        while let Some(at) = self.questions.iter().position(|question| now >= question.until) {
            self.answer(now, at, Outcome::Silent);
        }
        self.collect();
    }

    /// The next packet for the pipe, written to `buf` (cleared first).
    pub fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> bool {
        buf.clear();
        let Some(packet) = self.output.pop_front() else { return false };
        buf.extend_from_slice(&packet);
        true
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`Stack::handle_timeout`] at the latest, and why.
    pub fn poll_timeout(&mut self, now: Instant) -> Option<(Instant, &'static str)> {
        let questions = self.questions.iter().map(|question| match &question.asked {
            Asked::Lookup { again, .. } if *again < question.until => (*again, "a query is repeated"),
            _ => (question.until, "a time limit is reached"),
        });
        let tcp = self.tcp.poll_timeout(now).map(|at| (at, "TCP sends again"));
        questions.chain(tcp).min_by_key(|(at, _)| *at)
    }

    fn icmp(&mut self, now: Instant, ip: ipv4::Packet<'_>) {
        let Ok(message) = icmp::Packet::new_checked(ip.payload()) else { return };
        if message.kind() == icmp::ECHO_REPLY {
            let numbers = echo::numbers(ip.payload());
            let identifier = self.identifier;
            let found = self.find(|asked| {
                matches!(asked, Asked::Ping { to, sequence }
                    if *to == ip.src() && numbers == Some((identifier, *sequence)))
            });
            if let Some(at) = found {
                self.answer(now, at, Outcome::Reply { ttl: ip.ttl() });
            }
        } else if let Some(quote) = quote::read(ip.payload())
            && let Some(at) = self.about(&quote)
        {
            let Quote { kind, code, mtu, .. } = quote;
            self.answer(now, at, Outcome::Icmp { from: ip.src(), kind, code, mtu });
        }
    }

    /// The command whose packet an error is about.
    fn about(&self, quote: &Quote<'_>) -> Option<usize> {
        let half = |at: usize| Some(u16::from_be_bytes(*quote.payload.get(at..)?.first_chunk::<2>()?));
        let (first, second, to) = (half(0)?, half(2)?, quote.destination);
        let identifier = self.identifier;
        self.find(|asked| match (asked, quote.protocol) {
            (Asked::Ping { to: at, sequence }, ipv4::ICMP) => {
                *at == to && echo::numbers(quote.payload) == Some((identifier, *sequence))
            }
            (Asked::Lookup { server, port, .. }, ipv4::UDP) => {
                *server == to && (first, second) == (*port, dns::PORT)
            }
            (Asked::Dial { to: at, port, .. }, ipv4::TCP) => {
                *at.ip() == to && (first, second) == (*port, at.port())
            }
            _ => false,
        })
    }

    fn udp(&mut self, now: Instant, ip: ipv4::Packet<'_>) {
        let Ok(datagram) = udp::Packet::new_checked(ip.payload()) else { return };
        if datagram.dst_port() == adit_wire::dhcp::CLIENT_PORT {
            let found = self.questions.iter().enumerate().find_map(|(at, question)| match &question.asked {
                Asked::Routes { id, .. } => Some((at, dhcp::routes(*id, datagram.payload())?)),
                _ => None,
            });
            if let Some((at, routes)) = found {
                self.answer(now, at, Outcome::Routes(routes));
            }
            return;
        }
        let Some(answer) = Dns::read(datagram.payload()).filter(|answer| answer.is_response) else { return };
        let found = self.find(|asked| {
            matches!(asked, Asked::Lookup { server, port, id, .. }
                if *server == ip.src() && *port == datagram.dst_port() && *id == answer.id)
        });
        if let Some(at) = found {
            let addresses = answer.addresses().filter_map(|address| match address {
                std::net::IpAddr::V4(v4) => Some(v4),
                std::net::IpAddr::V6(_) => None,
            });
            let addresses = addresses.collect();
            self.answer(now, at, Outcome::Answer { rcode: answer.rcode, addresses });
        }
    }

    /// Keeps what smoltcp does not report of a segment: its time to live and its MSS.
    fn note_segment(&mut self, ip: ipv4::Packet<'_>) {
        let Ok(read) = segment::Packet::new_checked(ip.payload()) else { return };
        let flags = read.flags();
        for question in &mut self.questions {
            if let Asked::Dial { to, port, open, reset, .. } = &mut question.asked
                && (*to.ip(), to.port(), *port) == (ip.src(), read.src_port(), read.dst_port())
            {
                if flags & segment::RST != 0 {
                    *reset = Some(ip.ttl());
                } else if flags & segment::SYN != 0 {
                    *open = Some((ip.ttl(), read.mss()));
                }
            }
        }
    }

    fn judge_dials(&mut self, now: Instant) {
        let mut at = 0;
        while let Some(question) = self.questions.get(at) {
            let outcome = match &question.asked {
                Asked::Dial { handle, open, reset, .. } => match self.tcp.progress(*handle) {
                    Progress::Waiting => None,
                    Progress::Open => {
                        let (ttl, mss) = open.unwrap_or((0, None));
                        Some(Outcome::Open { ttl, mss })
                    }
                    Progress::Closed => Some(Outcome::Reset { ttl: *reset }),
                },
                _ => None,
            };
            match outcome {
                Some(outcome) => self.answer(now, at, outcome),
                None => at += 1,
            }
        }
        let (tcp, closing) = (&mut self.tcp, &mut self.closing);
        closing.retain(|handle| {
            let over = tcp.progress(*handle) == Progress::Closed;
            if over {
                tcp.forget(now, *handle);
            }
            !over
        });
    }

    fn find(&self, which: impl Fn(&Asked) -> bool) -> Option<usize> {
        self.questions.iter().position(|question| which(&question.asked))
    }

    fn answer(&mut self, now: Instant, at: usize, outcome: Outcome) {
        let question = self.questions.remove(at);
        if let Asked::Dial { handle, .. } = question.asked {
            if matches!(outcome, Outcome::Open { .. }) && self.closing.len() < QUESTIONS_MAX {
                self.tcp.close(now, handle);
                self.closing.push(handle);
            } else {
                self.tcp.forget(now, handle);
            }
        }
        let took = now.saturating_duration_since(question.began);
        self.events.push_back(Event { id: question.id, took, outcome });
    }

    fn send(&mut self, packet: Vec<u8>) {
        if self.output.len() < QUEUE_MAX {
            self.output.push_back(packet);
        }
    }

    /// Takes what TCP has to send.
    fn collect(&mut self) {
        while let Some(packet) = self.tcp.poll_transmit() {
            self.send(packet);
        }
    }
}

#[cfg(test)]
mod tests;
