//! Magic-Number (RFC 1661 section 6.4): distinguishes the two ends, and so detects a looped-back link.

use adit_wire::cp::{ConfigOption, Opt};
use adit_wire::lcp;

use crate::fsm::Judge;
use crate::lcp::config::LcpConfig;
use crate::lcp::context::Context;
use crate::negotiate::Negotiate;

#[derive(Debug)]
pub(in crate::lcp) struct Magic {
    /// Our number; `None` once the peer has rejected the option.
    pub(in crate::lcp) own: Option<u32>,
    /// The number that our last Nak suggested.
    suggested: Option<u32>,
}

impl Magic {
    pub(in crate::lcp) fn new(_: &LcpConfig, context: &mut Context) -> Magic {
        Magic { own: Some(context.rng.nonzero_u32()), suggested: None }
    }
}

impl Negotiate<Context> for Magic {
    type Wire<'a> = lcp::Magic;

    fn reset(&mut self, context: &mut Context) {
        *self = Magic { own: Some(context.rng.nonzero_u32()), suggested: None };
    }

    fn request(&self, out: &mut Vec<u8>) {
        if let Some(own) = self.own {
            lcp::Magic(own).emit(out);
        }
    }

    fn judge(&mut self, asked: lcp::Magic, naks_left: bool, context: &mut Context) -> Judge {
        let looped = Some(asked.0) == self.own;
        if asked.0 != 0 && !looped {
            return Judge::Ack;
        }
        if looped {
            context.count_loop_sign();
        }
        if looped && !naks_left {
            // A Reject would loop back too, and remove the option that detects the loop from our requests.
            context.fail_looped_back();
        }
        let suggestion = context.rng.nonzero_u32();
        self.suggested = Some(suggestion);
        Judge::nak(&lcp::Magic(suggestion))
    }

    fn judge_malformed(&mut self, context: &mut Context) -> Judge {
        Judge::nak(&lcp::Magic(context.rng.nonzero_u32()))
    }

    fn naked(&mut self, wanted: lcp::Magic, context: &mut Context) {
        if self.own.is_some() {
            self.own = Some(context.rng.nonzero_u32());
        }
        if self.suggested == Some(wanted.0) {
            context.count_loop_sign();
        }
    }

    fn rejected(&mut self, _: &Opt<'_>, _: &mut Context) {
        self.own = None;
    }
}
