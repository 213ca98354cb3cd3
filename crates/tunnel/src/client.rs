//! The client side: dials, authenticates itself, accepts the assigned addresses.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_ppp::link::LinkConfig;
use adit_pptp::control::{ControlCommand, ControlConfig, ControlConnection};
use adit_wire::LocalCallId;

use crate::call::CallConfig;
use crate::events::{Command, Event, Input};
use crate::tunnel::{Transmit, Tunnel};

/// The configuration of a client.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The control connection.
    pub control: Arc<ControlConfig>,
    /// The PPP link with the credentials; its role must be [`adit_ppp::link::Side::Client`].
    pub link: Arc<LinkConfig>,
    /// The time limit for the call to come up.
    pub setup: Duration,
    /// The largest inner packet, in octets.
    pub mtu: u16,
    /// Our Call ID: the key of the GRE packets that we receive.
    pub call_id: LocalCallId,
}

/// A control connection that we opened, with its one call.
pub struct ClientTunnel {
    tunnel: Tunnel,
    call_id: LocalCallId,
    placed: bool,
}

impl ClientTunnel {
    /// Creates a machine for a TCP connection to `server` that was established at `now`; it sends its first
    /// message at once.
    pub fn new(config: ClientConfig, server: Ipv4Addr, now: Instant, mut rng: Rng) -> ClientTunnel {
        let control = ControlConnection::new(config.control, server, now, rng.fork());
        let call = CallConfig { link: config.link, setup: config.setup, mtu: config.mtu };
        let tunnel = Tunnel::new(control, call, rng);
        ClientTunnel { tunnel, call_id: config.call_id, placed: false }
    }

    /// Handles input.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        self.tunnel.handle_input(now, input);
        self.place_call(now);
    }

    /// Handles a command of the caller.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        self.tunnel.handle_command(now, command);
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

    /// When to call [`ClientTunnel::handle_timeout`] at the latest, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.tunnel.poll_timeout()
    }

    /// Places the call, once, as soon as the control connection is established.
    fn place_call(&mut self, now: Instant) {
        if !self.placed && self.tunnel.control.is_established() {
            self.placed = true;
            let call_id = self.call_id;
            self.tunnel.control.handle_command(now, ControlCommand::PlaceCall { call_id });
            self.tunnel.pump(now);
        }
    }
}
