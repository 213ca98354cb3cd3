//! A small PPP negotiator that follows a [`Profile`].

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::mppe::{StartKeys, Strength, start_keys_v2};
use adit_crypto::mschap::{authenticator_response, nt_response_v2};
use adit_crypto::secret::{NtHash, Password};
use adit_diag::Side;
use adit_ppp::mppe::Mppe;
use adit_wire::chap::{Message, MsChapV2Response, Success};
use adit_wire::cp::ConfigOption;
use adit_wire::lcp::{self, Marked, ProtocolReject};
use adit_wire::{Protocol, ccp, cp, ppp};

use super::negotiation::{Negotiation, Options, RESTART, octets};
use super::profile::Profile;

const ADDRESS: u8 = 3;
/// Longer than any call in a simulation.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
const CHAP_MS_V2: &[u8] = &[0xc2, 0x23, 0x81];
/// The reason for an end by the other side.
pub const GOODBYE: &str = "the peer said goodbye";
/// The addresses that a third-party server assigns to its clients.
const GIVEN: [(u8, [u8; 4]); 3] =
    [(ADDRESS, [10, 77, 0, 99]), (129, [10, 77, 0, 53]), (131, [10, 77, 0, 54])];

/// An event for the host.
#[derive(Clone, Debug)]
pub enum Event {
    /// LCP is up, with these capabilities of the peer.
    LcpUp {
        /// The longest information field, in octets.
        peer_mru: u16,
        /// One-octet protocol fields.
        pfc: bool,
        /// No address and control fields.
        acfc: bool,
    },
    /// MPPE starts, or stops.
    Encryption(Option<Mppe>),
    /// IP does not pass any more.
    Down,
    /// IP passes: our address and the peer's.
    Up(Ipv4Addr, Ipv4Addr),
    /// It disconnects, for this reason.
    Over(&'static str),
}

/// The phase of the negotiation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Establish,
    Authenticate,
    Network,
    Terminate,
}

/// One end of a PPP link of a third-party product.
#[derive(Debug)]
pub struct Ppp {
    profile: Profile,
    rng: Rng,
    name: Vec<u8>,
    hash: NtHash,
    magic: u32,
    next_id: u8,
    phase: Phase,
    lcp: Negotiation,
    ccp: Negotiation,
    ipcp: Negotiation,
    ipv6cp: Negotiation,
    peer_lcp: Options,
    peer_mppe: u32,
    peer_address: Option<Ipv4Addr>,
    challenge: [u8; 16],
    challenge_id: u8,
    rechallenges: u32,
    peer_challenge: [u8; 16],
    nt_response: [u8; 24],
    keys: Option<StartKeys>,
    echo: Option<Instant>,
    /// The open challenge or response: when it is repeated, its identifier, the packet.
    open: Option<(Instant, u8, Vec<u8>)>,
    repeated: bool,
    encrypted: bool,
    /// When it sent its first CCP request, and whether its MPPE stays off.
    ccp_asked: Option<Instant>,
    mppe_off: bool,
    up: bool,
    frames: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
}

impl Ppp {
    /// Creates an end that sends its first packet at `now`.
    pub fn new(profile: Profile, name: &str, password: &str, now: Instant, mut rng: Rng) -> Ppp {
        let magic = rng.nonzero_u32();
        let mut lcp = Negotiation::new(profile.lcp.clone());
        for (kind, data) in &mut lcp.options {
            if *kind == lcp::Magic::KIND {
                *data = magic.to_be_bytes().to_vec();
            }
        }
        let mut ipv6 = vec![0; 8];
        rng.fill(&mut ipv6);
        let mppe = (ccp::Mppe::KIND, profile.mppe.to_be_bytes().to_vec());
        let challenge = rng.challenge();
        let mut ppp = Ppp {
            name: name.as_bytes().to_vec(),
            hash: Password::new(password).nt_hash(),
            magic,
            next_id: 0,
            phase: Phase::Establish,
            lcp,
            ccp: Negotiation::new(vec![mppe]),
            ipcp: Negotiation::new(profile.ipcp.clone()),
            ipv6cp: Negotiation::new(vec![(1, ipv6)]),
            peer_lcp: Options::new(),
            peer_mppe: 0,
            peer_address: None,
            challenge,
            challenge_id: 0,
            rechallenges: 0,
            peer_challenge: [0; 16],
            nt_response: [0; 24],
            keys: None,
            echo: None,
            open: None,
            repeated: false,
            encrypted: false,
            ccp_asked: None,
            mppe_off: false,
            up: false,
            frames: VecDeque::new(),
            events: VecDeque::new(),
            profile,
            rng,
        };
        ppp.request(now, ppp::LCP);
        ppp
    }

    /// The next frame to send.
    pub fn next_frame(&mut self) -> Option<Vec<u8>> {
        self.frames.pop_front()
    }

    /// The next event.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether IP passes.
    pub fn is_up(&self) -> bool {
        self.up
    }

    /// Handles a data packet: rejects it if MPPE is off, and returns whether it does.
    pub fn handle_data(&mut self, frame: &[u8]) -> bool {
        let Ok((ppp::COMPRESSED, information)) = ppp::frame(frame) else { return false };
        if self.mppe_off {
            self.reject(ppp::COMPRESSED, information);
        }
        self.mppe_off
    }

    /// Loses the keys of MPPE: data packets are rejected from now on, and so are requests of CCP, as by accel-ppp.
    pub fn lose_mppe(&mut self) {
        self.mppe_off = true;
    }

    fn reject(&mut self, protocol: u16, information: &[u8]) {
        let id = self.id();
        let data = ProtocolReject { protocol, information }.to_vec(1400);
        self.send(ppp::LCP, cp::PROTOCOL_REJECT, id, &data);
    }

    /// Sends a Terminate-Request.
    pub fn terminate(&mut self) {
        self.phase = Phase::Terminate;
        self.open = None;
        let data = match self.profile.quirks.goodbye.clone() {
            mut data if data.len() == 12 => {
                data.splice(0..4, self.magic.to_be_bytes());
                data
            }
            data => data,
        };
        let id = self.id();
        self.send(ppp::LCP, cp::TERMINATE_REQUEST, id, &data);
    }

    /// Restarts LCP, and all layers above it.
    pub fn restart_lcp(&mut self, now: Instant) {
        self.phase = Phase::Establish;
        self.open = None;
        for negotiation in [&mut self.ccp, &mut self.ipcp, &mut self.ipv6cp] {
            (negotiation.granted, negotiation.acked, negotiation.repeat) = (false, false, None);
        }
        self.lcp.granted = false;
        self.stop_encryption();
        if core::mem::take(&mut self.up) {
            self.events.push_back(Event::Down);
        }
        self.request(now, ppp::LCP);
    }

    /// Restarts CCP, as for new keys.
    pub fn restart_ccp(&mut self, now: Instant) {
        self.ccp.granted = false;
        self.stop_encryption();
        self.request(now, ppp::CCP);
    }

    /// Challenges the client again.
    pub fn rechallenge(&mut self, now: Instant) {
        self.challenge = self.rng.challenge();
        let id = self.id();
        let mut packet = Vec::new();
        Message::Challenge { value: &self.challenge, name: b"foreign" }.emit(&mut packet, id);
        self.challenge_id = id;
        self.rechallenges += 1;
        self.send_open(now, id, packet);
    }

    /// The later challenges that were not answered correctly yet.
    pub fn open_rechallenges(&self) -> u32 {
        self.rechallenges
    }

    fn stop_encryption(&mut self) {
        if core::mem::take(&mut self.encrypted) {
            self.events.push_back(Event::Encryption(None));
        }
    }

    /// When [`Ppp::handle_timeout`] must be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let all = [&self.lcp, &self.ccp, &self.ipcp, &self.ipv6cp];
        all.into_iter()
            .filter_map(|negotiation| negotiation.repeat)
            .chain(self.echo)
            .chain(self.open.as_ref().map(|(at, _, _)| *at))
            .min()
    }

    /// Handles expired timers.
    pub fn handle_timeout(&mut self, now: Instant) {
        for protocol in [ppp::LCP, ppp::CCP, ppp::IPCP, ppp::IPV6CP] {
            if self.negotiation(protocol).repeat.is_some_and(|at| now >= at) {
                self.request(now, protocol);
            }
        }
        if let Some((_, id, packet)) = self.open.take_if(|(at, _, _)| now >= *at) {
            self.send_open(now, id, packet);
        }
        if self.echo.is_some_and(|at| now >= at) {
            let id = self.id();
            let data = self.magic.to_be_bytes();
            self.send(ppp::LCP, cp::ECHO_REQUEST, id, &data);
            self.schedule_echo(now);
        }
    }

    fn schedule_echo(&mut self, now: Instant) {
        self.echo = self.profile.quirks.lcp_echo.map(|every| now + Duration::from_secs(every));
    }

    /// Handles a received frame.
    pub fn handle_frame(&mut self, now: Instant, frame: &[u8]) {
        let Ok((protocol, information)) = ppp::frame(frame) else { return };
        let control = match protocol {
            ppp::LCP => Protocol::Lcp,
            ppp::CHAP => Protocol::Chap,
            ppp::CCP => Protocol::Ccp,
            ppp::IPCP => Protocol::Ipcp,
            ppp::IPV6CP => Protocol::Ipv6cp,
            _ => return,
        };
        let Ok(packet) = cp::Packet::parse(control, information) else { return };
        match (protocol, self.phase) {
            (ppp::LCP, _) => self.lcp(now, &packet),
            (ppp::CHAP, Phase::Authenticate) => self.chap(now, &packet),
            (ppp::CHAP, Phase::Network) if self.profile.server => self.chap(now, &packet),
            (ppp::CHAP, _) => {}
            (_, Phase::Network) => self.network(now, protocol, &packet),
            _ => {}
        }
    }

    fn id(&mut self) -> u8 {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        id
    }

    fn negotiation(&mut self, protocol: u16) -> &mut Negotiation {
        match protocol {
            ppp::CCP => &mut self.ccp,
            ppp::IPCP => &mut self.ipcp,
            ppp::IPV6CP => &mut self.ipv6cp,
            _ => &mut self.lcp,
        }
    }

    /// Sends our request with the next identifier.
    fn request(&mut self, now: Instant, protocol: u16) {
        let id = self.id();
        if protocol == ppp::CCP {
            self.ccp_asked.get_or_insert(now);
        }
        let negotiation = self.negotiation(protocol);
        let more = negotiation.sent(now, id);
        let data = octets(&negotiation.options);
        if more {
            self.send(protocol, cp::CONFIGURE_REQUEST, id, &data);
        } else {
            negotiation.repeat = None;
            self.hang_up("no answer to a Configure-Request");
        }
    }

    fn hang_up(&mut self, why: &'static str) {
        if self.phase != Phase::Terminate {
            self.terminate();
            self.events.push_back(Event::Over(why));
        }
    }

    fn send(&mut self, protocol: u16, code: u8, id: u8, data: &[u8]) {
        let compressed = |kind| self.peer_lcp.iter().any(|(of, _)| *of == kind);
        let plain = protocol == ppp::LCP;
        let mut frame = Vec::new();
        ppp::push_header(
            &mut frame,
            protocol,
            !plain && compressed(lcp::Acfc::KIND),
            !plain && compressed(lcp::Pfc::KIND),
        );
        cp::emit(&mut frame, code, id, data);
        self.frames.push_back(frame);
    }

    fn lcp(&mut self, now: Instant, packet: &cp::Packet<'_>) {
        match packet.code {
            cp::CONFIGURE_REQUEST => {
                if self.phase != Phase::Establish {
                    // The peer restarts LCP.
                    self.restart_lcp(now);
                }
                if let Some(options) = self.judge_lcp(packet) {
                    self.peer_lcp = options;
                    self.lcp.granted = true;
                }
            }
            cp::CONFIGURE_ACK => {
                self.lcp.acknowledged(packet.id);
            }
            cp::CONFIGURE_NAK | cp::CONFIGURE_REJECT => self.refused(now, ppp::LCP, packet),
            cp::TERMINATE_REQUEST => {
                self.send(ppp::LCP, cp::TERMINATE_ACK, packet.id, &[]);
                self.phase = Phase::Terminate;
                self.events.push_back(Event::Over(GOODBYE));
            }
            cp::TERMINATE_ACK if self.phase == Phase::Terminate => {
                self.events.push_back(Event::Over("it said goodbye"));
            }
            // In Opened only (RFC 1661 section 5.8).
            cp::ECHO_REQUEST if matches!(self.phase, Phase::Authenticate | Phase::Network) => {
                let rest = packet.data.get(4..).unwrap_or_default();
                let data = Marked { magic: self.magic, rest }.to_vec();
                self.send(ppp::LCP, cp::ECHO_REPLY, packet.id, &data);
            }
            cp::PROTOCOL_REJECT => {
                if let Ok(reject) = ProtocolReject::parse(packet) {
                    self.negotiation(reject.protocol).repeat = None;
                    if reject.protocol == ppp::CCP {
                        self.hang_up("encryption is required");
                    }
                }
            }
            _ => {}
        }
        if self.phase == Phase::Establish && self.lcp.is_open() {
            self.lcp_up(now);
        }
    }

    fn lcp_up(&mut self, now: Instant) {
        self.phase = Phase::Authenticate;
        let value = |kind| self.peer_lcp.iter().find(|(of, _)| *of == kind).map(|(_, data)| data.as_slice());
        let peer_mru = match value(lcp::Mru::KIND) {
            Some(&[high, low]) => u16::from_be_bytes([high, low]),
            _ => 1500,
        };
        let (pfc, acfc) = (value(lcp::Pfc::KIND).is_some(), value(lcp::Acfc::KIND).is_some());
        self.events.push_back(Event::LcpUp { peer_mru, pfc, acfc });
        for text in self.profile.identifications.clone() {
            let id = self.id();
            let data = Marked { magic: self.magic, rest: &text }.to_vec();
            self.send(ppp::LCP, cp::IDENTIFICATION, id, &data);
        }
        self.schedule_echo(now);
        if self.profile.server {
            self.challenge = self.rng.challenge();
            let id = self.id();
            let mut packet = Vec::new();
            Message::Challenge { value: &self.challenge, name: b"foreign" }.emit(&mut packet, id);
            self.challenge_id = id;
            self.send_open(now, id, packet);
        }
    }

    /// Sends a challenge or a response, which is repeated until it is answered.
    fn send_open(&mut self, now: Instant, id: u8, packet: Vec<u8>) {
        self.raw(ppp::CHAP, &packet);
        // A response that is not repeated is kept in case the challenge is repeated.
        let again = if self.profile.quirks.answers_once { A_DAY } else { RESTART };
        self.open = Some((now + again, id, packet));
    }

    /// Sends an encoded packet.
    fn raw(&mut self, protocol: u16, packet: &[u8]) {
        if let Ok(parsed) = cp::Packet::parse(Protocol::Chap, packet) {
            self.send(protocol, parsed.code, parsed.id, parsed.data);
        }
    }

    /// Answers the peer's request; returns its options if they are acknowledged.
    fn judge_lcp(&mut self, packet: &cp::Packet<'_>) -> Option<Options> {
        let options = options(packet, Protocol::Lcp)?;
        let takes = |kind: u8| {
            self.profile.lcp_takes.contains(&kind) && (kind != lcp::Auth::KIND || !self.profile.server)
        };
        let refused: Options = options.iter().filter(|(kind, _)| !takes(*kind)).cloned().collect();
        let wrong = options.iter().any(|(kind, data)| *kind == lcp::Auth::KIND && data != CHAP_MS_V2);
        if !refused.is_empty() {
            self.send(ppp::LCP, cp::CONFIGURE_REJECT, packet.id, &octets(&refused));
            None
        } else if wrong {
            let wanted = vec![(lcp::Auth::KIND, CHAP_MS_V2.to_vec())];
            self.send(ppp::LCP, cp::CONFIGURE_NAK, packet.id, &octets(&wanted));
            None
        } else {
            self.send(ppp::LCP, cp::CONFIGURE_ACK, packet.id, packet.data);
            Some(options)
        }
    }

    /// Handles a Nak or Reject of our last request, and sends the next one.
    fn refused(&mut self, now: Instant, protocol: u16, packet: &cp::Packet<'_>) {
        let Some(options) = options(packet, Protocol::Lcp) else { return };
        let negotiation = self.negotiation(protocol);
        if packet.id != negotiation.id || negotiation.repeat.is_none() {
            return;
        }
        match packet.code {
            cp::CONFIGURE_NAK => negotiation.naked(&options),
            _ => negotiation.rejected(&options),
        }
        if protocol == ppp::CCP && self.ccp.options.is_empty() {
            return self.hang_up("encryption is required");
        }
        self.request(now, protocol);
    }

    fn chap(&mut self, now: Instant, packet: &cp::Packet<'_>) {
        match Message::parse(packet) {
            Ok(Message::Challenge { value, .. }) if !self.profile.server => {
                let Ok(challenge) = value.try_into() else { return };
                if let Some((_, id, packet)) = self.open.take_if(|(_, id, _)| *id == packet.id) {
                    // The challenge is repeated, so the response is too.
                    return self.send_open(now, id, packet);
                }
                self.challenge = challenge;
                self.peer_challenge = self.rng.challenge();
                self.nt_response =
                    nt_response_v2(&self.challenge, &self.peer_challenge, &self.name, &self.hash);
                let (peer_challenge, nt_response) = (self.peer_challenge, self.nt_response);
                let value = MsChapV2Response { peer_challenge, nt_response }.to_bytes();
                let name = self.name.clone();
                let mut answer = Vec::new();
                Message::Response { value: &value, name: &name }.emit(&mut answer, packet.id);
                self.send_open(now, packet.id, answer);
            }
            Ok(Message::Success(text)) if !self.profile.server => {
                let proof = Success::parse(text).response;
                if proof == Some(self.proof()) {
                    self.authenticated(now, Side::Client);
                } else {
                    self.hang_up("the server did not prove itself");
                }
            }
            Ok(Message::Failure(_)) => self.hang_up("the password was refused"),
            Ok(Message::Response { value, name })
                if self.profile.server && self.challenge_id == packet.id =>
            {
                self.response(now, packet.id, value, name);
            }
            _ => {}
        }
    }

    fn proof(&self) -> [u8; 20] {
        authenticator_response(
            &self.challenge,
            &self.peer_challenge,
            &self.name,
            &self.hash,
            &self.nt_response,
        )
    }

    /// Handles the client's response to our challenge.
    fn response(&mut self, now: Instant, id: u8, value: &[u8], name: &[u8]) {
        let Ok(response) = MsChapV2Response::parse(value) else { return };
        let expected = nt_response_v2(&self.challenge, &response.peer_challenge, name, &self.hash);
        if name != self.name || expected != response.nt_response {
            let text = b"E=691 R=0 C=00000000000000000000000000000000 V=3 M=Access denied";
            self.send(ppp::CHAP, adit_wire::chap::FAILURE, id, text);
            return self.hang_up("the password was wrong");
        }
        self.peer_challenge = response.peer_challenge;
        self.nt_response = response.nt_response;
        let mut text = b"S=".to_vec();
        for octet in self.proof() {
            text.extend_from_slice(format!("{octet:02X}").as_bytes());
        }
        if !self.profile.quirks.success_without_message {
            text.extend_from_slice(b" M=Access granted");
        }
        self.send(ppp::CHAP, adit_wire::chap::SUCCESS, id, &text);
        if self.phase == Phase::Authenticate {
            self.authenticated(now, Side::Server);
        } else {
            self.open = None;
            self.rechallenges = self.rechallenges.saturating_sub(1);
        }
    }

    fn authenticated(&mut self, now: Instant, side: Side) {
        self.open = None;
        self.keys = Some(start_keys_v2(&self.hash, &self.nt_response, side));
        self.phase = Phase::Network;
        for protocol in self.profile.begins {
            self.request(now, *protocol);
        }
    }

    fn network(&mut self, now: Instant, protocol: u16, packet: &cp::Packet<'_>) {
        let early = self.profile.quirks.early_ack.zip(self.ccp_asked);
        match packet.code {
            cp::CONFIGURE_REQUEST if protocol == ppp::CCP && self.mppe_off => {
                let mut information = Vec::new();
                cp::emit(&mut information, packet.code, packet.id, packet.data);
                self.reject(ppp::CCP, &information);
            }
            cp::CONFIGURE_ACK
                if protocol == ppp::CCP && early.is_some_and(|(ready, asked)| now < asked + ready) =>
            {
                self.mppe_off = self.negotiation(protocol).acknowledged(packet.id);
            }
            cp::CONFIGURE_REQUEST => {
                if protocol == ppp::CCP && self.ccp.is_open() {
                    // The peer restarts encryption, and so do we.
                    self.restart_ccp(now);
                }
                self.judge_network(protocol, packet);
            }
            cp::CONFIGURE_ACK => {
                let ours = self.negotiation(protocol).acknowledged(packet.id);
                if ours && protocol == ppp::IPCP && self.profile.quirks.repeats_ipcp && !self.repeated {
                    self.repeated = true;
                    self.request(now, protocol);
                }
            }
            cp::CONFIGURE_NAK | cp::CONFIGURE_REJECT => self.refused(now, protocol, packet),
            cp::TERMINATE_ACK if protocol == ppp::IPCP && self.profile.quirks.hates_terminate_ack => {
                self.hang_up("its IPCP request was answered with Terminate-Ack");
            }
            cp::TERMINATE_REQUEST => self.send(protocol, cp::TERMINATE_ACK, packet.id, &[]),
            _ => {}
        }
        self.settle();
    }

    fn judge_network(&mut self, protocol: u16, packet: &cp::Packet<'_>) {
        let Some(options) = options(packet, Protocol::Ipcp) else { return };
        let (code, data) = match protocol {
            ppp::CCP => self.judge_mppe(&options),
            ppp::IPCP => self.judge_ipcp(&options),
            _ => (cp::CONFIGURE_ACK, octets(&options)),
        };
        self.negotiation(protocol).granted = code == cp::CONFIGURE_ACK;
        self.send(protocol, code, packet.id, &data);
    }

    fn judge_mppe(&mut self, options: &Options) -> (u8, Vec<u8>) {
        let bits = options.iter().find(|(kind, _)| *kind == ccp::Mppe::KIND);
        let bits =
            bits.and_then(|(_, data)| <[u8; 4]>::try_from(data.as_slice()).ok()).map(u32::from_be_bytes);
        if bits == Some(self.profile.mppe_wants) {
            self.peer_mppe = self.profile.mppe_wants;
            return (cp::CONFIGURE_ACK, octets(options));
        }
        let wanted = (ccp::Mppe::KIND, self.profile.mppe_wants.to_be_bytes().to_vec());
        (cp::CONFIGURE_NAK, octets(&vec![wanted]))
    }

    fn judge_ipcp(&mut self, options: &Options) -> (u8, Vec<u8>) {
        let rejects = |kind: u8| self.profile.ipcp_rejects.contains(&kind);
        let refused: Options = options.iter().filter(|(kind, _)| rejects(*kind)).cloned().collect();
        if !refused.is_empty() {
            return (cp::CONFIGURE_REJECT, octets(&refused));
        }
        if self.profile.server {
            let given =
                |kind: u8| GIVEN.iter().find(|(of, _)| *of == kind).map(|(_, address)| address.to_vec());
            let wrong: Options = options
                .iter()
                .filter_map(|(kind, data)| Some((*kind, given(*kind).filter(|given| given != data)?)))
                .collect();
            if !wrong.is_empty() {
                return (cp::CONFIGURE_NAK, octets(&wrong));
            }
        }
        self.peer_address =
            options.iter().find(|(kind, _)| *kind == ADDRESS).and_then(|(_, data)| address(data));
        (cp::CONFIGURE_ACK, octets(options))
    }

    /// Handles the consequences of an agreement.
    fn settle(&mut self) {
        let ours = self.ccp.get(ccp::Mppe::KIND).map(<[u8]>::to_vec);
        let wants = self.profile.mppe_wants;
        if self.ccp.is_open() && !self.encrypted && ours == Some(wants.to_be_bytes().to_vec()) {
            self.encrypted = true;
            if let Some(keys) = self.keys.clone().filter(|_| !self.mppe_off) {
                let stateless = self.profile.is_stateless();
                let mppe = Mppe { strength: Strength::Bits128, stateless, keys };
                self.events.push_back(Event::Encryption(Some(mppe)));
            }
        }
        let local = self.ipcp.get(ADDRESS).and_then(address);
        if self.ipcp.is_open()
            && self.encrypted
            && !self.up
            && let (Some(local), Some(peer)) = (local, self.peer_address)
        {
            self.up = true;
            self.events.push_back(Event::Up(local, peer));
        }
    }
}

fn address(data: &[u8]) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(data).ok().map(Ipv4Addr::from)
}

fn options(packet: &cp::Packet<'_>, control: Protocol) -> Option<Options> {
    packet
        .options(control)
        .map(|option| option.ok().map(|option| (option.kind, option.data.to_vec())))
        .collect()
}
