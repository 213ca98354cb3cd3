//! Data packets that the peer cannot read, because its MPPE is not up although CCP is Opened here.
//!
//! accel-ppp loses a race with an early Configure-Ack of CCP: its MPPE stays off. It answers LCP, and rejects every
//! data packet with a Protocol-Reject of 0x00FD. The caller reports such rejects only if they contain packets that
//! were really sent, and nothing from the peer has decrypted. CCP is then negotiated once more; if that does not help,
//! the link ends, and a client dials again.

use core::time::Duration;
use std::time::Instant;

use adit_diag::Code;
use adit_wire::cp;

use super::state::{NetworkPhase, Phase, later};
use super::{Link, Who};

/// The rejected packets, and the time that they may take, at which the peer is taken to have no MPPE.
const REJECTS: u32 = 3;
const WITHIN: Duration = Duration::from_secs(2);

/// The data packets that the peer has rejected.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unread {
    /// How many were rejected since this instant.
    since: Option<Instant>,
    count: u32,
    /// Whether CCP was negotiated again because of them.
    pub(super) has_renegotiated: bool,
}

impl Unread {
    /// Counts a rejected packet; returns whether there are enough of them.
    fn note(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) > WITHIN) {
            (self.since, self.count) = (Some(now), 0);
        }
        self.count = self.count.saturating_add(1);
        self.count >= REJECTS
    }
}

impl Link {
    /// Handles the report that the peer has rejected a data packet.
    pub(super) fn data_rejected(&mut self, now: Instant) {
        let Phase::Network(network) = &mut self.phase else { return };
        if !network.encrypting || !network.unread.note(now) {
            return;
        }
        if core::mem::replace(&mut network.unread, Unread { has_renegotiated: true, ..Unread::default() })
            .has_renegotiated
        {
            let detail = format!(
                "the {} rejects every encrypted packet (Protocol-Reject of 0x00fd), also after CCP was negotiated \
                 again, and nothing from it was decrypted: its MPPE is not up",
                self.config.role.other()
            );
            self.end(now, Who::Us, Some(Code::E08), detail);
        } else {
            network.ccp.renegotiate(now);
            self.guard.clear();
        }
    }

    /// Handles a packet of CCP. The first Configure-Request waits a little: see
    /// [`LinkConfig::ccp_delay`](super::LinkConfig::ccp_delay).
    pub(super) fn delay_ccp(&mut self, now: Instant, information: &[u8]) -> bool {
        let Phase::Network(network) = &mut self.phase else { return false };
        let asks = information.first() == Some(&cp::CONFIGURE_REQUEST);
        let due = match &network.delayed_ccp {
            Delayed::No => return false,
            Delayed::Expected(delay) => later(now, *delay),
            Delayed::Request(due, _) => *due,
        };
        if asks {
            network.delayed_ccp = Delayed::Request(due, information.to_vec());
        }
        asks
    }
}

/// The first Configure-Request of CCP from the peer.
#[derive(Clone, Debug, Default)]
pub(super) enum Delayed {
    /// It is not delayed, or was handled.
    #[default]
    No,
    /// It was not received yet; then it waits this long.
    Expected(Duration),
    /// It is handled at this instant; a later request takes its place.
    Request(Instant, Vec<u8>),
}

impl Delayed {
    pub(super) fn new(delay: Duration) -> Delayed {
        if delay.is_zero() { Delayed::No } else { Delayed::Expected(delay) }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Delayed::Request(due, _) => Some(*due),
            Delayed::No | Delayed::Expected(_) => None,
        }
    }
}

impl NetworkPhase {
    /// Handles a delayed request that is due.
    pub(super) fn release_ccp(&mut self, now: Instant) {
        if self.delayed_ccp.due().is_none_or(|due| now < due) {
            return;
        }
        if let Delayed::Request(_, information) = core::mem::take(&mut self.delayed_ccp) {
            // It was parsed as far as its code; CCP ignores what is wrong with the rest.
            let _ = self.ccp.handle_input(now, &information);
        }
    }
}
