//! IPV6CP (RFC 5072): each side gets an interface identifier, the lower 64 bits of its link-local address.

mod context;
mod options;

use adit_crypto::Rng;
use adit_diag::Code;
use adit_wire::Protocol;
use adit_wire::cp::Opt;
use adit_wire::ipv6cp::Ipv6cpOption;

use crate::negotiate::Negotiation;
use context::Context;
use options::Options;

/// IPV6CP's options and decisions, for [`Fsm`](crate::fsm::Fsm).
#[derive(Clone, Debug)]
pub struct Ipv6cp {
    options: Options,
    context: Context,
}

impl Ipv6cp {
    /// Creates IPV6CP with this identifier for our end; `None` generates one, 0 requests one from the peer.
    pub fn new(identifier: Option<u64>, rng: Rng) -> Ipv6cp {
        let mut context = Context::new(rng);
        Ipv6cp { options: Options::new(&identifier, &mut context), context }
    }

    /// The identifiers, ours and the peer's; valid while IPV6CP is Opened.
    pub fn identifiers(&self) -> (u64, u64) {
        let identifier = &self.options.interface_identifier;
        (identifier.own, identifier.peer)
    }
}

impl Negotiation for Ipv6cp {
    const PROTOCOL: Protocol = Protocol::Ipv6cp;
    const NO_AGREEMENT: Code = Code::I05;
    type Options = Options;

    fn options(&self) -> &Options {
        &self.options
    }

    fn parts(&mut self) -> (&mut Options, &mut Context) {
        (&mut self.options, &mut self.context)
    }

    fn show(option: &Opt<'_>) -> String {
        Ipv6cpOption::parse(option).map_or_else(|_| option.to_string(), |known| known.to_string())
    }
}

#[cfg(test)]
mod tests;
