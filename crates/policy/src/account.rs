//! An account as the gate sees it, and whether its state lets it in.

use std::net::Ipv4Addr;
use std::time::Duration;

use adit_diag::LoginRefusal;
use ipnet::Ipv4Net;

/// A person or device that may log in. Times are seconds since 1970-01-01 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name, as [`crate::name::key`] compares it.
    pub name: String,
    /// The group whose rules change the defaults.
    pub group: Option<String>,
    /// Switched off, and why.
    pub disabled: Option<String>,
    /// The first second in which the account no longer works.
    pub expires: Option<u64>,
    /// Locked after failures until this second.
    pub locked_until: Option<u64>,
    /// Whether the account may use the tunnel at all.
    pub vpn_allowed: bool,
    /// The one address that the client gets.
    pub fixed_address: Option<Ipv4Addr>,
    /// Networks behind the client, routed to it.
    pub networks: Vec<Ipv4Net>,
    /// When the password was set; `None` when not known, which never expires.
    pub password_changed: Option<u64>,
    /// The password must be changed at the next login.
    pub must_change: bool,
    /// A note for people.
    pub note: String,
}

impl Account {
    /// An account that may log in, with everything else empty.
    pub fn new(name: impl Into<String>) -> Account {
        Account {
            name: name.into(),
            group: None,
            disabled: None,
            expires: None,
            locked_until: None,
            vpn_allowed: true,
            fixed_address: None,
            networks: Vec::new(),
            password_changed: None,
            must_change: false,
            note: String::new(),
        }
    }
}

/// The rules for accounts that are not in the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountRules {
    /// A password older than this has expired; `None` is never.
    pub password_max_age: Option<Duration>,
}

/// Whether the account is locked now; asked before the password is looked at.
pub fn locked(account: &Account, now: u64) -> Result<(), LoginRefusal> {
    match account.locked_until {
        Some(until) if now < until => {
            Err(LoginRefusal::Locked { user: account.name.clone(), left: until - now })
        }
        _ => Ok(()),
    }
}

/// Whether the account's state lets it in at `now`, in seconds since 1970.
///
/// Ask only after the password was proven right: the answers tell that the account exists.
pub fn decide(account: &Account, rules: &AccountRules, now: u64) -> Result<(), LoginRefusal> {
    locked(account, now)?;
    let user = || account.name.clone();
    if let Some(reason) = &account.disabled {
        return Err(LoginRefusal::Disabled { user: user(), because: reason.clone() });
    }
    if let Some(expires) = account.expires
        && now >= expires
    {
        return Err(LoginRefusal::Expired { user: user(), ago: now - expires });
    }
    if !account.vpn_allowed {
        return Err(LoginRefusal::NoVpnPermission { user: user() });
    }
    if account.must_change {
        return Err(LoginRefusal::MustChangePassword { user: user() });
    }
    if let (Some(changed), Some(max)) = (account.password_changed, rules.password_max_age)
        && now.saturating_sub(changed) >= max.as_secs()
    {
        let (age, allowed) = (now - changed.min(now), max.as_secs());
        return Err(LoginRefusal::PasswordExpired { user: user(), age, allowed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use adit_diag::Code;

    use super::*;

    const NOW: u64 = 1_790_000_000;

    fn refused(change: impl FnOnce(&mut Account)) -> (Code, u32) {
        let mut account = Account::new("alice");
        change(&mut account);
        let rules = AccountRules { password_max_age: Some(Duration::from_secs(86_400)) };
        let refusal = decide(&account, &rules, NOW).unwrap_err();
        (refusal.code(), refusal.mschap_error())
    }

    #[test]
    fn every_state_has_its_code_and_number() {
        assert_eq!(refused(|a| a.disabled = Some("left".into())), (Code::A02, 647));
        assert_eq!(refused(|a| a.expires = Some(NOW)), (Code::A10, 647));
        assert_eq!(refused(|a| a.vpn_allowed = false), (Code::A11, 649));
        assert_eq!(refused(|a| a.must_change = true), (Code::A03, 648));
        assert_eq!(refused(|a| a.password_changed = Some(NOW - 86_400)), (Code::A03, 648));
        assert_eq!(refused(|a| a.locked_until = Some(NOW + 1)), (Code::A04, 691));
    }

    #[test]
    fn a_healthy_account_gets_in_at_its_limits() {
        let rules = AccountRules { password_max_age: Some(Duration::from_secs(86_400)) };
        let account = Account {
            expires: Some(NOW + 1),
            locked_until: Some(NOW),
            password_changed: Some(NOW - 86_399),
            ..Account::new("alice")
        };
        assert_eq!(decide(&account, &rules, NOW), Ok(()));
        let from_tomorrow = Account { password_changed: Some(NOW + 86_400), ..Account::new("alice") };
        assert_eq!(decide(&from_tomorrow, &rules, NOW), Ok(()), "a clock that went back expires nothing");
        let unknown_age = Account::new("alice");
        assert_eq!(decide(&unknown_age, &rules, u64::MAX), Ok(()));
    }

    #[test]
    fn a_locked_user_is_refused_like_a_wrong_password_and_the_record_has_the_time() {
        let account = Account { locked_until: Some(NOW + 90), ..Account::new("alice") };
        let refusal = locked(&account, NOW).unwrap_err();
        assert_eq!(refusal.to_string(), "alice is locked for another 90 s after failed logins");
        assert_eq!((refusal.code(), refusal.mschap_error()), (Code::A04, 691));
        assert_eq!(locked(&account, NOW + 90), Ok(()));
    }

    #[test]
    fn the_reason_is_in_the_record() {
        let account = Account { disabled: Some("left in May".into()), ..Account::new("old.fax") };
        let refusal = decide(&account, &AccountRules::default(), NOW).unwrap_err();
        assert_eq!(refusal.to_string(), "old.fax is disabled: left in May");
    }
}
