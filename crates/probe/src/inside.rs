//! Tests through the tunnel, by a host in user space.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use adit_doctor::Seen;
use adit_doctor::facts::{Answer, DnsTest, Inside, NameTest, Overlap, Target};
use adit_doctor::facts::{LocalNet, Name};
use adit_netstack::{Command, Event, Outcome, Stack, StackConfig};
use adit_tunnel::events::Up;
use ipnet::Ipv4Net;

use crate::call::Call;
use crate::options::{Options, Reach};

/// Timeout of a request through the tunnel.
const WAIT: Duration = Duration::from_millis(3500);
/// Timeout of a name server.
const DNS_WAIT: Duration = Duration::from_millis(2500);
const PING: u16 = 84;
/// Number of echoes to one address.
const PINGS: usize = 3;
/// Maximum number of name servers queried.
const SERVERS_MAX: usize = 4;
/// ICMP time exceeded (RFC 792).
const EXCEEDED: u8 = 11;
/// ICMP destination unreachable (RFC 792).
const UNREACHABLE: u8 = 3;
/// An ICMP error that arrives this soon was sent without waiting for another host.
const AT_ONCE: Duration = Duration::from_millis(600);
/// Timeout of DHCPINFORM, which most servers do not answer.
const ROUTES_WAIT: Duration = Duration::from_millis(1500);
/// Name to query if no target has one: any answer will do.
const ANY_NAME: &str = "localhost";

/// Open requests and their results.
struct Asked {
    until: Instant,
    events: Vec<Event>,
}

impl Asked {
    fn ask(call: &mut Call<'_>, command: Command) -> Option<u32> {
        Some(call.stack.as_mut()?.handle_command(Instant::now(), command))
    }

    /// Waits for the answers to all of `ids`.
    fn wait(&mut self, call: &mut Call<'_>, ids: &[u32]) {
        let events = &mut self.events;
        call.work(self.until, |call| {
            while let Some(event) = call.stack.as_mut().and_then(Stack::poll_event) {
                events.push(event);
            }
            ids.iter().all(|id| events.iter().any(|event| event.id == *id))
        });
    }

    fn of(&self, id: u32) -> Option<&Event> {
        self.events.iter().find(|event| event.id == id)
    }
}

/// Sends all requests at once, so that silent targets share one timeout.
pub(crate) fn test(call: &mut Call<'_>, up: &Up, options: &Options, seed: u64, until: Instant) -> Inside {
    let (inside, mss) = ask_all(call, up, options, seed, until);
    call.record.mss = call.record.mss.max(mss);
    inside
}

fn ask_all(
    call: &mut Call<'_>,
    up: &Up,
    options: &Options,
    seed: u64,
    until: Instant,
) -> (Inside, Option<u16>) {
    let config = StackConfig { local: up.local, mtu: up.mtu, seed };
    call.stack = Some(Stack::new(config, Instant::now()));
    let mut asked = Asked { until, events: Vec::new() };
    let mut inside = Inside::default();
    if up.peer == call.server {
        inside.peer_is_outer = Some(Seen::new(up.peer));
    }
    let name = options.reach.iter().find(|reach| reach.host.parse::<Ipv4Addr>().is_err());
    let name = name.map_or(ANY_NAME, |reach| reach.host.as_str());
    let servers: Vec<Ipv4Addr> = up.dns.iter().copied().take(SERVERS_MAX).collect();
    let dns: Vec<(Ipv4Addr, Option<u32>)> = servers
        .iter()
        .map(|server| {
            let lookup = Command::Lookup { server: *server, name: name.to_owned(), wait: DNS_WAIT };
            (*server, Asked::ask(call, lookup))
        })
        .collect();
    let peer = pings(call, up.peer);
    let mut targets: Vec<(&Reach, Ipv4Addr, Vec<u32>)> = Vec::new();
    for reach in &options.reach {
        if let Ok(address) = reach.host.parse() {
            let ids = knock(call, reach, address);
            targets.push((reach, address, ids));
        }
    }
    // Packets with a time to live of 1 show whether the server would forward them.
    let behind = targets.iter().map(|(_, address, _)| *address).chain(servers.iter().copied());
    let mut behind = behind;
    let behind = behind.find(|address| *address != up.peer);
    let last_hop: Vec<u32> = behind.map_or(Vec::new(), |to| {
        let ping = Command::Ping { to, size: PING, dont_fragment: true, ttl: Some(1), wait: DNS_WAIT };
        (0..PINGS).filter_map(|_| Asked::ask(call, ping.clone())).collect()
    });
    let routes = Asked::ask(call, Command::Routes { wait: ROUTES_WAIT });
    let ids: Vec<u32> = dns.iter().filter_map(|(_, id)| *id).chain(routes).collect();
    asked.wait(call, &ids);
    inside.routes = handed_out(routes.and_then(|id| asked.of(id)), up).map(Seen::new);
    for (server, id) in &dns {
        let event = id.and_then(|id| asked.of(id));
        let answered = event.filter(|event| matches!(event.outcome, Outcome::Answer { .. }));
        inside.dns.push(Seen::new(DnsTest { server: *server, answered: answered.map(|event| event.took) }));
    }
    let best = inside.dns.iter().find(|test| test.what.answered.is_some()).map(|test| test.what.server);
    for reach in options.reach.iter().filter(|reach| reach.host.parse::<Ipv4Addr>().is_err()) {
        let Some(server) = best else { continue };
        let found = look_up(call, &mut asked, server, &reach.host);
        let address = found.as_ref().and_then(|found| found.first().copied());
        inside.names.push(Seen::new(NameTest { name: reach.host.clone(), server, found }));
        if let Some(address) = address {
            let ids = knock(call, reach, address);
            targets.push((reach, address, ids));
        }
    }
    let all: Vec<u32> = targets
        .iter()
        .flat_map(|(.., ids)| ids.clone())
        .chain(peer.clone())
        .chain(last_hop.clone())
        .collect();
    asked.wait(call, &all);
    inside.forwards = forwards(&asked, &last_hop);
    let replied =
        |id: &u32| asked.of(*id).is_some_and(|event| matches!(event.outcome, Outcome::Reply { .. }));
    inside.peer_answers = (!peer.is_empty()).then(|| peer.iter().any(replied));
    for (reach, address, ids) in targets {
        let answers: Vec<Answer> = ids.iter().map(|id| of(asked.of(*id))).collect();
        // One answered ping of several is enough.
        let best = |answer: &Answer| match answer {
            Answer::Open { .. } => 0,
            Answer::Refused => 1,
            Answer::Unreachable { .. } | Answer::NoWay { .. } => 2,
            Answer::Silent { .. } => 3,
        };
        let answer =
            answers.into_iter().min_by_key(best).unwrap_or(Answer::Silent { waited: Duration::ZERO });
        let target = Target { asked: reach.asked.clone(), address, port: reach.port, answer };
        inside.targets.push(Seen::new(target));
    }
    let mss = asked.events.iter().filter_map(|event| match event.outcome {
        Outcome::Open { mss, .. } => mss,
        _ => None,
    });
    let mss = mss.max();
    (inside, mss)
}

/// The networks that a client learns, with the server's inner address, which every client routes.
fn handed_out(event: Option<&Event>, up: &Up) -> Option<Vec<Ipv4Net>> {
    let Outcome::Routes(routes) = &event?.outcome else { return None };
    let mut nets: Vec<Ipv4Net> =
        routes.iter().filter_map(|(network, prefix)| Ipv4Net::new(*network, *prefix).ok()).collect();
    if !nets.is_empty() {
        nets.push(Ipv4Net::from(up.peer));
    }
    Some(nets)
}

/// Whether the server forwards. `None` if nothing was asked, or if the server itself owns the address and answered.
fn forwards(asked: &Asked, ids: &[u32]) -> Option<bool> {
    let outcomes: Vec<&Outcome> = ids.iter().filter_map(|id| Some(&asked.of(*id)?.outcome)).collect();
    // A host that does not forward sends no ICMP error about dropped packets. Kernels rate-limit these errors, so the
    // only one may be about another packet.
    let passes = |outcome: &Outcome| match outcome {
        Outcome::Icmp { kind: EXCEEDED, .. } => true,
        Outcome::Icmp { kind: UNREACHABLE, code, .. } => !matches!(code, 2 | 3),
        _ => false,
    };
    let is_reported = asked.events.iter().any(|event| passes(&event.outcome));
    let is_silent = !outcomes.is_empty() && outcomes.iter().all(|outcome| **outcome == Outcome::Silent);
    match (is_reported, is_silent) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}

/// Whether nothing answered, not even the server's inner address.
pub(crate) fn is_dead(inside: &Inside) -> bool {
    inside.peer_answers == Some(false)
        && inside.forwards != Some(true)
        && inside.routes.is_none()
        && inside.dns.iter().all(|test| test.what.answered.is_none())
        && inside.targets.iter().all(|target| matches!(target.what.answer, Answer::Silent { .. }))
}

fn is_silent(answer: Answer) -> bool {
    matches!(answer, Answer::Silent { .. })
}

/// Whether a target did not answer.
pub(crate) fn has_silence(inside: &Inside) -> bool {
    inside.dns.iter().any(|test| test.what.answered.is_none())
        || inside.names.iter().any(|test| test.what.found.is_none())
        || inside.targets.iter().any(|target| is_silent(target.what.answer))
}

/// Merges two rounds of the same test: for each request the answer, if there was one.
pub(crate) fn better(first: Inside, mut again: Inside) -> Inside {
    for before in first.dns {
        match again.dns.iter_mut().find(|now| now.what.server == before.what.server) {
            Some(now) => now.what.answered = now.what.answered.or(before.what.answered),
            None => again.dns.push(before),
        }
    }
    for before in first.names {
        match again.names.iter_mut().find(|now| now.what.name == before.what.name) {
            Some(now) => now.what.found = now.what.found.take().or(before.what.found),
            None => again.names.push(before),
        }
    }
    for before in first.targets {
        match again.targets.iter_mut().find(|now| now.what.asked == before.what.asked) {
            Some(now) if is_silent(now.what.answer) => now.what.answer = before.what.answer,
            Some(_) => {}
            None => again.targets.push(before),
        }
    }
    again.forwards = if first.forwards == Some(true) { first.forwards } else { again.forwards };
    again.peer_answers = again.peer_answers.max(first.peer_answers);
    again.routes = again.routes.or(first.routes);
    again
}

fn pings(call: &mut Call<'_>, to: Ipv4Addr) -> Vec<u32> {
    let ping = Command::Ping { to, size: PING, dont_fragment: true, ttl: None, wait: WAIT };
    (0..PINGS).filter_map(|_| Asked::ask(call, ping.clone())).collect()
}

fn knock(call: &mut Call<'_>, reach: &Reach, address: Ipv4Addr) -> Vec<u32> {
    match reach.port {
        Some(port) => {
            let dial = Command::Dial { to: SocketAddrV4::new(address, port), wait: WAIT };
            Asked::ask(call, dial).into_iter().collect()
        }
        None => pings(call, address),
    }
}

fn look_up(call: &mut Call<'_>, asked: &mut Asked, server: Ipv4Addr, name: &str) -> Option<Vec<Ipv4Addr>> {
    let id = Asked::ask(call, Command::Lookup { server, name: name.to_owned(), wait: DNS_WAIT })?;
    asked.wait(call, &[id]);
    match &asked.of(id)?.outcome {
        Outcome::Answer { addresses, .. } => Some(addresses.clone()),
        Outcome::Refusal => Some(Vec::new()),
        _ => None,
    }
}

fn of(event: Option<&Event>) -> Answer {
    let Some(event) = event else { return Answer::Silent { waited: WAIT } };
    match &event.outcome {
        Outcome::Reply { .. } | Outcome::Open { .. } | Outcome::Answer { .. } => {
            Answer::Open { after: event.took }
        }
        Outcome::Reset { .. } => Answer::Refused,
        // A router that waits for ARP needs more than a second to give up.
        Outcome::Icmp { from, code: 1, .. } if event.took < AT_ONCE => Answer::NoWay { from: (*from).into() },
        Outcome::Icmp { from, code, .. } => Answer::Unreachable { from: (*from).into(), code: *code },
        Outcome::Silent | Outcome::Refusal | Outcome::Routes(_) => Answer::Silent { waited: event.took },
    }
}

/// Overlaps of the tunnel's addresses, its name servers and the targets with networks of this host.
pub(crate) fn overlaps(
    up: &Up,
    server: Ipv4Addr,
    targets: &[Seen<Target>],
    name: &Name,
) -> Vec<Seen<Overlap>> {
    let tunnel = [up.local, up.peer].into_iter().chain(up.dns.iter().copied());
    let tunnel = tunnel.chain(targets.iter().map(|target| target.what.address));
    // A server whose public and inner addresses are the same is reported separately.
    let tunnel = tunnel.filter(|address| *address != server);
    let mut found: Vec<Seen<Overlap>> = Vec::new();
    for address in tunnel {
        // Every host has a default route; it is not an overlap.
        let meets = |local: &&LocalNet| local.net.prefix_len() > 0 && local.net.contains(&address);
        if let Some(local) = name.local.iter().find(meets) {
            let whose = format!("{} of this host", local.interface);
            let overlap = Overlap { tunnel: Ipv4Net::from(address), local: local.net, whose, guessed: false };
            found.push(Seen::new(overlap));
        }
    }
    found.dedup();
    found
}
