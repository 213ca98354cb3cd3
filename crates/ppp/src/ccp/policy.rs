//! The encryption policy of an account or a client.

use core::fmt;

use adit_crypto::mppe::Strength;

/// Whether a session is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Never: the option is rejected.
    Off,
    /// Encryption if the peer starts it. CCP is not opened but [listens](crate::fsm::Fsm::listen).
    Allow,
    /// Encryption is requested, but a peer that refuses it is accepted.
    Prefer,
    /// Encryption is requested, and no data packet is sent in clear.
    Require,
}

impl Mode {
    /// Whether this side starts CCP. If not, it [listens](crate::fsm::Fsm::listen).
    pub const fn asks(self) -> bool {
        matches!(self, Mode::Prefer | Mode::Require)
    }
}

/// Whether a session may use stateful MPPE, in which one key serves many packets (RFC 3078 section 8.2). One lost packet then
/// stops the flow, and implementations differ in how they resume it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stateful {
    /// No: the stateless bit is set in every request and every Nak.
    Refuse,
    /// If the peer insists: stateless mode is requested first.
    Accept,
    /// It is requested first, and stateless mode is used if the peer insists on that.
    Prefer,
}

/// The policy of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MppePolicy {
    /// Whether the session is encrypted.
    pub mode: Mode,
    /// The acceptable strengths; the strongest that both sides support is used, whatever the order here.
    pub strengths: Vec<Strength>,
    /// Whether stateful mode may be used.
    pub stateful: Stateful,
}

/// 128 bits, stateless mode, required.
impl Default for MppePolicy {
    fn default() -> MppePolicy {
        MppePolicy { mode: Mode::Require, strengths: vec![Strength::Bits128], stateful: Stateful::Refuse }
    }
}

/// The MPPE parameters on which both sides agreed, for both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Key length.
    pub strength: Strength,
    /// Whether the key changes with every packet.
    pub stateless: bool,
}

/// `mppe 128 stateless`.
impl fmt::Display for Agreed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mppe {} {}", self.strength, if self.stateless { "stateless" } else { "stateful" })
    }
}
