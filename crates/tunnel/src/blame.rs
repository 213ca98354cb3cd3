//! The layer that failed when LCP did not come up: the evidence about GRE, as seen from one side.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_diag::{Code, Layer};
use adit_ppp::link::Side;
use adit_pptp::control::GreReport;
use adit_wire::{cp, ppp};

use crate::events::{End, Unmatched, Who, Why};

/// How long a client's requests must stay unanswered, while the server's arrive, before the client reports
/// it.
const REPORT_AFTER: Duration = Duration::from_secs(6);

/// Shorter silences are attributed to packet loss.
const SILENCE: Duration = Duration::from_secs(10);

/// The end of a call that the peer ended on the control connection, although it had left our LCP echoes in
/// GRE unanswered since `since`: the peer is alive, and GRE has failed.
pub(crate) fn silent(now: Instant, since: Instant, end: End) -> End {
    let silence = now.saturating_duration_since(since);
    if end.by != Who::Peer || !matches!(end.code, None | Some(Code::C08)) || silence < SILENCE {
        return end;
    }
    let detail =
        format!("LCP echoes in GRE went unanswered for {} s; then {}", silence.as_secs(), end.detail);
    End { why: Why::LostCarrier, code: Some(Code::G05), detail, ..end }
}

/// Another call whose control connection is from the same address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The name of the call: `s41`.
    pub name: String,
    /// Whether its peer chose the same Call ID.
    pub same_call_id: bool,
    /// Whether GRE packets of its peer arrive.
    pub heard: bool,
    /// Whether it began when the call in question was already up.
    pub began_behind: bool,
}

/// The end of a call whose GRE failed, adjusted for the other calls from the same address. A call that works
/// at the same time, or that began before GRE stopped, shows that a NAT router confused the two (G06). If
/// several work, the router can tell calls apart.
pub fn behind_one_address(end: End, neighbours: &[Neighbour]) -> End {
    let works: Vec<&Neighbour> = neighbours.iter().filter(|neighbour| neighbour.heard).collect();
    let twin = works.iter().find(|neighbour| neighbour.same_call_id);
    let is_distinguished = works.len() > 1 && twin.is_none();
    let Some(neighbour) = twin.or(works.first()).filter(|_| !is_distinguished) else { return end };
    let name = &neighbour.name;
    let text = match end.code {
        Some(Code::G01 | Code::G02 | Code::G03) => format!("while GRE of {name} from the same address works"),
        Some(Code::G05 | Code::L04) if neighbour.began_behind => {
            format!("since {name} called from the same address")
        }
        _ => return end,
    };
    let same = if neighbour.same_call_id { "; both chose the same Call ID" } else { "" };
    End { code: Some(Code::G06), detail: format!("{}, {text}{same}", end.detail), ..end }
}

/// What this side has observed of protocol 47 for its call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    /// The number of PPP frames received in GRE.
    heard: u64,
    /// Whether a Configure-Ack, -Nak or -Reject was received: the peer has seen our request.
    answered: bool,
    /// Whether the peer's GRE has acknowledged a packet of ours.
    acknowledged: bool,
    /// An ICMP error of type 3 for our GRE: the router and the code.
    unreachable: Option<(Ipv4Addr, u8)>,
    /// GRE from the peer's address with an unknown Call ID, and GRE for this call from another address.
    unknown_call: Option<u16>,
    other_source: Option<Ipv4Addr>,
    /// Whether the peer has reported on the control connection that it receives our frames, and that its own
    /// are not answered.
    reported: bool,
    /// The Call ID in the packets that the peer receives, if it reports one that is not its own.
    misnamed: Option<u16>,
}

impl Evidence {
    /// Records a frame received in GRE.
    pub(crate) fn frame(&mut self, frame: &[u8]) {
        self.heard = self.heard.saturating_add(1);
        if self.answered {
            return;
        }
        if let Ok((ppp::LCP, information)) = ppp::frame(frame)
            && let Ok(packet) = cp::Packet::parse(adit_wire::Protocol::Lcp, information)
        {
            self.answered =
                matches!(packet.code, cp::CONFIGURE_ACK | cp::CONFIGURE_NAK | cp::CONFIGURE_REJECT);
        }
    }

    /// Records an acknowledgment number in the peer's GRE.
    pub(crate) fn acknowledged(&mut self) {
        self.acknowledged = true;
    }

    /// Records an ICMP error of type 3 for our GRE.
    pub(crate) fn unreachable(&mut self, from: Ipv4Addr, code: u8) {
        self.unreachable.get_or_insert((from, code));
    }

    /// Records GRE that belongs to no call.
    pub(crate) fn unmatched(&mut self, unmatched: Unmatched) {
        match unmatched {
            Unmatched::CallId(call_id) => _ = self.unknown_call.get_or_insert(call_id),
            Unmatched::Source(address) => _ = self.other_source.get_or_insert(address),
        }
    }

    /// Records the peer's report that it receives our frames.
    pub(crate) fn reported(&mut self) {
        self.reported = true;
    }

    /// Records the peer's report that the packets that it receives contain another Call ID.
    pub(crate) fn misnamed(&mut self, call_id: u16) {
        self.misnamed = Some(call_id);
    }

    /// The report to send to the peer when its answers are overdue: that its frames arrive, or with which
    /// Call ID.
    pub(crate) fn gre_report(&self, since: Duration) -> Option<GreReport> {
        let waits = !self.answered && !self.acknowledged && since >= REPORT_AFTER;
        match self.unknown_call {
            _ if !waits => None,
            Some(call_id) if self.heard == 0 => Some(GreReport::Misnamed(call_id)),
            _ => (self.heard > 0).then_some(GreReport::Heard),
        }
    }

    /// Whether any GRE packet was received from the peer.
    pub(crate) fn heard_anything(&self) -> bool {
        self.heard > 0 || self.acknowledged
    }

    /// The end of a call that the peer or the network ended before LCP was up: a failure of protocol 47, if
    /// there is evidence of one. Both sides wait equally long for GRE, and the one that disconnects first
    /// must not hide the cause from the other. `in_vain`: the call lasted as long as one that waits for GRE.
    pub(crate) fn explain(&self, role: Side, end: End, in_vain: bool) -> End {
        let (code, detail) = self.judge(role, Code::L05, "");
        if code.layer() == Layer::Gre && end.by != Who::Us && (in_vain || code == Code::G04) {
            let detail = format!("{detail}; then {}", end.detail);
            End { why: Why::Failed, code: Some(code), detail, ..end }
        } else {
            end
        }
    }

    /// The code and the detail for a link whose LCP ended with `code` before it was up.
    pub(crate) fn judge(&self, role: Side, code: Code, detail: &str) -> (Code, String) {
        if let Some(call_id) = self.misnamed
            && !self.answered
        {
            let text = format!("the peer says that what it gets is for call {call_id}, which is not its own");
            return (Code::G04, text);
        }
        // A05 too: a peer that does not receive our Naks repeats its method.
        if !matches!(code, Code::L01 | Code::L03 | Code::L05 | Code::A05) {
            return (code, detail.to_owned());
        }
        if let Some((from, icmp)) = self.unreachable
            && !self.heard_anything()
        {
            let text = match icmp {
                2 => "protocol 47 unreachable".to_owned(),
                9 | 10 | 13 => format!("administratively prohibited (ICMP type 3 code {icmp})"),
                _ => format!("unreachable (ICMP type 3 code {icmp})"),
            };
            return (Code::G01, format!("{from} answered our GRE: {text}"));
        }
        if !self.heard_anything()
            && let Some(found) = self.gone_astray(role)
        {
            return found;
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
                    Side::Server => (Code::G03, text),
                    Side::Client => (Code::G02, text),
                }
            }
        }
    }

    /// Where the peer's GRE packets go, if not to this call.
    fn gone_astray(&self, role: Side) -> Option<(Code, String)> {
        let lost_to_us = match role {
            Side::Server => Code::G02,
            Side::Client => Code::G03,
        };
        if let Some(call_id) = self.unknown_call {
            let text = format!("the peer's GRE names call {call_id}, which was never agreed on");
            return Some((Code::G04, text));
        }
        if let Some(address) = self.other_source {
            let text = format!("GRE of this call arrives from {address}, not from the address of TCP 1723");
            return Some((lost_to_us, text));
        }
        let text = "the peer hears our GRE, as it says by Set-Link-Info; nothing of its own arrives here";
        self.reported.then(|| (lost_to_us, text.to_owned()))
    }
}

#[cfg(test)]
mod tests;
