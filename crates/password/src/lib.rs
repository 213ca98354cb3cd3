//! Passwords of local accounts: rules for new ones, their strength, and generated ones.
//!
//! The strength is that of zxcvbn, of which `strength` describes the use. zxcvbn reads the clock (it needs the year to
//! judge dates), so this crate is not part of core. It makes copies of what it judges and does not wipe them; adit's own
//! copies are wiped.

#![forbid(unsafe_code)]

mod context;
mod forms;
mod generate;
mod published;
mod strength;

use core::fmt;

pub use context::site_words;
pub use generate::{PasswordStyle, generate};
pub use published::{MIN_LETTERS, letters};
pub use strength::Strength;

/// The longest password, in UTF-16 units: what the MS-CHAP password change can carry (RFC 2759 section 8.9).
pub const MAX_LENGTH: usize = 256;

/// The rules for new passwords.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// The fewest characters.
    pub min_length: usize,
    /// How the strength is judged; `None`: only the length counts.
    pub strength: Option<Strength>,
}

impl Default for PasswordRules {
    fn default() -> PasswordRules {
        PasswordRules { min_length: 14, strength: Some(Strength::default()) }
    }
}

/// Why a password is refused. The text never contains the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordFault {
    /// It has too few characters.
    Short {
        /// The number of characters.
        length: usize,
        /// The number required.
        min: usize,
    },
    /// It is longer than the password change of MS-CHAP can carry.
    Long,
    /// It contains a control character, which no client can type.
    Control,
    /// It is a published example, or little more.
    Published,
    /// It is an entry of the configured blocklist, or little more.
    Blocked,
    /// It is too easy to guess.
    Weak {
        /// The score of zxcvbn, 0 to 4.
        score: u8,
        /// The reason of zxcvbn, or the names of which the password consists.
        reason: String,
    },
}

impl fmt::Display for PasswordFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PasswordFault::Short { length, min } => {
                write!(f, "too short: {length} characters, {min} are needed")
            }
            PasswordFault::Long => write!(f, "too long: PPTP carries {MAX_LENGTH} characters"),
            PasswordFault::Control => f.write_str("it contains a control character"),
            PasswordFault::Published => {
                f.write_str("it is a published example of a passphrase, or close to one")
            }
            PasswordFault::Blocked => f.write_str("it is in auth.password.blocklist, or close to an entry"),
            PasswordFault::Weak { score, reason } => {
                let needed = strength::NEEDED as u8;
                write!(f, "too easy to guess (strength {score} of 4, {needed} is needed): {reason}")
            }
        }
    }
}

impl core::error::Error for PasswordFault {}

impl PasswordRules {
    /// Checks only what PPTP can carry.
    pub fn none() -> PasswordRules {
        PasswordRules { min_length: 1, strength: None }
    }

    /// Whether `user` may have this password.
    ///
    /// # Errors
    /// The first fault found.
    pub fn check(&self, user: &str, password: &str) -> Result<(), PasswordFault> {
        let length = password.chars().count();
        if length < self.min_length {
            return Err(PasswordFault::Short { length, min: self.min_length });
        }
        if password.encode_utf16().count() > MAX_LENGTH {
            return Err(PasswordFault::Long);
        }
        if password.chars().any(char::is_control) {
            return Err(PasswordFault::Control);
        }
        self.strength.as_ref().map_or(Ok(()), |strength| strength.check(user, password))
    }
}

#[cfg(test)]
mod tests;
