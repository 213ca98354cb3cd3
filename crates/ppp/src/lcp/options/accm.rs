//! Async-Control-Character-Map (RFC 1662 section 7.1): meaningless in a tunnel, so any value is accepted.

use adit_wire::lcp;

use crate::fsm::Judge;
use crate::lcp::config::LcpConfig;
use crate::lcp::context::Context;
use crate::negotiate::Negotiate;

#[derive(Debug)]
pub(in crate::lcp) struct Accm;

impl Accm {
    pub(in crate::lcp) fn new(_: &LcpConfig, _: &mut Context) -> Accm {
        Accm
    }
}

impl Negotiate<Context> for Accm {
    type Wire<'a> = lcp::Accm;

    fn reset(&mut self, _: &mut Context) {}

    fn request(&self, _: &mut Vec<u8>) {}

    fn judge(&mut self, _: lcp::Accm, _: bool, _: &mut Context) -> Judge {
        Judge::Ack
    }

    fn judge_malformed(&mut self, _: &mut Context) -> Judge {
        Judge::nak(&lcp::Accm(0))
    }
}
