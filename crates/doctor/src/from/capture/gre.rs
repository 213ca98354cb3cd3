//! The GRE facts of a capture, separately for each direction.

use std::time::Duration;

use adit_capture::Upper;
use adit_capture::conversation::{Call, Event, Flow};
use adit_wire::pptp::{Frame, Message};
use adit_wire::{cp, ppp};

use super::control::address;
use super::lcp::control_lives;
use super::side;
use super::{PATIENCE, View};
use crate::facts::{Arrival, Gre, GreStop, IcmpError, Lcp, Way};
use crate::{Seen, Side, Vantage};

/// GRE that is unanswered for a shorter time has not stopped: LCP echoes are sent every half minute.
const STOPPED_MIN: Duration = Duration::from_secs(8);
/// The number of unanswered packets that shows a stop.
const UNANSWERED_MIN: u64 = 3;
/// The most ICMP errors that are reported.
const ERRORS_MAX: usize = 8;
/// The number of sequence numbers that acknowledgments must skip to count as loss: a single one may be a lost
/// acknowledgment.
const SKIPPED_MIN: u64 = 3;

/// Collects the facts. `size_matters`: packets are lost because of their size.
pub(super) fn facts(view: &View<'_>, lcp: &Lcp, size_matters: bool, vantage: Vantage) -> Gre {
    let mut facts = Gre { errors: errors(view), ..Gre::default() };
    let Some(call) = view.call else { return facts };
    facts.to_server = way(view, &call.to_server, &call.to_client, vantage.near() == Some(Side::Client));
    facts.to_client = way(view, &call.to_client, &call.to_server, vantage.near() == Some(Side::Server));
    if !size_matters {
        echoes_lost(call, &mut facts, vantage);
    }
    let near = |side| {
        let refused = facts.errors.iter().any(|error| error.what.kind == 3 && error.what.about == side);
        vantage.near() == Some(side.other()) && !refused
    };
    let (near_server, near_client) = (near(Side::Client), near(Side::Server));
    facts.to_server.arrival = arrival(&call.to_server, lcp.server_answers, lcp.server_requests, near_server);
    facts.to_client.arrival = arrival(&call.to_client, lcp.client_answers, lcp.client_requests, near_client);
    facts.from_elsewhere = view.steps().find_map(|step| match step.what {
        Event::GreFrom(from) => Some(view.seen_in(from, step)),
        _ => None,
    });
    let wrong = |id: Option<u16>, packets: u64, flow: &Flow| {
        let id = id.filter(|_| packets * 2 > flow.packets)?;
        let step = view.steps().find(|step| matches!(step.what, Event::UnknownCall(other) if other == id));
        Some(step.map_or_else(|| Seen::new(id), |step| view.seen_in(id, step)))
    };
    facts.wrong_to_server = wrong(call.wrong_to_server, call.wrong_packets[0], &call.to_server);
    facts.wrong_to_client = wrong(call.wrong_to_client, call.wrong_packets[1], &call.to_client);
    let of_another_call = |id: Option<u16>, of: fn(&Call) -> Option<u16>| {
        id.is_some() && view.conversation.calls.iter().any(|other| of(other) == id && other != call)
    };
    facts.wrong_is_of_another_call = of_another_call(call.wrong_to_server, |call| call.server_id)
        || of_another_call(call.wrong_to_client, |call| call.client_id);
    facts.stopped = stopped(view, call);
    facts.stalled = stalled(view, call);
    facts
}

/// The facts of one direction. `from_near`: the sender is the end next to the capture, so that everything it
/// sent is visible.
fn way(view: &View<'_>, flow: &Flow, back: &Flow, from_near: bool) -> Way {
    // Numbers that were acknowledged but are not in the capture were lost by the capture only.
    let is_real = flow.acked_unseen * 10 <= flow.missing;
    let lost = if from_near {
        // Beyond the capture only the acknowledgments are evidence; a lost acknowledgment looks the same.
        if flow.skipped >= SKIPPED_MIN && back.missing == 0 { flow.skipped } else { 0 }
    } else if is_real {
        flow.missing
    } else {
        0
    };
    Way {
        packets: flow.packets,
        arrival: Arrival::Unknown,
        first: flow.first.map(|place| view.seen((), place)),
        last: flow.last.map(|place| view.seen((), place)),
        acks_only: flow.acks_only,
        data: flow.encrypted + flow.clear,
        lost,
        late: flow.late,
        repeated: flow.repeated,
        restarts: flow.restarts,
    }
}

/// Whether packets arrive: acknowledged or answered; or seen next to the receiver without evidence to the
/// contrary, such as an ICMP error, or a receiver that repeats requests and never acknowledges.
fn arrival(flow: &Flow, answers: u32, receivers_requests: u32, near_receiver: bool) -> Arrival {
    let seen_there = near_receiver && flow.packets > 0 && receivers_requests < 2;
    if flow.acked.is_some() || answers > 0 || seen_there { Arrival::Proven } else { Arrival::Unknown }
}

/// Counts unanswered Echo-Requests seen next to their sender: they were lost, or their answers were, which
/// leave a gap.
fn echoes_lost(call: &Call, facts: &mut Gre, vantage: Vantage) {
    let Some(side) = vantage.near() else { return };
    let (by_client, back) =
        (side == Side::Client, if side == Side::Client { &call.to_client } else { &call.to_server });
    let asked = call.tally.times(ppp::LCP, cp::ECHO_REQUEST, by_client);
    let answered = call.tally.times(ppp::LCP, cp::ECHO_REPLY, !by_client);
    let lost = asked.saturating_sub(answered);
    if answered == 0 || lost < SKIPPED_MIN || back.missing > 0 {
        return;
    }
    let way = if by_client { &mut facts.to_server } else { &mut facts.to_client };
    way.lost = way.lost.max(lost);
}

fn errors(view: &View<'_>) -> Vec<Seen<IcmpError>> {
    // A side that has ended the call accepts no more GRE, and reports that.
    view.steps()
        .take_while(|step| !step.is_end())
        .filter_map(|step| {
            let Event::Icmp(icmp) = &step.what else { return None };
            let quoted = icmp.quoted.as_ref().filter(|quoted| matches!(quoted.upper, Upper::Gre { .. }))?;
            let about = if quoted.source == view.conversation.client { Side::Client } else { Side::Server };
            let mtu = icmp.mtu.and_then(|mtu| u16::try_from(mtu).ok());
            let from = address(view, step.by);
            Some(view.seen_in(IcmpError { from, kind: icmp.kind, code: icmp.code, about, mtu }, step))
        })
        .take(ERRORS_MAX)
        .collect()
}

/// Finds the point at which one side continues and the other's GRE is no longer received, although its TCP
/// is.
fn stopped(view: &View<'_>, call: &Call) -> Option<Seen<GreStop>> {
    if call.to_server.packets == 0 || call.to_client.packets == 0 {
        return None;
    }
    let lost_carrier = view.steps().find(|step| {
        matches!(&step.what, Event::Message(Frame::Message(Message::CallDisconnectNotify(notify)))
            if u8::from(notify.result) == LOST_CARRIER)
    });
    let ways = [(&call.to_server, Side::Server), (&call.to_client, Side::Client)];
    let found = ways.into_iter().find_map(|(flow, silent_side)| {
        let given_up = lost_carrier.is_some_and(|step| side(step.by) != silent_side);
        let least = if given_up { 2 } else { UNANSWERED_MIN };
        let since = flow.unanswered_since.filter(|_| flow.unanswered >= least)?;
        let silent = view.end().saturating_sub(since.1);
        let lives = control_lives(view, silent_side, since.1 + PATIENCE) == Some(true);
        // Acknowledged data is not silence.
        (silent >= STOPPED_MIN && lives)
            .then(|| view.seen(GreStop { from: Some(silent_side), after_idle: flow.silence, silent }, since))
    });
    // The other end lost the link, and none of its GRE is seen here: it was lost on the path.
    found.or_else(|| {
        let step = lost_carrier?;
        let last = [call.to_server.last, call.to_client.last].into_iter().flatten().max()?;
        let silent = step.time.saturating_sub(last.1);
        let stop = GreStop { from: None, after_idle: Duration::ZERO, silent };
        (silent >= STOPPED_MIN).then(|| view.seen_in(stop, step))
    })
}

/// Result code of Call-Disconnect-Notify (RFC 2637 section 2.13).
const LOST_CARRIER: u8 = 1;

fn stalled(view: &View<'_>, call: &Call) -> Option<Seen<(Side, Duration)>> {
    let ways = [(&call.to_server, Side::Client), (&call.to_client, Side::Server)];
    ways.into_iter()
        .filter_map(|(flow, sender)| {
            let (longest, frame) = flow.longest_stall?;
            let time = view.conversation.last_time;
            Some(view.seen((sender, longest), (frame, time)))
        })
        .max_by_key(|seen| seen.what.1)
}
