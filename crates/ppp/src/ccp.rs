//! CCP (RFC 1962) as PPTP uses it: to agree on MPPE (RFC 3078 section 2), one strength and one mode for both directions.
//!
//! [`Ccp`] is the [`ControlProtocol`](crate::fsm::ControlProtocol) of a [`Fsm`](crate::fsm::Fsm). Compressors
//! are rejected, MPPC included. While CCP is Opened, [`Ccp::agreed`] returns the result; [`Ccp::why`]
//! explains the end of a CCP that is required.

mod context;
mod options;
mod policy;

use core::time::Duration;

use adit_crypto::mppe::{StartKeys, Strength};
use adit_diag::{Code, Side};
use adit_wire::Protocol;
use adit_wire::ccp::{CcpOption, Mppe};
use adit_wire::cp::{self, Opt, Packet};

pub use options::no_keys;
pub use policy::{Agreed, Mode, MppePolicy, Stateful};

use crate::fsm::{Extra, Failure, Finish};
use crate::negotiate::Negotiation;
use context::{Config, Context};
use options::{Options, bit};

/// CCP's one option and the decisions about it.
#[derive(Clone, Debug)]
pub struct Ccp {
    options: Options,
    context: Context,
}

impl Ccp {
    /// Creates CCP with nothing agreed. Without `keys` no strength is allowed, whatever the policy is.
    pub fn new(side: Side, policy: &MppePolicy, keys: Option<&StartKeys>) -> Ccp {
        let possible = |strength: &Strength| {
            policy.strengths.contains(strength) && keys.is_some_and(|keys| keys.supports(*strength))
        };
        let off = policy.mode == Mode::Off;
        let allowed = Strength::ALL.into_iter().filter(|strength| !off && possible(strength));
        let allowed = allowed.fold(Mppe::default(), |bits, strength| bits.with(bit(strength)));
        let config = Config { side, mode: policy.mode, stateful: policy.stateful, allowed };
        let mut context = Context::default();
        Ccp { options: Options::new(&config, &mut context), context }
    }

    /// The MPPE parameters of both directions while CCP is Opened; `None` for no encryption.
    pub fn agreed(&self) -> Option<Agreed> {
        self.options.mppe.agreed()
    }

    /// Whether encryption is required, so that the session ends without it.
    pub fn is_required(&self) -> bool {
        self.options.mppe.is_required()
    }

    /// Why the end of CCP ends the session, if encryption is required. `was_up`: CCP has been Opened in this
    /// session. `None` if encryption is not required, or if this side closed CCP.
    pub fn why(&self, finish: &Finish, was_up: bool) -> Option<Failure> {
        self.options.mppe.why(finish, was_up)
    }

    /// The request of the peer that was refused, which is the likely reason if it now ends the session.
    pub fn refusal(&self) -> Option<Failure> {
        self.options.mppe.refusal()
    }
}

impl Negotiation for Ccp {
    const PROTOCOL: Protocol = Protocol::Ccp;
    const NO_AGREEMENT: Code = Code::E03;
    /// A request that crosses our Ack is delayed by up to the round-trip time; Windows sends such requests.
    const CROSSING: Option<Duration> = Some(Duration::from_secs(1));
    type Options = Options;

    fn options(&self) -> &Options {
        &self.options
    }

    fn parts(&mut self) -> (&mut Options, &mut Context) {
        (&mut self.options, &mut self.context)
    }

    /// Acknowledges a Reset-Request in every mode. The packet engine sees the Reset-Request first, and sends
    /// the flushed packet that it asks for in stateful mode.
    fn extra(&mut self, packet: &Packet<'_>, _opened: bool) -> Extra {
        match packet.code {
            cp::RESET_REQUEST => Extra::Reply { code: cp::RESET_ACK, data: packet.data.to_vec() },
            cp::RESET_ACK => Extra::Done,
            _ => Extra::Unknown,
        }
    }

    fn show(option: &Opt<'_>) -> String {
        CcpOption::parse(option).map_or_else(|_| option.to_string(), |known| known.to_string())
    }
}

#[cfg(test)]
mod tests;
