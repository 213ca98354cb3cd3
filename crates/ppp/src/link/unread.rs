//! Data packets that the peer cannot read, because its MPPE is not up although CCP is Opened here.
//!
//! accel-ppp loses a race with an early Configure-Ack of CCP: its MPPE stays off. It answers LCP, and rejects every
//! data packet with a Protocol-Reject of 0x00FD. The caller reports such rejects only if they contain packets that
//! were really sent. CCP is then negotiated once more; if that does not help, the link ends, and a client dials again.

use std::time::Instant;

use adit_diag::Code;
use adit_wire::cp;

use super::dead::{Delayed, Remedy};
use super::state::{NetworkPhase, Phase, later};
use super::{Link, Who};

impl Link {
    /// Handles the report that the peer has rejected a data packet.
    pub(super) fn data_rejected(&mut self, now: Instant) {
        let Phase::Network(network) = &mut self.phase else { return };
        if !network.encrypting || !network.ccp.is_opened() {
            return;
        }
        match network.unread.note(now) {
            Remedy::Wait => {}
            Remedy::Renegotiate => {
                network.ccp.renegotiate(now);
                self.guard.clear();
            }
            Remedy::End => {
                let detail = format!(
                    "the {} rejects the encrypted packets (Protocol-Reject of 0x00fd), also after CCP was negotiated \
                     again: it does not decrypt",
                    self.config.role.other()
                );
                self.end(now, Who::Us, Some(Code::E08), detail);
            }
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
