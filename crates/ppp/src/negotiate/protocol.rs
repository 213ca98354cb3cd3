//! A control protocol made of a table of options.

use core::time::Duration;

use adit_diag::Code;
use adit_wire::Protocol;
use adit_wire::cp::{Opt, Packet};

use super::{Context as _, Table};
use crate::fsm::{ControlProtocol, Extra, Failure, Judge};

type ContextOf<N> = <<N as Negotiation>::Options as Table>::Context;

/// A control protocol: its table, and the parts other than options. See [`ControlProtocol`] for the constants
/// and methods that are not described here.
pub(crate) trait Negotiation {
    const PROTOCOL: Protocol;
    const NO_AGREEMENT: Code;
    const CROSSING: Option<Duration> = None;

    /// The table of options. Options that it lacks are rejected.
    type Options: Table;

    /// The options.
    fn options(&self) -> &Self::Options;

    /// The options and their shared state.
    fn parts(&mut self) -> (&mut Self::Options, &mut ContextOf<Self>);

    /// Formats an option for display.
    fn show(option: &Opt<'_>) -> String;

    /// Handles a packet with code 0 or a code above 7.
    fn extra(&mut self, _packet: &Packet<'_>, _opened: bool) -> Extra {
        Extra::Unknown
    }
}

impl<N: Negotiation> ControlProtocol for N {
    const PROTOCOL: Protocol = N::PROTOCOL;
    const NO_AGREEMENT: Code = N::NO_AGREEMENT;
    const CROSSING: Option<Duration> = N::CROSSING;

    fn reset(&mut self) {
        let (options, context) = self.parts();
        *context.failure() = None;
        options.rows_mut().for_each(|row| row.reset(context));
    }

    fn request(&self, out: &mut Vec<u8>) {
        self.options().rows().for_each(|row| row.request(out));
    }

    fn judge(&mut self, option: &Opt<'_>, naks_left: bool) -> Judge {
        let (options, context) = self.parts();
        let row = options.rows_mut().find(|row| row.is_kind(option.kind));
        row.map_or(Judge::Reject, |row| row.judge(option, naks_left, context))
    }

    fn missing(&mut self, request: &[Opt<'_>], naks_left: bool) -> Vec<u8> {
        let (options, context) = self.parts();
        let mut missing = Vec::new();
        options.rows_mut().for_each(|row| row.missing(request, naks_left, context, &mut missing));
        missing
    }

    fn accepted(&mut self, request: &[Opt<'_>]) {
        let (options, context) = self.parts();
        options.rows_mut().for_each(|row| row.accepted(request, context));
    }

    fn acked(&mut self) {
        let (options, context) = self.parts();
        options.rows_mut().for_each(|row| row.acked(context));
    }

    fn naked(&mut self, naked: &[Opt<'_>]) {
        let (options, context) = self.parts();
        for option in naked {
            if let Some(row) = options.rows_mut().find(|row| row.is_kind(option.kind)) {
                row.naked(option, context);
            }
        }
    }

    fn rejected(&mut self, rejected: &[Opt<'_>]) {
        let (options, context) = self.parts();
        for option in rejected {
            if let Some(row) = options.rows_mut().find(|row| row.is_kind(option.kind)) {
                row.rejected(option, context);
            }
        }
    }

    fn failure(&mut self) -> Option<Failure> {
        let (_, context) = self.parts();
        context.failure().take().map(|failure| *failure)
    }

    fn extra(&mut self, packet: &Packet<'_>, opened: bool) -> Extra {
        Negotiation::extra(self, packet, opened)
    }

    fn show(option: &Opt<'_>) -> String {
        <N as Negotiation>::show(option)
    }
}
