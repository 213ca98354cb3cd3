//! The end of a link. The first cause is reported.

use std::time::Instant;

use adit_diag::{Code, Layer};
use adit_wire::cp::TerminateData;

use super::state::{Kept, Phase};
use super::{End, Link, LinkEvent, Who};
use crate::fsm::Failure;

impl Link {
    /// Ends the link and sends the reason to the peer.
    pub(super) fn end(&mut self, now: Instant, by: Who, code: Option<Code>, detail: String) {
        let words = code.map_or_else(|| detail.clone(), |code| format!("{code} {detail}"));
        self.end_with_words(now, by, code, detail, &words);
    }

    /// Ends the link, with a different text for the peer.
    pub(super) fn end_with_words(
        &mut self,
        now: Instant,
        by: Who,
        code: Option<Code>,
        detail: String,
        words: &str,
    ) {
        match &self.phase {
            Phase::Terminate(_) | Phase::Ended => return,
            Phase::Refused { end, .. } => {
                let end = end.clone();
                self.phase = Phase::Terminate(end);
            }
            _ => {
                self.drop_layers();
                self.phase = Phase::Terminate(End { by, code, detail });
            }
        }
        self.lcp.close(now, words);
    }

    /// Handles a Terminate-Request. In Opened, LCP finishes by itself after one timer period, so that a
    /// repeated request can be answered; during negotiation it would continue, so it is closed.
    pub(super) fn peer_terminates(&mut self, now: Instant, data: &[u8]) {
        let goodbye = self.goodbye(data);
        let (code, detail) = match (self.unmet_request(now), named(data)) {
            (Some(Failure { code, detail }), _) => (Some(code), format!("{goodbye}; {detail}")),
            (None, Some((code, why))) => {
                (Some(code), format!("the {} says: {why}", self.config.role.other()))
            }
            (None, None) if !self.has_encrypted() && is_about_mppe(data) => (Some(Code::E03), goodbye),
            (None, None) => (unless_requested(data), goodbye),
        };
        let end = match &self.phase {
            Phase::Dead | Phase::Terminate(_) | Phase::Ended => return,
            Phase::Establish { .. } => {
                // An LCP that is closing has its own cause, which it reports when it finishes.
                if self.lcp.state().is_negotiating() {
                    self.end_with_words(now, Who::Peer, code, detail, "");
                }
                return;
            }
            Phase::Refused { end, .. } => end.clone(),
            Phase::Authenticate(_) | Phase::Network(_) => End { by: Who::Peer, code, detail },
        };
        self.drop_layers();
        self.phase = Phase::Terminate(end);
    }

    /// The request of the peer that was not met, which is the likely cause if it ends the link now.
    fn unmet_request(&self, now: Instant) -> Option<Failure> {
        match &self.phase {
            Phase::Establish { .. } => self.lcp.protocol().dispute(),
            Phase::Authenticate(authentication) => authentication.refusal(now),
            Phase::Network(network) if network.network().is_none() => network.ccp.protocol().refusal(),
            _ => None,
        }
    }

    /// Whether MPPE has been up in this link.
    fn has_encrypted(&self) -> bool {
        matches!(&self.phase, Phase::Network(network) if network.was_encrypting)
    }

    /// The text of the peer's Terminate-Request, with the current phase.
    pub(super) fn goodbye(&self, data: &[u8]) -> String {
        let peer = self.config.role.other();
        let when = match &self.phase {
            Phase::Establish { .. } => " during LCP",
            Phase::Authenticate(_) => " during authentication",
            Phase::Network(network) if network.network().is_none() => " before the network was up",
            _ => "",
        };
        if data.is_empty() {
            format!("the {peer} ended the link{when} and gave no reason")
        } else {
            format!("the {peer} ended the link{when}: {}", TerminateData::new(data))
        }
    }

    /// Drops all layers above LCP.
    pub(super) fn drop_layers(&mut self) {
        self.guard.clear();
        self.verdict_wanted = None;
        self.address_wanted = None;
        if let Phase::Network(network) = &mut self.phase {
            if network.reported.take().is_some() {
                self.output.push_event(LinkEvent::NetworkDown);
            }
            if core::mem::replace(&mut network.encrypting, false) {
                self.output.push_event(LinkEvent::Encryption(None));
            }
            network.ipcp = None;
            network.ipv6cp = None;
            network.kept = Kept::default();
        }
    }

    /// Reports that the lower layer is down: nothing more can be sent, and the peer's Terminate-Request may
    /// have been lost.
    pub(super) fn lower_down(&mut self, now: Instant) {
        // The peer has ended the call on the control connection too, so its Terminate-Request was genuine.
        self.take_failure(now);
        if let Some(data) = self.guard.held_goodbye() {
            self.peer_terminates(now, &data);
        }
        let gone = "the layer below went down";
        match self.unmet_request(now) {
            Some(Failure { code, detail }) => {
                self.ended(Who::Peer, Some(code), format!("{gone}; {detail}"));
            }
            None => self.ended(Who::Neither, None, gone.to_owned()),
        }
    }

    /// Ends the link at once, without the peer's acknowledgment, because the peer is unreachable.
    pub(super) fn hang_up(&mut self) {
        let mut packet = Vec::new();
        while self.lcp.poll_transmit(&mut packet) {
            self.output.send(adit_wire::ppp::LCP, &packet);
            packet.clear();
        }
        self.ended(Who::Neither, None, String::new());
    }

    /// Ends a link that is being closed, without waiting for the peer's Terminate-Ack.
    pub(super) fn hang_up_closed(&mut self) {
        if matches!(self.phase, Phase::Terminate(_)) {
            self.hang_up();
        }
    }

    /// Reports the end, with the given cause unless an earlier one is known.
    pub(super) fn ended(&mut self, by: Who, code: Option<Code>, detail: String) {
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        self.drop_layers();
        self.report_forged();
        self.keepalive = None;
        let end = match core::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Terminate(end) | Phase::Refused { end, .. } => end,
            _ => End { by, code, detail },
        };
        self.output.push_event(LinkEvent::Ended(end));
    }

    /// Ends a link that is terminating and whose LCP has finished.
    pub(super) fn settle_end(&mut self) {
        if matches!(self.phase, Phase::Terminate(_)) && !self.lcp.state().is_timed() {
            self.ended(Who::Us, None, String::new());
        }
    }
}

/// The cause if the peer's reason begins with one of our codes, as [`Link::end`] sends it: `I01 pool default
/// has no free address`. Codes of lower layers are ignored: each side has its own evidence of those.
fn named(data: &[u8]) -> Option<(Code, TerminateData<'_>)> {
    let (code, why) = data.split_at_checked(4)?;
    let code: Code = core::str::from_utf8(code).ok()?.strip_suffix(' ')?.parse().ok()?;
    matches!(code.layer(), Layer::Auth | Layer::Encrypt | Layer::Address)
        .then(|| (code, TerminateData::new(why)))
}

/// Whether pppd ended the link because it did not agree to what we wanted of MPPE. It does so without a request that we
/// could have refused.
fn is_about_mppe(data: &[u8]) -> bool {
    data == b"MPPE required but peer negotiation failed"
}

/// L03, unless the peer's reason is a user request, as worded by pppd and adit.
pub(super) fn unless_requested(data: &[u8]) -> Option<Code> {
    let is_request = [b"User request".as_slice(), b"user-request"].contains(&data);
    (!is_request).then_some(Code::L03)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hanging_up_is_no_fault_and_every_other_word_is() {
        for requested in [b"User request".as_slice(), b"user-request"] {
            assert_eq!(unless_requested(requested), None);
        }
        for fault in [b"".as_slice(), b"MPPE required but peer refused", b"user request denied"] {
            assert_eq!(unless_requested(fault), Some(Code::L03));
        }
    }
}
