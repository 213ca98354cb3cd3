//! Choice of the form of RC4, by measurement.
//!
//! The assembly is faster on the processors that it was written on. Another one may predict in another way and turn the gain
//! into a loss, so both forms are measured once in each process that carries a tunnel, which takes less than a millisecond.
//! The least time of several passes is compared, because interruptions do not change it; the order of the forms alternates,
//! so that a change of the clock speed affects both.

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use adit_crypto::mppe::Trial;
use adit_crypto::rc4::Form;

/// Passes of each form.
const PASSES: usize = 24;
/// Passes of these that only warm up caches and branch prediction.
const WARM: usize = 8;

/// The form of RC4 in use, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CipherChoice {
    /// The form.
    pub form: Form,
    /// Why.
    pub reason: Reason,
}

/// Why a form of RC4 is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is configured (`link.cipher`).
    Configured,
    /// This processor cannot use the assembly.
    OnlyOne,
    /// Time for a packet of 1,400 octets with its keys, in nanoseconds.
    Measured {
        /// In assembly.
        assembly: u64,
        /// In the portable form.
        portable: u64,
    },
}

impl fmt::Display for CipherChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.form)?;
        match self.reason {
            Reason::Configured => write!(f, " (link.cipher)"),
            Reason::OnlyOne => write!(f, " (the processor has no AVX)"),
            Reason::Measured { assembly, portable } => {
                write!(f, " (measured: assembly {assembly} ns, portable {portable} ns a packet)")
            }
        }
    }
}

/// Chooses a form, the `configured` one if this processor can use it, and uses it in this process from now on.
pub fn choose(configured: Option<Form>) -> CipherChoice {
    let choice = match configured {
        Some(form) if form.is_available() => CipherChoice { form, reason: Reason::Configured },
        _ if !Form::Assembly.is_available() => CipherChoice { form: Form::Portable, reason: Reason::OnlyOne },
        _ => {
            static MEASURED: OnceLock<[u64; 2]> = OnceLock::new();
            from_times(*MEASURED.get_or_init(measure))
        }
    };
    choice.form.choose();
    choice
}

/// The faster form. The assembly is given up only for a gain of a fifth, so that noise decides nothing.
fn from_times([assembly, portable]: [u64; 2]) -> CipherChoice {
    let form =
        if portable.saturating_mul(6) < assembly.saturating_mul(5) { Form::Portable } else { Form::Assembly };
    CipherChoice { form, reason: Reason::Measured { assembly, portable } }
}

/// The least time for a packet, assembly and portable, in nanoseconds.
fn measure() -> [u64; 2] {
    let forms = [Form::Assembly, Form::Portable];
    let mut trial = Trial::new();
    let mut least = [Duration::MAX; 2];
    for pass in 0..PASSES {
        for turn in 0..forms.len() {
            let n = (pass + turn) % forms.len();
            let (Some(&form), Some(least)) = (forms.get(n), least.get_mut(n)) else { continue };
            let from = Instant::now();
            trial.run(form);
            if pass >= WARM {
                *least = from.elapsed().min(*least);
            }
        }
    }
    least.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX) / Trial::PACKETS as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assembly_is_given_up_for_a_fifth() {
        for (times, form) in [
            ([1000, 5000], Form::Assembly),
            ([1000, 1000], Form::Assembly),
            ([1200, 1000], Form::Assembly),
            ([1201, 1000], Form::Portable),
        ] {
            assert_eq!(from_times(times).form, form, "{times:?}");
        }
    }

    #[test]
    fn what_is_configured_is_used() {
        for form in [Form::Portable, Form::Assembly] {
            let choice = choose(Some(form));
            assert_eq!(choice.form, if form.is_available() { form } else { Form::Portable });
            assert_eq!(Form::chosen(), choice.form);
        }
        let choice = choose(None);
        assert_eq!(Form::chosen(), choice.form);
        if let Reason::Measured { assembly, portable } = choice.reason {
            assert!(assembly > 0 && portable > 0, "{choice}");
        }
    }
}
