//! New passwords: generated, or checked against the rules.

use adit_api::accounts::NewPassword;
use adit_api::{Error, Kind, Result};
use adit_config::PasswordPolicy;
use adit_crypto::Rng;
use adit_crypto::secret::Password;
use adit_password::PasswordRules;

use crate::Context;

/// A password that passed the checks.
pub(super) struct Accepted {
    /// The password.
    pub(super) password: Password,
    /// Whether it was generated here, so that the administrator must be shown it.
    pub(super) is_made: bool,
}

/// Generates a password, or checks the given one against the configured rules.
pub(super) fn accept(context: &Context<'_>, name: &str, new: &NewPassword) -> Result<Accepted> {
    let policy = &context.config.auth.password;
    let NewPassword::Given { password, weak } = new else {
        return Ok(Accepted { password: generate(policy)?, is_made: true });
    };
    // Even without the rules, PPTP must be able to carry the password.
    let rules = if *weak { PasswordRules::none() } else { policy.rules.clone() };
    rules.check(name, password.expose()).map_err(|fault| {
        let fix = if *weak { "choose another one" } else { "leave it empty and one is made; or --weak" };
        Error::new(Kind::Invalid, format!("this password is refused: {fault}")).fix(fix)
    })?;
    Ok(Accepted { password: password.clone(), is_made: false })
}

/// Generates a password in the style of the policy.
fn generate(policy: &PasswordPolicy) -> Result<Password> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| Error::new(Kind::Internal, format!("no random numbers: {error}")))?;
    Ok(adit_password::generate(policy.generate, &mut Rng::from_seed(seed)))
}

#[cfg(test)]
mod tests {
    use adit_password::PasswordStyle;

    use super::*;

    #[test]
    fn the_policy_selects_the_style_of_generated_passwords() {
        let config = adit_config::Checked::built_in().into_config().unwrap();
        let hyphens = |style| {
            let policy = PasswordPolicy { generate: style, ..config.auth.password.clone() };
            generate(&policy).unwrap().expose().matches('-').count()
        };
        assert_eq!(hyphens(PasswordStyle::Words), 4);
        assert!(hyphens(PasswordStyle::Random) < 4);
    }
}
