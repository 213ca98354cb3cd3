//! A new password: asked for, or made here and told once.

use adit_config::PasswordPolicy;
use adit_crypto::Rng;
use adit_crypto::proof::Secret;
use adit_crypto::secret::Password;
use adit_policy::PasswordRules;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::prompt::PasswordSource;
use crate::settings::Settings;

/// Makes a password in the style of the configuration.
pub(super) fn make_password(policy: &PasswordPolicy) -> Result<Password, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| Failure::new(Exit::Problem, format!("no random numbers: {error}")))?;
    Ok(adit_policy::password::generate(policy.generate, &mut Rng::from_seed(seed)))
}

/// Flags about a new password.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct PasswordFlags {
    #[command(flatten)]
    source: PasswordSource,
    /// Keep the password itself too (sealed), for old devices that only speak CHAP-MD5
    #[arg(long)]
    pub(super) reversible: bool,
    /// Take a password that the rules of the configuration refuse
    #[arg(long)]
    weak: bool,
    /// It must be changed at the next login
    #[arg(long)]
    pub(super) must_change: bool,
}

/// A password from a person, or one that was made because the answer was empty.
pub(super) struct NewPassword {
    pub(super) secret: Secret,
    /// Only when it was made here: somebody has to be told.
    pub(super) made: Option<Password>,
}

/// Asks for a password and checks it against the rules.
pub(super) fn new_password(
    name: &str,
    flags: &PasswordFlags,
    question: &str,
    settings: &Settings,
) -> Result<NewPassword, Failure> {
    let policy = &settings.effective().auth.password;
    let given = flags.source.read(question)?;
    if given.is_empty() {
        let made = make_password(policy)?;
        return Ok(NewPassword { secret: Secret::Clear(made.clone()), made: Some(made) });
    }
    // Whatever the rules say, PPTP has to be able to carry it.
    let rules =
        if flags.weak { PasswordRules { min_length: 1, blocklist: false } } else { policy.rules.clone() };
    rules.check(name, given.expose()).map_err(|fault| {
        let fix = if flags.weak { "choose another one" } else { "leave it empty and one is made; or --weak" };
        Failure::usage(format!("this password is refused: {fault}")).fix(fix)
    })?;
    Ok(NewPassword { secret: Secret::Clear(given), made: None })
}

/// Tells a password that was made here, once.
pub(super) fn tell_password(output: &Output, made: &Password) -> Result<(), Failure> {
    output.line(&format!("password {}      shown once", made.expose()))
}

#[cfg(test)]
mod tests {
    use adit_policy::PasswordStyle;

    use super::*;

    #[test]
    fn generate_is_the_style_of_made_passwords() {
        let config = adit_config::Checked::built_in().into_config().unwrap();
        let hyphens = |generate| {
            let policy = PasswordPolicy { generate, ..config.auth.password.clone() };
            make_password(&policy).ok().unwrap().expose().matches('-').count()
        };
        assert_eq!(hyphens(PasswordStyle::Words), 4);
        assert!(hyphens(PasswordStyle::Random) < 4);
    }
}
