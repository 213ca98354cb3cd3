//! The CCP and MPPE facts of a capture.

use std::time::Duration;

use adit_wire::ccp::Mppe;
use adit_wire::cp::ConfigOption;
use adit_wire::{cp, ppp};

use super::View;
use super::messages::{Message, Messages, protocol_reject, rejected, seen};
use crate::facts::{Auth, AuthProtocol, Bits, Encrypt, LoginVerdict, MppeLoop, Rejected};
use crate::{Seen, Side};

/// The number of Naks that make a loop.
const ROUNDS_MIN: usize = 3;
/// Protocol-Rejects of unknown protocols after MPPE is up; a single one may be a damaged packet.
const STRANGE_MIN: usize = 2;

pub(super) fn facts(view: &View<'_>, auth: &Auth) -> Encrypt {
    let mut facts = Encrypt::default();
    let Some(call) = view.call else { return facts };
    let (lcp, ccp) = (Messages::of(view, ppp::LCP), Messages::of(view, ppp::CCP));
    let offer = |by| ccp.first_request(by).map(|message| seen(view, bits(message), message));
    (facts.client_offer, facts.server_offer) = (offer(Side::Client), offer(Side::Server));
    let agreed = |by| ccp.acked(by).map(|message| seen(view, bits(message), message));
    (facts.client_agreed, facts.server_agreed) = (agreed(Side::Client), agreed(Side::Server));
    let both = |by: &Option<Seen<Bits>>| by.as_ref().is_some_and(|bits| bits.what.strengths() != 0);
    if both(&facts.client_agreed) && both(&facts.server_agreed) {
        facts.opened = ccp.opened().map(|message| seen(view, (), message));
    }
    if facts.opened.is_none() {
        facts.rejected = refusal(view, &lcp, &ccp);
        facts.nak_loop = [Side::Client, Side::Server].into_iter().find_map(|by| nak_loop(view, &ccp, by));
        facts.silent = silent(view, &ccp, auth);
    }
    facts.clear_packets = call.to_server.clear + call.to_client.clear;
    let first = [call.to_server.first_clear, call.to_client.first_clear].into_iter().flatten().min();
    facts.first_clear = first.map(|place| view.seen((), place));
    let resets = call.tally.times(ppp::CCP, cp::RESET_REQUEST, true)
        + call.tally.times(ppp::CCP, cp::RESET_REQUEST, false);
    facts.resets = u32::try_from(resets).unwrap_or(u32::MAX);
    let jumps = call.to_server.count_jumps + call.to_client.count_jumps;
    facts.count_jumps = u32::try_from(jumps).unwrap_or(u32::MAX);
    facts.no_keys = matches!(auth.agreed.as_ref().map(|method| method.what), Some(AuthProtocol::Method(method)) if !method.gives_keys());
    if let Some(opened) = facts.opened.as_ref().and_then(|seen| seen.at.frame) {
        facts.closed = closed(view, &lcp, &ccp, opened);
        facts.garbage = strange(view, &lcp, opened);
    }
    if facts.garbage.is_none()
        && let Some(frame) = call.open.noise.iter().flatten().min()
    {
        let text = "the password is right, and yet packets decrypt to nothing with its keys";
        facts.garbage = Some(view.seen(text.to_owned(), (*frame, view.conversation.last_time)));
    }
    facts
}

/// The MPPE bits of a request or its Ack; none if it lacks the option.
fn bits(message: &Message<'_>) -> Bits {
    let data = message.option(ppp::CCP, Mppe::KIND).and_then(|data| data.try_into().ok());
    Bits(data.map_or(0, u32::from_be_bytes))
}

/// The refusal of encryption.
fn refusal(view: &View<'_>, lcp: &Messages<'_>, ccp: &Messages<'_>) -> Option<Seen<Rejected>> {
    if let Some((by, place)) = protocol_reject(lcp, ppp::CCP) {
        return Some(view.seen(Rejected { by, all_of_ccp: true }, place));
    }
    [Side::Client, Side::Server].into_iter().find_map(|by| {
        let reject =
            ccp.refusals(by, Mppe::KIND).find(|message| message.packet.code == cp::CONFIGURE_REJECT)?;
        Some(seen(view, Rejected { by: by.other(), all_of_ccp: false }, reject))
    })
}

fn nak_loop(view: &View<'_>, ccp: &Messages<'_>, by: Side) -> Option<Seen<MppeLoop>> {
    let naks: Vec<&Message<'_>> =
        ccp.refusals(by, Mppe::KIND).filter(|message| message.packet.code == cp::CONFIGURE_NAK).collect();
    let last = naks.last().filter(|_| naks.len() >= ROUNDS_MIN)?;
    let asked = ccp.sent(by, cp::CONFIGURE_REQUEST).rfind(|request| request.frame < last.frame)?;
    let (wants, states) = (bits(asked), bits(last));
    let only_stateless = wants.strengths() == states.strengths() && wants != states;
    let rounds = u32::try_from(naks.len()).unwrap_or(u32::MAX);
    Some(seen(view, MppeLoop { rounds, only_stateless }, last))
}

/// Finds requests without an answer after the login.
fn silent(view: &View<'_>, ccp: &Messages<'_>, auth: &Auth) -> Option<Seen<Duration>> {
    let login = auth.login.as_ref().filter(|login| login.what.verdict == LoginVerdict::Accepted)?;
    let last = ccp.list.iter().rfind(|message| message.packet.code != cp::CONFIGURE_REQUEST);
    let first = ccp.list.first()?;
    let since = last.unwrap_or(first);
    let silence = view.silence(since.time)?;
    (login.at.frame < Some(since.frame)).then(|| seen(view, silence, since))
}

fn closed(view: &View<'_>, lcp: &Messages<'_>, ccp: &Messages<'_>, opened: u64) -> Option<Seen<Side>> {
    // The end of the link ends all its protocols.
    let link_ends = lcp.list.iter().find(|message| message.packet.code == cp::TERMINATE_REQUEST);
    let before_end = |frame: u64| frame > opened && link_ends.is_none_or(|end| frame < end.frame);
    let end = ccp
        .list
        .iter()
        .find(|message| message.packet.code == cp::TERMINATE_REQUEST && before_end(message.frame));
    if let Some(end) = end {
        // pppd ends each protocol before the link; the end of the link then follows at once.
        let at_once = link_ends.is_some_and(|link| {
            link.time.saturating_sub(end.time) < Duration::from_secs(2) && link.by == end.by
        });
        return (!at_once).then(|| seen(view, end.by, end));
    }
    let reject = lcp.list.iter().find(|message| {
        message.packet.code == cp::PROTOCOL_REJECT
            && rejected(message) == Some(ppp::COMPRESSED)
            && before_end(message.frame)
    })?;
    Some(seen(view, reject.by, reject))
}

/// Unknown protocols, rejected after MPPE is up: the decrypted data is garbage.
fn strange(view: &View<'_>, lcp: &Messages<'_>, opened: u64) -> Option<Seen<String>> {
    let strange: Vec<(&Message<'_>, u16)> = lcp
        .list
        .iter()
        .filter(|message| message.packet.code == cp::PROTOCOL_REJECT && message.frame > opened)
        .filter_map(|message| Some((message, rejected(message)?)))
        .filter(|(_, protocol)| ppp::protocol_name(*protocol).is_none())
        .collect();
    let (first, _) = strange.first().filter(|_| strange.len() >= STRANGE_MIN)?;
    let numbers: Vec<String> =
        strange.iter().take(4).map(|(_, protocol)| format!("{protocol:#06x}")).collect();
    let text = format!("the {} rejects protocols that do not exist: {}", first.by, numbers.join(", "));
    Some(seen(view, text, first))
}
