//! The end of the call in a capture: the side that was first, and how. The first end is the cause; a late
//! reset after an orderly end is ignored.

use adit_capture::conversation::Event;
use adit_wire::pptp::Frame;

use super::{View, side};
use crate::Seen;
use crate::facts::Ending;

pub(super) fn facts(view: &View<'_>, is_up: bool) -> Option<Seen<Ending>> {
    // Data shows that it was up; if the beginning is not in the capture, it is unknown.
    let data = view.call.map_or(0, |call| {
        let ways = [&call.to_server, &call.to_client];
        ways.iter().map(|way| way.encrypted + way.clear).sum::<u64>()
    });
    let was_up = is_up || data > 0 || !view.conversation.from_the_beginning;
    let Some(step) = view.steps().find(|step| step.is_end()) else {
        let how = "the capture ends while it lives".to_owned();
        return Some(Seen::new(Ending { by: None, how, in_order: true }));
    };
    let (how, has_words) = match &step.what {
        Event::Message(Frame::Message(message)) => (message.message_type().name(), true),
        Event::Ppp { .. } => ("LCP Terminate-Request", true),
        Event::Reset { .. } => ("TCP RST", false),
        _ => ("TCP FIN", false),
    };
    let (by, how) = (Some(side(step.by)), how.to_owned());
    Some(view.seen_in(Ending { by, how, in_order: was_up && has_words }, step))
}
