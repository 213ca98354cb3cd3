//! The packet size facts of a capture.

use std::time::Duration;

use adit_capture::conversation::{Event, Flow};
use adit_wire::{cp, ppp};

use super::View;
use super::control::address;
use super::messages::{Message, Messages, seen};
use crate::facts::{Bracket, Lcp, Mtu};
use crate::{At, Seen, Side};

/// The number of packets of a size that must be lost, with none arriving, before the size counts as the
/// reason.
const LOST_MIN: usize = 3;
/// The MRU if LCP negotiates no option.
const DEFAULT_MRU: u16 = 1500;

pub(super) fn facts(view: &View<'_>, lcp: &Lcp) -> Mtu {
    let mut facts = Mtu::default();
    let Some(call) = view.call else { return facts };
    if lcp.opened.is_some() {
        let mru = |mru: Option<u16>| mru.unwrap_or(DEFAULT_MRU);
        facts.agreed = Some(mru(lcp.client_mru).min(mru(lcp.server_mru)));
    }
    facts.mss = call.inside.mss.map(|(mss, frame, _)| view.seen(mss, (frame, view.conversation.last_time)));
    facts.too_big = view.steps().find_map(|step| match &step.what {
        Event::Icmp(icmp) if !icmp.v6 && (icmp.kind, icmp.code) == (3, 4) => {
            let mtu = icmp.mtu.and_then(|mtu| u16::try_from(mtu).ok()).unwrap_or_default();
            Some(view.seen_in((address(view, step.by), mtu), step))
        }
        _ => None,
    });
    if let Some(broken) = &view.conversation.broken_fragments {
        let frame = broken.frames.first().copied().unwrap_or_default();
        let packets = u32::try_from(broken.packets).unwrap_or(u32::MAX);
        facts.fragments_missing = Some(view.seen(packets, (frame, view.conversation.last_time)));
    }
    facts.to_server = outer(view, &call.to_server);
    facts.to_client = outer(view, &call.to_client);
    let lcp = Messages::of(view, ppp::LCP);
    for by in [Side::Client, Side::Server] {
        let bracket = if by == Side::Client { &mut facts.to_server } else { &mut facts.to_client };
        if let Some(echoes) = echoes(view, &lcp, by) {
            *bracket = echoes;
        }
    }
    let fragmented = call.to_server.fragmented + call.to_client.fragmented;
    if fragmented >= LOST_MIN as u64 {
        facts.fragmented = Some(u32::try_from(fragmented).unwrap_or(u32::MAX));
    }
    if let Some(resent) = call.inside.resent
        && resent.times >= LOST_MIN as u64
        && resent.len > call.inside.largest_arrived
    {
        let at =
            At::frame(resent.first, view.conversation.last_time.saturating_sub(view.conversation.began()));
        let octets = |octets: usize| u16::try_from(octets).unwrap_or(u16::MAX);
        let passes = Some(octets(call.inside.largest_arrived)).filter(|octets| *octets > 0).map(Seen::new);
        let bracket = Bracket { passes, lost: Some(Seen::at(octets(resent.len), at)), is_outer: false };
        if resent.from_client { facts.to_server = bracket } else { facts.to_client = bracket }
    }
    facts
}

/// Sizes by LCP echoes: those above a size are never answered, all smaller ones are.
fn echoes(view: &View<'_>, lcp: &Messages<'_>, by: Side) -> Option<Bracket> {
    let size = |message: &Message<'_>| message.packet.data.len() + cp::HEADER_LEN;
    let mut answered = 0;
    let mut lost: Vec<&Message<'_>> = Vec::new();
    let replies: Vec<&Message<'_>> = lcp.sent(by.other(), cp::ECHO_REPLY).collect();
    for request in lcp.sent(by, cp::ECHO_REQUEST) {
        let is_answered = replies.iter().any(|reply| {
            let later = reply.time.saturating_sub(request.time);
            reply.packet.id == request.packet.id && reply.frame > request.frame && later < ANSWER_MAX
        });
        if is_answered {
            answered = answered.max(size(request));
        } else if view.end().saturating_sub(request.time) >= ANSWER_MIN {
            lost.push(request);
        }
    }
    lost.retain(|request| size(request) > answered && size(request) >= SMALL);
    let first =
        lost.iter().min_by_key(|request| size(request)).filter(|_| lost.len() >= LOST_MIN && answered > 0)?;
    let octets = |octets: usize| u16::try_from(octets).unwrap_or(u16::MAX);
    Some(Bracket {
        passes: Some(Seen::new(octets(answered))),
        lost: Some(seen(view, octets(size(first)), first)),
        is_outer: false,
    })
}

/// A reply after more than this time belongs to another echo.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// An echo younger than this may still be answered.
const ANSWER_MIN: Duration = Duration::from_millis(300);

/// Sizes by GRE acknowledgments: some sizes were never acknowledged, while all smaller ones were.
fn outer(view: &View<'_>, flow: &Flow) -> Bracket {
    let bracket = Bracket { is_outer: true, ..Bracket::default() };
    let largest = flow.largest_acked;
    let pending = flow.pending(view.end()).map(|(frame, size)| (size, frame));
    let mut lost: Vec<(usize, u64)> =
        flow.skipped_sizes.iter().copied().chain(pending).filter(|(size, _)| *size > largest).collect();
    lost.sort_unstable();
    // A size barely larger than what passed may have been lost by chance; if nothing passed at all, the fault
    // is a different one.
    let Some((size, _)) = lost.first().copied().filter(|_| lost.len() >= LOST_MIN && largest > 0) else {
        return bracket;
    };
    let frame = lost.iter().map(|(_, frame)| *frame).min().unwrap_or_default();
    if lost.iter().filter(|(other, _)| *other >= size).count() < LOST_MIN || size < SMALL {
        return bracket;
    }
    let octets = |octets: usize| u16::try_from(octets).unwrap_or(u16::MAX);
    let time = view.conversation.last_time.saturating_sub(view.conversation.began());
    Bracket {
        passes: Some(Seen::new(octets(largest))),
        lost: Some(Seen::at(octets(size), At::frame(frame, time))),
        ..bracket
    }
}

/// No path loses smaller packets because of their size (RFC 791 requires 576; a tunnel subtracts its
/// headers).
const SMALL: usize = 500;
