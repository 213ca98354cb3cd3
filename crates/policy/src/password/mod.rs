//! Rules for passwords of local accounts, and passwords made for people.

mod common;
mod generate;

use core::fmt;

pub use generate::{PasswordStyle, generate};

/// The longest password, in UTF-16 units: what the MS-CHAP password change can carry (RFC 2759 section 8.9).
pub const MAX_LENGTH: usize = 256;

/// What a new password must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// The fewest characters.
    pub min_length: usize,
    /// Refuse the common ones, their spellings, keyboard rows and repetitions.
    pub blocklist: bool,
}

impl Default for PasswordRules {
    fn default() -> PasswordRules {
        PasswordRules { min_length: 14, blocklist: true }
    }
}

/// Why a password is refused. The text never holds the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordFault {
    /// Fewer characters than asked.
    Short {
        /// What it has.
        length: usize,
        /// What it needs.
        min: usize,
    },
    /// More than the password change of MS-CHAP can carry.
    Long,
    /// It holds a control character, which no client can type.
    Control,
    /// A common password, or a common one in disguise.
    Common,
    /// It is the user's name, or little more.
    Name,
    /// A row of the keyboard, the alphabet, or digits in order.
    Sequence,
    /// A few characters again and again.
    Repeated,
}

impl fmt::Display for PasswordFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PasswordFault::Short { length, min } => {
                write!(f, "too short: {length} characters, {min} are needed")
            }
            PasswordFault::Long => write!(f, "too long: PPTP carries {MAX_LENGTH} characters"),
            PasswordFault::Control => f.write_str("it holds a control character"),
            PasswordFault::Common => f.write_str("it is on the list of common passwords, or close to one"),
            PasswordFault::Name => f.write_str("it is made of the user name"),
            PasswordFault::Sequence => f.write_str("it is a row of keys or letters"),
            PasswordFault::Repeated => f.write_str("it repeats a few characters"),
        }
    }
}

impl core::error::Error for PasswordFault {}

impl PasswordRules {
    /// Whether `user` may have this password. The first fault found is named.
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
        if self.blocklist { common::check(user, password) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
