//! The second factor of an account, above the back end, which keeps sealed octets only.

use jiff::Timestamp;
use zeroize::Zeroizing;

/// A second factor as a back end keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedFactor {
    /// The secret and what belongs to it, sealed.
    pub sealed: Vec<u8>,
    /// The time step of the last code that was used: only a later one is valid.
    pub step: u64,
    /// When it was enrolled, in whole milliseconds.
    pub enrolled: Timestamp,
    /// Who enrolled it.
    pub by: String,
}

/// A second factor with its secret in clear. `Debug` does not print it.
#[derive(Clone)]
pub struct SecondFactor {
    /// The octets that were stored.
    pub octets: Zeroizing<Vec<u8>>,
    /// The account's name.
    pub(crate) name: String,
    /// As it was read.
    pub(crate) sealed: SealedFactor,
}

impl core::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SecondFactor(..)")
    }
}

impl SecondFactor {
    /// What is known about it without its secret.
    pub fn record(&self) -> &SealedFactor {
        &self.sealed
    }
}
