//! LCP (RFC 1661, 1570): the link options that both ends must agree on first. One file for each option under
//! `options/`.

mod config;
mod context;
mod extra;
mod options;

use std::collections::VecDeque;

use adit_crypto::Rng;
use adit_diag::Code;
use adit_wire::Protocol;
use adit_wire::cp::{Opt, Packet};
use adit_wire::lcp::{AuthProtocol, LcpOption};

pub use config::{Auth, LcpConfig, MIN_MRU};
pub use extra::Notice;

use crate::fsm::{Extra, Failure};
use crate::negotiate::Negotiation;
use context::Context;
use options::Options;

/// The options that both ends agreed on. Valid while LCP is Opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The longest information field that the peer accepts, in octets.
    pub peer_mru: u16,
    /// The longest information field that we asked for; the peer may send 1500 octets nevertheless.
    pub own_mru: u16,
    /// Whether the peer accepts one-octet protocol fields.
    pub pfc: bool,
    /// Whether the peer accepts frames without Address and Control.
    pub acfc: bool,
    /// How the peer has to authenticate itself to us.
    pub peer_proves: Option<AuthProtocol<'static>>,
    /// How we have to authenticate ourselves to the peer.
    pub we_prove: Option<AuthProtocol<'static>>,
}

/// LCP's options and decisions, for [`Fsm`](crate::fsm::Fsm).
#[derive(Debug)]
pub struct Lcp {
    options: Options,
    context: Context,
    notices: VecDeque<Notice>,
}

impl Lcp {
    /// Creates LCP with nothing agreed.
    pub fn new(config: LcpConfig, rng: Rng) -> Lcp {
        let mut context = Context::new(rng);
        Lcp { options: Options::new(&config, &mut context), context, notices: VecDeque::new() }
    }

    /// What was agreed; valid while LCP is Opened.
    pub fn agreed(&self) -> Agreed {
        let options = &self.options;
        Agreed {
            peer_mru: options.mru.peer,
            own_mru: options.mru.own(),
            pfc: options.pfc.peer,
            acfc: options.acfc.peer,
            peer_proves: options.authentication.asked(),
            we_prove: options.authentication.answers,
        }
    }

    /// Our Magic-Number, 0 when the peer rejected the option; Echo-Requests carry it (RFC 1661 section 5.8).
    pub fn magic(&self) -> u32 {
        self.options.magic.own.unwrap_or(0)
    }

    /// What the two ends have disagreed about so far, which is the likely reason if the peer now ends the
    /// link.
    pub fn dispute(&self) -> Option<Failure> {
        self.options.authentication.dispute()
    }

    /// The next notice from an extra code (8 and above).
    pub fn poll_notice(&mut self) -> Option<Notice> {
        let notice = self.notices.pop_front();
        if notice.is_none() {
            // Every Echo-Reply passes here; do not keep memory for the next one.
            self.notices = VecDeque::new();
        }
        notice
    }
}

impl Negotiation for Lcp {
    const PROTOCOL: Protocol = Protocol::Lcp;
    const NO_AGREEMENT: Code = Code::L01;
    type Options = Options;

    fn options(&self) -> &Options {
        &self.options
    }

    fn parts(&mut self) -> (&mut Options, &mut Context) {
        (&mut self.options, &mut self.context)
    }

    fn extra(&mut self, packet: &Packet<'_>, opened: bool) -> Extra {
        self.handle_extra(packet, opened)
    }

    fn show(option: &Opt<'_>) -> String {
        LcpOption::parse(option).map_or_else(|_| option.to_string(), |known| known.to_string())
    }
}

#[cfg(test)]
mod tests;
