//! The facts of TCP 1723, the control connection and the call in a capture.

use std::net::{IpAddr, SocketAddr};

use adit_capture::Upper;
use adit_capture::What;
use adit_capture::conversation::{By, Event, Step};
use adit_wire::pptp::{Frame, Message};
use adit_wire::text::escape;

use super::{View, side};
use crate::facts::{Call, CallReply, Closed, Connect, Control, How, Stage, StartReply, Tcp};
use crate::{Seen, Side};

/// ICMP destination unreachable.
const UNREACHABLE: u8 = 3;
/// "Fragmentation needed": concerns the size, not the path.
const TOO_BIG: u8 = 4;
/// The number of SYNs that show that there is no answer.
const SYNS_MIN: u32 = 2;

pub(super) fn tcp(view: &View<'_>) -> Tcp {
    let port = view.conversation.ports.map(|(server, _)| server);
    let server = port.map(|port| SocketAddr::new(view.conversation.server, port));
    Tcp { server, connect: connect(view), tried: Vec::new() }
}

fn connect(view: &View<'_>) -> Option<Seen<Connect>> {
    let steps = || view.steps();
    let syn = steps().find(|step| matches!(step.what, Event::Syn { .. }));
    let syn_ack = steps().find(|step| matches!(step.what, Event::SynAck { .. }));
    let is_open =
        steps().any(|step| matches!(step.what, Event::Open | Event::Message(_) | Event::Foreign(_)));
    if let Some(answer) = syn_ack.filter(|_| is_open) {
        let after = answer.time.saturating_sub(syn.map_or(answer.time, |syn| syn.time));
        return Some(view.seen_in(Connect::Open { after }, answer));
    }
    let syn = syn?;
    if is_open {
        return None; // the answer is not in the capture
    }
    if syn_ack.is_none()
        && let Some(reset) =
            steps().find(|step| matches!(step.what, Event::Reset { .. }) && step.by == By::Server)
    {
        return Some(view.seen_in(Connect::Refused { by_a_box: by_a_box(view, reset) }, reset));
    }
    let icmp = steps().find_map(|step| match &step.what {
        Event::Icmp(icmp) if !icmp.v6 && icmp.kind == UNREACHABLE && icmp.code != TOO_BIG => {
            let quoted = icmp.quoted.as_ref()?;
            let about_syn =
                matches!(quoted.upper, Upper::Tcp { .. }) && quoted.source == view.conversation.client;
            about_syn.then_some((step, icmp.code))
        }
        _ => None,
    });
    if let Some((step, code)) = icmp {
        return Some(view.seen_in(Connect::Unreachable { from: address(view, step.by), code }, step));
    }
    let syns = steps().filter(|step| matches!(step.what, Event::Syn { .. })).count() as u32;
    let waited = view.end().saturating_sub(syn.time);
    (syns >= SYNS_MIN && view.silence(syn.time).is_some())
        .then(|| view.seen_in(Connect::Silent { syns, waited }, syn))
}

/// The address of the sender of a step.
pub(super) fn address(view: &View<'_>, by: By) -> IpAddr {
    match by {
        By::Client => view.conversation.client,
        By::Server => view.conversation.server,
        By::Other(address) => address,
    }
}

/// Whether a RST has a different time to live than the other packets of its sender.
fn by_a_box(view: &View<'_>, reset: &Step) -> bool {
    let Event::Reset { ttl } = reset.what else { return false };
    let end =
        if reset.by == By::Client { &view.conversation.client_end } else { &view.conversation.server_end };
    // Hosts may use another initial value for resets; a difference of a few hops shows a middlebox.
    end.ttl.is_some_and(|(low, high)| {
        let near = |one: u8, other: u8| one.abs_diff(other) <= 20;
        (ttl < low || ttl > high) && (near(ttl, low) || near(ttl, high))
    })
}

fn messages<'a>(view: &View<'a>) -> impl DoubleEndedIterator<Item = (&'a Step, &'a Message)> {
    let steps: Vec<_> = view
        .steps()
        .filter_map(|step| match &step.what {
            Event::Message(Frame::Message(message)) => Some((step, message)),
            _ => None,
        })
        .collect();
    steps.into_iter()
}

pub(super) fn control(view: &View<'_>) -> Control {
    let mut control = Control { others: view.conversation.siblings.len() as u32, ..Control::default() };
    let mut requests = 0;
    for (step, message) in messages(view) {
        match message {
            Message::StartControlConnectionRequest(_) => {
                requests += 1;
                control.requested.get_or_insert(view.seen_in((), step));
            }
            Message::StartControlConnectionReply(reply) => {
                control.reply.get_or_insert(view.seen_in(
                    StartReply {
                        result: reply.result.into(),
                        error: reply.error.into(),
                        version: reply.version.0,
                        vendor: escape(reply.vendor.name()).to_string(),
                        host: escape(reply.host_name.name()).to_string(),
                    },
                    step,
                ));
            }
            _ => {}
        }
    }
    if control.requested.is_some() && control.reply.is_none() && requests > 0 {
        control.acknowledged = view.conversation.client_end.is_acknowledged();
    }
    for step in view.steps() {
        match &step.what {
            Event::Foreign(octets) if step.by == By::Server => {
                control.foreign.get_or_insert(view.seen_in(escape(octets).to_string(), step));
            }
            Event::Lacking(What::StreamLost { error, .. }) => {
                control.garbage.get_or_insert(view.seen_in(error.to_string(), step));
            }
            _ => {}
        }
    }
    let asked = view.steps().find(|step| {
        matches!(&step.what, Event::Message(Frame::Message(Message::StartControlConnectionRequest(_))))
    });
    if let Some(step) = asked.filter(|_| control.reply.is_none() && control.foreign.is_none()) {
        control.silent = view.silence(step.time).map(|silence| view.seen_in(silence, step));
    }
    control.closed = closed(view);
    control
}

/// The end of the control connection, by the side that was first.
fn closed(view: &View<'_>) -> Option<Seen<Closed>> {
    let mut stage = (Stage::Opened, view.conversation.began());
    let mut echo: [Option<std::time::Duration>; 2] = [None; 2];
    for step in view.steps() {
        let (mut reached, mut how) = (None, None);
        match &step.what {
            Event::Message(Frame::Message(message)) => match message {
                Message::StartControlConnectionRequest(_) => reached = Some(Stage::Requested),
                Message::StartControlConnectionReply(_) => reached = Some(Stage::Started),
                Message::OutgoingCallRequest(_) => reached = Some(Stage::Calling),
                Message::OutgoingCallReply(reply) if u8::from(reply.result) == 1 => {
                    reached = Some(Stage::InCall);
                }
                Message::StopControlConnectionRequest(stop) => how = Some(How::Stop(stop.reason.into())),
                Message::EchoRequest(_) => {
                    echo[usize::from(step.by != By::Client)].get_or_insert(step.time);
                }
                Message::EchoReply(_) => echo[usize::from(step.by == By::Client)] = None,
                _ => {}
            },
            Event::Open => reached = Some(Stage::Opened),
            Event::Fin => how = Some(How::Fin),
            Event::Reset { .. } => how = Some(How::Reset { by_a_box: by_a_box(view, step) }),
            _ => {}
        }
        if let Some(reached) = reached
            && reached >= stage.0
        {
            stage = (reached, step.time);
        }
        let Some(mut how) = how else { continue };
        let by = side(step.by);
        let waited = echo[usize::from(by != Side::Client)].map(|asked| step.time.saturating_sub(asked));
        if let Some(waited) = waited.filter(|waited| *waited.max(&ECHO_WAIT) == *waited) {
            how = How::EchoTimeout(waited);
        }
        // A RST in answer to the SYN is no end: nothing was open.
        if step.by == By::Server && matches!(how, How::Reset { .. }) && !is_open_before(view, step) {
            return None;
        }
        let after = step.time.saturating_sub(stage.1);
        return Some(view.seen_in(Closed { by, how, stage: stage.0, after }, step));
    }
    None
}

/// An unanswered Echo-Request of this age when its sender closes is the reason for the close (RFC 2637: 60 s;
/// many wait less).
const ECHO_WAIT: std::time::Duration = std::time::Duration::from_secs(20);

fn is_open_before(view: &View<'_>, step: &Step) -> bool {
    view.steps()
        .take_while(|other| other.frame < step.frame || other.frame == step.frame && *other != step)
        .any(|other| {
            matches!(other.what, Event::SynAck { .. } | Event::Open | Event::Message(_) | Event::Foreign(_))
        })
        || !view.conversation.from_the_beginning
}

pub(super) fn call(view: &View<'_>) -> Call {
    let mut facts = Call::default();
    if let Some(call) = view.call {
        (facts.client_id, facts.server_id) = (call.client_id, call.server_id);
    }
    let mut asked = None;
    for (step, message) in messages(view).filter(|(step, _)| step.call.is_some()) {
        match message {
            Message::OutgoingCallRequest(_) => {
                asked = Some(step.time);
                facts.requested.get_or_insert(view.seen_in((), step));
            }
            Message::OutgoingCallReply(reply) => {
                let what =
                    CallReply { result: reply.result.into(), error: reply.error.into(), cause: reply.cause };
                facts.reply.get_or_insert(view.seen_in(what, step));
                if let Some(id) = view.call.and_then(|call| call.repeated_id) {
                    facts.repeated_id.get_or_insert(view.seen_in(id, step));
                }
            }
            Message::SetLinkInfo(info) if step.by == By::Client && info.send_accm == 0 => {
                facts.accm_up.get_or_insert(view.seen_in((), step));
            }
            Message::CallDisconnectNotify(notify) => {
                facts.disconnected.get_or_insert(view.seen_in(notify.result.into(), step));
            }
            _ => {}
        }
    }
    // With one call it is clear which one a Call-Disconnect-Notify refers to.
    if let (Some(given), [_]) = (facts.server_id, view.conversation.calls.as_slice()) {
        facts.ended_id = messages(view).find_map(|(step, message)| match message {
            Message::CallDisconnectNotify(notify)
                if step.by == By::Server && notify.call_id != given
                    // Many servers send the client's own Call ID, which NAT helpers recognize.
                    && Some(notify.call_id) != facts.client_id =>
            {
                Some(view.seen_in(notify.call_id, step))
            }
            _ => None,
        });
    }
    if let Some(asked) = asked.filter(|_| facts.reply.is_none()) {
        let at = facts.requested.as_ref().map(|seen| seen.at).unwrap_or_default();
        facts.silent = view.silence(asked).map(|silence| Seen::at(silence, at));
    }
    let same =
        view.conversation.siblings.iter().find_map(|sibling| sibling.same_id.map(|same| (sibling, same)));
    if let Some((sibling, (id, frame))) =
        same.filter(|(_, (id, _))| view.call.is_some_and(|call| call.client_id == Some(*id)))
    {
        facts.same_id = Some(view.seen(id, (frame, sibling.time.max(view.conversation.began()))));
    }
    facts
}
