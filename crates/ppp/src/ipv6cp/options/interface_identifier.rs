//! Interface-Identifier (RFC 5072 section 4.1): the identifiers of the two ends must differ.

use adit_crypto::Rng;
use adit_diag::Code;
use adit_wire::cp::{ConfigOption, Opt};
use adit_wire::ipv6cp;

use crate::fsm::{Failure, Judge};
use crate::ipv6cp::context::Context;
use crate::negotiate::{Context as _, Negotiate};

/// The universal/local bit: clear, because the identifiers are generated (RFC 5072 section 4.1).
pub(in crate::ipv6cp) const UNIVERSAL: u64 = 1 << 57;

#[derive(Clone, Debug)]
pub(in crate::ipv6cp) struct InterfaceIdentifier {
    configured: u64,
    /// Our identifier in our request, agreed once it is acknowledged.
    pub(in crate::ipv6cp) own: u64,
    pub(in crate::ipv6cp) peer: u64,
}

impl InterfaceIdentifier {
    pub(in crate::ipv6cp) fn new(config: &Option<u64>, context: &mut Context) -> InterfaceIdentifier {
        let configured = config.unwrap_or_else(|| generate(&mut context.rng, 0));
        InterfaceIdentifier { configured, own: configured, peer: 0 }
    }

    /// An identifier to suggest to the peer.
    fn suggestion(&self, context: &mut Context) -> ipv6cp::InterfaceIdentifier {
        ipv6cp::InterfaceIdentifier(generate(&mut context.rng, self.own))
    }
}

impl Negotiate<Context> for InterfaceIdentifier {
    type Wire<'a> = ipv6cp::InterfaceIdentifier;

    fn reset(&mut self, _: &mut Context) {
        self.own = self.configured;
        self.peer = 0;
    }

    fn request(&self, out: &mut Vec<u8>) {
        ipv6cp::InterfaceIdentifier(self.own).emit(out);
    }

    fn judge(&mut self, asked: ipv6cp::InterfaceIdentifier, _: bool, context: &mut Context) -> Judge {
        match asked.0 {
            0 if self.own == 0 => Judge::Reject,
            id if id == 0 || id == self.own => Judge::nak(&self.suggestion(context)),
            _ => Judge::Ack,
        }
    }

    fn judge_malformed(&mut self, context: &mut Context) -> Judge {
        Judge::nak(&self.suggestion(context))
    }

    fn missing(&mut self, naks_left: bool, context: &mut Context) -> Option<ipv6cp::InterfaceIdentifier> {
        if !naks_left {
            fail(context, "the peer takes no interface identifier");
        }
        Some(self.suggestion(context))
    }

    fn accepted(&mut self, asked: Option<ipv6cp::InterfaceIdentifier>, _: &mut Context) {
        if let Some(asked) = asked {
            self.peer = asked.0;
        }
    }

    fn acked(&mut self, context: &mut Context) {
        if self.own == 0 {
            fail(context, "the peer agreed to interface identifier 0");
        }
    }

    fn naked(&mut self, wanted: ipv6cp::InterfaceIdentifier, context: &mut Context) {
        let is_taken = wanted.0 == 0 || wanted.0 == self.peer;
        self.own = if is_taken { generate(&mut context.rng, self.peer) } else { wanted.0 };
    }

    fn rejected(&mut self, _: &Opt<'_>, context: &mut Context) {
        fail(context, "the peer refuses our interface identifier");
    }
}

fn fail(context: &mut Context, detail: &str) {
    context.fail(Failure { code: Code::I05, detail: detail.to_owned() });
}

/// Generates a random identifier, not 0 and not `other`.
fn generate(rng: &mut Rng, other: u64) -> u64 {
    loop {
        let identifier = rng.u64() & !UNIVERSAL;
        if identifier != 0 && identifier != other {
            return identifier;
        }
    }
}
