//! A login with a second factor: the password, followed by the code, as one password.
//!
//! The work is the same whatever is right: every candidate is compared, and the record is written only when password and
//! code are both right. A client that fails learns neither from the time nor from the message which of them was wrong.

use adit_crypto::proof::{self, Proof, ProofError, Proven, Secret};
use adit_crypto::secret::Password;
use adit_diag::{FactorFault, LoginRefusal};
use adit_mfa::{Candidate, Evidence, Factor};
use adit_store::{Error, ErrorKind, SecondFactor, Store};

/// What a login with a valid code proves.
#[derive(Debug)]
pub(super) struct Valid {
    /// The proof of the password followed by the code.
    pub(super) proven: Proven,
    evidence: Evidence,
    factor: Factor,
}

/// Checks a proof of the password followed by a code, at a time step. Nothing is recorded: see [`consume`].
pub(super) fn check(
    proof: &Proof,
    user: &str,
    secret: &Secret,
    stored: &SecondFactor,
    step: u64,
) -> adit_store::Result<Result<Valid, LoginRefusal>> {
    let factor = Factor::from_octets(&stored.octets)
        .map_err(|_| Error::from(ErrorKind::Unsealable { name: user.into() }))?;
    let refused = |fault| LoginRefusal::SecondFactor { user: user.to_owned(), fault };
    match (proof, secret) {
        // The client proves the new password without a code (RFC 2759 section 7): it would log in with one factor.
        (Proof::ChangePassword(_), _) => {
            let fault = "the password of an account with a second factor is changed with adit user passwd";
            return Ok(Err(LoginRefusal::BadPasswordChange { fault: fault.to_owned() }));
        }
        (Proof::ChapMd5 { .. } | Proof::MsChapV1 { .. } | Proof::MsChapV2 { .. }, Secret::NtHash(_)) => {
            return Ok(Err(refused(FactorFault::NeedsReversiblePassword)));
        }
        _ => {}
    }
    let (mut valid, mut is_used) = (None, false);
    for candidate in factor.candidates(step) {
        let Ok(proven) = check_one(proof, secret, &candidate) else { continue };
        match candidate.evidence {
            Evidence::Step(step) if step <= stored.record().step => is_used = true,
            evidence => valid = Some((proven, evidence)),
        }
    }
    let is_missing = proof::check(proof, secret).is_ok();
    Ok(match valid {
        Some((proven, evidence)) => Ok(Valid { proven, evidence, factor }),
        None if is_used => Err(refused(FactorFault::Used)),
        None if is_missing => Err(refused(FactorFault::Missing)),
        None => Err(refused(FactorFault::Wrong)),
    })
}

/// Records that the code was used; false if another login was faster.
pub(super) fn consume(store: &Store, stored: &SecondFactor, valid: &Valid) -> adit_store::Result<bool> {
    match valid.evidence {
        Evidence::Step(step) => store.use_second_factor(stored, Some(step), None),
        Evidence::Recovery(index) => {
            let mut factor = valid.factor.clone();
            factor.remove_recovery(index);
            store.use_second_factor(stored, None, Some(&factor.to_octets()))
        }
    }
}

fn check_one(proof: &Proof, secret: &Secret, candidate: &Candidate) -> Result<Proven, ProofError> {
    match (proof, secret) {
        (_, Secret::Clear(password)) => {
            proof::check(proof, &Secret::Clear(join(password.expose(), candidate.code.expose())))
        }
        // The hash is of the password alone, so the code is split off what was sent.
        (Proof::Pap { password: sent }, Secret::NtHash(_)) => {
            let sent = sent.expose();
            let at = sent.len().saturating_sub(candidate.code.expose().len());
            let (password, code) = sent.split_at_checked(at).unwrap_or((sent, ""));
            let right = proof::check(&Proof::Pap { password: Password::new(password) }, secret);
            right.and_then(|proven| {
                if Password::new(code) == candidate.code { Ok(proven) } else { Err(ProofError::Wrong) }
            })
        }
        (_, Secret::NtHash(_)) => Err(ProofError::NeedsClearText),
    }
}

/// The password followed by the code.
fn join(password: &str, code: &str) -> Password {
    // Reserved in full, so that growing leaves no copy behind.
    let mut joined = String::with_capacity(password.len() + code.len());
    joined.push_str(password);
    joined.push_str(code);
    Password::new(joined)
}

#[cfg(test)]
mod tests;
