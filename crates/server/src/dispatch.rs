//! From the dataplane's workers to the sessions' tasks.

use std::sync::Arc;

use adit_dataplane::{Event, Events};

use crate::mail::Mail;
use crate::registry::Registry;

/// Hands every event to its session, on a thread of its own, until the dataplane stops.
pub(crate) fn start(events: Events, registry: Arc<Registry>) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("adit-dispatch".to_owned())
        .spawn(move || {
            while let Some(event) = events.recv() {
                let (call_id, mail) = match event {
                    Event::Frame { call_id, frame } => (call_id, Mail::Frame(frame)),
                    Event::Dhcp { call_id, packet } => (call_id, Mail::Dhcp(packet)),
                    Event::Acknowledged { call_id } => (call_id, Mail::Acknowledged),
                    Event::Unreachable { call_id, from, code } => (call_id, Mail::Unreachable { from, code }),
                    Event::EncryptionBroken { call_id } => (call_id, Mail::EncryptionBroken),
                };
                registry.deliver(call_id, mail);
            }
        })
        .map(drop)
}
