//! Proofs from the faults that the running server has found on its host.

use adit_diag::Code;

use super::{Proof, of};
use crate::Facts;

/// A fault with this code that lasts.
pub(super) fn lasting(facts: &Facts, code: Code) -> Option<Proof> {
    let mut reported = of(facts).reported.iter();
    let fault = reported.find(|fault| fault.code == code && fault.repaired_s.is_none())?;
    Proof::fact(format!("the server reports: {}", fault.text))
}

/// A fault with this code that was over a short time ago.
pub(super) fn repaired(facts: &Facts, code: Code) -> Option<Proof> {
    let repaired = |fault: &&crate::facts::host::Reported| fault.code == code;
    let fault = of(facts).reported.iter().find(repaired)?;
    let ago = fault.repaired_s?;
    Proof::fact(format!("the server reports: {}; repaired {ago} s ago", fault.text))
}
