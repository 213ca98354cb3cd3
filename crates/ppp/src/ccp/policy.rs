//! What encryption an account or a client may, must or must not use.

use core::fmt;

use adit_crypto::mppe::Strength;

/// Whether a session is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Never: the option is rejected.
    Off,
    /// If the peer starts it. CCP is not opened but [listens](crate::fsm::Fsm::listen).
    Allow,
    /// Asked for, but a peer that refuses is admitted all the same.
    Prefer,
    /// Asked for, and no packet of data goes in clear.
    Require,
}

impl Mode {
    /// Whether our end starts CCP. If not, it [listens](crate::fsm::Fsm::listen).
    pub const fn asks(self) -> bool {
        matches!(self, Mode::Prefer | Mode::Require)
    }
}

/// The policy of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MppePolicy {
    /// Whether at all.
    pub mode: Mode,
    /// The strengths that will do; the strongest that both ends have is used, whatever the order here.
    pub strengths: Vec<Strength>,
    /// Never take stateful mode, in which one lost packet stops the flow and two implementations disagree on how it goes
    /// on.
    pub stateless_only: bool,
}

/// 128 bits, stateless, required.
impl Default for MppePolicy {
    fn default() -> MppePolicy {
        MppePolicy { mode: Mode::Require, strengths: vec![Strength::Bits128], stateless_only: true }
    }
}

/// What both ends agreed on, for both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Key length.
    pub strength: Strength,
    /// A new key for every packet.
    pub stateless: bool,
}

/// `mppe 128 stateless`.
impl fmt::Display for Agreed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mppe {} {}", self.strength, if self.stateless { "stateless" } else { "stateful" })
    }
}
