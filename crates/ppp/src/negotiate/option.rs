//! One option of a control protocol.

use core::fmt::Debug;

use adit_wire::cp::{ConfigOption, Opt};

use crate::fsm::{Failure, Judge};

/// The state that the options of one control protocol share.
pub(crate) trait Context: Debug {
    /// The configuration of the options.
    type Config;

    /// Where the failure of the negotiation is kept.
    fn failure(&mut self) -> &mut Option<Box<Failure>>;

    /// Fails the negotiation. The first failure is kept.
    fn fail(&mut self, failure: Failure) {
        self.failure().get_or_insert_with(|| Box::new(failure));
    }
}

/// One option: what we request from the peer, and how we answer its request. The calls are those of a
/// [`ControlProtocol`](crate::fsm::ControlProtocol), for this option alone.
pub(crate) trait Negotiate<C: Context>: Debug {
    /// The encoding of the option in a packet.
    type Wire<'a>: ConfigOption<'a>;

    /// Starts a new negotiation.
    fn reset(&mut self, context: &mut C);

    /// Appends the option to our Configure-Request, or nothing.
    fn request(&self, out: &mut Vec<u8>);

    /// Judges the option in the peer's Configure-Request. Without `naks_left` a Nak is sent as a Reject.
    fn judge(&mut self, asked: Self::Wire<'_>, naks_left: bool, context: &mut C) -> Judge;

    /// Judges an option whose Length is wrong.
    fn judge_malformed(&mut self, _context: &mut C) -> Judge {
        Judge::Reject
    }

    /// The option that the peer's Configure-Request lacks and should have. Without `naks_left` it is not
    /// sent.
    fn missing(&mut self, _naks_left: bool, _context: &mut C) -> Option<Self::Wire<'static>> {
        None
    }

    /// Reports that the peer's Configure-Request is acknowledged; `None` if it lacks the option.
    fn accepted(&mut self, _asked: Option<Self::Wire<'_>>, _context: &mut C) {}

    /// Reports that the peer has acknowledged our last Configure-Request.
    fn acked(&mut self, _context: &mut C) {}

    /// Reports that the peer wants another value in our Configure-Request, or the option if our request lacks
    /// it.
    fn naked(&mut self, _wanted: Self::Wire<'_>, _context: &mut C) {}

    /// Reports that the peer refuses the option of our Configure-Request; also called for a Nak once
    /// Max-Failure Naks were received.
    fn rejected(&mut self, _option: &Opt<'_>, _context: &mut C) {}
}

/// An option in a table: [`Negotiate`] without its types.
pub(crate) trait Row<C>: Debug {
    /// Whether this row handles options of this Type.
    fn is_kind(&self, kind: u8) -> bool;
    /// See [`Negotiate::reset`].
    fn reset(&mut self, context: &mut C);
    /// See [`Negotiate::request`].
    fn request(&self, out: &mut Vec<u8>);
    /// See [`Negotiate::judge`].
    fn judge(&mut self, option: &Opt<'_>, naks_left: bool, context: &mut C) -> Judge;
    /// Appends the option if it is missing; see [`Negotiate::missing`].
    fn missing(&mut self, request: &[Opt<'_>], naks_left: bool, context: &mut C, out: &mut Vec<u8>);
    /// See [`Negotiate::accepted`].
    fn accepted(&mut self, request: &[Opt<'_>], context: &mut C);
    /// See [`Negotiate::acked`].
    fn acked(&mut self, context: &mut C);
    /// See [`Negotiate::naked`].
    fn naked(&mut self, option: &Opt<'_>, context: &mut C);
    /// See [`Negotiate::rejected`].
    fn rejected(&mut self, option: &Opt<'_>, context: &mut C);
}

impl<C: Context, O: Negotiate<C>> Row<C> for O {
    fn is_kind(&self, kind: u8) -> bool {
        O::Wire::is_kind(kind)
    }

    fn reset(&mut self, context: &mut C) {
        Negotiate::reset(self, context);
    }

    fn request(&self, out: &mut Vec<u8>) {
        Negotiate::request(self, out);
    }

    fn judge(&mut self, option: &Opt<'_>, naks_left: bool, context: &mut C) -> Judge {
        match O::Wire::parse(option) {
            Some(Ok(asked)) => Negotiate::judge(self, asked, naks_left, context),
            Some(Err(_)) => self.judge_malformed(context),
            None => Judge::Reject,
        }
    }

    fn missing(&mut self, request: &[Opt<'_>], naks_left: bool, context: &mut C, out: &mut Vec<u8>) {
        if request.iter().any(|option| O::Wire::is_kind(option.kind)) {
            return;
        }
        if let Some(wanted) = Negotiate::missing(self, naks_left, context) {
            wanted.emit(out);
        }
    }

    fn accepted(&mut self, request: &[Opt<'_>], context: &mut C) {
        let asked = request.iter().find_map(O::Wire::parse);
        Negotiate::accepted(self, asked.and_then(Result::ok), context);
    }

    fn acked(&mut self, context: &mut C) {
        Negotiate::acked(self, context);
    }

    fn naked(&mut self, option: &Opt<'_>, context: &mut C) {
        if let Some(Ok(wanted)) = O::Wire::parse(option) {
            Negotiate::naked(self, wanted, context);
        }
    }

    fn rejected(&mut self, option: &Opt<'_>, context: &mut C) {
        Negotiate::rejected(self, option, context);
    }
}
