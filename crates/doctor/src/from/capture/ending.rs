//! Who was first to end the call, and how. The first owns the cause; a late reset after a clean end is noise.

use adit_capture::conversation::{Event, Step};
use adit_wire::pptp::{Frame, Message};
use adit_wire::{cp, ppp};

use super::{View, side};
use crate::Seen;
use crate::facts::Ending;

/// Somebody ends the link, the call or the connection.
pub(super) fn is_end(step: &Step) -> bool {
    match &step.what {
        Event::Ppp { protocol: ppp::LCP, information, .. } => {
            information.first() == Some(&cp::TERMINATE_REQUEST)
        }
        Event::Message(Frame::Message(message)) => matches!(
            message,
            Message::CallClearRequest(_)
                | Message::CallDisconnectNotify(_)
                | Message::StopControlConnectionRequest(_)
        ),
        Event::Fin | Event::Reset { .. } => true,
        _ => false,
    }
}

pub(super) fn facts(view: &View<'_>, is_up: bool) -> Option<Seen<Ending>> {
    // Data show that it was up, and where the beginning is not in the file, nobody knows that it was not.
    let data = view.call.map_or(0, |call| {
        let ways = [&call.to_server, &call.to_client];
        ways.iter().map(|way| way.encrypted + way.clear).sum::<u64>()
    });
    let was_up = is_up || data > 0 || !view.conversation.from_the_beginning;
    for step in view.steps() {
        let (how, has_words) = match &step.what {
            Event::Ppp { protocol: ppp::LCP, information, .. }
                if information.first() == Some(&cp::TERMINATE_REQUEST) =>
            {
                ("LCP Terminate-Request".to_owned(), true)
            }
            Event::Message(Frame::Message(
                message @ (Message::CallClearRequest(_)
                | Message::CallDisconnectNotify(_)
                | Message::StopControlConnectionRequest(_)),
            )) => (message.message_type().name().to_owned(), true),
            Event::Fin => ("TCP FIN".to_owned(), false),
            Event::Reset { .. } => ("TCP RST".to_owned(), false),
            _ => continue,
        };
        let by = Some(side(step.by));
        return Some(view.seen_in(Ending { by, how, in_order: was_up && has_words }, step));
    }
    let how = "the capture ends while it lives".to_owned();
    Some(Seen::new(Ending { by: None, how, in_order: true }))
}
