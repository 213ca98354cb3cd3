//! What a login means for the lockout: whose account it is about, and whether its result reveals something of a password.

use adit_auth::{LoginOutcome, Rejection};
use adit_diag::{FactorFault, LoginRefusal};
use adit_policy::lockout::Verdict;
use adit_policy::name::{self, MAX_NAME};
use adit_policy::{DomainRule, name::login_name};
use adit_wire::text::escape;

/// The account that a login is about, in the form in which accounts are compared. A name that no account can have begins
/// with a space, so that it is not taken for one that an account has.
pub(super) fn account_key(sent: &[u8], rule: &DomainRule) -> String {
    match login_name(sent, rule) {
        Ok(name) => name.key,
        Err(_) => {
            let shown = name::key(&escape(sent).to_string());
            std::iter::once(' ').chain(shown.chars().take(MAX_NAME)).collect()
        }
    }
}

/// The verdict for the lockout. A refusal for a reason that is given only after the password was found right is no guess,
/// and makes the address not the account's own either.
pub(super) fn verdict(outcome: &LoginOutcome) -> Verdict {
    match outcome {
        LoginOutcome::Grant(_) => Verdict::Proven,
        LoginOutcome::Reject(Rejection { account, reason })
        | LoginOutcome::Unavailable { withheld: Some(Rejection { account, reason }), .. }
            if is_guess(reason) =>
        {
            Verdict::Failed { exists: account.is_some() }
        }
        LoginOutcome::Challenge { .. } | LoginOutcome::Reject(_) | LoginOutcome::Unavailable { .. } => {
            Verdict::None
        }
    }
}

fn is_guess(reason: &LoginRefusal) -> bool {
    match reason {
        LoginRefusal::BadName { .. }
        | LoginRefusal::UnknownUser { .. }
        | LoginRefusal::UnknownUserInThisForm { .. }
        | LoginRefusal::NoPassword { .. }
        | LoginRefusal::WrongPassword
        | LoginRefusal::RejectedByServer { .. }
        // A right password does not make the guess of a code free.
        | LoginRefusal::SecondFactor {
            fault: FactorFault::Wrong | FactorFault::Missing | FactorFault::Used, ..
        }
        | LoginRefusal::BadPasswordChange { .. } => true,
        // No password was looked at, or it was right.
        LoginRefusal::NeedsReversiblePassword { .. }
        | LoginRefusal::SecondFactor {
            fault: FactorFault::NeedsReversiblePassword | FactorFault::NotEnrolled, ..
        }
        | LoginRefusal::Locked { .. }
        | LoginRefusal::HourlyLimit { .. }
        | LoginRefusal::TooManyAtOnce { .. }
        | LoginRefusal::AddressBanned { .. }
        | LoginRefusal::Disabled { .. }
        | LoginRefusal::Expired { .. }
        | LoginRefusal::NoVpnPermission { .. }
        | LoginRefusal::LogonHours { .. }
        | LoginRefusal::MustChangePassword { .. }
        | LoginRefusal::PasswordExpired { .. }
        | LoginRefusal::NewPasswordRefused { .. }
        | LoginRefusal::NewPasswordNotStored { .. }
        | LoginRefusal::SourceAddress { .. }
        | LoginRefusal::SessionLimit { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_account_can_have_locks_no_account() {
        let rule = DomainRule::Require("CORP".to_owned());
        assert_eq!(account_key(b"corp\\Alice", &rule), "alice");
        assert_eq!(account_key(b"Alice", &rule), " alice");
        assert_eq!(account_key(&[b'x'; 9_000], &DomainRule::Strip).chars().count(), MAX_NAME + 1);
        assert_eq!(account_key(b"CORP\\bob", &DomainRule::Strip), account_key(b"BOB", &DomainRule::Strip));
    }
}
