//! IPV6CP (RFC 5072): each side gets an interface identifier, the lower half of its link-local address.

use adit_crypto::Rng;
use adit_diag::Code;
use adit_wire::Protocol;
use adit_wire::cp::Opt;
use adit_wire::ipv6cp::{Ipv6cpOption, kind};

use crate::fsm::{ControlProtocol, Failure, Judge};

/// The universal/local bit: clear, since the identifiers are made up (RFC 5072 section 4.1).
const UNIVERSAL: u64 = 1 << 57;

/// IPV6CP's options and decisions, for [`Fsm`](crate::fsm::Fsm).
#[derive(Debug)]
pub struct Ipv6cp {
    rng: Rng,
    wish: u64,
    own: u64,
    peer: u64,
    failure: Option<Box<Failure>>,
}

impl Ipv6cp {
    /// With this identifier for our end; `None` makes one up, 0 asks the peer for one.
    pub fn new(identifier: Option<u64>, mut rng: Rng) -> Ipv6cp {
        let wish = identifier.unwrap_or_else(|| invent(&mut rng, 0));
        Ipv6cp { rng, wish, own: wish, peer: 0, failure: None }
    }

    /// The identifiers, ours and the peer's; meaningful while IPV6CP is Opened.
    pub fn identifiers(&self) -> (u64, u64) {
        (self.own, self.peer)
    }

    fn suggestion(&mut self) -> Vec<u8> {
        invent(&mut self.rng, self.own).to_be_bytes().to_vec()
    }
}

/// A random identifier, not 0 and not `other`.
fn invent(rng: &mut Rng, other: u64) -> u64 {
    loop {
        let identifier = rng.u64() & !UNIVERSAL;
        if identifier != 0 && identifier != other {
            return identifier;
        }
    }
}

impl ControlProtocol for Ipv6cp {
    const PROTOCOL: Protocol = Protocol::Ipv6cp;
    const NO_AGREEMENT: Code = Code::I05;

    fn reset(&mut self) {
        self.own = self.wish;
        self.peer = 0;
        self.failure = None;
    }

    fn request(&self, out: &mut Vec<u8>) {
        Ipv6cpOption::InterfaceIdentifier(self.own).emit(out);
    }

    fn judge(&mut self, option: &Opt<'_>, _naks_left: bool) -> Judge {
        match Ipv6cpOption::parse(option) {
            Ok(Ipv6cpOption::InterfaceIdentifier(0)) if self.own == 0 => Judge::Reject,
            Ok(Ipv6cpOption::InterfaceIdentifier(id)) if id == 0 || id == self.own => {
                Judge::Nak(self.suggestion())
            }
            Ok(Ipv6cpOption::InterfaceIdentifier(_)) => Judge::Ack,
            Err(_) => Judge::Nak(self.suggestion()),
            Ok(Ipv6cpOption::Other { .. }) => Judge::Reject,
        }
    }

    fn missing(&mut self, request: &[Opt<'_>], naks_left: bool) -> Vec<u8> {
        if request.iter().any(|option| option.kind == kind::INTERFACE_IDENTIFIER) {
            return Vec::new();
        }
        if !naks_left {
            let detail = "the peer takes no interface identifier".to_owned();
            self.failure = Some(Box::new(Failure { code: Code::I05, detail }));
        }
        let mut option = Vec::new();
        Ipv6cpOption::InterfaceIdentifier(invent(&mut self.rng, self.own)).emit(&mut option);
        option
    }

    fn accepted(&mut self, request: &[Opt<'_>]) {
        for option in request.iter().flat_map(Ipv6cpOption::parse) {
            if let Ipv6cpOption::InterfaceIdentifier(id) = option {
                self.peer = id;
            }
        }
    }

    fn acked(&mut self) {
        if self.own == 0 {
            let detail = "the peer agreed to interface identifier 0".to_owned();
            self.failure = Some(Box::new(Failure { code: Code::I05, detail }));
        }
    }

    fn naked(&mut self, options: &[Opt<'_>]) {
        for option in options.iter().flat_map(Ipv6cpOption::parse) {
            if let Ipv6cpOption::InterfaceIdentifier(suggested) = option {
                let taken = suggested == 0 || suggested == self.peer;
                self.own = if taken { invent(&mut self.rng, self.peer) } else { suggested };
            }
        }
    }

    fn rejected(&mut self, options: &[Opt<'_>]) {
        if options.iter().any(|option| option.kind == kind::INTERFACE_IDENTIFIER) {
            let detail = "the peer refuses our interface identifier".to_owned();
            self.failure = Some(Box::new(Failure { code: Code::I05, detail }));
        }
    }

    fn failure(&mut self) -> Option<Failure> {
        self.failure.take().map(|failure| *failure)
    }

    fn show(option: &Opt<'_>) -> String {
        Ipv6cpOption::parse(option).map_or_else(|_| option.to_string(), |known| known.to_string())
    }
}

#[cfg(test)]
mod tests;
