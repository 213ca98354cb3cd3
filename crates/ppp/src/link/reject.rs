//! Protocol-Reject (RFC 1661 section 5.7), in both directions.

use core::time::Duration;
use std::time::Instant;

use adit_diag::Code;
use adit_wire::lcp::ProtocolReject;
use adit_wire::{cp, ppp};

use super::keepalive::Keepalive;
use super::state::{Noise, Phase};
use super::{Link, LinkEvent, Who};

/// The most Protocol-Rejects sent per second. A peer whose keys differ from ours would otherwise trigger one
/// for every packet.
const PER_SECOND: u32 = 10;
/// The number of Protocol-Rejects of protocols that we never sent, after which the peer is taken to decrypt
/// to noise, provided that as many packets were sent to it meanwhile, that nothing from it was decrypted, and
/// that this lasted [`NOISE_TIME`]. Forged ones on an idle link show nothing.
const NOISE: u32 = 8;
/// The first protocol number of control protocols (RFC 1661 section 2).
const CONTROL: u16 = 0x8000;
const NOISE_TIME: Duration = Duration::from_secs(5);

/// A rate limit for the Protocol-Rejects that are sent.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    second: Option<Instant>,
    sent: u32,
}

impl Limiter {
    fn allows(&mut self, now: Instant) -> bool {
        if self.second.is_none_or(|start| now.duration_since(start) >= Duration::from_secs(1)) {
            *self = Limiter { second: Some(now), sent: 0 };
        }
        self.sent += 1;
        self.sent <= PER_SECOND
    }
}

impl Link {
    /// Sends a Protocol-Reject for this protocol; `false` if the limit is reached.
    pub(super) fn reject_protocol(&mut self, now: Instant, protocol: u16, information: &[u8]) -> bool {
        let allowed = self.limiter.allows(now);
        if allowed {
            let reject = ProtocolReject { protocol, information };
            let data = reject.to_vec(self.lcp.protocol().agreed().peer_mru);
            self.lcp.send(cp::PROTOCOL_REJECT, &data);
        }
        allowed
    }

    /// Handles a Protocol-Reject from the peer.
    pub(super) fn protocol_rejected(&mut self, now: Instant, protocol: u16) {
        if protocol == ppp::LCP {
            let detail = format!("the {} rejected LCP itself", self.config.role.other());
            self.end(now, Who::Us, Some(Code::L01), detail);
            return;
        }
        if self.authentication_rejected(now, protocol) {
            return;
        }
        let Phase::Network(network) = &mut self.phase else { return };
        match protocol {
            ppp::CCP => self.ccp_rejected(now),
            ppp::IPCP => {
                if let Some(ipcp) = &mut network.ipcp {
                    ipcp.protocol_rejected(now);
                }
            }
            ppp::IPV6CP => {
                if let Some(ipv6cp) = &mut network.ipv6cp {
                    ipv6cp.protocol_rejected(now);
                }
            }
            // Data that arrived before the peer was ready for it.
            ppp::IP | ppp::IPV6 | ppp::COMPRESSED => {}
            // A control protocol may have been begun by a forged request: that is no noise.
            _ if network.encrypting && protocol < CONTROL => {
                let noise = network.noise.get_or_insert(Noise { count: 0, since: now, sent: network.sent });
                noise.count = noise.count.saturating_add(1);
                self.output.push_event(LinkEvent::CountTraffic);
                self.noise_continues(now, protocol);
            }
            _ => {}
        }
    }

    /// Ends the link if the peer decrypts to noise.
    fn noise_continues(&mut self, now: Instant, protocol: u16) {
        let Phase::Network(network) = &self.phase else { return };
        let Some(Noise { count, since, sent }) = network.noise else { return };
        let enough = count >= NOISE && network.sent.saturating_sub(sent) >= u64::from(NOISE);
        if enough && now.saturating_duration_since(since) >= NOISE_TIME {
            let (peer, protocol) = (self.config.role.other(), ppp::ProtocolNumber(protocol));
            let detail = format!(
                "the {peer} rejected {count} protocols that were never sent, last {protocol}, and nothing \
                 from it was decrypted: it has other keys"
            );
            self.end(now, Who::Us, Some(Code::E05), detail);
        }
    }

    /// Handles a frame that decrypted: the keys are equal.
    pub(super) fn noise_ends(&mut self) {
        if let Phase::Network(network) = &mut self.phase {
            network.noise = None;
            network.unread.note_decrypted();
        }
    }

    /// Handles the number of data packets.
    pub(super) fn count_traffic(&mut self, now: Instant, received: u64, sent: u64) {
        if let Phase::Network(network) = &mut self.phase {
            network.sent = sent;
        }
        self.note_received(now, received);
        let heard = self.keepalive.as_ref().map(Keepalive::last_heard);
        if let (Phase::Network(network), Some(heard)) = (&mut self.phase, heard)
            && network.reported.is_some()
            && let Some((sent, elapsed)) = network.unanswered.note(now, heard, (received, sent))
        {
            self.output.push_event(LinkEvent::Unanswered { sent, seconds: elapsed.as_secs() });
        }
    }
}
