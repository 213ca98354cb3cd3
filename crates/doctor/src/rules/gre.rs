//! The rules of layer G: protocol 47, separately for each direction.

use std::time::Duration;

use adit_diag::{Code, Layer};

use super::lcp::ends_soon;
use super::{Proof, Rule, words};
use crate::facts::{Arrival, Facts, Way};
use crate::{Side, Vantage};

/// The number of requests, without any answer, from which on it is not an accident.
const REPEATED: u32 = 2;
/// Noticeable loss of one direction: at least this percentage, and this many missing packets.
const LOSS: (u64, u64) = (5, 10);
/// The percentage of loss from which three requests in a row may well be lost.
const HEAVY: u64 = 15;

pub(super) const RULES: &[Rule] = &[
    Rule::fault("gre-denied-here", Code::S03, 100, |f| {
        let seen = f.gre.denied_here.as_ref()?;
        Proof::of(seen, format!("this host's own firewall does not let GRE (protocol 47) out: {}", seen.what))
    }),
    Rule::fault("gre-protocol-unreachable", Code::G01, 100, |f| refused(f, |code| !words::is_filter(code))),
    Rule::fault("gre-prohibited", Code::G01, 100, |f| refused(f, words::is_filter)),
    Rule::fault("gre-other-address", Code::G03, 100, |f| {
        let seen = f.gre.from_elsewhere.as_ref().filter(|_| !f.link_is_up())?;
        let called = f.tcp.server.map_or("the server".to_owned(), |server| server.ip().to_string());
        Proof::of(
            seen,
            format!("the server's GRE arrives from {}, and the client called {called}", seen.what),
        )
    }),
    Rule::fault("call-id-mismatch", Code::G04, 95, |f| {
        let seen = f.call.repeated_id.as_ref().filter(|_| !f.link_is_up())?;
        let sent = f.call.client_id.unwrap_or_default();
        Proof::of(
            seen,
            format!(
                "the client's Call ID is {sent}, and the server's reply names {}: changed on the way",
                seen.what
            ),
        )
    }),
    Rule::fault("call-id-mismatch", Code::G04, 96, |f| {
        // Linux's PPTP helper writes the client's own Call ID into Call-Disconnect-Notify.
        let helped = |seen: u16| Some(seen) == f.call.client_id;
        let seen = f.call.ended_id.as_ref().filter(|seen| !f.link_is_up() && !helped(seen.what))?;
        let given = f.call.server_id.unwrap_or_default();
        Proof::of(
            seen,
            format!(
                "the server's reply gave its Call ID as {given}, and its last message as {}: changed on the way",
                seen.what
            ),
        )
    }),
    Rule::fault("gre-unknown-call", Code::G04, 90, |f| wrong_id(f, false)),
    Rule::fault("gre-unknown-call", Code::G06, 92, |f| wrong_id(f, true)),
    Rule::fault("gre-same-call-id", Code::G06, 95, |f| {
        let seen = f.call.same_id.as_ref().filter(|_| !f.link_is_up() || f.gre.stopped.is_some())?;
        Proof::of(seen, format!("two calls through one address have the same Call ID, {}", seen.what))
    }),
    Rule::ending("second-client", Code::G06, 40, |f| {
        let waits = waiting(f) && f.control.others > 0;
        waits.then(|| Proof::absence("another client calls the same server through the same address"))?
    }),
    Rule::fault("second-client", Code::G06, 91, |f| {
        // Next to the server both calls are visible: this one receives nothing, while the other holds the
        // address.
        let at_server = f.vantage.near() == Some(Side::Server);
        let is_it = at_server
            && waiting(f)
            && f.control.others > 0
            && f.gre.to_server.packets > 0
            && f.gre.to_client.arrival == Arrival::Unknown;
        is_it.then(|| {
            Proof::absence("another call from the same address is up, and the server's GRE for this one does not reach its client")
        })?
    }),
    Rule::fault("gre-none-back", Code::G01, 70, |f| {
        if f.vantage.near() == Some(Side::Server) || !none_back(f) {
            return None;
        }
        let took =
            f.took.get(&Layer::Gre).map_or(String::new(), |took| format!(" in {}", words::seconds(*took)));
        let proof = Proof::absence(format!("nothing came back over GRE (protocol 47){took}"))?
            .with(format!("{} packets of GRE to the server, none back", f.gre.to_server.packets));
        Some(hops(f, proof))
    }),
    Rule::fault("gre-none-back", Code::G03, 60, |f| {
        let is_it = f.vantage.near() == Some(Side::Server) && none_back(f);
        is_it.then(|| {
            Proof::absence(
                "the client's GRE arrives, and the server sends none: its firewall, or its PPP program",
            )
        })?
    }),
    Rule::fault("gre-none-arrives", Code::G02, 75, |f| {
        let near_client = f.vantage.near() == Some(Side::Client);
        let none = f.gre.to_client.packets > 0 && f.gre.to_server.packets == 0;
        let is_it = !near_client && none && waiting(f);
        is_it.then(|| Proof::absence("the server sends GRE, and none of the client's is seen"))?
    }),
    Rule::fault("gre-not-acknowledged", Code::G02, 90, |f| {
        let heard = f.gre.to_client.packets > 0 && f.gre.to_server.packets > 0;
        let unheard = f.lcp.server_requests >= REPEATED
            && f.lcp.server_answers == 0
            && f.gre.to_server.arrival == Arrival::Unknown;
        let is_it = waiting(f) && heard && unheard;
        is_it.then(|| {
            let repeated = f.lcp.server_requests;
            let at_server = match f.vantage.near() {
                Some(Side::Server) => "; the client's packets arrive here: the server's own firewall is next",
                _ => "",
            };
            Proof::fact(format!(
                "the server repeats its LCP request ({repeated} times) and answers nothing of the client{at_server}"
            ))
        })?
    }),
    Rule::fault("gre-answers-lost", Code::G03, 90, |f| {
        let near_client = f.vantage.near() == Some(Side::Client);
        let unheard = f.lcp.client_requests >= REPEATED
            && f.lcp.server_answers > 0
            && f.lcp.client_answers == 0
            && f.gre.to_client.arrival == Arrival::Unknown;
        let is_it = waiting(f) && unheard && !near_client;
        is_it.then(|| {
            Proof::fact(format!(
                "the server answers each LCP request of the client, who repeats it ({} times) and acknowledges nothing",
                f.lcp.client_requests
            ))
        })?
    }),
    Rule::fault("gre-stops-after-idle", Code::G05, 85, |f| {
        let seen = f.gre.stopped.as_ref()?;
        let stop = seen.what;
        let whose = match stop.from {
            Some(side) => format!("GRE from the {side}"),
            None => "GRE".to_owned(),
        };
        let idle = match stop.after_idle {
            idle if idle >= Duration::from_secs(10) => {
                format!(" after {} of quiet", words::seconds(idle))
            }
            _ => String::new(),
        };
        Proof::of(
            seen,
            format!(
                "{whose} worked and stopped{idle}; for {} nothing, while TCP 1723 goes on",
                words::seconds(stop.silent)
            ),
        )
    }),
    Rule::fault("lcp-echo-unanswered", Code::G05, 80, |f| {
        let seen = f.lcp.echo_lost.as_ref().filter(|lost| lost.what.control_lives == Some(true))?;
        Proof::of(
            seen,
            format!("{} LCP echoes went unanswered, while TCP 1723 still answers", seen.what.count),
        )
    }),
    Rule::finding("gre-gaps", Code::G07, 90, |f| loss(f, Side::Client)),
    Rule::finding("gre-gaps", Code::G07, 90, |f| loss(f, Side::Server)),
    Rule::finding("gre-out-of-order", Code::G08, 80, |f| {
        let (side, way, part) = [Side::Client, Side::Server]
            .into_iter()
            .map(|side| (side, f.gre.from(side)))
            .map(|(side, way)| (side, way, (way.late + way.repeated) * 100 / way.packets.max(1)))
            .find(|(_, way, part)| *part >= LOSS.0 && way.late + way.repeated >= LOSS.1)?;
        Proof::fact(format!(
            "{part} % of the GRE packets of the {side} come out of order or twice ({} late, {} twice)",
            way.late, way.repeated
        ))
    }),
    Rule::finding("gre-window-stall", Code::G09, 70, |f| {
        let seen = f.gre.stalled.as_ref()?;
        let (side, time) = seen.what;
        Proof::of(seen, format!("the {side} waits for acknowledgments, {} altogether", words::seconds(time)))
    }),
];

/// Whether the call was accepted, and the link did not come up.
fn waiting(facts: &Facts) -> bool {
    facts.granted()
        && !facts.link_is_up()
        && facts.gre.denied_here.is_none()
        && facts.gre.from_elsewhere.is_none()
        && facts.lcp.looped_back.is_none()
}

/// Whether the client sends GRE and receives none, and the server did not end the call at once.
fn none_back(facts: &Facts) -> bool {
    let none = facts.gre.to_server.packets > 0 && facts.gre.to_client.packets == 0;
    none && waiting(facts) && ends_soon(facts).is_none()
}

/// A host sent a matching ICMP error about GRE.
fn refused(facts: &Facts, which: fn(u8) -> bool) -> Option<Proof> {
    let seen = facts.gre.unreachable().filter(|error| which(error.what.code) && !facts.link_is_up())?;
    let error = seen.what;
    // Packets that arrive after the end of a call are unmatched: such an error is late, and GRE had passed
    // before.
    if facts.gre.from(error.about).arrival == Arrival::Proven {
        return None;
    }
    let about = match error.about {
        Side::Client => "to the server",
        Side::Server => "to the client",
    };
    Proof::of(seen, format!("{} refuses GRE {about}: {}", error.from, words::unreachable(error.code)))
}

fn wrong_id(facts: &Facts, of_another_call: bool) -> Option<Proof> {
    if facts.link_is_up() || facts.gre.wrong_is_of_another_call != of_another_call {
        return None;
    }
    let (seen, whose, right) = match (&facts.gre.wrong_to_server, &facts.gre.wrong_to_client) {
        (Some(seen), _) => (seen, Side::Client, facts.call.server_id),
        (None, Some(seen)) => (seen, Side::Server, facts.call.client_id),
        (None, None) => return None,
    };
    let right = right.map_or(String::new(), |id| format!("; the call's is {id}"));
    let end = if of_another_call { ": that of another call" } else { "" };
    Proof::of(seen, format!("GRE of the {whose} has Call ID {}{right}{end}", seen.what))
}

/// Adds the results of GRE with a small time to live.
fn hops(facts: &Facts, proof: Proof) -> Proof {
    if facts.vantage != Vantage::Client || facts.gre.hops.is_empty() {
        return proof;
    }
    let answered = facts.gre.hops.iter().rev().find_map(|hop| hop.from.map(|from| (hop.ttl, from)));
    proof.with(match answered {
        Some((ttl, from)) => {
            format!("our GRE gets as far as {from}, {ttl} hops from here; beyond it no router answers")
        }
        None => "no router says how far our GRE gets".to_owned(),
    })
}

/// Whether so many packets are lost in either direction that unanswered requests may not have arrived.
pub(crate) fn loss_is_heavy(facts: &Facts) -> bool {
    [Side::Client, Side::Server].into_iter().map(|side| facts.gre.from(side)).any(|way| {
        way.lost >= LOSS.1 && way.lost.saturating_mul(100) >= HEAVY.saturating_mul(way.packets + way.lost)
    })
}

fn loss(facts: &Facts, side: Side) -> Option<Proof> {
    // Without the receiver's acknowledgments, or a capture at the receiver, packets may be missing from the
    // capture only.
    let Way { packets, lost, .. } = *facts.gre.from(side);
    let part = lost.saturating_mul(100) / (packets + lost).max(1);
    let other = side.other();
    let is_it = lost >= LOSS.1 && part >= LOSS.0;
    is_it.then(|| {
        Proof::fact(format!(
            "{part} % of the GRE packets from {side} to {other} are lost ({lost} of {})",
            packets + lost
        ))
    })?
}
