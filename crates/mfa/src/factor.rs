//! A second factor as it is on file.

use core::fmt;

use adit_crypto::Rng;
use adit_crypto::secret::Password;
use data_encoding::BASE32_NOPAD;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::otp::{Algorithm, DIGITS, hotp};
use crate::uri::uri;

/// Recovery codes that an enrolment gives.
pub const RECOVERY_CODES: usize = 8;

/// Octets of a secret: the length of the hash, as RFC 4226 section 4 (R6) recommends.
const SECRET: usize = 20;

/// Octets of a recovery code: 50 bits in ten characters of base 32, guessed only through the lockout.
const RECOVERY: usize = 10;

/// The secret that server and authenticator app share, with the recovery codes that were not used yet. `Debug`
/// prints nothing of them.
///
/// Recovery codes are kept as such and not as hashes: with MS-CHAP the server receives no code, only a response
/// that it must be able to compute. They are sealed with the secret, as the password itself is.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Factor {
    secret: [u8; SECRET],
    recovery: Vec<String>,
}

/// What proves that the second factor is present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The code of this time step. It is valid if no code of this or a later step was used.
    Step(u64),
    /// The recovery code at this index.
    Recovery(usize),
}

/// A text that may follow the password.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What it proves.
    pub evidence: Evidence,
    /// The code.
    pub code: Password,
}

/// Octets or a text that are no factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactorError;

impl fmt::Display for FactorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the secret of a second factor")
    }
}

impl core::error::Error for FactorError {}

impl fmt::Debug for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Factor(..)")
    }
}

impl Factor {
    /// A factor with a new secret and new recovery codes.
    pub fn generate(rng: &mut Rng) -> Factor {
        let mut secret = [0; SECRET];
        rng.fill(&mut secret);
        let mut factor = Factor { secret, recovery: Vec::new() };
        factor.renew_recovery(rng);
        factor
    }

    /// Replaces the recovery codes.
    pub fn renew_recovery(&mut self, rng: &mut Rng) {
        self.recovery.zeroize();
        self.recovery = (0..RECOVERY_CODES)
            .map(|_| {
                let mut octets = Zeroizing::new([0u8; RECOVERY]);
                rng.fill(&mut *octets);
                let mut text = BASE32_NOPAD.encode(&*octets).to_ascii_lowercase();
                text.truncate(RECOVERY);
                text
            })
            .collect();
    }

    /// The recovery codes that were not used yet. They are shown once, at enrolment.
    pub fn recovery(&self) -> &[String] {
        &self.recovery
    }

    /// Takes a used recovery code away.
    pub fn remove_recovery(&mut self, index: usize) {
        if index < self.recovery.len() {
            self.recovery.remove(index).zeroize();
        }
    }

    /// The secret in base 32, for apps without a camera.
    pub fn secret_text(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(&self.secret))
    }

    /// The URI that an authenticator app reads, usually from a QR code. It contains the secret.
    pub fn uri(&self, issuer: &str, account: &str) -> Zeroizing<String> {
        Zeroizing::new(uri(issuer, account, &self.secret_text(), Algorithm::Sha1))
    }

    /// The code of a time step.
    pub fn code(&self, step: u64) -> Password {
        Password::new(hotp(Algorithm::Sha1, &self.secret, step, DIGITS))
    }

    /// Everything that may follow the password at this time step: the codes of it and of its neighbours
    /// (RFC 6238 section 5.2: delay and clock drift), and the recovery codes. The caller compares all of them,
    /// whatever it finds, so that the time it takes shows nothing.
    pub fn candidates(&self, step: u64) -> Vec<Candidate> {
        let steps = [step.saturating_sub(1), step, step.saturating_add(1)];
        let codes =
            steps.iter().map(|step| Candidate { evidence: Evidence::Step(*step), code: self.code(*step) });
        let recovery = self.recovery.iter().enumerate().map(|(index, code)| Candidate {
            evidence: Evidence::Recovery(index),
            code: Password::new(code.clone()),
        });
        codes.chain(recovery).collect()
    }

    /// The step near `now` whose code this is, for the confirmation of an enrolment.
    pub fn confirm(&self, code: &Password, now: u64) -> Option<u64> {
        let mut found = None;
        for candidate in self.candidates(now) {
            if let (Evidence::Step(step), true) = (candidate.evidence, candidate.code == *code) {
                found = Some(step);
            }
        }
        found
    }

    /// As octets, to be sealed.
    pub fn to_octets(&self) -> Zeroizing<Vec<u8>> {
        // Reserved in full, so that growing leaves no copy behind.
        let mut octets = Zeroizing::new(Vec::with_capacity(SECRET + self.recovery.len() * RECOVERY));
        octets.extend(self.secret);
        for code in &self.recovery {
            octets.extend(code.bytes());
        }
        octets
    }

    /// As text, for a request: the octets in base 32.
    pub fn to_text(&self) -> Password {
        Password::new(BASE32_NOPAD.encode(&self.to_octets()))
    }

    /// From the text of [`to_text`](Self::to_text).
    ///
    /// # Errors
    /// The text is none.
    pub fn from_text(text: &Password) -> Result<Factor, FactorError> {
        let octets = BASE32_NOPAD.decode(text.expose().as_bytes()).map_err(|_| FactorError)?;
        Factor::from_octets(&Zeroizing::new(octets))
    }

    /// From the octets of [`to_octets`](Self::to_octets).
    pub fn from_octets(octets: &[u8]) -> Result<Factor, FactorError> {
        let (secret, rest) = octets.split_first_chunk::<SECRET>().ok_or(FactorError)?;
        if rest.len() % RECOVERY != 0 || rest.len() > RECOVERY_CODES * RECOVERY {
            return Err(FactorError);
        }
        let recovery = rest
            .chunks_exact(RECOVERY)
            .map(|code| core::str::from_utf8(code).map(str::to_owned).map_err(|_| FactorError))
            .collect::<Result<_, _>>()?;
        Ok(Factor { secret: *secret, recovery })
    }
}

#[cfg(test)]
mod tests {
    use adit_crypto::Rng;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_factor_survives_as_octets_and_debug_prints_nothing() {
        let factor = Factor::generate(&mut Rng::from_number(1));
        assert_eq!(Factor::from_octets(&factor.to_octets()), Ok(factor.clone()));
        assert_eq!(factor.recovery().len(), RECOVERY_CODES);
        assert!(factor.recovery().iter().all(|code| code.len() == RECOVERY));
        assert_eq!(format!("{factor:?}"), "Factor(..)");
        assert_eq!(Factor::from_text(&factor.to_text()), Ok(factor));
        assert_eq!(Factor::from_text(&Password::new("1")), Err(FactorError));
        assert_eq!(Factor::from_octets(&[0; SECRET - 1]), Err(FactorError));
        assert_eq!(Factor::from_octets(&[b'a'; SECRET + 3]), Err(FactorError));
    }

    #[test]
    fn a_used_recovery_code_is_no_candidate() {
        let mut factor = Factor::generate(&mut Rng::from_number(2));
        let used = factor.recovery()[3].clone();
        factor.remove_recovery(3);
        factor.remove_recovery(99);
        assert_eq!(factor.recovery().len(), RECOVERY_CODES - 1);
        assert!(factor.candidates(5).iter().all(|candidate| candidate.code.expose() != used));
    }

    proptest! {
        #[test]
        fn a_code_is_confirmed_within_one_step_only(seed: u64, now in 2u64..1 << 40, off in -3i64..=3) {
            let factor = Factor::generate(&mut Rng::from_number(seed));
            let step = now.checked_add_signed(off).unwrap();
            let found = factor.confirm(&factor.code(step), now);
            // Two steps may have the same code by chance.
            let is_near = off.abs() <= 1 || (now - 1..=now + 1).any(|near| factor.code(near) == factor.code(step));
            prop_assert_eq!(found.is_some(), is_near);
        }

        #[test]
        fn octets_are_refused_or_kept(octets in proptest::collection::vec(any::<u8>(), 0..128)) {
            if let Ok(factor) = Factor::from_octets(&octets) {
                prop_assert_eq!(&factor.to_octets()[..], &octets[..]);
            }
        }
    }
}
