//! The login facts of a capture.

use std::time::Duration;

use adit_capture::conversation::{Call, Checked};
use adit_diag::AuthMethod;
use adit_wire::cp::ConfigOption;
use adit_wire::lcp;
use adit_wire::text::escape;
use adit_wire::{chap, cp, pap, ppp};

use super::View;
use super::messages::{Message, Messages, seen};
use crate::facts::{Auth, AuthProtocol, Login, LoginVerdict, NoMethod};
use crate::{Seen, Side};

/// Refusals of the same method that show that there is no common method.
const ROUNDS_MIN: usize = 3;
/// The most octets of a text or name that are kept.
const TEXT_MAX: usize = 128;
const EAP_REQUEST: u8 = 1;
const EAP_RESPONSE: u8 = 2;
const EAP_SUCCESS: u8 = 3;
const EAP_FAILURE: u8 = 4;

pub(super) fn facts(view: &View<'_>) -> Auth {
    let mut facts = Auth::default();
    let Some(call) = view.call else { return facts };
    let lcp = Messages::of(view, ppp::LCP);
    methods(view, &lcp, &mut facts);
    let (chap, pap, eap) =
        (Messages::of(view, ppp::CHAP), Messages::of(view, ppp::PAP), Messages::of(view, ppp::EAP));
    facts.user = user(&chap, &pap);
    let times = |protocol, code, by_client| {
        u32::try_from(call.tally.times(protocol, code, by_client)).unwrap_or(u32::MAX)
    };
    facts.challenges = times(ppp::CHAP, chap::CHALLENGE, false) + times(ppp::EAP, EAP_REQUEST, false);
    facts.responses = times(ppp::CHAP, chap::RESPONSE, true)
        + times(ppp::PAP, pap::REQUEST, true)
        + times(ppp::EAP, EAP_RESPONSE, true);
    facts.login = login(view, &chap, &pap, &eap);
    // In a capture that starts during the call, it is unknown what happened before.
    if !lcp.list.is_empty() {
        silence(view, call, &mut facts);
    }
    match call.open.checked {
        Some(Checked::Wrong { frame }) => {
            facts.response_is_wrong = Some(view.seen((), (frame, time_of(&chap, frame))))
        }
        Some(Checked::Right { .. } | Checked::OtherUser { .. }) | None => {}
    }
    if let Some((frame, false)) = call.open.server_proof {
        facts.proof_is_wrong = Some(view.seen((), (frame, time_of(&chap, frame))));
    }
    facts
}

fn time_of(messages: &Messages<'_>, frame: u64) -> Duration {
    messages.list.iter().find(|message| message.frame == frame).map_or(Duration::ZERO, |message| message.time)
}

fn method(data: &[u8]) -> AuthProtocol {
    let of = AuthProtocol::Method;
    match lcp::AuthProtocol::from_data(data) {
        lcp::AuthProtocol::Pap => of(AuthMethod::Pap),
        lcp::AuthProtocol::ChapMd5 => of(AuthMethod::ChapMd5),
        lcp::AuthProtocol::MsChapV1 => of(AuthMethod::MsChapV1),
        lcp::AuthProtocol::MsChapV2 => of(AuthMethod::MsChapV2),
        lcp::AuthProtocol::Eap => AuthProtocol::Eap,
        lcp::AuthProtocol::Other(data) => {
            AuthProtocol::Other(data.first_chunk().map_or(0, |octets| u16::from_be_bytes(*octets)))
        }
    }
}

fn methods(view: &View<'_>, lcp: &Messages<'_>, facts: &mut Auth) {
    let add = |list: &mut Vec<AuthProtocol>, message: &Message<'_>| {
        if let Some(data) = message.option(ppp::LCP, lcp::Auth::KIND) {
            let method = method(data);
            if !list.contains(&method) {
                list.push(method);
            }
        }
    };
    lcp.sent(Side::Server, cp::CONFIGURE_REQUEST).for_each(|message| add(&mut facts.offered, message));
    lcp.sent(Side::Client, cp::CONFIGURE_NAK).for_each(|message| add(&mut facts.wanted, message));
    facts.agreed = lcp.acked(Side::Server).and_then(|ack| {
        let data = ack.option(ppp::LCP, lcp::Auth::KIND)?;
        Some(seen(view, method(data), ack))
    });
    if facts.agreed.is_some() {
        return;
    }
    // The server gave in and continues without authentication: pppd does so, and ends the call when the link
    // is up.
    let refusal = |message: &&Message<'_>| {
        matches!(message.packet.code, cp::CONFIGURE_NAK | cp::CONFIGURE_REJECT)
            && message.by == Side::Client
            && message.option(ppp::LCP, lcp::Auth::KIND).is_some()
    };
    if lcp.opened().is_some()
        && let Some(last) = lcp.list.iter().rfind(refusal)
    {
        let rounds = u32::try_from(lcp.list.iter().filter(refusal).count()).unwrap_or(u32::MAX);
        facts.none = Some(seen(view, NoMethod { refused_by: Side::Client, rounds }, last));
        return;
    }
    let refusals: Vec<&Message<'_>> = lcp.refusals(Side::Server, lcp::Auth::KIND).collect();
    let Some(last) = refusals.last() else { return };
    let rejected = refusals.iter().any(|refusal| refusal.packet.code == cp::CONFIGURE_REJECT);
    let end = lcp.list.iter().find(|message| {
        message.packet.code == cp::TERMINATE_REQUEST
            && message.frame > refusals.first().map_or(0, |first| first.frame)
    });
    let rounds = u32::try_from(refusals.len()).unwrap_or(u32::MAX);
    // After a rejection the server may continue without authentication: then it sends a request without a
    // method.
    let goes_without = lcp.acked(Side::Server).is_some();
    if rejected && !goes_without || refusals.len() >= ROUNDS_MIN || end.is_some() && !goes_without {
        let refused_by = end.map_or(Side::Client, |end| end.by);
        let refused_by = if rejected { Side::Client } else { refused_by };
        facts.none = Some(seen(view, NoMethod { refused_by, rounds }, last));
    }
}

fn user(chap: &Messages<'_>, pap: &Messages<'_>) -> Option<String> {
    let shown = |name: &[u8]| escape(name.get(..TEXT_MAX).unwrap_or(name)).to_string();
    let of_chap = chap.sent(Side::Client, chap::RESPONSE).find_map(|message| {
        match chap::Message::parse(&message.packet) {
            Ok(chap::Message::Response { name, .. }) => Some(shown(name)),
            _ => None,
        }
    });
    of_chap.or_else(|| {
        pap.sent(Side::Client, pap::REQUEST).find_map(|message| match pap::Message::parse(&message.packet) {
            Ok(pap::Message::Request { name, .. }) => Some(shown(name)),
            _ => None,
        })
    })
}

/// The last result of a login.
fn login(
    view: &View<'_>,
    chap: &Messages<'_>,
    pap: &Messages<'_>,
    eap: &Messages<'_>,
) -> Option<Seen<Login>> {
    let of_chap = chap.list.iter().filter(|message| message.by == Side::Server).filter_map(|message| {
        match chap::Message::parse(&message.packet) {
            Ok(chap::Message::Success(text)) => Some((message, accepted(success(text)))),
            Ok(chap::Message::Failure(text)) => Some((message, refused(text))),
            _ => None,
        }
    });
    let of_pap = pap.list.iter().filter(|message| message.by == Side::Server).filter_map(|message| {
        match pap::Message::parse(&message.packet) {
            Ok(pap::Message::Ack { message: text }) => Some((message, accepted(text))),
            Ok(pap::Message::Nak { message: text }) => {
                let login = Login { verdict: LoginVerdict::Refused, ..accepted(text) };
                Some((message, login))
            }
            _ => None,
        }
    });
    let of_eap = eap.list.iter().filter_map(|message| match message.packet.code {
        EAP_SUCCESS => Some((message, accepted(&[]))),
        EAP_FAILURE => Some((message, Login { verdict: LoginVerdict::Refused, ..accepted(&[]) })),
        _ => None,
    });
    let (message, login) = of_chap.chain(of_pap).chain(of_eap).max_by_key(|(message, _)| message.frame)?;
    Some(seen(view, login, message))
}

fn success(text: &[u8]) -> &[u8] {
    chap::Success::parse(text).message.unwrap_or_default()
}

fn accepted(text: &[u8]) -> Login {
    let text = escape(text.get(..TEXT_MAX).unwrap_or(text)).to_string();
    Login { verdict: LoginVerdict::Accepted, error: None, retry: None, text }
}

fn refused(text: &[u8]) -> Login {
    let failure = chap::Failure::parse(text);
    let shown = if failure.error.is_some() { failure.message.unwrap_or_default() } else { text };
    Login {
        verdict: LoginVerdict::Refused,
        error: failure.error.map(chap::MsChapError::number),
        retry: failure.error.map(|_| failure.retry),
        ..accepted(shown)
    }
}

/// Finds a challenge without a response, and a response without an answer.
fn silence(view: &View<'_>, call: &Call, facts: &mut Auth) {
    let last = |protocol, code, by_client| call.tally.of(protocol, code, by_client).map(|count| count.last);
    let first = |protocol, code, by_client| call.tally.of(protocol, code, by_client).map(|count| count.first);
    let asked = [
        last(ppp::CHAP, chap::RESPONSE, true),
        last(ppp::PAP, pap::REQUEST, true),
        last(ppp::EAP, EAP_RESPONSE, true),
    ];
    let since = match asked.into_iter().flatten().max() {
        Some(last) => Some(last),
        None => first(ppp::CHAP, chap::CHALLENGE, false).or_else(|| first(ppp::EAP, EAP_REQUEST, false)),
    };
    let Some(since) = since.filter(|_| facts.login.is_none()) else { return };
    facts.silent = view.silence(since.1).map(|silence| view.seen(silence, since));
    let begin = [first(ppp::CHAP, chap::CHALLENGE, false), first(ppp::PAP, pap::REQUEST, true)];
    let begin = begin.into_iter().flatten().min().unwrap_or(since);
    let echoed = [true, false]
        .into_iter()
        .any(|by_client| last(ppp::LCP, cp::ECHO_REPLY, by_client).is_some_and(|reply| reply.1 > begin.1));
    let asked = [true, false].into_iter().any(|by_client| {
        last(ppp::LCP, cp::ECHO_REQUEST, by_client).is_some_and(|request| request.1 > begin.1)
    });
    facts.path_lives = if echoed { Some(true) } else { asked.then_some(false) };
}
