//! The second factor: time-based one-time passwords (RFC 6238), recovery codes, and what an authenticator app reads.
//!
//! Nothing here has a clock or a store: time is an argument, and the caller keeps the last step that was used
//! ([`Factor::candidates`] leaves out nothing by itself, so that the work does not depend on what is on file).
#![forbid(unsafe_code)]

mod factor;
mod otp;
mod qr;
mod uri;

pub use factor::{Candidate, Evidence, Factor, FactorError, RECOVERY_CODES};
pub use otp::{Algorithm, DIGITS, PERIOD, hotp, step};
pub use qr::{QrError, qr_svg, qr_text};
