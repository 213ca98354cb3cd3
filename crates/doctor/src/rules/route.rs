//! The rules of layer R: what lies behind the tunnel.

use adit_diag::Code;

use super::{Proof, Rule, words};
use crate::facts::{Answer, Facts, Target};
use crate::{Seen, Side, Vantage};

/// The number of packets without an answer that makes a pattern.
const ONE_WAY: u64 = 5;

pub(super) const RULES: &[Rule] = &[
    Rule::fault("tunnel-in-tunnel", Code::R01, 100, |f| {
        let seen = f.inside.tunnel_in_tunnel.as_ref()?;
        Proof::of(seen, "routing loop: the tunnel's own packets to the server go into the tunnel")
    }),
    Rule::fault("routes-lack-target", Code::R01, 85, |f| {
        let routes = f.inside.routes.as_ref().filter(|routes| !routes.what.is_empty())?;
        let lacks =
            |target: &&Seen<Target>| routes.what.iter().all(|net| !net.contains(&target.what.address));
        let target = f.inside.targets.iter().find(lacks)?;
        let nets: Vec<String> = routes.what.iter().map(ToString::to_string).collect();
        Proof::of(
            target,
            format!(
                "no route of the tunnel leads to {}: the server hands out {}",
                target.what.asked,
                nets.join(" ")
            ),
        )
    }),
    Rule::fault("target-prohibited", Code::R02, 100, |f| {
        let (seen, from, code) = f.inside.unreachable(words::is_filter)?;
        Proof::of(
            seen,
            format!("{from} does not let packets to {} pass: {}", seen.what.asked, words::unreachable(code)),
        )
    }),
    Rule::fault("denied-by-rules", Code::R02, 100, |f| {
        let seen = f.inside.denied.as_ref()?;
        let (packets, line) = &seen.what;
        Proof::of(seen, format!("the server's rules kept {packets} packets out: {line}"))
    }),
    Rule::fault("target-no-route", Code::R01, 95, |f| {
        let (seen, from) = f.inside.no_route()?;
        Proof::of(seen, format!("{from} has no route to {}", seen.what.asked))
    }),
    Rule::fault("server-does-not-forward", Code::R06, 97, |f| {
        let silent = all_silent(f) && f.inside.forwards == Some(false);
        silent.then(|| {
            Proof::absence("the tunnel works, and the server passes nothing on: not even a packet that ends behind it is answered")
        })?
    }),
    Rule::fault("nothing-returns", Code::R03, 92, |f| {
        let silent = all_silent(f) && f.inside.forwards == Some(true) && !f.inside.targets.is_empty();
        silent.then(|| {
            Proof::absence(
                "the server passes packets on, and nothing behind it answers: the way back is missing",
            )
        })?
    }),
    Rule::fault("dns-inside-unanswered", Code::R04, 90, |f| {
        // If other targets were tested too and none answered, the DNS server may not be at fault.
        let alone = f.vantage == Vantage::Client || !all_silent(f) || f.inside.targets.is_empty();
        let seen = f.inside.dns.iter().find(|dns| dns.what.answered.is_none() && alone)?;
        Proof::missing(
            seen,
            format!("the DNS server {} that was handed out does not answer", seen.what.server),
        )
    }),
    Rule::fault("dns-inside-nxdomain", Code::R05, 100, |f| {
        let empty =
            |name: &&Seen<crate::facts::NameTest>| name.what.found.as_ref().is_some_and(Vec::is_empty);
        let seen = f.inside.names.iter().find(empty)?;
        Proof::of(seen, format!("{} does not exist, says {} inside", seen.what.name, seen.what.server))
    }),
    Rule::fault("target-refuses", Code::R09, 95, |f| {
        let refused = |target: &&Seen<Target>| {
            matches!(target.what.answer, Answer::Refused | Answer::Unreachable { code: 2 | 3, .. })
        };
        let seen = f.inside.targets.iter().find(refused)?;
        Proof::of(seen, format!("{} refuses: it is reached, and nothing listens there", seen.what.asked))
    }),
    Rule::fault("target-silent", Code::R08, 85, |f| {
        let silent = |target: &&Seen<Target>| {
            matches!(target.what.answer, Answer::Silent { .. } | Answer::Unreachable { code: 1 | 7, .. })
        };
        let alone = f.vantage == Vantage::Client || !all_silent(f) || f.inside.dns.is_empty();
        let seen = f.inside.targets.iter().find(|target| alone && silent(target))?;
        let answer = match seen.what.answer {
            Answer::Unreachable { from, .. } => format!("; {from} says that it is not there"),
            _ => String::new(),
        };
        Proof::missing(seen, format!("{} does not answer{answer}", seen.what.asked))
    }),
    Rule::fault("source-not-translated", Code::R03, 80, |f| {
        let seen = f.inside.untranslated.as_ref()?;
        Proof::of(
            seen,
            format!("packets leave the server with the inner source {}, and nothing returns", seen.what),
        )
    }),
    Rule::fault("gre-only-acks", Code::R06, 60, |f| {
        let at_server = f.vantage.near() == Some(Side::Server);
        (at_server && one_way(f) && f.inside.untranslated.is_none()).then(|| {
            Proof::absence("the tunnel is up; the client's packets arrive, and the server sends nothing back but acknowledgments")
        })?
    }),
    Rule::finding("gre-only-acks", Code::R06, 50, |f| {
        let elsewhere = f.vantage.near() != Some(Side::Server);
        (elsewhere && one_way(f)).then(|| {
            Proof::absence("after the tunnel came up, the server sent acknowledgments and no data: forwarding or the way back behind it")
        })?
    }),
    Rule::finding("client-never-answers", Code::R10, 50, |f| {
        let seen = f.inside.unanswered.as_ref()?;
        let (sent, seconds) = seen.what;
        Proof::of(
            seen,
            format!(
                "{sent} packets were sent to the client in {seconds} s and none came back, although it answers LCP"
            ),
        )
    }),
    Rule::finding("peer-is-server-address", Code::R01, 50, |f| {
        let seen = f.inside.peer_is_outer.as_ref()?;
        Proof::of(
            seen,
            format!(
                "the server's end of the tunnel is {}, the address that was called: a routing loop waits",
                seen.what
            ),
        )
    }),
    Rule::finding("dns-outside", Code::R04, 50, |f| {
        let seen = f.inside.dns_outside.as_ref()?;
        Proof::of(seen, format!("questions for the inner DNS server {} leave outside the tunnel", seen.what))
    }),
];

/// Whether nothing behind the server answered, although something was asked.
pub(super) fn all_silent(facts: &Facts) -> bool {
    let inside = &facts.inside;
    let asked = !inside.targets.is_empty() || !inside.dns.is_empty();
    let silent = |target: &Seen<Target>| matches!(target.what.answer, Answer::Silent { .. });
    asked
        && inside.targets.iter().all(silent)
        && inside.dns.iter().all(|dns| dns.what.answered.is_none())
        && inside.names.iter().all(|name| name.what.found.is_none())
}

fn one_way(facts: &Facts) -> bool {
    facts.is_up() && facts.gre.to_server.data >= ONE_WAY && facts.gre.to_client.data == 0
}
