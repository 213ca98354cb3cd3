//! The interface between the automaton and one control protocol.

use core::time::Duration;

use adit_diag::Code;
use adit_wire::Protocol;
use adit_wire::cp::{self, ConfigOption, Opt, Packet};

/// The decision on one option of the peer's Configure-Request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judge {
    /// Acceptable as it is.
    Ack,
    /// Acceptable with this value (the option's data, without Type and Length).
    Nak(Vec<u8>),
    /// Not acceptable with any value.
    Reject,
}

impl Judge {
    /// Creates a Nak with this value.
    pub fn nak<'a>(value: &impl ConfigOption<'a>) -> Judge {
        Judge::Nak(value.data().as_ref().to_vec())
    }
}

/// What to do with a packet whose code is not one of 1 to 7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extra {
    /// This protocol does not have the code: Code-Reject.
    Unknown,
    /// The packet was handled; no answer is needed.
    Done,
    /// Answer with this code, the identifier of the packet, and this data. Sent in Opened only.
    Reply {
        /// Code of the answer.
        code: u8,
        /// The data, truncated to the peer's MRU.
        data: Vec<u8>,
    },
}

/// Why a negotiation cannot succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The code of the catalogue.
    pub code: Code,
    /// A description for the user.
    pub detail: String,
}

/// One control protocol: its options and its decisions. [`Fsm`](crate::fsm::Fsm) calls it; it sends nothing itself.
///
/// The calls of one negotiation, in order: [`reset`](ControlProtocol::reset); then [`request`](ControlProtocol::request) for each
/// Configure-Request of ours, answered by [`acked`](ControlProtocol::acked), [`naked`](ControlProtocol::naked) or
/// [`rejected`](ControlProtocol::rejected); and for each of the peer's [`judge`](ControlProtocol::judge) for every option,
/// [`missing`](ControlProtocol::missing) once, and, if all was acceptable, [`accepted`](ControlProtocol::accepted). When both sides'
/// requests have been acknowledged the `Fsm` says [`Event::Up`](crate::fsm::Event::Up).
pub trait ControlProtocol {
    /// The protocol's name in errors and messages.
    const PROTOCOL: Protocol;

    /// The code for a negotiation that does not converge.
    const NO_AGREEMENT: Code = Code::L01;

    /// How long after Opened a request with the same options, before any traffic, is taken for a crossing and
    /// answered without leaving Opened. A request that also has the same identifier counts as a crossing at
    /// any time before traffic. `None`, the rule of the table, for all protocols but CCP.
    const CROSSING: Option<Duration> = None;

    /// Starts a new negotiation: discards what was agreed, requests what is configured.
    fn reset(&mut self);

    /// Appends the options of our Configure-Request.
    fn request(&self, out: &mut Vec<u8>);

    /// Judges one option of the peer's Configure-Request. It is not called for an option type that occurred
    /// earlier in the same request: the `Fsm` rejects that. Without `naks_left` a Nak is sent as a Reject
    /// (Max-Failure is reached).
    fn judge(&mut self, option: &Opt<'_>, naks_left: bool) -> Judge;

    /// Returns the options that a request must have but lacks, in full (Type, Length, data), after all its
    /// options were judged. They are appended to a Nak. Without `naks_left` they are not sent.
    fn missing(&mut self, _request: &[Opt<'_>], _naks_left: bool) -> Vec<u8> {
        Vec::new()
    }

    /// Reports that the peer's Configure-Request with these options is being acknowledged: they are in effect
    /// from now on.
    fn accepted(&mut self, request: &[Opt<'_>]);

    /// Reports that the peer has acknowledged our last Configure-Request.
    fn acked(&mut self) {}

    /// Reports that the peer wants other values in our Configure-Request, or options that were not in it.
    fn naked(&mut self, options: &[Opt<'_>]);

    /// Reports that the peer refuses these options of our Configure-Request; also called for a Nak once
    /// Max-Failure Naks were received.
    fn rejected(&mut self, options: &[Opt<'_>]);

    /// Why the negotiation cannot succeed, once that is known; called after every packet. The `Fsm` then
    /// closes.
    fn failure(&mut self) -> Option<Failure> {
        None
    }

    /// Handles a packet with code 0 or a code above 7. It may arrive in any state from Closed on; `opened` is
    /// whether the state is Opened.
    fn extra(&mut self, _packet: &Packet<'_>, _opened: bool) -> Extra {
        Extra::Unknown
    }

    /// Formats an option for display.
    fn show(option: &Opt<'_>) -> String {
        option.to_string()
    }

    /// Whether a Code-Reject of this code is catastrophic for the layer.
    fn is_essential(&self, code: u8) -> bool {
        (cp::CONFIGURE_REQUEST..=cp::CODE_REJECT).contains(&code)
    }
}
