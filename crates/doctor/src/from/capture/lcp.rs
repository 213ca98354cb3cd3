//! The LCP facts of a capture.

use std::time::Duration;

use adit_capture::conversation::{Call, Event};
use adit_wire::cp::ConfigOption;
use adit_wire::lcp::{Auth, LcpOption, Magic, Mru};
use adit_wire::{cp, ppp};

use super::View;
use super::messages::{Message, Messages, rejected, seen};
use crate::facts::{EchoLost, Lcp, OptionLoop, Terminated};
use crate::{Seen, Side};

/// The number of rounds about one option that makes a loop.
const ROUNDS_MIN: usize = 5;
/// The number of unanswered Echo-Requests in a row that shows a dead peer.
const ECHOES_MIN: usize = 3;
/// Options that do not count as disputed: a Magic-Number changes with each Nak, and the method has facts of
/// its own.
const NO_DISPUTE: [u8; 2] = [Magic::KIND, Auth::KIND];

const ANSWERS: [u8; 3] = [cp::CONFIGURE_ACK, cp::CONFIGURE_NAK, cp::CONFIGURE_REJECT];

pub(super) fn facts(view: &View<'_>) -> Lcp {
    let mut facts = Lcp::default();
    let Some(call) = view.call else { return facts };
    let times = |code, by_client| count(call, code, by_client);
    facts.client_requests = times(cp::CONFIGURE_REQUEST, true);
    facts.server_requests = times(cp::CONFIGURE_REQUEST, false);
    facts.client_answers = ANSWERS.iter().map(|code| times(*code, true)).sum();
    facts.server_answers = ANSWERS.iter().map(|code| times(*code, false)).sum();
    let messages = Messages::of(view, ppp::LCP);
    facts.opened = opened(view, &messages);
    facts.option_loop =
        [Side::Client, Side::Server].into_iter().find_map(|by| option_loop(view, &messages, by));
    facts.looped_back = looped_back(view, &messages);
    let mru = |by| mru(&messages, by);
    (facts.client_mru, facts.server_mru) = (mru(Side::Client), mru(Side::Server));
    facts.terminated =
        messages.list.iter().find(|message| message.packet.code == cp::TERMINATE_REQUEST).map(|message| {
            let text = text(message.packet.data);
            seen(view, Terminated { by: message.by, text }, message)
        });
    facts.echo_lost = echo_lost(view, call, &messages);
    if view.conversation.from_the_beginning {
        facts.first_is_not_lcp = first_is_not_lcp(view);
    }
    facts.silent = silent(view, &facts, call);
    facts.protocol_rejects = messages
        .list
        .iter()
        .filter(|message| message.packet.code == cp::PROTOCOL_REJECT)
        .filter_map(|message| Some(seen(view, (message.by, rejected(message)?), message)))
        .take(REJECTS_MAX)
        .collect();
    facts
}

/// The most Protocol-Rejects that are reported.
const REJECTS_MAX: usize = 32;

fn count(call: &Call, code: u8, by_client: bool) -> u32 {
    u32::try_from(call.tally.times(ppp::LCP, code, by_client)).unwrap_or(u32::MAX)
}

/// Whether LCP is Opened: both sides acknowledged; or a later protocol is present, if the capture begins
/// late.
fn opened(view: &View<'_>, messages: &Messages<'_>) -> Option<Seen<()>> {
    if let Some(message) = messages.first_opened() {
        return Some(seen(view, (), message));
    }
    view.steps().find_map(|step| match step.what {
        Event::Ppp {
            protocol: ppp::CHAP | ppp::PAP | ppp::EAP | ppp::CCP | ppp::IPCP | ppp::IPV6CP, ..
        } if messages.list.is_empty() => Some(view.seen_in((), step)),
        _ => None,
    })
}

fn option_loop(view: &View<'_>, messages: &Messages<'_>, by: Side) -> Option<Seen<OptionLoop>> {
    let mut kinds: Vec<u8> = Vec::new();
    for message in messages.list.iter().filter(|message| message.by == by.other()) {
        if matches!(message.packet.code, cp::CONFIGURE_NAK | cp::CONFIGURE_REJECT) {
            let options = message.packet.options(ppp::protocol(ppp::LCP)).flatten();
            kinds.extend(options.map(|option| option.kind).filter(|kind| !NO_DISPUTE.contains(kind)));
        }
    }
    kinds.sort_unstable();
    kinds.dedup();
    let (kind, rounds) = kinds
        .into_iter()
        .map(|kind| (kind, messages.refusals(by, kind).count()))
        .max_by_key(|(_, rounds)| *rounds)
        .filter(|(_, rounds)| *rounds >= ROUNDS_MIN)?;
    let last = messages.refusals(by, kind).next_back()?;
    let asked = messages.sent(by, cp::CONFIGURE_REQUEST).rfind(|request| request.frame < last.frame);
    let wants =
        asked.and_then(|request| words(request.packet, kind)).unwrap_or_else(|| "nothing of it".to_owned());
    let states = words(last.packet, kind).unwrap_or_default();
    let states = if last.packet.code == cp::CONFIGURE_REJECT { format!("rejects {states}") } else { states };
    let option = LcpOption::name(kind).map_or_else(|| format!("option {kind}"), str::to_owned);
    let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
    Some(seen(view, OptionLoop { by, option, positions: (wants, states), rounds }, last))
}

/// An option for display.
fn words(packet: cp::Packet<'_>, kind: u8) -> Option<String> {
    let option = packet.options(ppp::protocol(ppp::LCP)).flatten().find(|option| option.kind == kind)?;
    LcpOption::parse(&option).ok().map(|option| option.to_string())
}

/// Finds the same Magic-Number in requests of both sides.
fn looped_back(view: &View<'_>, messages: &Messages<'_>) -> Option<Seen<u32>> {
    let magic = |by: Side| {
        messages.sent(by, cp::CONFIGURE_REQUEST).filter_map(|message| {
            let data = message.option(ppp::LCP, Magic::KIND)?;
            Some((u32::from_be_bytes(data.try_into().ok()?), message))
        })
    };
    magic(Side::Server).find_map(|(number, message)| {
        (number != 0 && magic(Side::Client).any(|(own, _)| own == number))
            .then(|| seen(view, number, message))
    })
}

/// The MRU in the last acknowledged request of `by`.
fn mru(messages: &Messages<'_>, by: Side) -> Option<u16> {
    let data = messages.acked(by)?.option(ppp::LCP, Mru::KIND)?;
    Some(u16::from_be_bytes(data.try_into().ok()?))
}

fn text(data: &[u8]) -> String {
    match cp::TerminateData::new(data) {
        cp::TerminateData::Text([]) | cp::TerminateData::Windows(0) => String::new(),
        cp::TerminateData::Text(text)
            if text.iter().all(|octet| !octet.is_ascii_graphic() && *octet != b' ') =>
        {
            String::new()
        }
        cp::TerminateData::Text(text) => {
            adit_wire::text::escape(text.get(..TEXT_MAX).unwrap_or(text)).to_string()
        }
        windows @ cp::TerminateData::Windows(_) => windows.to_string(),
    }
}

/// The most octets of a reason that are shown.
const TEXT_MAX: usize = 128;

/// Counts the Echo-Requests since the last reply.
fn echo_lost(view: &View<'_>, call: &Call, messages: &Messages<'_>) -> Option<Seen<EchoLost>> {
    [Side::Client, Side::Server].into_iter().find_map(|asked_by| {
        let by_client = asked_by == Side::Client;
        let answered = call.tally.of(ppp::LCP, cp::ECHO_REPLY, !by_client).map_or(0, |count| count.last.0);
        let mut rounds: Vec<&Message<'_>> = Vec::new();
        for request in messages.sent(asked_by, cp::ECHO_REQUEST).filter(|message| message.frame > answered) {
            if rounds.last().is_none_or(|last| request.time.saturating_sub(last.time) >= ECHO_ROUND) {
                rounds.push(request);
            }
        }
        let first = rounds.first().filter(|_| rounds.len() >= ECHOES_MIN)?;
        let last = rounds.last()?;
        // An answer may still be in flight when the capture ends.
        if view.end().saturating_sub(last.time) < Duration::from_millis(500) && rounds.len() == ECHOES_MIN {
            return None;
        }
        let count = u32::try_from(rounds.len()).unwrap_or(u32::MAX);
        let control_lives = control_lives(view, asked_by.other(), first.time);
        Some(seen(view, EchoLost { asked_by, count, control_lives }, first))
    })
}

/// Echo-Requests that follow within this time count as one: a search for the path MTU sends many at once, and
/// their loss shows no more than the loss of one. Programs send at most one per second.
const ECHO_ROUND: Duration = Duration::from_millis(900);

/// Whether TCP segments of `of` arrived after `since`; `None` if there were no segments to it that it had to
/// answer.
pub(super) fn control_lives(view: &View<'_>, of: Side, since: Duration) -> Option<bool> {
    let (its, other) = match of {
        Side::Client => (&view.conversation.client_end, &view.conversation.server_end),
        Side::Server => (&view.conversation.server_end, &view.conversation.client_end),
    };
    let its_last = its.last?.1;
    if its_last > since {
        return Some(true);
    }
    let other_last = other.last?.1;
    (other_last > since).then_some(false)
}

fn first_is_not_lcp(view: &View<'_>) -> Option<Seen<u16>> {
    let first = view.steps().find(|step| matches!(step.what, Event::Ppp { .. }))?;
    match first.what {
        Event::Ppp { protocol, .. } if protocol != ppp::LCP => Some(view.seen_in(protocol, first)),
        _ => None,
    }
}

/// Finds a set-up without progress: measured from the last packet that was not a repeated request.
fn silent(view: &View<'_>, facts: &Lcp, call: &Call) -> Option<Seen<Duration>> {
    if facts.opened.is_some() || facts.client_requests + facts.server_requests == 0 {
        return None;
    }
    let last = |code, by_client| call.tally.of(ppp::LCP, code, by_client).map(|count| count.last);
    let first =
        |by_client| call.tally.of(ppp::LCP, cp::CONFIGURE_REQUEST, by_client).map(|count| count.first);
    let answers = ANSWERS.iter().flat_map(|code| [last(*code, true), last(*code, false)]);
    let since = answers.chain([first(true), first(false)]).flatten().max()?;
    view.silence(since.1).map(|silence| view.seen(silence, since))
}
