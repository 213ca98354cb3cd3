//! One control connection whose peer may send anything, in any order, at any time.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_diag::Code;
use adit_pptp::control::{
    CallEnd, ControlCommand, ControlConfig, ControlConnection, ControlEvent, Handle, Refusal,
};
use adit_wire::pptp::Message;
use adit_wire::{LocalCallId, note};

use crate::forge;
use crate::input::Input;

/// More messages or events than this for one input would be a flood of our own.
const MUCH: usize = 256;

/// What has been seen of one connection.
struct Watch {
    connection: ControlConnection,
    /// Calls that the peer requested, or that came up.
    begun: BTreeSet<Handle>,
    ended: BTreeSet<Handle>,
    requests: Vec<Handle>,
    is_closed: bool,
}

/// The first octet chooses the role; each step then is a message, octets, a command, or time.
pub(crate) fn control_connection(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.u8();
    let mut config = if choice & 1 == 0 { ControlConfig::server() } else { ControlConfig::client() };
    config.accept_incoming = choice & 2 != 0;
    config.authorised = choice & 4 == 0;
    let mut now = Instant::now();
    let connection =
        ControlConnection::new(config, Ipv4Addr::new(192, 0, 2, 7), now, Rng::from_number(choice.into()));
    let mut watch = Watch {
        connection,
        begun: BTreeSet::new(),
        ended: BTreeSet::new(),
        requests: Vec::new(),
        is_closed: false,
    };
    watch.drain();
    while !input.is_empty() {
        match input.u8() & 7 {
            0..=3 => {
                if let Some(octets) = forge::message(&mut input) {
                    watch.connection.handle_input(now, &octets);
                }
            }
            4 => watch.connection.handle_input(now, input.chunk()),
            5 => {
                now += Duration::from_millis(u64::from(input.u16()) * 4);
                watch.connection.handle_timeout(now);
                let still = watch.connection.poll_timeout();
                assert!(still.is_none_or(|(at, _)| at > now), "a timeout that stays due: {still:?}");
            }
            _ => {
                let command = watch.command(&mut input);
                watch.connection.handle_command(now, command);
            }
        }
        watch.drain();
    }
    // After any input, a connection that is requested to stop is closed within a bounded time.
    watch.connection.handle_command(now, ControlCommand::Stop { shutdown: true });
    watch.drain();
    for _ in 0..16 {
        let Some((at, _)) = watch.connection.poll_timeout() else { break };
        watch.connection.handle_timeout(at.max(now));
        now = now.max(at);
        watch.drain();
    }
    assert!(watch.is_closed, "not closed after Stop");
    assert!(watch.begun.is_subset(&watch.ended), "calls {:?} never ended: {:?}", watch.begun, watch.ended);
}

impl Watch {
    fn drain(&mut self) {
        let mut octets = Vec::new();
        for count in 0.. {
            octets.clear();
            if !self.connection.poll_transmit(&mut octets) {
                break;
            }
            assert!(count < MUCH, "messages without end");
            let parsed = Message::parse(&octets);
            assert!(parsed.is_ok_and(|m| m.message_type().size() == octets.len()), "sent {octets:02x?}");
        }
        for count in 0.. {
            let Some(event) = self.connection.poll_event() else { break };
            assert!(count < MUCH, "events without end");
            assert!(!self.is_closed, "{event:?} after the last event");
            match event {
                ControlEvent::CallRequested { handle, .. } => {
                    assert!(self.begun.insert(handle), "call {handle} twice");
                    self.requests.push(handle);
                }
                ControlEvent::CallUp { handle, .. } => {
                    self.begun.insert(handle);
                    assert!(!self.ended.contains(&handle), "call {handle} up after its end");
                }
                ControlEvent::CallEnded { handle, detail, .. } => {
                    assert!(self.ended.insert(handle), "call {handle} ended twice");
                    assert!(!detail.is_empty() && !detail.contains(char::is_control), "{detail:?}");
                }
                ControlEvent::Closed { detail, .. } => {
                    assert!(!detail.contains(char::is_control), "{detail:?}");
                    self.is_closed = true;
                }
                ControlEvent::Packet(packet) => {
                    let words = note::describe(&packet.message);
                    assert!(!words.contains(char::is_control), "{words:?}");
                }
                ControlEvent::Established(_) => {}
            }
        }
        assert_eq!(self.is_closed, self.connection.is_closed());
        assert!(self.connection.calls() <= 64);
    }

    fn command(&mut self, input: &mut Input<'_>) -> ControlCommand {
        let choice = input.u8();
        let handle =
            self.requests.get(usize::from(choice >> 4)).copied().unwrap_or_else(|| Handle::from(choice >> 4));
        match choice & 7 {
            0 | 1 => ControlCommand::AcceptCall { handle, call_id: LocalCallId::new(input.u16()) },
            2 => {
                let refusal = Refusal { code: Code::C05, detail: "full".to_owned() };
                ControlCommand::RefuseCall { handle, refusal }
            }
            3 => ControlCommand::PlaceCall { call_id: LocalCallId::new(input.u16()) },
            4 => ControlCommand::EndCall { handle, end: CallEnd::AdminShutdown },
            5 => ControlCommand::Stop { shutdown: false },
            6 => ControlCommand::Yield,
            _ => ControlCommand::TransportClosed,
        }
    }
}
