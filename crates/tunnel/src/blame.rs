//! Which layer really broke when LCP never came up: the evidence for GRE, from one side.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_diag::{Code, Layer};
use adit_ppp::link::Role;
use adit_wire::{cp, ppp};

use crate::events::{End, Who, Why};

/// Shorter silences are bad luck on a bad line.
const SILENCE: Duration = Duration::from_secs(10);

/// The end of a call that the peer hung up on the control connection, while it had left our LCP echoes in GRE unanswered
/// since then: it lives, and GRE died.
pub(crate) fn silent(now: Instant, since: Instant, end: End) -> End {
    let silence = now.saturating_duration_since(since);
    if end.by != Who::Peer || !matches!(end.code, None | Some(Code::C08)) || silence < SILENCE {
        return end;
    }
    let detail =
        format!("LCP echoes in GRE went unanswered for {} s; then {}", silence.as_secs(), end.detail);
    End { why: Why::LostCarrier, code: Some(Code::G05), detail, ..end }
}

/// What this side knows of protocol 47 on its call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    /// PPP frames that came out of GRE.
    heard: u64,
    /// A Configure-Ack, -Nak or -Reject came: the peer has seen our request.
    answered: bool,
    /// The peer's GRE acknowledged a packet of ours.
    acknowledged: bool,
    /// A router answered our GRE with an ICMP error of type 3.
    unreachable: Option<(Ipv4Addr, u8)>,
}

impl Evidence {
    /// Notes a frame that came out of GRE.
    pub(crate) fn frame(&mut self, frame: &[u8]) {
        self.heard = self.heard.saturating_add(1);
        if self.answered {
            return;
        }
        if let Ok((ppp::LCP, information)) = ppp::frame(frame)
            && let Ok(packet) = cp::Packet::parse(adit_wire::Layer::Lcp, information)
        {
            self.answered =
                matches!(packet.code, cp::CONFIGURE_ACK | cp::CONFIGURE_NAK | cp::CONFIGURE_REJECT);
        }
    }

    /// Notes an acknowledgment number in the peer's GRE.
    pub(crate) fn acknowledged(&mut self) {
        self.acknowledged = true;
    }

    /// Notes an ICMP error of type 3 for our GRE.
    pub(crate) fn unreachable(&mut self, from: Ipv4Addr, code: u8) {
        self.unreachable.get_or_insert((from, code));
    }

    /// Whether GRE from the peer has been heard at all.
    pub(crate) fn heard_anything(&self) -> bool {
        self.heard > 0 || self.acknowledged
    }

    /// The end of a call that the peer or the network ended before LCP was up: that of protocol 47, if it is what broke.
    /// Both sides wait equally long for GRE, and the one that hangs up first must not hide the cause from the other.
    pub(crate) fn explain(&self, role: Role, end: End) -> End {
        let (code, detail) = self.judge(role, Code::L05, "");
        if code.layer() == Layer::Gre && end.by != Who::Us {
            let detail = format!("{detail}; then {}", end.detail);
            End { why: Why::Failed, code: Some(code), detail, ..end }
        } else {
            end
        }
    }

    /// The code and the detail for a link whose LCP ended with `code` before it was up.
    pub(crate) fn judge(&self, role: Role, code: Code, detail: &str) -> (Code, String) {
        // A05 too: a peer that never hears our Naks repeats its method for ever.
        if !matches!(code, Code::L01 | Code::L03 | Code::L05 | Code::A05) {
            return (code, detail.to_owned());
        }
        if let Some((from, icmp)) = self.unreachable
            && !self.heard_anything()
        {
            let said = match icmp {
                2 => "protocol 47 unreachable".to_owned(),
                9 | 10 | 13 => format!("administratively prohibited (ICMP type 3 code {icmp})"),
                _ => format!("unreachable (ICMP type 3 code {icmp})"),
            };
            return (Code::G01, format!("{from} answered our GRE: {said}"));
        }
        match (self.heard_anything(), self.answered || self.acknowledged) {
            (false, _) => (Code::G01, "no GRE packet has come back, while TCP 1723 works".to_owned()),
            (true, true) => (code, detail.to_owned()),
            (true, false) => {
                let text = format!(
                    "{} GRE packets of the peer arrived, but none of ours was ever answered or acknowledged",
                    self.heard
                );
                match role {
                    Role::Server => (Code::G03, text),
                    Role::Client => (Code::G02, text),
                }
            }
        }
    }
}
