//! The facts from inside the tunnel in a capture.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use adit_capture::conversation::{Call, Lookup, Target as Asked};
use adit_wire::ipv4;

use super::{PATIENCE, View};
use crate::Seen;
use crate::facts::{Address, Answer, DnsTest, Inside, NameTest, Target};

/// The number of requests without an answer that shows silence.
const REQUESTS_MIN: u64 = 2;

pub(super) fn facts(view: &View<'_>, address: &Address) -> Inside {
    let mut facts = Inside::default();
    let Some(call) = view.call else { return facts };
    let inside = &call.inside;
    facts.tunnel_in_tunnel = inside.nested.map(|frame| view.seen((), (frame, view.conversation.last_time)));
    if let (Some(peer), IpAddr::V4(server)) = (&address.peer, view.conversation.server)
        && peer.what == server
    {
        facts.peer_is_outer = Some(peer.clone());
    }
    facts.dns_outside = dns_outside(view, address);
    let questions: Vec<&Lookup> = inside.lookups.iter().filter(|lookup| is_client(call, lookup.by)).collect();
    facts.dns = dns(view, &questions, !inside.sources.is_empty());
    // In a capture that starts during the call, a single query does not show what works.
    if address.opened.is_some() {
        facts.names = names(view, &questions);
    }
    let peer = address.peer.as_ref().map(|peer| IpAddr::V4(peer.what));
    let of_peer = inside.targets.iter().find(|target| Some(target.address) == peer);
    facts.peer_answers = of_peer.filter(|target| target.answered.is_some()).map(|_| true);
    facts.targets = targets(view, call, peer);
    facts.forwards = forwards(view, call);
    facts
}

fn v4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

fn is_client(call: &Call, address: IpAddr) -> bool {
    call.inside.client_address.is_none_or(|client| client == address)
}

/// DNS queries outside the tunnel for a server that the tunnel assigned.
fn dns_outside(view: &View<'_>, address: &Address) -> Option<Seen<Ipv4Addr>> {
    let given = address.dns.as_ref()?;
    let opened = address.opened.as_ref()?.at.frame;
    view.conversation.outside.iter().find_map(|outside| {
        let server = v4(outside.server)?;
        (given.what.contains(&server) && Some(outside.last.0) > opened).then(|| {
            let place = if Some(outside.first.0) > opened { outside.first } else { outside.last };
            view.seen(server, place)
        })
    })
}

/// Each DNS server that was asked. It counts as silent if no query was answered, there was time for an
/// answer, and it was asked more than once or others are heard.
fn dns(view: &View<'_>, questions: &[&Lookup], others_heard: bool) -> Vec<Seen<DnsTest>> {
    let mut tests: Vec<Seen<DnsTest>> = Vec::new();
    for question in questions {
        let Some(server) = v4(question.server) else { continue };
        let answered = question.answer.as_ref().map(|answer| answer.time.saturating_sub(question.asked.1));
        let known = tests.iter_mut().find(|test| test.what.server == server);
        match (known, answered) {
            (Some(test), Some(_)) if test.what.answered.is_none() => test.what.answered = answered,
            (Some(_), _) => {}
            (None, Some(_)) => tests.push(view.seen(DnsTest { server, answered }, question.asked)),
            (None, None) => {
                let all = questions.iter().filter(|other| other.server == question.server);
                let times: u64 = all.clone().map(|other| other.times).sum();
                let is_long = view.end().saturating_sub(question.asked.1) >= PATIENCE;
                let refused = all.clone().any(|other| other.unreachable.is_some());
                if refused || is_long && (times >= REQUESTS_MIN || others_heard) {
                    tests.push(view.seen(DnsTest { server, answered: None }, question.asked));
                }
            }
        }
    }
    tests
}

/// Names that do not exist; only if no name was found at all, because programs query many that do not exist.
fn names(view: &View<'_>, questions: &[&Lookup]) -> Vec<Seen<NameTest>> {
    const NXDOMAIN: u8 = 3;
    let answers = || questions.iter().filter_map(|question| Some((question, question.answer.as_ref()?)));
    if answers().any(|(_, answer)| !answer.addresses.is_empty()) {
        return Vec::new();
    }
    answers()
        .filter(|(question, answer)| answer.rcode == NXDOMAIN && is_of_people(&question.name))
        .filter_map(|(question, answer)| {
            let test = NameTest {
                name: question.name.clone(),
                server: v4(question.server)?,
                found: Some(Vec::new()),
            };
            Some(view.seen(test, (answer.frame, answer.time)))
        })
        .take(1)
        .collect()
}

/// Whether a user may want to reach this name. Programs query others to learn about the network.
fn is_of_people(name: &str) -> bool {
    name.contains('.') && !name.ends_with(".arpa") && !name.starts_with('_')
}

/// The targets that answered; without an answer, those that did not. The server's own tunnel address is no
/// target.
fn targets(view: &View<'_>, call: &Call, peer: Option<IpAddr>) -> Vec<Seen<Target>> {
    let asked = || {
        call.inside.targets.iter().filter(|target| {
            target.from_client
                && matches!(target.protocol, ipv4::TCP | ipv4::ICMP)
                && is_client(call, target.by)
                && Some(target.address) != peer
        })
    };
    let some_answer = asked().any(|target| target.answered.is_some());
    asked()
        .filter(|target| target.answered.is_some() == some_answer)
        .filter_map(|target| {
            let answer = answer(view, target)?;
            let address = v4(target.address)?;
            let port = (target.protocol == ipv4::TCP).then_some(target.port);
            let asked = port.map_or_else(|| address.to_string(), |port| format!("{address}:{port}"));
            Some(view.seen(Target { asked, address, port, answer }, target.first))
        })
        .take(TARGETS_MAX)
        .collect()
}

/// Whether the server answered a packet that expires when it is forwarded; false if there was time for an
/// answer.
fn forwards(view: &View<'_>, call: &Call) -> Option<bool> {
    const TIME_EXCEEDED: u8 = 11;
    let (frame, time) = call.inside.ends_at_server?;
    let answered =
        call.inside.errors.iter().any(|(of, _, icmp)| *of > frame && icmp.kind == TIME_EXCEEDED && !icmp.v6);
    (answered || view.end().saturating_sub(time) >= PATIENCE).then_some(answered)
}

/// The most targets that are reported.
const TARGETS_MAX: usize = 8;

fn answer(view: &View<'_>, target: &Asked) -> Option<Answer> {
    if let Some((_, time)) = target.answered {
        return Some(Answer::Open { after: time.saturating_sub(target.first.1) });
    }
    if target.refused.is_some() {
        return Some(Answer::Refused);
    }
    if let Some((_, from, 3, code)) = target.error {
        return Some(Answer::Unreachable { from, code });
    }
    let waited: Duration = view.end().saturating_sub(target.first.1);
    (target.requests >= REQUESTS_MIN && waited >= PATIENCE).then_some(Answer::Silent { waited })
}
