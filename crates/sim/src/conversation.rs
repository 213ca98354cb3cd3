//! Runs a scenario from the first SYN to the last FIN.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::mppe::Strength;
use adit_diag::note::Finding;
use adit_diag::{Code, Note};
use adit_ppp::ccp::Mode;
use adit_tunnel::ServerTunnel;
use adit_tunnel::events::{Command, End, Up, Why};
use adit_wire::pptp::PORT;

use crate::attacker::{Target, burst, pick};
use crate::client::ClientHost;
use crate::firewall::{Action, Firewall, What};
use crate::forger;
use crate::inner::SECRET;
use crate::link::Quality;
use crate::middlebox::Middlebox;
use crate::nat::Nat;
use crate::node::Node;
use crate::packet::{Body, Kind, Packet};
use crate::rude::Rude;
use crate::scenario::{CLIENT, Ending, Fault, OUTSIDE, SERVER, Scenario};
use crate::server::ServerHost;
use crate::shell::{Call, Shell};
use crate::tamper::Tamper;
use crate::tcp::segment;
use crate::world::{Host, Stuck, World};

/// The time limit for a call to be up or to have ended.
const SETTLED: Duration = Duration::from_secs(200);
/// The time limit for everything to end once the end began.
const ENDED: Duration = Duration::from_secs(300);
/// The interval of inner datagrams in each direction.
const EVERY: Duration = Duration::from_millis(30);

/// Key length and whether stateless; `None` for none.
pub type Encryption = Option<(Strength, bool)>;

/// The address of the first misbehaving host; the others follow.
const RUDE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);

fn is_rude(address: Ipv4Addr) -> bool {
    address.octets().starts_with(&[198, 18])
}

/// The report of a conversation.
pub struct Report {
    /// The hash of the transcript, equal for equal conversations.
    pub hash: u64,
    /// The number of entries in the transcript.
    pub entries: u64,
    /// The lines of the transcript, if requested.
    pub lines: Vec<String>,
    /// The clients, in order.
    pub clients: Vec<Side>,
    /// The server's connections, in the order in which they ended.
    pub servers: Vec<Side>,
    /// The encryption of data before the end: on the client, on the server.
    pub encryption: Vec<(Encryption, Encryption)>,
    /// Errors reported by the world or the watch.
    pub violations: Vec<String>,
    /// The elapsed virtual time.
    pub elapsed: Duration,
}

impl Report {
    /// Formats the last `lines` lines of the transcript, and the final state of each side.
    pub fn describe(&self, scenario: &Scenario, lines: usize) -> String {
        let from = self.lines.len().saturating_sub(lines);
        let kept = self.lines.iter().skip(from).cloned();
        let seed = format!("seed {} fault {:?} ending {:?}", scenario.seed, scenario.fault, scenario.ending);
        let sides = self.clients.iter().chain(&self.servers);
        let sides = sides.map(|side| format!("{:?} {:?} {:?}", side.code, side.call, side.closed));
        kept.chain([seed]).chain(sides).map(|line| line + "\n").collect()
    }
}

/// The final state of one side.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// The agreed parameters, if the call came up.
    pub up: Option<Up>,
    /// The virtual time from the start of the conversation until the call came up.
    pub up_after: Option<Duration>,
    /// The notes of the side, with the time since the start of the conversation.
    pub notes: Vec<(Duration, Note)>,
    /// Faults that did not end the call.
    pub found: Vec<Finding>,
    /// How the call ended.
    pub call: Option<End>,
    /// How the connection ended.
    pub closed: Option<End>,
    /// The code that is reported to the user.
    pub code: Option<Code>,
    /// Inner datagrams sent.
    pub sent: u32,
    /// Numbers of the inner datagrams that arrived.
    pub received: Vec<u32>,
    /// The first inner packet that arrived damaged.
    pub damaged: Option<String>,
}

impl Side {
    fn new(epoch: Instant, call: Option<&Call>, closed: Option<End>, code: Option<Code>) -> Side {
        Side {
            up: call.and_then(|call| call.up.clone()),
            up_after: call.and_then(|call| call.up_at).map(|at| at.saturating_duration_since(epoch)),
            notes: Vec::new(),
            found: call.map(|call| call.found.clone()).unwrap_or_default(),
            call: call.and_then(|call| call.end.clone()),
            closed,
            code,
            sent: call.map_or(0, |call| call.sent),
            received: call.map(|call| call.received.clone()).unwrap_or_default(),
            damaged: call.and_then(|call| call.damaged.clone()),
        }
    }

    fn server(epoch: Instant, shell: &Shell<ServerTunnel>) -> Side {
        let call = shell.calls().values().find(|call| call.up.is_some() || call.end.is_some());
        let since = |(at, note): &(Instant, Note)| (at.saturating_duration_since(epoch), note.clone());
        Side {
            notes: shell.notes.iter().map(since).collect(),
            ..Side::new(epoch, call, shell.closed.clone(), shell.code())
        }
    }

    fn client(epoch: Instant, client: &ClientHost) -> Side {
        let call = client.shell().and_then(|shell| shell.calls().values().next());
        Side::new(epoch, call, client.shell().and_then(|shell| shell.closed.clone()), client.code())
    }
}

/// A conversation while it runs.
pub struct Conversation {
    scenario: Scenario,
    world: World<Node>,
    server: usize,
    clients: Vec<usize>,
    rude: Vec<usize>,
    attacker: Rng,
    encryption: Vec<(Encryption, Encryption)>,
    violations: Vec<String>,
}

/// Runs a scenario; `verbose` keeps the lines of the transcript.
pub fn play(scenario: Scenario, verbose: bool) -> Report {
    let mut conversation = Conversation::new(scenario, verbose);
    if let Err(Stuck(why)) = conversation.run() {
        conversation.violations.push(format!("stuck: {why}"));
    }
    conversation.report()
}

impl Conversation {
    fn new(scenario: Scenario, verbose: bool) -> Conversation {
        let mut rng = Rng::from_number(!scenario.seed);
        let mut world = World::new(rng.fork(), verbose);
        let epoch = world.epoch();
        let near = Quality { delay: Duration::from_micros(50), ..Quality::default() };
        let site = world.add_site(Vec::new(), near.clone(), near);
        let host = ServerHost::new(SERVER, scenario.server.clone(), scenario.service.clone(), rng.fork());
        let server = world.add_host(site, Node::Server(host));
        let boxes = boxes(&scenario, epoch, &mut rng);
        let site = world.add_site(boxes, scenario.up.clone(), scenario.down.clone());
        let mut clients = Vec::new();
        for (n, config) in scenario.clients.iter().enumerate() {
            let address = Ipv4Addr::from_bits(CLIENT.to_bits() + n as u32);
            let port = 40_000 + rng.below(20_000) as u16;
            let host = ClientHost::new(address, port, SERVER, config.clone(), rng.fork());
            clients.push(world.add_host(site, Node::Client(host)));
            world.watch.trust(address);
            if config.link.mppe.mode == Mode::Require {
                world.watch.swear(address, SECRET);
            }
        }
        world.watch.trust(SERVER);
        if scenario.server.link.mppe.mode == Mode::Require {
            world.watch.swear(SERVER, SECRET);
        }
        let mut rude = Vec::new();
        for (n, manner) in scenario.rude.iter().enumerate() {
            let address = Ipv4Addr::from_bits(RUDE.to_bits() + n as u32);
            let near = Quality { delay: Duration::from_millis(3), ..Quality::default() };
            let site = world.add_site(Vec::new(), near.clone(), near);
            let host = Rude::new(*manner, address, false, rng.fork());
            rude.push(world.add_host(site, Node::Rude(Box::new(host))));
        }
        Conversation {
            scenario,
            world,
            server,
            clients,
            rude,
            attacker: rng,
            encryption: Vec::new(),
            violations: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<(), Stuck> {
        self.dial()?;
        self.settle()?;
        self.exchange()?;
        self.idle()?;
        self.compare();
        self.end()
    }

    /// Records the encryption on both sides of every call that is up.
    fn compare(&mut self) {
        let theirs = calls_of_server(&self.world, self.server);
        for index in &self.clients {
            let shell = self.world.host(*index).client().and_then(ClientHost::shell);
            let Some((address, ours)) = shell.and_then(|shell| shell.encryption(|up| up.local)) else {
                continue;
            };
            if let Some((_, theirs)) = theirs.iter().find(|(of, _)| *of == address) {
                self.encryption.push((ours, *theirs));
            }
        }
    }

    /// Makes the clients dial, one after the other.
    fn dial(&mut self) -> Result<(), Stuck> {
        for index in self.rude.clone() {
            self.world.act(index, |node, _, out| {
                if let Some(rude) = node.rude_mut() {
                    rude.dial(SERVER, out);
                }
            });
        }
        for index in self.clients.clone() {
            self.world.act(index, |node, now, out| {
                if let Some(client) = node.client_mut() {
                    client.dial(now, out);
                }
            });
            let next = self.world.now() + Duration::from_millis(700);
            self.world.run(next, |_| false)?;
        }
        Ok(())
    }

    /// Runs until every call is up on both sides with the same encryption, or has ended. The fault may occur
    /// meanwhile.
    fn settle(&mut self) -> Result<(), Stuck> {
        self.fault_at_its_time()?;
        let (server, clients) = (self.server, self.clients.clone());
        let encrypted = self.scenario.is_encrypted();
        let until = self.world.now() + SETTLED;
        self.world.run(until, |world| {
            let theirs = calls_of_server(world, server);
            clients.iter().all(|client| {
                world.host(*client).client().is_some_and(|client| {
                    let ours = client.shell().and_then(|shell| shell.encryption(|up| up.local));
                    let settled = ours.filter(|(_, encryption)| encryption.is_some() || !encrypted);
                    client.is_over() || settled.is_some_and(|ours| theirs.contains(&ours))
                })
            })
        })
    }

    /// Runs until the time of the fault, if it is near, and triggers it.
    fn fault_at_its_time(&mut self) -> Result<(), Stuck> {
        let (Fault::Crash(after) | Fault::TcpReset(after)) = self.scenario.fault else { return Ok(()) };
        let at = self.world.epoch() + after;
        self.world.run(at, |_| false)?;
        self.world.transcript.note(at, "fault", "now");
        if matches!(self.scenario.fault, Fault::Crash(_)) {
            self.world.act(self.server, |node, _, _| {
                if let Some(server) = node.server_mut() {
                    server.dead = true;
                }
            });
        } else {
            self.reset_tcp();
        }
        Ok(())
    }

    /// Resets both ends of every connection; there is no NAT in these scenarios.
    fn reset_tcp(&mut self) {
        for index in self.clients.clone() {
            let local = self.world.host(index).client().map(ClientHost::socket);
            let Some(local) = local else { continue };
            let remote = (SERVER, PORT);
            for (host, from, to) in [(index, remote, local), (self.server, local, remote)] {
                let packet = segment(from, to, Kind::Rst);
                self.world.act(host, |node, now, out| {
                    Host::handle_packet(node, now, packet, out);
                });
            }
        }
    }

    /// Sends inner datagrams in both directions.
    fn exchange(&mut self) -> Result<(), Stuck> {
        let (count, len) = (self.scenario.datagrams, self.scenario.datagram_len);
        for index in self.clients.clone() {
            self.world.act(index, |node, now, _| {
                if let Some(shell) = node.client_mut().and_then(ClientHost::shell_mut) {
                    shell.send_traffic(now, count, EVERY, len);
                }
            });
        }
        self.world.act(self.server, |node, now, out| {
            if let Some(server) = node.server_mut() {
                server.each(now, out, |shell, _| shell.send_traffic(now, count, EVERY, len));
            }
        });
        let until = self.world.now() + EVERY * count + Duration::from_secs(2);
        self.forge(until)?;
        self.world.run(until, |_| false)?;
        // A forged CHAP Failure shortly before the end would be taken for its reason.
        let calm = if self.scenario.forged > 0 { Duration::from_secs(9) } else { Duration::ZERO };
        self.world.run(until + calm, |_| false)
    }

    /// Forges control frames and GRE packets for both ends of every call, at random times until then.
    fn forge(&mut self, until: Instant) -> Result<(), Stuck> {
        let Scenario { forged, bursts, .. } = self.scenario;
        let count = forged.max(bursts);
        if count == 0 {
            return Ok(());
        }
        let pause = until.saturating_duration_since(self.world.now()) / count;
        for n in 0..count {
            let wait = Duration::from_micros(self.attacker.below(1 + pause.as_micros() as u64));
            let next = self.world.now() + wait;
            self.world.run(next, |_| false)?;
            if n < bursts {
                self.strike();
            }
            if n >= forged {
                continue;
            }
            let frame = forger::frame(&mut self.attacker);
            self.world.act(self.server, |node, now, out| {
                if let Some(server) = node.server_mut() {
                    server.each(now, out, |shell, out| shell.handle_forged(now, &frame, out));
                }
            });
            let frame = forger::frame(&mut self.attacker);
            for index in self.clients.clone() {
                self.world.act(index, |node, now, out| {
                    if let Some(shell) = node.client_mut().and_then(ClientHost::shell_mut) {
                        shell.handle_forged(now, &frame, out);
                    }
                });
            }
        }
        Ok(())
    }

    /// Forges a burst of GRE packets for both ends of every call that is up.
    fn strike(&mut self) {
        let attacks = self.scenario.attacks;
        for client in self.clients.clone() {
            let Some((ours, theirs)) = places(&self.world, client, self.server) else { continue };
            let (address, seen_as) = (self.world.host(client).address(), theirs.peer);
            let at_client = (client, SERVER, address, ours.call_id, theirs.number);
            let at_server = (self.server, seen_as, SERVER, theirs.call_id, ours.number);
            for (host, src, dst, call_id, near) in [at_client, at_server] {
                let Some(attack) = pick(&mut self.attacker, attacks) else { continue };
                for octets in burst(&mut self.attacker, attack, Target { call_id, near }) {
                    self.world.inject(host, Packet { src, dst, body: Body::Gre(octets) });
                }
            }
        }
    }

    fn idle(&mut self) -> Result<(), Stuck> {
        let broken_later = match self.scenario.fault {
            // Give keep-alives time to detect the fault.
            Fault::GreLater(_) | Fault::TcpLater(_) | Fault::Crash(_) => Duration::from_secs(400),
            Fault::Crowd => Duration::from_secs(200),
            _ => Duration::ZERO,
        };
        let until = self.world.now() + self.scenario.idle.max(broken_later);
        let clients = self.clients.clone();
        loop {
            let pause = Duration::from_millis(self.attacker.below(20_000));
            let next = if self.scenario.bursts > 0 { until.min(self.world.now() + pause) } else { until };
            let is_over = |world: &World<Node>| {
                clients.iter().all(|client| world.host(*client).client().is_some_and(ClientHost::is_over))
            };
            self.world.run(next, is_over)?;
            if self.world.now() >= until || is_over(&self.world) {
                return Ok(());
            }
            self.strike();
        }
    }

    /// Ends the calls, and waits until everything has ended.
    fn end(&mut self) -> Result<(), Stuck> {
        let ending = self.scenario.ending;
        if ending != Ending::ServerEndsCall && ending != Ending::ServerStops {
            for index in self.clients.clone() {
                self.world.act(index, |node, now, out| {
                    if let Some(shell) = node.client_mut().and_then(ClientHost::shell_mut) {
                        end_one(shell, now, out, ending == Ending::ClientEndsCall, Why::UserRequest);
                    }
                });
            }
        }
        if ending != Ending::ClientEndsCall && ending != Ending::ClientStops {
            let call = ending == Ending::ServerEndsCall;
            let why = if call { Why::AdminReset } else { Why::Shutdown };
            self.world.act(self.server, |node, now, out| {
                if let Some(server) = node.server_mut() {
                    server.each(now, out, |shell, out| end_one(shell, now, out, call, why));
                }
            });
        }
        let (server, clients) = (self.server, self.clients.clone());
        let until = self.world.now() + ENDED;
        self.world.run(until, |world| {
            let quiet = world.host(server).server().is_some_and(|s| s.dead || s.live().next().is_none());
            quiet
                && clients.iter().all(|client| world.host(*client).client().is_some_and(ClientHost::is_over))
        })
    }

    fn report(mut self) -> Report {
        self.violations.extend(self.world.watch.violation.take());
        let epoch = self.world.epoch();
        let mut servers = Vec::new();
        if let Some(server) = self.world.host(self.server).server() {
            for shell in &server.past {
                let violations = shell.calls().values().filter_map(|call| call.violation.clone());
                self.violations.extend(violations.map(|violation| format!("server: {violation}")));
                if !is_rude(shell.peer()) {
                    servers.push(Side::server(epoch, shell));
                }
            }
            if !server.dead && server.live().next().is_some() {
                self.violations.push("the server still has a connection".to_owned());
            }
            if !server.dead && server.in_use() != (0, 0) {
                self.violations.push(format!("the server still holds {:?}", server.in_use()));
            }
        }
        let mut clients = Vec::new();
        for index in &self.clients {
            let Some(client) = self.world.host(*index).client() else { continue };
            if let Some(shell) = client.shell() {
                let violations = shell.calls().values().filter_map(|call| call.violation.clone());
                self.violations.extend(violations.map(|violation| format!("client: {violation}")));
            }
            if !client.is_over() {
                self.violations.push("the client is not over".to_owned());
            }
            clients.push(Side::client(epoch, client));
        }
        Report {
            hash: self.world.transcript.hash(),
            entries: self.world.transcript.entries(),
            lines: self.world.transcript.lines().to_vec(),
            clients,
            servers,
            encryption: self.encryption,
            violations: self.violations,
            elapsed: self.world.elapsed(),
        }
    }
}

/// One end of a call that is up.
struct Place {
    call_id: u16,
    /// The number of the last packet that it sent.
    number: u32,
    /// The address of its peer, as it is seen there.
    peer: Ipv4Addr,
}

/// Both ends of the call of a client, while it is up: the client's, the server's.
fn places(world: &World<Node>, client: usize, server: usize) -> Option<(Place, Place)> {
    fn place<M: crate::machine::Machine>(shell: &Shell<M>) -> Option<Place> {
        let (call_id, number) = shell.place()?;
        Some(Place { call_id: call_id.get(), number, peer: shell.peer() })
    }
    let ours = world.host(client).client().and_then(ClientHost::shell)?;
    let (_, up) = ours.call_up()?;
    let mut theirs = world.host(server).server().into_iter().flat_map(ServerHost::live);
    let theirs = theirs.find(|shell| shell.call_up().is_some_and(|(_, peer)| peer.peer == up.local))?;
    Some((place(ours)?, place(theirs)?))
}

/// The calls that are up on the server: the client's address and the encryption.
fn calls_of_server(world: &World<Node>, server: usize) -> Vec<(Ipv4Addr, Encryption)> {
    let host = world.host(server).server();
    host.into_iter().flat_map(ServerHost::live).filter_map(|shell| shell.encryption(|up| up.peer)).collect()
}

fn end_one<M: crate::machine::Machine>(
    shell: &mut Shell<M>,
    now: Instant,
    out: &mut crate::world::Output,
    call_only: bool,
    why: Why,
) {
    match shell.call_up().map(|(call, _)| call).filter(|_| call_only) {
        Some(call) => shell.command(now, Command::EndCall { call, why }, out),
        None if shell.closed.is_none() => shell.command(now, Command::Stop { why }, out),
        None => {}
    }
}

/// The middleboxes at the edge of the client's site.
fn boxes(scenario: &Scenario, epoch: Instant, rng: &mut Rng) -> Vec<Middlebox> {
    let mut boxes = Vec::new();
    if let Some(translation) = scenario.nat {
        boxes.push(Middlebox::Nat(Nat::new(OUTSIDE, translation)));
    }
    let firewall = Firewall::new(Ipv4Addr::new(198, 51, 100, 1));
    let drop = |firewall: Firewall, what, from| firewall.with(what, from, Action::Drop);
    let firewall = match scenario.fault {
        Fault::GreOut => drop(firewall, What::GreOut, epoch),
        Fault::GreIn => drop(firewall, What::GreIn, epoch),
        Fault::GreBoth => drop(drop(firewall, What::GreOut, epoch), What::GreIn, epoch),
        Fault::GreRejected => {
            let reject = Action::Reject(13);
            firewall.with(What::GreOut, epoch, reject).with(What::GreIn, epoch, reject)
        }
        Fault::GreLater(after) => {
            drop(drop(firewall, What::GreOut, epoch + after), What::GreIn, epoch + after)
        }
        Fault::Forgetful(idle) => firewall.tracking(idle),
        Fault::NoTcp => drop(firewall, What::Tcp, epoch),
        Fault::TcpLater(after) => drop(firewall, What::Tcp, epoch + after),
        Fault::TcpRejected => firewall.with(What::Tcp, epoch, Action::Reject(0)),
        Fault::Rewritten(rewrite) => {
            boxes.push(Middlebox::Rewrite(rewrite));
            return boxes;
        }
        Fault::Damage(gre, tcp) => {
            boxes.push(Middlebox::Tamper(Box::new(Tamper::new(rng.fork(), gre, tcp))));
            return boxes;
        }
        _ => return boxes,
    };
    // Next to the hosts, so that its ICMP errors and resets need no translation.
    boxes.insert(0, Middlebox::Firewall(firewall));
    boxes
}
