//! Protocol-Field-Compression and Address-and-Control-Field-Compression (RFC 1661 sections 6.5, 6.6): options
//! without a value. A side that sends the option accepts the short form.

use core::fmt::Debug;
use core::marker::PhantomData;

use adit_wire::cp::{ConfigOption, Opt};
use adit_wire::lcp;

use crate::fsm::Judge;
use crate::lcp::config::LcpConfig;
use crate::lcp::context::Context;
use crate::negotiate::Negotiate;

/// One of the two options.
pub(in crate::lcp) trait ShortForm: for<'a> ConfigOption<'a> + Debug + 'static {
    /// The option, which has no value.
    const OPTION: Self;

    /// Whether the configuration requests it.
    fn is_wanted(config: &LcpConfig) -> bool;
}

impl ShortForm for lcp::Pfc {
    const OPTION: lcp::Pfc = lcp::Pfc;

    fn is_wanted(config: &LcpConfig) -> bool {
        config.pfc
    }
}

impl ShortForm for lcp::Acfc {
    const OPTION: lcp::Acfc = lcp::Acfc;

    fn is_wanted(config: &LcpConfig) -> bool {
        config.acfc
    }
}

#[derive(Debug)]
pub(in crate::lcp) struct Compression<O> {
    configured: bool,
    /// Whether we request it.
    own: bool,
    /// Whether the peer accepts the short form.
    pub(in crate::lcp) peer: bool,
    option: PhantomData<O>,
}

impl<O: ShortForm> Compression<O> {
    pub(in crate::lcp) fn new(config: &LcpConfig, _: &mut Context) -> Compression<O> {
        let configured = O::is_wanted(config);
        Compression { configured, own: configured, peer: false, option: PhantomData }
    }
}

impl<O: ShortForm> Negotiate<Context> for Compression<O> {
    type Wire<'a> = O;

    fn reset(&mut self, _: &mut Context) {
        *self = Compression { own: self.configured, peer: false, ..*self };
    }

    fn request(&self, out: &mut Vec<u8>) {
        if self.own {
            O::OPTION.emit(out);
        }
    }

    fn judge(&mut self, _: O, _: bool, _: &mut Context) -> Judge {
        Judge::Ack
    }

    fn judge_malformed(&mut self, _: &mut Context) -> Judge {
        Judge::nak(&O::OPTION)
    }

    fn accepted(&mut self, asked: Option<O>, _: &mut Context) {
        self.peer = asked.is_some();
    }

    fn rejected(&mut self, _: &Opt<'_>, _: &mut Context) {
        self.own = false;
    }
}
