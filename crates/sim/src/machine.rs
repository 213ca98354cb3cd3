//! The common interface of the two tunnel machines, with which one shell can drive both.

use std::time::Instant;

use adit_tunnel::events::{Command, Event, Input};
use adit_tunnel::{ClientTunnel, ServerTunnel, Transmit};

/// A tunnel machine.
pub trait Machine {
    /// Handles input.
    fn handle_input(&mut self, now: Instant, input: Input<'_>);
    /// Handles a command.
    fn handle_command(&mut self, now: Instant, command: Command);
    /// Handles expired timers.
    fn handle_timeout(&mut self, now: Instant);
    /// The next bytes to send.
    fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit>;
    /// The next event.
    fn poll_event(&mut self) -> Option<Event>;
    /// When to call [`Machine::handle_timeout`], and why.
    fn poll_timeout(&self) -> Option<(Instant, &'static str)>;
}

macro_rules! machine {
    ($($tunnel:ident)+) => {$(
        impl Machine for $tunnel {
            fn handle_input(&mut self, now: Instant, input: Input<'_>) {
                $tunnel::handle_input(self, now, input);
            }

            fn handle_command(&mut self, now: Instant, command: Command) {
                $tunnel::handle_command(self, now, command);
            }

            fn handle_timeout(&mut self, now: Instant) {
                $tunnel::handle_timeout(self, now);
            }

            fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
                $tunnel::poll_transmit(self, buf)
            }

            fn poll_event(&mut self) -> Option<Event> {
                $tunnel::poll_event(self)
            }

            fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
                $tunnel::poll_timeout(self)
            }
        }
    )+};
}

machine! { ServerTunnel ClientTunnel }
