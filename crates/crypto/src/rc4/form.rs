//! The form of RC4 in use.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

/// A form of RC4. Both give the same octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Assembly for x86-64 with AVX.
    Assembly,
    /// Safe Rust.
    Portable,
}

/// Whether the portable form is used although the processor has what the assembly needs. A setting of the process, because
/// nothing but time depends on it.
static PORTABLE: AtomicBool = AtomicBool::new(false);

impl Form {
    /// Whether this processor can use the form.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Form::Assembly => super::x86_64::Avx::find().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            Form::Assembly => false,
            Form::Portable => true,
        }
    }

    /// The form in use: the assembly if this processor can use it, unless [`Form::choose`] was called.
    pub fn chosen() -> Form {
        if Form::Assembly.is_available() && !PORTABLE.load(Ordering::Relaxed) {
            Form::Assembly
        } else {
            Form::Portable
        }
    }

    /// Uses this form in the process from now on, for streams and batches that begin later.
    pub fn choose(self) {
        PORTABLE.store(self == Form::Portable, Ordering::Relaxed);
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Form::Assembly => "assembly",
            Form::Portable => "portable",
        })
    }
}
