//! Verification of control frames in clear while the link is encrypted.
//!
//! Any host that can send GRE packets with the peer's address can forge a control frame in clear. A frame
//! that could end or degrade an encrypted link is therefore held, and the peer is challenged, as RFC 5961
//! does for TCP: with LCP Echo-Requests under fresh identifiers. A peer that has really left Opened does not
//! answer them (RFC 1661 section 5.8). If it answers, or if a frame decrypts meanwhile, the held frames were
//! forged and are dropped; if it is silent, they are obeyed. A frame that arrived inside MPPE is genuine and
//! is obeyed at once.
//!
//! CCP, IPCP and IPV6CP can be restarted by a peer whose LCP stays Opened, and which answers. Its requests are
//! repeated for many seconds, while nothing from it decrypts. This end then renegotiates that protocol, which a
//! peer that has not asked for it survives too; it handles the peer's request only if that contains what is
//! agreed, and drops frames that a peer does not send while it negotiates.

use core::time::Duration;
use std::time::Instant;

use adit_wire::lcp::ProtocolReject;
use adit_wire::{Protocol, chap, cp, ppp};

use super::state::{NetworkPhase, Phase, later};
use super::{Link, LinkEvent, Side};
use crate::auth;
use crate::fsm::{ControlProtocol, Fsm};

/// The time that a peer has to answer, and its bounds if the path is slow: three round-trip times.
const WINDOW: Duration = Duration::from_secs(2);
const WINDOW_MAX: Duration = Duration::from_secs(10);
/// The Echo-Requests of one challenge.
const ECHOES: u32 = 3;
/// The shortest time between the beginnings of two challenges, so that forged frames do not make this end
/// send more than three Echo-Requests a second.
const EVERY: Duration = Duration::from_secs(1);
/// How long before the end of the window the caller is asked whether a frame was decrypted.
const ASK: Duration = Duration::from_millis(100);
/// How long a CHAP Failure is remembered as the likely cause of an end that follows: a server that refuses a
/// client still answers Echo-Requests until it terminates LCP.
const FAILURE_KEPT: Duration = Duration::from_secs(8);
/// The shortest time between two reports of forged frames.
const REPORT_EVERY: Duration = Duration::from_secs(60);
/// The most Reset-Requests of CCP, and the most Configure-Requests that are answered at once, in one second.
const RESETS: u32 = 20;
const REQUESTS: u32 = 6;
/// A request counts as persistent if it was repeated so many times, and for so long, with pauses between
/// these bounds, and if no more than these were received in one pause.
const REPEATS: u32 = 3;
const REPEATED_FOR: Duration = Duration::from_secs(5);
const BURST: u32 = 3;
const PAUSE: core::ops::Range<Duration> = Duration::from_millis(500)..Duration::from_secs(10);
/// The shortest time between two renegotiations because of persistent requests: of CCP, because a peer that did
/// not ask for one follows only when this end persists too, and of the others.
const CCP_EVERY: Duration = Duration::from_secs(120);
const RENEGOTIATE_EVERY: Duration = Duration::from_secs(30);

/// What to do with a control frame in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    /// It is harmless, or the link is not encrypted.
    Obey,
    /// It could end or degrade the link.
    Verify,
    /// A Configure-Request with the options that are agreed: its Ack is repeated, without leaving Opened.
    Repeat,
    /// It is dropped.
    Drop,
}

/// The result of the check of a frame in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// To be handled now.
    Obey,
    /// Handled here.
    Done,
}

/// The state of verification on one link.
#[derive(Debug, Default)]
pub(super) struct Guard {
    challenge: Option<Box<Challenge>>,
    last_began: Option<Instant>,
    /// The forged frames so far, how many of them were reported, and when.
    forged: u64,
    reported: u64,
    reported_at: Option<Instant>,
    /// The packets from the peer that were decrypted, as far as the caller has reported them.
    received: u64,
    resets: PerSecond,
    requests: PerSecond,
    /// Of CCP, IPCP and IPV6CP; boxed, because most links need none.
    persistence: Option<Box<[Persistence; 3]>>,
    /// The last CHAP Failure that was dropped.
    failure: Option<(Instant, Vec<u8>)>,
}

/// An open challenge.
#[derive(Debug)]
struct Challenge {
    /// The held frames, the last of each protocol and code.
    held: Vec<Held>,
    /// The number of frames that wait for the result.
    frames: u64,
    /// When the first Echo-Request was sent.
    began: Instant,
    /// When the next step is due. It is counted from the step before, so that a late timer does not shorten the
    /// time that the peer has.
    due: Instant,
    window: Duration,
    /// The Echo-Requests sent.
    echoes: u32,
    has_asked: bool,
    /// The number of decrypted packets when it began, once known.
    baseline: Option<u64>,
}

#[derive(Debug)]
struct Held {
    protocol: u16,
    information: Vec<u8>,
}

/// Repeated Configure-Requests of a protocol that is Opened.
#[derive(Clone, Copy, Debug, Default)]
struct Persistence {
    count: u32,
    /// When the first and the last of them were received.
    span: Option<(Instant, Instant)>,
    /// The requests since the last one that was counted.
    burst: u32,
    /// When the protocol was renegotiated last.
    renegotiated_at: Option<Instant>,
}

/// The number of frames in the current second.
#[derive(Clone, Copy, Debug, Default)]
struct PerSecond {
    since: Option<Instant>,
    count: u32,
}

impl PerSecond {
    fn allows(&mut self, now: Instant, most: u32) -> bool {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= Duration::from_secs(1)) {
            *self = PerSecond { since: Some(now), count: 0 };
        }
        self.count = self.count.saturating_add(1);
        self.count <= most
    }
}

impl Persistence {
    /// Counts a request; returns whether it is counted as another one.
    fn note(&mut self, now: Instant) -> bool {
        let (first, last) = self.span.unwrap_or((now, now));
        let pause = now.saturating_duration_since(last);
        if self.count > 0 && pause < PAUSE.start {
            self.burst = self.burst.saturating_add(1);
            return false;
        }
        if pause >= PAUSE.end || self.burst > BURST {
            (self.count, self.span, self.burst) = (1, Some((now, now)), 0);
        } else {
            (self.count, self.span, self.burst) = (self.count.saturating_add(1), Some((first, now)), 0);
        }
        true
    }

    /// Starts counting again.
    fn restart(&mut self) {
        (self.count, self.span, self.burst) = (0, None, 0);
    }

    fn is_reached(&self) -> bool {
        self.count >= REPEATS
            && self.span.is_some_and(|(first, last)| last.saturating_duration_since(first) >= REPEATED_FOR)
    }
}

impl Guard {
    pub(super) fn due(&self) -> Option<Instant> {
        self.challenge.as_ref().map(|challenge| challenge.due)
    }

    /// The data of a held Terminate-Request of LCP.
    pub(super) fn held_goodbye(&self) -> Option<Vec<u8>> {
        let held = &self.challenge.as_ref()?.held;
        let held = held.iter().find(|held| held.is_goodbye())?;
        held.information.get(cp::HEADER_LEN..).map(<[u8]>::to_vec)
    }

    /// Discards what is held, when the link leaves the state that is protected.
    pub(super) fn clear(&mut self) {
        self.challenge = None;
        self.persistence.as_deref_mut().into_iter().flatten().for_each(Persistence::restart);
    }
}

impl Held {
    fn is_goodbye(&self) -> bool {
        self.protocol == ppp::LCP && self.information.first() == Some(&cp::TERMINATE_REQUEST)
    }
}

impl Link {
    /// Checks a frame in clear, and handles it here if it must not be obeyed at once.
    pub(super) fn check(&mut self, now: Instant, protocol: u16, information: &[u8]) -> Checked {
        match self.care(now, protocol, information) {
            Care::Obey => return Checked::Obey,
            Care::Drop => {}
            Care::Repeat | Care::Verify
                if information.first() == Some(&cp::CONFIGURE_REQUEST) && self.persists(now, protocol) =>
            {
                self.renegotiate(now, protocol, information);
            }
            Care::Repeat => self.repeat_ack(protocol, information),
            Care::Verify => self.hold(now, protocol, information),
        }
        Checked::Done
    }

    /// Whether the link is or was encrypted and up, so that its peer is known.
    pub(super) fn is_secured(&self) -> bool {
        matches!(&self.phase, Phase::Network(network) if network.was_encrypting && network.was_up)
    }

    fn care(&mut self, now: Instant, protocol: u16, information: &[u8]) -> Care {
        let secured = self.is_secured();
        let Phase::Network(network) = &mut self.phase else { return Care::Obey };
        if !secured {
            return Care::Obey;
        }
        // A packet that cannot be read has no effect.
        let Ok(packet) = cp::Packet::parse(Protocol::Ppp, information) else { return Care::Obey };
        match protocol {
            ppp::LCP => match packet.code {
                cp::CONFIGURE_REQUEST | cp::TERMINATE_REQUEST | cp::TERMINATE_ACK => Care::Verify,
                cp::CODE_REJECT => essential(self.lcp.protocol(), &packet),
                cp::PROTOCOL_REJECT => rejection(&packet, network),
                _ => Care::Obey,
            },
            ppp::CHAP if self.config.role == Side::Client && packet.code == chap::FAILURE => Care::Verify,
            ppp::CCP if packet.code == cp::RESET_REQUEST => {
                if self.guard.resets.allows(now, RESETS) {
                    Care::Obey
                } else {
                    Care::Drop
                }
            }
            ppp::CCP | ppp::IPCP | ppp::IPV6CP => {
                let care = match (protocol, &network.ipcp, &network.ipv6cp) {
                    // The peer's request crossed our Ack, or the Ack was lost.
                    (ppp::CCP, _, _) if network.ccp.is_crossing(now, &packet) => Care::Obey,
                    (ppp::CCP, _, _) => match of_network(&network.ccp, &packet) {
                        // The keys have moved since: an Ack alone would not bring the peer's into line.
                        Care::Repeat if !network.ccp.is_unused() => Care::Verify,
                        care => care,
                    },
                    (ppp::IPCP, Some(ipcp), _) => of_network(ipcp, &packet),
                    (ppp::IPV6CP, _, Some(ipv6cp)) => of_network(ipv6cp, &packet),
                    _ => return Care::Obey,
                };
                let is_answered = matches!(care, Care::Obey | Care::Repeat);
                let is_request = is_answered && packet.code == cp::CONFIGURE_REQUEST;
                if is_request && !self.guard.requests.allows(now, REQUESTS) { Care::Drop } else { care }
            }
            _ => Care::Obey,
        }
    }

    /// Repeats the Ack of a Configure-Request, which was lost, or which the peer does not expect.
    fn repeat_ack(&mut self, protocol: u16, information: &[u8]) {
        let Phase::Network(network) = &mut self.phase else { return };
        let Ok(packet) = cp::Packet::parse(Protocol::Ppp, information) else { return };
        match (protocol, &mut network.ipcp, &mut network.ipv6cp) {
            (ppp::CCP, _, _) => network.ccp.acknowledge_again(&packet),
            (ppp::IPCP, Some(ipcp), _) => ipcp.acknowledge_again(&packet),
            (ppp::IPV6CP, _, Some(ipv6cp)) => ipv6cp.acknowledge_again(&packet),
            _ => {}
        }
    }

    /// Counts a Configure-Request of a protocol that is Opened; returns whether the peer persists, and the
    /// protocol was not renegotiated shortly before.
    fn persists(&mut self, now: Instant, protocol: u16) -> bool {
        let (index, every) = match protocol {
            ppp::CCP => (0, CCP_EVERY),
            ppp::IPCP => (1, RENEGOTIATE_EVERY),
            ppp::IPV6CP => (2, RENEGOTIATE_EVERY),
            _ => return false,
        };
        let Some(persistence) = self.guard.persistence.get_or_insert_default().get_mut(index) else {
            return false;
        };
        if !persistence.note(now) {
            return false;
        }
        let since = persistence.renegotiated_at.map(|at| now.saturating_duration_since(at));
        let persists = persistence.is_reached() && since.is_none_or(|since| since >= every);
        if persists {
            persistence.renegotiated_at = Some(now);
        } else {
            self.output.push_event(LinkEvent::CountTraffic);
        }
        persists
    }

    /// Renegotiates a protocol above LCP because of a persistent request. The request itself, which may be
    /// forged, is handled only if it contains what is agreed already.
    fn renegotiate(&mut self, now: Instant, protocol: u16, information: &[u8]) {
        let Phase::Network(network) = &mut self.phase else { return };
        network.keep(protocol);
        self.output.push_event(LinkEvent::CountTraffic);
        let agreed = match protocol {
            ppp::CCP => restart(now, Some(&mut network.ccp), information),
            ppp::IPCP => restart(now, network.ipcp.as_mut(), information),
            _ => restart(now, network.ipv6cp.as_deref_mut(), information),
        };
        self.guard.clear();
        if agreed {
            self.dispatch(now, protocol, information);
        }
    }

    /// Holds a frame, and challenges the peer.
    fn hold(&mut self, now: Instant, protocol: u16, information: &[u8]) {
        let window = self.echoes.round_trip().saturating_mul(3).clamp(WINDOW, WINDOW_MAX);
        let due = self.guard.last_began.map_or(now, |last| later(last, EVERY).max(now));
        let challenge = self.guard.challenge.get_or_insert_with(|| {
            let (held, frames, echoes, has_asked, baseline) = (Vec::new(), 0, 0, false, None);
            Box::new(Challenge { held, frames, began: due, due, window, echoes, has_asked, baseline })
        });
        challenge.frames = challenge.frames.saturating_add(1);
        let code = information.first();
        let known = challenge
            .held
            .iter_mut()
            .find(|held| held.protocol == protocol && held.information.first() == code);
        match known {
            Some(held) => held.information = information.to_vec(),
            None => challenge.held.push(Held { protocol, information: information.to_vec() }),
        }
        self.guard_timeout(now);
    }

    /// Continues the challenge, if that is due.
    pub(super) fn guard_timeout(&mut self, now: Instant) {
        let Some(challenge) = self.guard.challenge.as_mut().filter(|challenge| now >= challenge.due) else {
            return;
        };
        if challenge.echoes < ECHOES {
            challenge.echoes += 1;
            let is_last = challenge.echoes == ECHOES;
            challenge.due =
                later(now, challenge.window / ECHOES - if is_last { ASK } else { Duration::ZERO });
            if challenge.echoes == 1 {
                challenge.began = now;
                self.guard.last_began = Some(now);
                self.output.push_event(LinkEvent::CountTraffic);
            }
            self.send_echo(now);
        } else if !challenge.has_asked {
            challenge.has_asked = true;
            challenge.due = later(now, ASK);
            self.output.push_event(LinkEvent::CountTraffic);
        } else {
            self.obey_held(now);
        }
    }

    /// Handles an answer to an Echo-Request that was sent at `sent`.
    pub(super) fn challenge_answered(&mut self, now: Instant, sent: Instant) {
        let fresh = |challenge: &Challenge| challenge.echoes > 0 && sent >= challenge.began;
        if self.guard.challenge.as_deref().is_some_and(fresh) {
            self.drop_held(now);
        }
    }

    /// Handles the number of packets from the peer that were decrypted so far.
    pub(super) fn note_received(&mut self, now: Instant, packets: u64) {
        let more = packets > core::mem::replace(&mut self.guard.received, packets);
        if more {
            // The peer encrypts, so its CCP and IPCP are Opened.
            if let Some([ccp, ipcp, _]) = self.guard.persistence.as_deref_mut() {
                ccp.restart();
                ipcp.restart();
            }
            if let Phase::Network(network) = &mut self.phase {
                network.ccp.note_traffic();
            }
            self.noise_ends();
        }
        if let Phase::Network(network) = &mut self.phase {
            network.note_decrypted(packets);
        }
        let Some(challenge) = self.guard.challenge.as_mut().filter(|challenge| challenge.echoes > 0) else {
            return;
        };
        if packets > *challenge.baseline.get_or_insert(packets) {
            self.drop_held(now);
        }
    }

    /// The peer is alive: what is held was forged.
    fn drop_held(&mut self, now: Instant) {
        let Some(challenge) = self.guard.challenge.take() else { return };
        self.guard.forged = self.guard.forged.saturating_add(challenge.frames);
        if let Some(failure) = challenge.held.into_iter().find(|held| held.protocol == ppp::CHAP) {
            self.guard.failure = Some((now, failure.information));
        }
        let since = self.guard.reported_at.map(|at| now.saturating_duration_since(at));
        if since.is_none_or(|since| since >= REPORT_EVERY) {
            self.guard.reported_at = Some(now);
            self.report_forged();
        }
    }

    /// Reports the forged frames that were not reported yet.
    pub(super) fn report_forged(&mut self) {
        let frames = self.guard.forged;
        if core::mem::replace(&mut self.guard.reported, frames) != frames {
            self.output.push_event(LinkEvent::Forged { frames });
        }
    }

    /// The peer is silent: obeys what is held, a Terminate-Request first.
    fn obey_held(&mut self, now: Instant) {
        let Some(challenge) = self.guard.challenge.take() else { return };
        let mut held = challenge.held;
        held.sort_by_key(|held| !held.is_goodbye());
        if held.first().is_some_and(Held::is_goodbye) {
            self.take_failure(now);
        }
        for Held { protocol, information } in held {
            let is_goodbye = protocol == ppp::LCP && information.first() == Some(&cp::TERMINATE_REQUEST);
            // The frame before it has ended what this one is about.
            if !is_goodbye && !self.is_secured() {
                return;
            }
            self.obey(now, protocol, &information);
        }
    }

    /// Handles a CHAP Failure that was dropped shortly before the peer ended the link: it was genuine.
    pub(super) fn take_failure(&mut self, now: Instant) {
        let Some((at, information)) = self.guard.failure.take() else { return };
        if now.saturating_duration_since(at) < FAILURE_KEPT {
            self.dispatch(now, ppp::CHAP, &information);
            self.pump_authentication(now);
        }
    }

    /// Obeys a frame that is known to be genuine. The link of a peer that has terminated ends at once.
    pub(super) fn obey(&mut self, now: Instant, protocol: u16, information: &[u8]) {
        let was_up = matches!(self.phase, Phase::Network(_) | Phase::Terminate(_));
        self.dispatch(now, protocol, information);
        self.pump(now);
        let ends = protocol == ppp::LCP && information.first() == Some(&cp::TERMINATE_REQUEST);
        if ends && was_up && matches!(self.phase, Phase::Terminate(_)) {
            self.hang_up();
        }
    }
}

/// Renegotiates a protocol, unless the request contains what is agreed: then handling it does that. Returns
/// whether it does.
fn restart<P: ControlProtocol>(now: Instant, fsm: Option<&mut Fsm<P>>, information: &[u8]) -> bool {
    let (Some(fsm), Ok(packet)) = (fsm, cp::Packet::parse(P::PROTOCOL, information)) else { return false };
    let agreed = fsm.has_agreed_to(&packet);
    if !agreed {
        fsm.renegotiate(now);
    }
    agreed
}

/// A Code-Reject, which has an effect only if it rejects a code that the protocol needs.
fn essential(protocol: &impl ControlProtocol, packet: &cp::Packet<'_>) -> Care {
    let rejected = packet.data.first().is_some_and(|code| protocol.is_essential(*code));
    if rejected { Care::Verify } else { Care::Obey }
}

/// A Protocol-Reject, which has an effect only for a protocol in use.
fn rejection(packet: &cp::Packet<'_>, network: &NetworkPhase) -> Care {
    let Ok(reject) = ProtocolReject::parse(packet) else { return Care::Obey };
    let authentication = network.authentication.as_deref();
    let authentication = authentication.map(|authentication| auth::protocol(authentication.method()));
    match reject.protocol {
        // What it did with the data packets has shown that it has no CCP.
        ppp::CCP if network.unread.is_renegotiated_in_vain() => Care::Obey,
        ppp::LCP | ppp::CCP | ppp::IPCP | ppp::IPV6CP => Care::Verify,
        protocol if Some(protocol) == authentication => Care::Verify,
        _ => Care::Obey,
    }
}

/// A packet of CCP, IPCP or IPV6CP.
fn of_network<P: ControlProtocol>(fsm: &Fsm<P>, packet: &cp::Packet<'_>) -> Care {
    match packet.code {
        cp::TERMINATE_REQUEST | cp::TERMINATE_ACK if fsm.state().is_negotiating() => Care::Drop,
        cp::CODE_REJECT if fsm.state().is_negotiating() => {
            if essential(fsm.protocol(), packet) == Care::Verify { Care::Drop } else { Care::Obey }
        }
        _ if !fsm.is_opened() => Care::Obey,
        cp::CONFIGURE_REQUEST if fsm.has_agreed_to(packet) => Care::Repeat,
        cp::CONFIGURE_REQUEST | cp::TERMINATE_REQUEST | cp::TERMINATE_ACK => Care::Verify,
        cp::CODE_REJECT => essential(fsm.protocol(), packet),
        _ => Care::Obey,
    }
}
