//! New passwords: entered, or generated and shown once.

use adit_api::accounts::NewPassword;
use adit_crypto::secret::Password;

use crate::failure::Failure;
use crate::output::Output;
use crate::prompt::PasswordSource;

/// Flags about a new password.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct PasswordFlags {
    #[command(flatten)]
    source: PasswordSource,
    /// Generate a password and show it once, without asking for one
    #[arg(long, conflicts_with_all = ["password_stdin", "password_file", "weak"])]
    generate: bool,
    /// Store the clear-text password too (sealed), for old devices that support only CHAP-MD5
    #[arg(long)]
    pub(super) reversible: bool,
    /// Accept a password that violates the configured rules
    #[arg(long)]
    weak: bool,
    /// Require a password change at the next login
    #[arg(long)]
    pub(super) must_change: bool,
}

/// Asks for a password; an empty answer generates one.
pub(super) fn new_password(flags: &PasswordFlags, question: &str) -> Result<NewPassword, Failure> {
    if flags.generate {
        return Ok(NewPassword::Made);
    }
    let password = flags.source.read(question)?;
    Ok(match password.is_empty() {
        true => NewPassword::Made,
        false => NewPassword::Given { password, weak: flags.weak },
    })
}

/// Prints a generated password, once.
pub(super) fn print_made(password: Option<&Password>, output: &Output) -> Result<(), Failure> {
    match password {
        Some(password) => output.line(&format!("password {}      shown once", password.expose())),
        None => Ok(()),
    }
}
