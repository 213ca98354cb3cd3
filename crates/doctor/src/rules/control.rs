//! The rules of layer C: TCP 1723, the control connection, the call.

use std::time::Duration;

use adit_diag::Code;

use super::{Proof, Rule, words};
use crate::facts::{Closed, Connect, Facts, How, Stage};
use crate::{Seen, Side, Vantage};

/// A server that closes within this time did so on purpose.
const AT_ONCE: Duration = Duration::from_secs(3);

pub(super) const RULES: &[Rule] = &[
    Rule::fault("syn-unanswered", Code::C01, 90, |f| {
        let seen = f.tcp.connect.as_ref()?;
        let Connect::Silent { syns, waited } = seen.what else { return None };
        let tries = if syns > 1 { format!(" ({syns} tries)") } else { String::new() };
        Proof::missing(
            seen,
            format!("{} does not answer within {}{tries}", server(f), words::seconds(waited)),
        )
    }),
    Rule::fault("icmp-prohibited", Code::C01, 100, |f| {
        let seen = f.tcp.connect.as_ref()?;
        match seen.what {
            Connect::Unreachable { from, code } if words::is_filter(code) => {
                Proof::of(seen, format!("{from} refuses TCP 1723: {}", words::unreachable(code)))
            }
            _ => None,
        }
    }),
    Rule::finding("other-address-dead", Code::C01, 100, |f| {
        let open = |connect: &Connect| matches!(connect, Connect::Open { .. });
        let works = f.tcp.connect.as_ref().is_some_and(|seen| open(&seen.what));
        let (other, _) = f.tcp.tried.iter().find(|(_, connect)| works && !open(connect))?;
        let name = f.name.asked.as_deref().unwrap_or("the server");
        let text =
            format!("{}, another address of {name}, does not answer on TCP {}", other.ip(), other.port());
        Proof::fact(text)
    }),
    Rule::fault("denied-here", Code::S03, 100, |f| {
        let seen = f.tcp.connect.as_ref()?;
        match &seen.what {
            Connect::Denied(why) => Proof::of(seen, format!("this host does not let TCP 1723 out: {why}")),
            _ => None,
        }
    }),
    Rule::fault("syn-reset", Code::C02, 100, |f| {
        let seen = f.tcp.connect.as_ref()?;
        let by = match seen.what {
            Connect::Refused { by_a_box: true } => "a device before the server, not the server itself (TTL),",
            Connect::Refused { by_a_box: false } => "the server",
            Connect::Unreachable { from, code } if words::is_port(code) => {
                return Proof::of(seen, format!("{from} refuses TCP 1723: {}", words::unreachable(code)));
            }
            _ => return None,
        };
        Proof::of(seen, format!("{} is refused: {by} answered with a reset", server(f)))
    }),
    Rule::fault("syn-then-closed", Code::C03, 95, |f| {
        closed_early(f, Stage::Opened, "before anything was said")
    }),
    Rule::fault("start-reset", Code::C03, 95, |f| {
        closed_early(f, Stage::Requested, "right after Start-Control-Connection-Request")
    }),
    Rule::fault("start-unanswered", Code::C01, 85, |f| {
        let seen =
            f.control.silent.as_ref().filter(|_| f.control.reply.is_none() && f.control.foreign.is_none())?;
        if f.control.acknowledged == Some(false) {
            return None;
        }
        let stage = if f.control.requested.is_some() {
            "TCP is open; no answer to Start-Control-Connection-Request"
        } else {
            "TCP is open; the client says nothing"
        };
        Proof::missing(seen, format!("{stage} within {}", words::seconds(seen.what)))
    }),
    Rule::fault("start-unanswered", Code::M01, 60, |f| {
        let seen = f.control.silent.as_ref().filter(|_| f.control.reply.is_none())?;
        let lost = f.control.acknowledged == Some(false);
        lost.then(|| {
            Proof::missing(seen, "TCP is open, and its first 156 octets never arrive at the server")
        })?
    }),
    Rule::fault("not-pptp", Code::C04, 100, |f| {
        let seen = f.control.foreign.as_ref()?;
        Proof::of(seen, format!("{} answers, and not with PPTP: \"{}\"", server(f), seen.what))
    }),
    Rule::fault("start-refused", Code::C07, 100, |f| {
        let seen = f.control.reply.as_ref()?;
        let (result, error) = (seen.what.result, seen.what.error);
        if result == 1 || result == 3 && f.control.others > 0 {
            return None;
        }
        let more = words::error(error);
        let more = if result == 2 && !more.is_empty() { format!(", {more}") } else { String::new() };
        Proof::of(
            seen,
            format!(
                "the server refuses the control connection: result {result}, {}{more}",
                words::start_result(result)
            ),
        )
    }),
    Rule::fault("start-refused", Code::G06, 80, |f| {
        let seen = f.control.reply.as_ref()?;
        let second = seen.what.result == 3 && f.control.others > 0;
        second.then(|| {
            Proof::of(seen, "the server takes one control connection from this address, and one lives")
        })?
    }),
    Rule::fault("call-unanswered", Code::C10, 85, |f| {
        let seen = f.call.silent.as_ref().filter(|_| f.call.reply.is_none())?;
        Proof::missing(
            seen,
            format!("no answer to Outgoing-Call-Request within {}", words::seconds(seen.what)),
        )
    }),
    Rule::fault("call-refused", Code::C05, 100, |f| {
        let seen = f.call.reply.as_ref().filter(|reply| reply.what.result != 1)?;
        let (result, error) = (seen.what.result, words::error(seen.what.error));
        let error = if error.is_empty() { String::new() } else { format!(", {error}") };
        Proof::of(
            seen,
            format!("the server refuses the call: result {result}, {}{error}", words::call_result(result)),
        )
    }),
    Rule::ending("control-garbage", Code::C09, 90, |f| {
        let seen = f.control.garbage.as_ref()?;
        Proof::of(seen, format!("the control connection carries garbage: {}", seen.what))
    }),
    Rule::ending("control-echo-unanswered", Code::C06, 80, |f| {
        let closed = f.control.closed.as_ref()?;
        let How::EchoTimeout(silence) = closed.what.how else { return None };
        let other = closed.what.by.other();
        Proof::of(
            closed,
            format!("the {other} left Echo-Requests on TCP 1723 unanswered for {}", words::seconds(silence)),
        )
    }),
    Rule::ending("control-closed", Code::C06, 60, |f| {
        let closed = broken_off(f)?;
        let how = match closed.what.how {
            How::Fin => "closed TCP without a Stop message",
            How::Reset { by_a_box: false } => "reset TCP",
            How::Reset { by_a_box: true } => "did not, but a device on the way (TTL) reset TCP",
            How::Stop(_) | How::EchoTimeout(_) => return None,
        };
        Proof::of(closed, format!("the {} {how}", closed.what.by))
    }),
    Rule::ending("control-stopped", Code::C08, 80, |f| {
        let closed = broken_off(f)?;
        let How::Stop(reason) = closed.what.how else { return None };
        // A client that disconnects before the tunnel is up sends no reason, but other rules may know it.
        if closed.what.by == Side::Client && reason <= 1 {
            return None;
        }
        Proof::of(
            closed,
            format!("the {} stopped the control connection: {}", closed.what.by, words::stop_reason(reason)),
        )
    }),
];

/// The server, or a device in front of it, closed at `stage`.
fn closed_early(facts: &Facts, stage: Stage, when: &str) -> Option<Proof> {
    let closed = facts.control.closed.as_ref()?;
    let is_it = closed.what.stage == stage
        && closed.what.by == Side::Server
        && closed.what.after <= AT_ONCE
        && facts.control.foreign.is_none();
    let how = match closed.what.how {
        How::Reset { by_a_box: true } => "a device on the way (TTL) resets TCP",
        How::Reset { by_a_box: false } => "the server resets TCP",
        _ => "the server closes TCP",
    };
    is_it.then(|| Proof::of(closed, format!("TCP 1723 opens, and {how} {when}")))?
}

/// The control connection ended without a request. Actions of the observer itself prove nothing.
fn broken_off(facts: &Facts) -> Option<&Seen<Closed>> {
    let closed = facts.control.closed.as_ref()?;
    let in_order = facts.ending.as_ref().is_some_and(|ending| ending.what.in_order);
    let is_ours = facts.vantage == Vantage::Client && closed.what.by == Side::Client;
    let answered_late = closed.what.stage <= Stage::Requested && closed.what.after <= AT_ONCE;
    // A side that ends the link also ends the connection after it: the first step is the cause.
    let terminated = facts.lcp.terminated.as_ref().and_then(|terminated| terminated.at.time);
    let follows = terminated.zip(closed.at.time).is_some_and(|(link, control)| link <= control);
    // A close by one side after the other has ended the call proves nothing either.
    let other_began = facts.ending.as_ref().and_then(|ending| ending.what.by);
    let answers = other_began.is_some_and(|by| by != closed.what.by);
    (!in_order && !is_ours && !answered_late && !follows && !answers).then_some(closed)
}

fn server(facts: &Facts) -> String {
    match facts.tcp.server {
        Some(server) => format!("TCP {} of {}", server.port(), server.ip()),
        None => "TCP 1723".to_owned(),
    }
}
