//! What one control protocol brings to the negotiation.

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
    /// A Nak with this value.
    pub fn nak<'a>(value: &impl ConfigOption<'a>) -> Judge {
        Judge::Nak(value.data().as_ref().to_vec())
    }
}

/// What to do with a packet whose code is not one of 1 to 7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extra {
    /// This protocol does not have the code: Code-Reject.
    Unknown,
    /// Seen and done with; nothing to send.
    Done,
    /// Answer with this code, the packet's own identifier and this data. It is sent in Opened only.
    Reply {
        /// Code of the answer.
        code: u8,
        /// Its data; cut to the peer's MRU.
        data: Vec<u8>,
    },
}

/// Why a negotiation cannot succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The catalogue's code.
    pub code: Code,
    /// What happened, for people.
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

    /// How long after Opened a request with the same options, before any traffic, is taken for a crossing and answered
    /// without falling out of Opened; one that also has the same identifier is, at any time before traffic. `None`, the
    /// table's rule, for all but CCP.
    const CROSSING: Option<Duration> = None;

    /// A negotiation begins anew: forget what was agreed, request again what is configured.
    fn reset(&mut self);

    /// Appends the options of our Configure-Request.
    fn request(&self, out: &mut Vec<u8>);

    /// Judges one option of the peer's Configure-Request. An option type that stood earlier in the same request is not
    /// shown: the `Fsm` rejects it. Without `naks_left` a Nak will be sent as a Reject (Max-Failure is reached).
    fn judge(&mut self, option: &Opt<'_>, naks_left: bool) -> Judge;

    /// After all options of a request were judged: options that it lacks and must have, whole (Type, Length, data).
    /// They are appended to a Nak. Without `naks_left` they would not be sent.
    fn missing(&mut self, _request: &[Opt<'_>], _naks_left: bool) -> Vec<u8> {
        Vec::new()
    }

    /// The peer's Configure-Request with these options is being acknowledged: they hold from now on.
    fn accepted(&mut self, request: &[Opt<'_>]);

    /// The peer acknowledged our last Configure-Request.
    fn acked(&mut self) {}

    /// The peer wants other values in our Configure-Request, perhaps options that were not in it.
    fn naked(&mut self, options: &[Opt<'_>]);

    /// The peer refuses these options of our Configure-Request; also called for a Nak once Max-Failure Naks have come.
    fn rejected(&mut self, options: &[Opt<'_>]);

    /// Why the negotiation cannot succeed, once that is known; asked after every packet. The `Fsm` then closes.
    fn failure(&mut self) -> Option<Failure> {
        None
    }

    /// A packet with a code above 7 or 0. It may come in any state from Closed on; `opened` says whether it is Opened.
    fn extra(&mut self, _packet: &Packet<'_>, _opened: bool) -> Extra {
        Extra::Unknown
    }

    /// An option for people.
    fn show(option: &Opt<'_>) -> String {
        option.to_string()
    }

    /// Whether the layer cannot live with a Code-Reject of this code.
    fn is_essential(&self, code: u8) -> bool {
        (cp::CONFIGURE_REQUEST..=cp::CODE_REJECT).contains(&code)
    }
}
