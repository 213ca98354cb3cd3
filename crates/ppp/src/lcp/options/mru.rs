//! Maximum-Receive-Unit (RFC 1661 section 6.1): each side requests what it wants to receive.

use adit_wire::cp::{ConfigOption, Opt};
use adit_wire::lcp;
use adit_wire::ppp::DEFAULT_MRU;

use crate::fsm::Judge;
use crate::lcp::config::{LcpConfig, MIN_MRU};
use crate::lcp::context::Context;
use crate::negotiate::Negotiate;

#[derive(Debug)]
pub(in crate::lcp) struct Mru {
    configured: u16,
    /// The MRU in our request; `None` once the peer has rejected the option.
    asked: Option<u16>,
    /// The peer's MRU, which limits what we send.
    pub(in crate::lcp) peer: u16,
}

impl Mru {
    pub(in crate::lcp) fn new(config: &LcpConfig, _: &mut Context) -> Mru {
        Mru { configured: config.mru, asked: Some(config.mru), peer: DEFAULT_MRU }
    }

    /// The longest information field that the peer may send if it honours our request.
    pub(in crate::lcp) fn own(&self) -> u16 {
        self.asked.unwrap_or(DEFAULT_MRU)
    }
}

impl Negotiate<Context> for Mru {
    type Wire<'a> = lcp::Mru;

    fn reset(&mut self, _: &mut Context) {
        *self = Mru { asked: Some(self.configured), peer: DEFAULT_MRU, ..*self };
    }

    fn request(&self, out: &mut Vec<u8>) {
        if let Some(asked) = self.asked {
            lcp::Mru(asked).emit(out);
        }
    }

    fn judge(&mut self, asked: lcp::Mru, _: bool, _: &mut Context) -> Judge {
        if asked.0 >= MIN_MRU { Judge::Ack } else { Judge::nak(&lcp::Mru(MIN_MRU)) }
    }

    fn judge_malformed(&mut self, _: &mut Context) -> Judge {
        Judge::nak(&lcp::Mru(DEFAULT_MRU))
    }

    fn accepted(&mut self, asked: Option<lcp::Mru>, _: &mut Context) {
        self.peer = asked.map_or(DEFAULT_MRU, |asked| asked.0);
    }

    /// Buffers always hold the default MRU, so any value up to it is acceptable.
    fn naked(&mut self, wanted: lcp::Mru, _: &mut Context) {
        if self.asked.is_some() {
            self.asked = Some(wanted.0.clamp(MIN_MRU, DEFAULT_MRU));
        }
    }

    fn rejected(&mut self, _: &Opt<'_>, _: &mut Context) {
        self.asked = None;
    }
}
