//! Packets that wait for the peer's window (RFC 2637 section 4.2), if windowing is on.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use adit_pptp::gre::Window;
use adit_wire::ppp;

use super::{HEADROOM, Path, Sink};

/// The most packets that wait: several times what the host passes at once.
const WAITING: usize = 256;

/// The send window and the packets that wait for it.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) window: Window,
    /// Waiting packets: [`HEADROOM`] free octets each, then the IP packet.
    waiting: VecDeque<Vec<u8>>,
}

impl Flow {
    /// Creates a flow; `None` without a window.
    pub(super) fn new(window: u16) -> Option<Box<Flow>> {
        let window = Window::new(window, Duration::ZERO)?;
        Some(Box::new(Flow { window, waiting: VecDeque::new() }))
    }

    /// Whether a packet sent now would overtake others, or exceed the window.
    pub(super) fn must_wait(&self) -> bool {
        !self.waiting.is_empty() || self.window.is_full()
    }

    /// Holds a copy of an IP packet; false if there is no space.
    pub(super) fn hold(&mut self, packet: &[u8]) -> bool {
        if self.waiting.len() >= WAITING {
            return false;
        }
        let mut buffer = vec![0; HEADROOM + packet.len()];
        buffer.get_mut(HEADROOM..).unwrap_or_default().copy_from_slice(packet);
        self.waiting.push_back(buffer);
        true
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        if self.window.is_full() { None } else { self.waiting.pop_front() }
    }
}

impl Path {
    /// Handles an acknowledgment; sends the packets for which it frees space.
    pub(super) fn handle_ack(&mut self, now: Instant, ack: Option<u32>, sink: &mut dyn Sink) {
        let Some(ack) = ack else { return };
        let newly = self.sender.handle_ack(ack);
        self.acknowledged |= newly > 0;
        if self.sender.outstanding() == 0 {
            self.prompt.acknowledged();
        }
        if let Some(flow) = &mut self.flow {
            flow.window.acknowledged(now, newly);
            self.release_waiting(now, sink);
        }
    }

    /// Sends as many waiting packets as the window allows now.
    pub(super) fn release_waiting(&mut self, now: Instant, sink: &mut dyn Sink) {
        while let Some(mut buffer) = self.flow.as_mut().and_then(|flow| flow.next()) {
            let is_v6 = buffer.get(HEADROOM).is_some_and(|first| first >> 4 == 6);
            let packet = HEADROOM..buffer.len();
            self.count_sent(packet.len());
            if let Some((range, cipher)) =
                self.wrap(now, &mut buffer, packet, if is_v6 { ppp::IPV6 } else { ppp::IP })
            {
                if let Some(cipher) = cipher {
                    cipher.apply(&mut buffer);
                }
                sink.gre(buffer.get(range).unwrap_or_default());
            }
        }
    }
}
