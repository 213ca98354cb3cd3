//! The server side: accepts calls, requests authentication, assigns addresses.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_diag::Code;
use adit_ppp::auth::Verdict;
use adit_ppp::link::{self, LinkConfig};
use adit_pptp::control::{ControlCommand, ControlConfig, ControlConnection, Refusal};

use crate::call::CallConfig;
use crate::events::{Answer, Command, Event, Input};
use crate::tunnel::{Pending, Transmit, Tunnel};

/// The configuration of a server, the same for all clients until an account's [`crate::events::Terms`] change
/// it.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The control connection.
    pub control: Arc<ControlConfig>,
    /// The PPP link; its role must be [`link::Side::Server`].
    pub link: Arc<LinkConfig>,
    /// The time limit for a call to come up; after it the call is ended with the code of the layer that it
    /// reached.
    pub setup: Duration,
    /// The largest inner packet, in octets.
    pub mtu: u16,
}

/// A control connection that a client opened, with its calls.
pub struct ServerTunnel {
    tunnel: Tunnel,
}

impl ServerTunnel {
    /// Creates a machine for a TCP connection accepted from `peer` at `now`.
    pub fn new(config: ServerConfig, peer: Ipv4Addr, now: Instant, mut rng: Rng) -> ServerTunnel {
        let control = ControlConnection::new(config.control, peer, now, rng.fork());
        let call = CallConfig { link: config.link, setup: config.setup, mtu: config.mtu };
        ServerTunnel { tunnel: Tunnel::new(control, call, rng) }
    }

    /// Handles input.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        self.tunnel.handle_input(now, input);
    }

    /// The suspected fault of a call that is being set up; the verdict is given at its end.
    pub fn suspects(&self, now: Instant) -> Option<(Code, String)> {
        self.tunnel.suspects(now)
    }

    /// Handles a command of the caller.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        self.tunnel.handle_command(now, command);
    }

    /// Handles the answer to the question with this id; a late answer is dropped.
    pub fn handle_answer(&mut self, now: Instant, id: u32, answer: Answer) {
        match (self.tunnel.take_pending(id), answer) {
            (Some(Pending::Call(handle)), Answer::AcceptCall { call_id }) => {
                self.tunnel.control.handle_command(now, ControlCommand::AcceptCall { handle, call_id });
            }
            (Some(Pending::Call(handle)), Answer::RefuseCall { code, detail }) => {
                let refusal = Refusal { code, detail };
                self.tunnel.control.handle_command(now, ControlCommand::RefuseCall { handle, refusal });
            }
            (Some(Pending::Link { call, id }), answer) => self.answer_link(now, call, id, answer),
            // Late, or of the wrong kind: the deadline of the waiting layer reports it.
            (_, _) => {}
        }
        self.tunnel.pump(now);
    }

    fn answer_link(&mut self, now: Instant, call: u32, id: u32, answer: Answer) {
        let Some((call, events)) = self.tunnel.call(call) else { return };
        match answer {
            Answer::Accept { proven, terms } => {
                if let Some(policy) = terms.mppe.clone() {
                    call.set_mppe(policy, events);
                }
                call.terms = terms;
                call.answer(now, id, link::Answer::Verdict(Verdict::Accept(proven)));
            }
            Answer::Reject(rejection) => {
                call.answer(now, id, link::Answer::Verdict(Verdict::Reject(rejection)));
            }
            Answer::Challenge { message } => {
                call.answer(now, id, link::Answer::Verdict(Verdict::Challenge { message }));
            }
            Answer::Unavailable { detail } => {
                call.answer(now, id, link::Answer::Verdict(Verdict::Unavailable { detail }));
            }
            Answer::Address(grant) => call.answer(now, id, link::Answer::Address(Some(grant))),
            Answer::NoAddress { code, detail } => {
                call.close(now, crate::events::Why::Failed, Some(code), detail);
            }
            Answer::AcceptCall { .. } | Answer::RefuseCall { .. } => {}
        }
    }

    /// Handles expired timers.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.tunnel.handle_timeout(now);
    }

    /// The next bytes to send, written to `buf` (cleared first). Drain the events before: see [`Event`].
    pub fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.tunnel.poll_transmit(buf)
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.tunnel.poll_event()
    }

    /// When to call [`ServerTunnel::handle_timeout`] at the latest, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.tunnel.poll_timeout()
    }
}

/// The code for "no resource" refusals, so that callers need not repeat it.
pub const BUSY: Code = Code::C05;
