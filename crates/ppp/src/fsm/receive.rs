//! Handling of packets from the peer, and the events that they cause.

use core::fmt;
use std::time::Instant;

use adit_wire::cp::{self, Opt, Options, Packet};

use super::machine::{Event, Finish, Fsm, Reply};
use super::protocol::{ControlProtocol, Extra, Failure, Judge};
use crate::automaton::{self, State};

/// The refusals of our requests (Nak or Reject) after which a negotiation is taken not to converge, in
/// addition to two for each Max-Failure. No protocol here has as many options.
const REFUSALS: u32 = 16;

/// Why a packet was dropped without an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// The packet is malformed.
    Malformed(adit_wire::Error),
    /// The identifier does not match a request that waits for its reply.
    StaleId,
    /// The packet acknowledges or rejects options that are not those of our request.
    NotOurOptions,
    /// The lower layer is down.
    NotUp,
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ignored::Malformed(error) => write!(f, "malformed: {error}"),
            Ignored::StaleId => f.write_str("answers no request of ours that is open"),
            Ignored::NotOurOptions => f.write_str("not the options that we sent"),
            Ignored::NotUp => f.write_str("too early"),
        }
    }
}

impl<P: ControlProtocol> Fsm<P> {
    /// Handles a packet of this protocol: the information field of its frame.
    ///
    /// # Errors
    /// Why the packet was dropped; the negotiation continues unchanged.
    pub fn handle_input(&mut self, now: Instant, information: &[u8]) -> Result<(), Ignored> {
        if matches!(self.state, State::Initial | State::Starting) {
            return Err(Ignored::NotUp);
        }
        let packet = Packet::parse(P::PROTOCOL, information).map_err(Ignored::Malformed)?;
        match packet.code {
            cp::CONFIGURE_REQUEST => self.on_request(now, &packet)?,
            cp::CONFIGURE_ACK => self.on_ack(now, &packet)?,
            cp::CONFIGURE_NAK => self.on_nak(now, &packet)?,
            cp::CONFIGURE_REJECT => self.on_reject(now, &packet)?,
            cp::TERMINATE_REQUEST => self.on_terminate_request(now, &packet),
            cp::TERMINATE_ACK => self.fire(now, automaton::Event::Rta, Reply::None),
            cp::CODE_REJECT => self.on_code_reject(now, &packet),
            _ => self.on_extra(now, &packet),
        }
        self.close_if_failed(now);
        Ok(())
    }

    /// Closes the layer if the protocol has failed; `true` then, and the packet needs no other answer.
    fn close_if_failed(&mut self, now: Instant) -> bool {
        let Some(failure) = self.protocol.failure() else { return false };
        let reason = failure.detail.clone();
        self.finish_with(now, Finish::Failed(failure), &reason);
        true
    }

    fn on_request(&mut self, now: Instant, packet: &Packet<'_>) -> Result<(), Ignored> {
        let options = options::<P>(packet)?;
        if self.is_crossing(now, packet) {
            self.push(cp::CONFIGURE_ACK, packet.id, packet.data);
            return Ok(());
        }
        match self.state {
            // The request starts a new negotiation, so it must not be judged by the result of the old one.
            State::Opened | State::Stopped => self.begin(),
            State::ReqSent | State::AckRcvd | State::AckSent => {}
            // The table answers with Terminate-Ack or not at all; there is nothing to judge.
            _ => {
                let reply = Reply::Terminate { id: packet.id };
                self.fire(now, automaton::Event::RcrPlus, reply);
                return Ok(());
            }
        }
        let (code, data) = self.judge(packet, &options);
        if self.close_if_failed(now) {
            return Ok(());
        }
        let event = match code {
            cp::CONFIGURE_ACK => {
                self.protocol.accepted(&options);
                self.peer_request = (packet.id, packet.data.into());
                self.naks_sent = 0;
                automaton::Event::RcrPlus
            }
            cp::CONFIGURE_NAK => {
                self.naks_sent += 1;
                automaton::Event::RcrMinus
            }
            _ => automaton::Event::RcrMinus,
        };
        self.fire(now, event, Reply::Configure { code, id: packet.id, data: &data });
        Ok(())
    }

    /// Reject before Nak before Ack (RFC 1661 section 5.2 to 5.4), with the data of the answer.
    fn judge(&mut self, packet: &Packet<'_>, options: &[Opt<'_>]) -> (u8, Vec<u8>) {
        let naks_left = self.naks_sent < self.timers.max_failure;
        let mut seen = [false; 256];
        let (mut naks, mut rejects) = (Vec::new(), Vec::new());
        for option in options {
            let seen = &mut seen[usize::from(option.kind)];
            let judged = if *seen { Judge::Reject } else { self.protocol.judge(option, naks_left) };
            *seen = true;
            match judged {
                Judge::Ack => {}
                Judge::Nak(data) if naks_left => cp::push_option(&mut naks, option.kind, &data),
                Judge::Nak(_) | Judge::Reject => rejects.extend_from_slice(option.raw),
            }
        }
        let missing = self.protocol.missing(options, naks_left);
        if naks_left {
            naks.extend_from_slice(&missing);
        }
        if !rejects.is_empty() {
            (cp::CONFIGURE_REJECT, rejects)
        } else if !naks.is_empty() {
            (cp::CONFIGURE_NAK, naks)
        } else {
            (cp::CONFIGURE_ACK, packet.data.to_vec())
        }
    }

    /// Whether the request repeats what was just agreed, before any traffic: it crossed our Ack, or, with the
    /// same identifier, our Ack was lost.
    pub fn is_crossing(&self, now: Instant, packet: &Packet<'_>) -> bool {
        let (Some(window), Some(opened)) = (P::CROSSING, self.opened_at) else { return false };
        let (id, options) = &self.peer_request;
        let repeated = packet.id == *id || now < opened + window;
        self.state == State::Opened && packet.data == &**options && repeated
    }

    fn on_ack(&mut self, now: Instant, packet: &Packet<'_>) -> Result<(), Ignored> {
        self.expect_reply(packet)?;
        if packet.data != &*self.request.options {
            return Err(Ignored::NotOurOptions);
        }
        self.request.answered = true;
        if self.state.is_negotiating() {
            self.protocol.acked();
        }
        if self.close_if_failed(now) {
            return Ok(());
        }
        self.fire(now, automaton::Event::Rca, Reply::Terminate { id: packet.id });
        Ok(())
    }

    fn on_nak(&mut self, now: Instant, packet: &Packet<'_>) -> Result<(), Ignored> {
        self.expect_reply(packet)?;
        let options = options::<P>(packet)?;
        self.request.answered = true;
        if self.state.is_negotiating() {
            self.naks_received += 1;
            self.count_refusal(now, &options);
            if self.naks_received <= self.timers.max_failure {
                self.protocol.naked(&options);
            } else {
                self.protocol.rejected(&options);
            }
        }
        if self.close_if_failed(now) {
            return Ok(());
        }
        self.fire(now, automaton::Event::Rcn, Reply::Terminate { id: packet.id });
        Ok(())
    }

    fn on_reject(&mut self, now: Instant, packet: &Packet<'_>) -> Result<(), Ignored> {
        self.expect_reply(packet)?;
        let options = options::<P>(packet)?;
        if options.is_empty() || !self.are_ours(&options) {
            return Err(Ignored::NotOurOptions);
        }
        self.request.answered = true;
        if self.state.is_negotiating() {
            self.count_refusal(now, &options);
            self.protocol.rejected(&options);
        }
        if self.close_if_failed(now) {
            return Ok(());
        }
        self.fire(now, automaton::Event::Rcn, Reply::Terminate { id: packet.id });
        Ok(())
    }

    fn count_refusal(&mut self, now: Instant, options: &[Opt<'_>]) {
        self.refusals += 1;
        if self.refusals > REFUSALS.saturating_add(self.timers.max_failure.saturating_mul(2)) {
            let last = options.first().map_or_else(|| "nothing".to_owned(), P::show);
            let (protocol, times) = (P::PROTOCOL, self.refusals);
            let detail = format!("the peer refused our {protocol} requests {times} times, last over {last}");
            let failure = Failure { code: P::NO_AGREEMENT, detail: detail.clone() };
            self.finish_with(now, Finish::Failed(failure), &detail);
        }
    }

    fn on_terminate_request(&mut self, now: Instant, packet: &Packet<'_>) {
        let data = Self::kept(packet.data);
        self.cause.get_or_insert_with(|| Box::new(Finish::Terminated(data.clone())));
        self.push_event(Event::TerminateRequest(data));
        self.fire(now, automaton::Event::Rtr, Reply::Terminate { id: packet.id });
        if self.state.is_negotiating() {
            // The table continues to send requests; if the peer answers them, its Terminate-Request was not
            // the end.
            self.cause = None;
        }
    }

    fn on_code_reject(&mut self, now: Instant, packet: &Packet<'_>) {
        // Only the first octet of the rejected packet is needed; a peer with a small MRU may have cut the rest.
        match packet.data.first() {
            Some(code) if self.protocol.is_essential(*code) => self.protocol_rejected(now),
            _ => self.fire(now, automaton::Event::RxjPlus, Reply::None),
        }
    }

    fn on_extra(&mut self, now: Instant, packet: &Packet<'_>) {
        match self.protocol.extra(packet, self.is_opened()) {
            Extra::Unknown => {
                let mut whole = Vec::new();
                packet.emit(&mut whole);
                self.fire(now, automaton::Event::Ruc, Reply::Code { packet: &whole });
            }
            Extra::Done => self.fire(now, automaton::Event::Rxr, Reply::None),
            Extra::Reply { code, data } => {
                let data = self.cut(&data).to_vec();
                self.fire(now, automaton::Event::Rxr, Reply::Extra { code, id: packet.id, data: &data });
            }
        }
    }

    /// Checks that a reply matches the open request and is the first one.
    fn expect_reply(&self, packet: &Packet<'_>) -> Result<(), Ignored> {
        // In Closed and Stopped no request is open, and the table answers whatever arrives.
        let settled = matches!(self.state, State::Closed | State::Stopped);
        if settled || (packet.id == self.request.id && !self.request.answered) {
            Ok(())
        } else {
            Err(Ignored::StaleId)
        }
    }

    /// Whether `options` is a subset of the options in our request, unchanged and in order.
    fn are_ours(&self, options: &[Opt<'_>]) -> bool {
        let mut ours = Options::new(P::PROTOCOL, &self.request.options).filter_map(Result::ok);
        options.iter().all(|option| ours.any(|own| own.raw == option.raw))
    }
}

/// Parses all options of a packet with code 1 to 4; one bad Length makes the whole packet malformed.
fn options<'a, P: ControlProtocol>(packet: &Packet<'a>) -> Result<Vec<Opt<'a>>, Ignored> {
    packet.options(P::PROTOCOL).collect::<Result<_, _>>().map_err(Ignored::Malformed)
}
