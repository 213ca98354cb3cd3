//! LCP (RFC 1661, 1570): what two ends must agree on before anything else. One file for each option under `options/`.

mod config;
mod extra;
mod options;

use std::collections::VecDeque;

use adit_crypto::Rng;
use adit_wire::cp::{Opt, Packet};
use adit_wire::lcp::{AuthProtocol, LcpOption, kind};
use adit_wire::{Protocol, ppp};

pub use config::{Auth, LcpConfig};
pub use extra::Notice;

use crate::fsm::{ControlProtocol, Extra, Failure, Judge};
use options::{authentication::Authentication, compression::Compression, magic::Magic, mru::Mru};

/// The smallest MRU that is accepted from a peer, in octets.
pub const MIN_MRU: u16 = 128;

/// What the two ends agreed on. It holds while LCP is Opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The longest information field that the peer takes, in octets.
    pub peer_mru: u16,
    /// The longest one that we asked for; the peer may send 1500 octets all the same.
    pub own_mru: u16,
    /// The peer takes one-octet protocol fields.
    pub pfc: bool,
    /// The peer takes frames without Address and Control.
    pub acfc: bool,
    /// How the peer has to authenticate itself to us.
    pub peer_proves: Option<AuthProtocol<'static>>,
    /// How we have to authenticate ourselves to the peer.
    pub we_prove: Option<AuthProtocol<'static>>,
}

/// What we ask for first, in every negotiation.
#[derive(Clone, Copy, Debug)]
struct Wish {
    mru: u16,
    pfc: bool,
    acfc: bool,
}

/// LCP's options and decisions, for [`Fsm`](crate::fsm::Fsm).
#[derive(Debug)]
pub struct Lcp {
    wish: Wish,
    rng: Rng,
    mru: Mru,
    authentication: Authentication,
    magic: Magic,
    pfc: Compression,
    acfc: Compression,
    failure: Option<Box<Failure>>,
    notices: VecDeque<Notice>,
}

impl Lcp {
    /// LCP with nothing agreed.
    pub fn new(config: LcpConfig, mut rng: Rng) -> Lcp {
        let LcpConfig { mru, auth, pfc, acfc } = config;
        Lcp {
            wish: Wish { mru, pfc, acfc },
            mru: Mru::new(mru),
            authentication: Authentication::new(auth),
            magic: Magic::new(&mut rng),
            pfc: Compression::new(pfc),
            acfc: Compression::new(acfc),
            failure: None,
            notices: VecDeque::new(),
            rng,
        }
    }

    /// What is agreed; meaningful while LCP is Opened.
    pub fn agreed(&self) -> Agreed {
        Agreed {
            peer_mru: self.mru.peer,
            own_mru: self.mru.own(),
            pfc: self.pfc.peer,
            acfc: self.acfc.peer,
            peer_proves: self.authentication.asked(),
            we_prove: self.authentication.answers,
        }
    }

    /// Our Magic-Number, 0 when the peer rejected the option; Echo-Requests carry it (RFC 1661 section 5.8).
    pub fn magic(&self) -> u32 {
        self.magic.own.unwrap_or(0)
    }

    /// What the two ends have disagreed about so far, which is the likely reason if the peer now goes.
    pub fn dispute(&self) -> Option<Failure> {
        self.authentication.dispute()
    }

    /// The next thing that an extra code (8 and above) told.
    pub fn poll_notice(&mut self) -> Option<Notice> {
        let notice = self.notices.pop_front();
        if notice.is_none() {
            // An answer to every Echo-Request passes here; nothing is held for the next.
            self.notices = VecDeque::new();
        }
        notice
    }

    fn fail(&mut self, failure: Option<Failure>) {
        if self.failure.is_none() {
            self.failure = failure.map(Box::new);
        }
    }
}

impl ControlProtocol for Lcp {
    const PROTOCOL: Protocol = Protocol::Lcp;

    fn reset(&mut self) {
        self.mru = Mru::new(self.wish.mru);
        self.authentication.reset();
        self.magic.restart(&mut self.rng);
        self.pfc = Compression::new(self.wish.pfc);
        self.acfc = Compression::new(self.wish.acfc);
        self.failure = None;
    }

    fn request(&self, out: &mut Vec<u8>) {
        let options = [
            self.mru.request(),
            self.authentication.asked().map(LcpOption::Auth),
            self.magic.own.map(LcpOption::Magic),
            self.pfc.own.then_some(LcpOption::Pfc),
            self.acfc.own.then_some(LcpOption::Acfc),
        ];
        for option in options.iter().flatten() {
            option.emit(out);
        }
    }

    fn judge(&mut self, option: &Opt<'_>, naks_left: bool) -> Judge {
        match (LcpOption::parse(option), option.kind) {
            (Ok(LcpOption::Mru(mru)), _) => Mru::judge(mru),
            (Err(_), kind::MRU) => Judge::Nak(ppp::DEFAULT_MRU.to_be_bytes().to_vec()),
            (Ok(LcpOption::Accm(_)), _) => Judge::Ack,
            (Err(_), kind::ACCM) => Judge::Nak(vec![0; 4]),
            (Ok(LcpOption::Auth(wanted)), _) => {
                let (judge, failure) = self.authentication.judge(wanted, naks_left);
                self.fail(failure);
                judge
            }
            (Ok(LcpOption::Magic(magic)), _) => {
                let (judge, failure) = self.magic.judge(magic, naks_left, &mut self.rng);
                self.fail(failure);
                judge
            }
            (Err(_), kind::MAGIC) => Judge::Nak(self.rng.nonzero_u32().to_be_bytes().to_vec()),
            (Ok(LcpOption::Pfc | LcpOption::Acfc), _) => Judge::Ack,
            (Err(_), kind::PFC | kind::ACFC) => Judge::Nak(Vec::new()),
            // Callback, multilink and the rest: not here. Windows asks again without them.
            _ => Judge::Reject,
        }
    }

    fn accepted(&mut self, request: &[Opt<'_>]) {
        self.mru.peer = ppp::DEFAULT_MRU;
        self.authentication.answers = None;
        (self.pfc.peer, self.acfc.peer) = (false, false);
        for option in request.iter().flat_map(LcpOption::parse) {
            match option {
                LcpOption::Mru(mru) => self.mru.peer = mru,
                LcpOption::Auth(wanted) => self.authentication.accept(wanted),
                LcpOption::Pfc => self.pfc.peer = true,
                LcpOption::Acfc => self.acfc.peer = true,
                _ => {}
            }
        }
    }

    fn naked(&mut self, options: &[Opt<'_>]) {
        for option in options.iter().flat_map(LcpOption::parse) {
            match option {
                LcpOption::Mru(mru) => self.mru.naked(mru),
                LcpOption::Auth(wanted) => self.authentication.naked(wanted),
                LcpOption::Magic(magic) => {
                    let failure = self.magic.naked(magic, &mut self.rng);
                    self.fail(failure);
                }
                _ => {}
            }
        }
    }

    fn rejected(&mut self, options: &[Opt<'_>]) {
        for option in options {
            match option.kind {
                kind::MRU => self.mru.rejected(),
                // A line that is looped rejects what we would reject; that says nothing of the peer.
                kind::AUTH if self.magic.is_suspicious() => {
                    let failure = self.magic.evidence();
                    self.fail(failure);
                }
                kind::AUTH => {
                    let failure = self.authentication.rejected();
                    self.fail(failure);
                }
                kind::MAGIC => self.magic.own = None,
                kind::PFC => self.pfc.own = false,
                kind::ACFC => self.acfc.own = false,
                _ => {}
            }
        }
    }

    fn failure(&mut self) -> Option<Failure> {
        self.failure.take().map(|failure| *failure)
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
