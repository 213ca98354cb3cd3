//! Maximum-Receive-Unit (RFC 1661 section 6.1). Each side names what it wants to receive.

use adit_wire::lcp::LcpOption;
use adit_wire::ppp::DEFAULT_MRU;

use crate::fsm::Judge;
use crate::lcp::MIN_MRU;

#[derive(Debug)]
pub(in crate::lcp) struct Mru {
    /// `None` once the peer rejected the option.
    wish: Option<u16>,
    /// The peer's: our limit for sending.
    pub(in crate::lcp) peer: u16,
}

impl Mru {
    pub(in crate::lcp) fn new(wish: u16) -> Mru {
        Mru { wish: Some(wish), peer: DEFAULT_MRU }
    }

    pub(in crate::lcp) fn own(&self) -> u16 {
        self.wish.unwrap_or(DEFAULT_MRU)
    }

    pub(in crate::lcp) fn request(&self) -> Option<LcpOption<'static>> {
        self.wish.map(LcpOption::Mru)
    }

    pub(in crate::lcp) fn judge(mru: u16) -> Judge {
        if mru >= MIN_MRU { Judge::Ack } else { Judge::Nak(MIN_MRU.to_be_bytes().to_vec()) }
    }

    /// Buffers always hold the default MRU, so anything up to it can be promised.
    pub(in crate::lcp) fn naked(&mut self, mru: u16) {
        if self.wish.is_some() {
            self.wish = Some(mru.clamp(MIN_MRU, DEFAULT_MRU));
        }
    }

    pub(in crate::lcp) fn rejected(&mut self) {
        self.wish = None;
    }
}
