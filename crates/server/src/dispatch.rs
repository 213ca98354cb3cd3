//! Delivery of events from the dataplane's workers to the tasks of the sessions.

use std::sync::Arc;

use adit_dataplane::{Event, Events};

use crate::message::Message;
use crate::registry::Registry;

/// Delivers every event to its session, on a dedicated thread, until the dataplane stops.
pub(crate) fn start(events: Events, registry: Arc<Registry>) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("adit-dispatch".to_owned())
        .spawn(move || {
            while let Some(event) = events.recv() {
                let (call_id, message) = match event {
                    Event::Frame { call_id, frame, origin } => (call_id, Message::Frame(frame, origin)),
                    Event::Dhcp { call_id, packet } => (call_id, Message::Dhcp(packet)),
                    Event::Acknowledged { call_id } => (call_id, Message::Acknowledged),
                    Event::Unreachable { call_id, from, code } => {
                        (call_id, Message::Unreachable { from, code })
                    }
                    Event::EncryptionBroken { call_id } => (call_id, Message::EncryptionBroken),
                    Event::DataRejected { call_id } => (call_id, Message::DataRejected),
                };
                registry.deliver(call_id, message);
            }
        })
        .map(drop)
}
