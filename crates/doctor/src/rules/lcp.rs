//! The rules of layer L: the PPP link.

use std::time::Duration;

use adit_diag::Code;

use super::{Proof, Rule, words};
use crate::facts::{Facts, How, Stage, Terminated};
use crate::{Seen, Side, Vantage};

/// A firewall does not close TCP; a PPP program that fails does, within this time.
const SOON: Duration = Duration::from_secs(3);
/// The number of rounds about one option above which it is a loop.
const ROUNDS: u32 = 5;

pub(super) const RULES: &[Rule] = &[
    Rule::fault("lcp-own-magic", Code::L02, 100, |f| {
        let seen = f.lcp.looped_back.as_ref()?;
        Proof::of(seen, format!("the peer's packets carry our own Magic-Number {:#010x}", seen.what))
    }),
    Rule::fault("lcp-option-loop", Code::L01, 95, |f| {
        let seen =
            f.lcp.option_loop.as_ref().filter(|loop_| loop_.what.rounds >= ROUNDS && !f.link_is_up())?;
        let option = &seen.what;
        let proof = Proof::of(
            seen,
            format!("no agreement about {}: {} rounds, and no end", option.option, option.rounds),
        )?;
        let (wanted, offered) = &option.positions;
        let other = option.by.other();
        Some(proof.with(format!("the {} wants {wanted}; the {other} says {offered}", option.by)))
    }),
    Rule::fault("gre-server-ends-soon", Code::L03, 85, |f| {
        let (seen, after) = ends_soon(f)?;
        let what = format!(
            "the server granted the call and ended it {} later, without a word of PPP: not a firewall",
            words::seconds(after)
        );
        Proof::of(&seen, what)
    }),
    Rule::fault("lcp-echo-unanswered", Code::L04, 80, |f| {
        let seen = f.lcp.echo_lost.as_ref().filter(|lost| lost.what.control_lives != Some(true))?;
        if f.gre.stopped.is_some() {
            return None;
        }
        let other = seen.what.asked_by.other();
        Proof::of(seen, format!("the {other} no longer answers: {} LCP echoes in a row", seen.what.count))
    }),
    Rule::ending("lcp-terminated", Code::L03, 70, |f| {
        let seen = terminated(f)?;
        let text = if seen.what.text.is_empty() {
            "without a reason".to_owned()
        } else {
            format!("\"{}\"", seen.what.text)
        };
        Proof::of(seen, format!("the {} ended the link: {text}", seen.what.by))
    }),
    Rule::ending("lcp-both-repeat", Code::L05, 50, |f| {
        let heard = f.gre.to_client.packets > 0 && f.gre.to_server.packets > 0;
        let seen = f.lcp.silent.as_ref().filter(|_| heard && !f.link_is_up())?;
        Proof::missing(
            seen,
            format!("GRE passes, and LCP does not come up within {}", words::seconds(seen.what)),
        )
    }),
    Rule::ending("lcp-first-frame", Code::L05, 40, |f| {
        let seen = f.lcp.first_is_not_lcp.as_ref().filter(|_| !f.link_is_up())?;
        Proof::of(seen, format!("the first PPP packet is protocol {:#06x}, not LCP", seen.what))
    }),
];

/// The server accepted the call, sent no GRE, and ended the call soon.
pub(super) fn ends_soon(facts: &Facts) -> Option<(Seen<()>, Duration)> {
    let closed = facts.control.closed.as_ref()?;
    // A capture without any GRE was filtered to TCP, and cannot show that none was sent.
    let is_blind = matches!(facts.vantage, Vantage::Capture(_)) && facts.gre.to_server.packets == 0;
    let is_it = closed.what.by == Side::Server
        && !is_blind
        && closed.what.stage == Stage::InCall
        && closed.what.after <= SOON
        && !matches!(closed.what.how, How::EchoTimeout(_))
        && facts.gre.to_client.packets == facts.gre.to_client.acks_only
        && !facts.link_is_up();
    is_it.then(|| (Seen::at((), closed.at), closed.what.after))
}

/// Whether a user ended it without a failure: the reasons that pppd and adit send then.
fn is_user_request(text: &str) -> bool {
    ["user request", "user-request", "shutdown"].iter().any(|reason| text.eq_ignore_ascii_case(reason))
}

/// A Terminate-Request that ended the call by a fault. That of the observer itself proves nothing, nor does a
/// user's request.
pub(super) fn terminated(facts: &Facts) -> Option<&Seen<Terminated>> {
    let in_order = facts.ending.as_ref().is_some_and(|ending| ending.what.in_order);
    let seen = facts.lcp.terminated.as_ref()?;
    let is_ours = facts.vantage == Vantage::Client && seen.what.by == Side::Client;
    let by_request = seen.what.by == Side::Client && is_user_request(&seen.what.text);
    (!in_order && !is_ours && !by_request).then_some(seen)
}
