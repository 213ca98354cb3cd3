//! One call: its PPP link, its evidence, its deadlines, and its commands to the data path.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_diag::note::{Finding, LayerUp};
use adit_diag::{AuthMethod, Code, Layer, Note};
use adit_ppp::ccp::{Mode, MppePolicy};
use adit_ppp::link::{self, Link, LinkConfig, LinkEvent, Side, Silence};
use adit_pptp::control::GreReport;
use adit_wire::{LocalCallId, PeerCallId, cp, ppp};
use ipnet::Ipv4Net;

use crate::blame::{self, Evidence};
use crate::events::{CallHandle, End, Event, Question, Terms, Unmatched, Up, Who, Why};
use crate::path::{self, NetworkV6, PathCommand};

/// A peer that disconnects this long after the call began, and before LCP is up, has waited for GRE: this is
/// the time of three Configure-Requests. If it disconnects earlier, the reason is a different one.
const IN_VAIN: Duration = Duration::from_secs(9);

/// A call that receives nothing for this long is suspicious: two Configure-Requests should have been
/// answered.
const SUSPICIOUS: Duration = Duration::from_secs(4);

/// How long a server waits for the client to send first. In calls through a router with Linux's PPTP helper,
/// one direction was seen to fail after both sides began at once, presumably because the helper then tracks
/// two connections.
const CLIENT_FIRST: Duration = Duration::from_millis(100);

/// How long an encrypted call that is up waits for the peer's Terminate-Ack before it is ended on the control
/// connection. A peer may verify the Terminate-Request before it obeys, which takes seconds; the message on the
/// control connection is obeyed at once. It should arrive after the Terminate-Request, which has the reason.
const FAREWELL: Duration = Duration::from_millis(200);

/// The configuration of a call.
#[derive(Clone, Debug)]
pub(crate) struct CallConfig {
    /// The PPP link.
    pub(crate) link: Arc<LinkConfig>,
    /// The time limit for the call to come up.
    pub(crate) setup: Duration,
    /// The largest inner packet, in octets.
    pub(crate) mtu: u16,
}

/// The state of a call that has a link.
pub(crate) struct Call {
    pub(crate) handle: CallHandle,
    /// Our Call ID and the peer's.
    call_ids: (LocalCallId, PeerCallId),
    role: Side,
    link: Link,
    /// When the link starts if the peer does not start first; `None` once it has started.
    begins: Option<Instant>,
    evidence: Evidence,
    /// The layer that is being negotiated; decides the code when the set-up deadline passes.
    phase: Layer,
    deadline: Option<Instant>,
    mtu: u16,
    peer_mru: u16,
    pub(crate) terms: Terms,
    name: Arc<[u8]>,
    method: Option<AuthMethod>,
    server_proved: bool,
    encryption: Option<(adit_crypto::mppe::Strength, bool)>,
    began: Instant,
    started: Option<Instant>,
    up: bool,
    packets: u64,
    last_traffic: Instant,
    closing: Option<Box<(Why, Option<Code>, String)>>,
    /// When a call that is closing no longer waits for the peer.
    hangs_up: Option<Instant>,
    /// The requests in GRE that the peer has not answered; kept here because a link that has ended discards
    /// them.
    silence: Option<Silence>,
    /// When the peer was last heard on the control connection.
    control_heard: Option<Instant>,
    /// Why the lower layer went down, while the link handles that.
    lost: Option<Box<End>>,
    /// Whether the server knows that its frames arrive here.
    reported: bool,
    ended: bool,
}

/// A question of a call's link; the tunnel allocates a separate id for it.
pub(crate) struct LinkQuestion {
    pub(crate) id: u32,
    pub(crate) question: Question,
}

impl Call {
    /// Creates a call whose GRE path exists; a client's link starts to negotiate at once.
    pub(crate) fn new(
        handle: CallHandle,
        call_ids: (LocalCallId, PeerCallId),
        config: CallConfig,
        now: Instant,
        rng: Rng,
    ) -> Call {
        let role = config.link.role;
        let name = config.link.credentials.as_ref().map(|c| Arc::from(c.name.as_bytes())).unwrap_or_default();
        let mut link = Link::new(config.link, rng);
        let begins = match role {
            Side::Server => Some(now + CLIENT_FIRST),
            Side::Client => {
                link.open(now);
                None
            }
        };
        Call {
            handle,
            call_ids,
            role,
            link,
            begins,
            evidence: Evidence::default(),
            phase: Layer::Lcp,
            deadline: Some(now + config.setup),
            mtu: config.mtu,
            peer_mru: 1500,
            terms: Terms::default(),
            name,
            method: None,
            server_proved: false,
            encryption: None,
            began: now,
            started: None,
            up: false,
            packets: 0,
            last_traffic: now,
            closing: None,
            hangs_up: None,
            silence: None,
            control_heard: None,
            lost: None,
            reported: false,
            ended: false,
        }
    }

    pub(crate) fn call_ids(&self) -> (LocalCallId, PeerCallId) {
        self.call_ids
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn handle_frame(&mut self, now: Instant, frame: &[u8], out: &mut VecDeque<Event>) {
        let first = !self.evidence.heard_anything();
        self.evidence.frame(frame);
        if first {
            self.note(out, Note::LayerUp(LayerUp::Gre));
        }
        self.begin(now);
        if self.hangs_up.is_some() && is_echo_request(frame) {
            // The peer has the Terminate-Request and verifies it: it waits for the control connection.
            self.hangs_up = Some(now);
        }
        self.link.handle_input(now, frame);
    }

    /// Starts negotiation if it has not started yet.
    fn begin(&mut self, now: Instant) {
        if self.begins.take().is_some() {
            self.link.open(now);
        }
    }

    pub(crate) fn handle_data_rejected(&mut self, now: Instant) {
        self.link.handle_command(now, link::Command::DataRejected);
    }

    pub(crate) fn handle_proven_frame(&mut self, now: Instant, frame: &[u8]) {
        self.link.handle_proven_input(now, frame);
    }

    pub(crate) fn handle_traffic(&mut self, now: Instant, received: u64, sent: u64) {
        self.link.handle_command(now, link::Command::CountTraffic { received, sent });
        let packets = received.saturating_add(sent);
        if packets != self.packets {
            self.packets = packets;
            self.last_traffic = now;
        }
    }

    pub(crate) fn handle_acknowledged(&mut self) {
        self.evidence.acknowledged();
    }

    pub(crate) fn handle_unreachable(&mut self, from: std::net::Ipv4Addr, code: u8) {
        self.evidence.unreachable(from, code);
    }

    pub(crate) fn handle_unmatched(&mut self, unmatched: Unmatched) {
        self.evidence.unmatched(unmatched);
    }

    /// Handles the peer's report on the control connection that it receives our frames.
    pub(crate) fn handle_peer_heard(&mut self) {
        if self.phase == Layer::Lcp {
            self.evidence.reported();
        }
    }

    /// Handles the peer's report that the packets that it receives contain this Call ID, which is not its
    /// own.
    pub(crate) fn handle_misnamed(&mut self, call_id: u16) {
        self.evidence.misnamed(call_id);
    }

    /// The report to send to the server about its GRE, once.
    pub(crate) fn take_gre_report(&mut self, now: Instant) -> Option<GreReport> {
        let waits = self.role == Side::Client
            && self.phase == Layer::Lcp
            && self.closing.is_none()
            && !self.ended
            && !self.reported;
        let report = self.evidence.gre_report(now.saturating_duration_since(self.began)).filter(|_| waits);
        self.reported |= report.is_some();
        report
    }

    /// The suspected fault while the call is being set up.
    pub(crate) fn suspects(&self, now: Instant) -> Option<(Code, String)> {
        if self.phase != Layer::Lcp || self.ended || now < self.began + SUSPICIOUS {
            return None;
        }
        let (code, detail) = self.evidence.judge(self.role, Code::L05, "LCP does not come up");
        (code.layer() == Layer::Gre).then_some((code, detail))
    }

    pub(crate) fn answer(&mut self, now: Instant, id: u32, answer: link::Answer) {
        self.link.handle_answer(now, id, answer);
    }

    pub(crate) fn set_mppe(&mut self, policy: MppePolicy, out: &mut VecDeque<Event>) {
        self.path(out, PathCommand::RequireEncryption(policy.mode == Mode::Require));
        self.link.set_mppe(policy);
    }

    /// Begins an orderly end: LCP Terminate, bounded by the link's own timers.
    pub(crate) fn close(&mut self, now: Instant, why: Why, code: Option<Code>, detail: String) {
        if self.closing.is_none() {
            let reason = code.map_or_else(|| why.word().to_owned(), |code| format!("{code} {detail}"));
            self.closing = Some(Box::new((why, code, detail)));
            self.begin(now);
            self.link.handle_command(now, link::Command::Close { reason });
            if self.up && self.encryption.is_some() {
                self.hangs_up = Some(now + FAREWELL);
            }
        }
    }

    /// Handles the loss of the lower layer: nothing can be sent to the peer any more.
    pub(crate) fn lower_down(&mut self, now: Instant, mut end: End, out: &mut VecDeque<Event>) {
        if end.code == Some(Code::G05) && self.started.is_none() {
            // GRE cannot have failed midway if it never carried a data packet.
            end.code = Some(Code::C08);
        }
        let in_vain = now >= self.began + IN_VAIN;
        self.silence = self.link.silence();
        self.lost = Some(Box::new(match self.silence {
            _ if self.phase == Layer::Lcp => self.evidence.explain(self.role, end, in_vain),
            Some(silence) => blame::silent(now, silence.since, end),
            None => end,
        }));
        self.link.handle_command(now, link::Command::LowerDown);
        self.drain(now, &mut Vec::new(), out);
        if let Some(end) = self.lost.take() {
            self.finish(*end, out);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.begins.is_some_and(|at| now >= at) {
            self.begin(now);
        }
        if self.hangs_up.take_if(|at| now >= *at).is_some() {
            self.link.handle_command(now, link::Command::HangUp);
        }
        let before = self.link.silence();
        self.link.handle_timeout(now);
        self.silence = self.link.silence().or(before);
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            self.deadline = None;
            let (code, detail) = self.setup_deadline();
            self.close(now, Why::Failed, Some(code), detail);
        }
        if let Some((at, why)) = self.session_timeout()
            && now >= at
        {
            self.close(now, why, None, String::new());
        }
    }

    fn setup_deadline(&self) -> (Code, String) {
        let seconds = "the time for set-up has passed";
        match self.phase {
            Layer::Auth => (Code::A14, format!("{seconds} during authentication")),
            Layer::Encrypt => match self.role {
                Side::Server => (Code::E01, format!("{seconds} while encryption was being negotiated")),
                Side::Client => (Code::E02, format!("{seconds} while encryption was being negotiated")),
            },
            Layer::Address => (Code::I06, format!("{seconds} while addresses were being negotiated")),
            _ => self.evidence.judge(self.role, Code::L05, &format!("{seconds} during LCP")),
        }
    }

    fn session_timeout(&self) -> Option<(Instant, Why)> {
        if !self.up || self.closing.is_some() {
            return None;
        }
        let idle = self.terms.idle.map(|idle| (self.last_traffic + idle, Why::IdleTimeout));
        let max = self.terms.max.and_then(|max| self.started.map(|start| (start + max, Why::SessionTimeout)));
        idle.into_iter().chain(max).min()
    }

    pub(crate) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let deadline = self.deadline.map(|at| (at, "call set-up deadline"));
        let session = self.session_timeout().map(|(at, why)| (at, why.word()));
        let begins = self.begins.map(|at| (at, "the client has not spoken first"));
        let hangs_up = self.hangs_up.map(|at| (at, "no Terminate-Ack"));
        [deadline, session, begins, hangs_up, self.link.poll_timeout()]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }

    /// The requests in GRE that the peer has not answered.
    pub(crate) fn silence(&self) -> Option<Silence> {
        self.silence.filter(|_| !self.ended)
    }

    /// Records when the peer was last heard on the control connection.
    pub(crate) fn handle_control_heard(&mut self, at: Option<Instant>) {
        self.control_heard = at;
    }

    pub(crate) fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> bool {
        self.link.poll_transmit(buf)
    }

    /// Converts the link's output into events; questions go to `asks`.
    pub(crate) fn drain(&mut self, now: Instant, asks: &mut Vec<LinkQuestion>, out: &mut VecDeque<Event>) {
        while let Some(event) = self.link.poll_event() {
            self.link_event(now, event, asks, out);
        }
    }

    fn link_event(
        &mut self,
        now: Instant,
        event: LinkEvent,
        asks: &mut Vec<LinkQuestion>,
        out: &mut VecDeque<Event>,
    ) {
        match event {
            LinkEvent::Packet(packet) => self.note(out, Note::Packet(packet)),
            LinkEvent::LcpUp { peer_mru, pfc, acfc } => {
                self.phase = Layer::Auth;
                self.peer_mru = peer_mru;
                self.path(out, PathCommand::Link { peer_mru, pfc, acfc });
                self.note(out, Note::LayerUp(LayerUp::Lcp { mru: peer_mru }));
            }
            LinkEvent::Ask(id, question) => {
                let question = match question {
                    link::Question::Authenticate(request) => Question::Authenticate(request),
                    link::Question::Address { wanted } => {
                        Question::Address { name: self.name.to_vec(), wanted }
                    }
                };
                asks.push(LinkQuestion { id, question });
            }
            LinkEvent::Authenticated { name, method, server_proved } => {
                let user = adit_wire::text::escape(&name).to_string();
                self.name = name;
                self.method = Some(method);
                self.server_proved = server_proved;
                self.phase = Layer::Encrypt;
                self.note(out, Note::LayerUp(LayerUp::Auth { method, user }));
            }
            LinkEvent::Encryption(agreed) => self.encryption(agreed, out),
            LinkEvent::NetworkUp(network) => self.network_up(now, network, out),
            LinkEvent::NetworkDown => {
                self.up = false;
                self.path(out, PathCommand::Network(None));
            }
            LinkEvent::LargeLost { lost, passes } => {
                // An inner packet is shorter than the longest frame: MPPE and the protocol take four octets.
                let [lost, passes] = [lost, passes].map(|size| size.saturating_sub(4));
                self.note(out, Note::Finding(Finding::SizeProbe { lost, passes }));
            }
            LinkEvent::Unanswered { sent, seconds } => {
                self.note(out, Note::Finding(Finding::Unanswered { sent, seconds }));
            }
            LinkEvent::Forged { frames } => self.note(out, Note::ForgedFrames { frames }),
            LinkEvent::CountTraffic => out.push_back(Event::CountTraffic { call: self.handle }),
            LinkEvent::Ended(end) => self.link_ended(end, out),
        }
    }

    fn encryption(&mut self, agreed: Option<link::Mppe>, out: &mut VecDeque<Event>) {
        match agreed {
            Some(mppe) => {
                self.encryption = Some((mppe.strength, mppe.stateless));
                self.phase = Layer::Address;
                let (bits, stateless) = (mppe.strength.bits(), mppe.stateless);
                self.note(out, Note::LayerUp(LayerUp::Encrypt { bits, stateless }));
                self.path(out, PathCommand::Encryption(Some(mppe)));
            }
            None => {
                self.encryption = None;
                self.path(out, PathCommand::Encryption(None));
            }
        }
    }

    fn network_up(&mut self, now: Instant, network: link::Network, out: &mut VecDeque<Event>) {
        let mut peer_networks = vec![Ipv4Net::from(network.peer)];
        peer_networks.extend(self.terms.networks.iter().copied());
        // The peer may apply its MRU to the encrypted frame, which is four octets longer (RFC 3078: two for
        // the coherency count, two for the protocol inside).
        let limit = self.peer_mru.saturating_sub(if self.encryption.is_some() { 4 } else { 0 });
        let mtu = self.mtu.min(limit);
        let (peer_networks, acl) = match self.role {
            Side::Server => (peer_networks, self.terms.reach.clone()),
            // A client's peer is a router: packets from any source arrive through it, to this address only.
            Side::Client => (vec![Ipv4Net::default()], Some(vec![Ipv4Net::from(network.local)])),
        };
        self.path(
            out,
            PathCommand::Network(Some(path::Network {
                local: network.local,
                peer_networks,
                acl,
                mtu,
                answer_dhcp: self.terms.answer_dhcp,
                ipv6: network.ipv6.map(|(local, peer)| NetworkV6::link_local(local, peer)),
            })),
        );
        let (local, peer) = (network.local, network.peer);
        self.note(out, Note::LayerUp(LayerUp::Address { local, peer }));
        self.deadline = None;
        self.up = true;
        self.last_traffic = now;
        self.started.get_or_insert(now);
        let up = Up {
            name: Arc::clone(&self.name),
            method: self.method,
            server_proved: self.server_proved,
            encryption: self.encryption,
            local: network.local,
            peer: network.peer,
            dns: network.dns,
            wins: network.wins,
            mtu,
        };
        out.push_back(Event::Up { call: self.handle, up });
    }

    fn link_ended(&mut self, end: link::End, out: &mut VecDeque<Event>) {
        // What the link found before the lower layer went down is the cause: a refused login, then a
        // disconnect.
        let lost = self.lost.take();
        let end = with_reason(end, lost.as_deref());
        let lost = lost.filter(|_| end.code.is_none());
        let end = if let Some(closing) = self.closing.take() {
            let (why, code, detail) = *closing;
            End { why, by: Who::Us, code, detail }
        } else if let Some(lost) = lost {
            *lost
        } else {
            let by = end.by;
            let was_up = self.started.is_some();
            match end.code {
                Some(Code::L03) if was_up => {
                    End { why: Why::UserRequest, by, code: None, detail: end.detail }
                }
                None => End { why: Why::UserRequest, by, code: None, detail: end.detail },
                Some(code) => {
                    let (code, detail) = if self.phase == Layer::Lcp {
                        self.evidence.judge(self.role, code, &end.detail)
                    } else {
                        (code, end.detail)
                    };
                    let why = if code == Code::L04 { Why::LostCarrier } else { Why::Failed };
                    let (code, detail) = match (self.silence, self.control_heard) {
                        // An answer from before the last request would not show that TCP still works.
                        (Some(silence), Some(heard))
                            if code == Code::L04 && was_up && heard > silence.last =>
                        {
                            (Code::G05, format!("{detail}, while TCP 1723 was answered"))
                        }
                        _ => (code, detail),
                    };
                    End { why, by, code: Some(code), detail }
                }
            }
        };
        self.finish(end, out);
    }

    fn finish(&mut self, end: End, out: &mut VecDeque<Event>) {
        self.ended = true;
        (self.deadline, self.hangs_up) = (None, None);
        self.up = false;
        out.push_back(Event::CallEnded { call: self.handle, end });
    }

    fn path(&self, out: &mut VecDeque<Event>, command: PathCommand) {
        out.push_back(Event::Path { call: self.handle, command });
    }

    fn note(&self, out: &mut VecDeque<Event>, note: Note) {
        out.push_back(Event::Note { call: Some(self.handle), note });
    }
}

fn is_echo_request(frame: &[u8]) -> bool {
    matches!(ppp::frame(frame), Ok((ppp::LCP, [cp::ECHO_REQUEST, ..])))
}

/// The end of a link that the peer ended, with the reason that the peer then gave on the control connection: its
/// Terminate-Request often contains none. The loss of TCP is no reason.
fn with_reason(end: link::End, lost: Option<&End>) -> link::End {
    match lost {
        Some(lost) if end.code == Some(Code::L03) && lost.by == Who::Peer && lost.code != Some(Code::C06) => {
            link::End { detail: format!("{}; {}", end.detail, lost.detail), ..end }
        }
        _ => end,
    }
}
