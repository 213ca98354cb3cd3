//! One login on an account of the store; blocks on the store.

use adit_crypto::proof::{self, ProofError, Proven, Secret};
use adit_crypto::secret::Password;
use adit_diag::{FactorFault, LoginRefusal, NameForm};
use adit_policy::{account, name};
use adit_ppp::auth::AuthRequest;
use adit_store::{Account, NewSecret, SecondFactor, Store};
use adit_wire::text::escape;
use jiff::Timestamp;

use super::factor;
use crate::{AddressRequest, Caller, Grant, Outcome, Rejection, SessionLimits};

/// The verdict on a login. The account is read once, with its secret.
pub(super) fn log_in(store: &Store, request: &AuthRequest, caller: &Caller) -> adit_store::Result<Outcome> {
    let name = match name::login_name(&request.name, &caller.config.auth.domain) {
        Ok(name) => name.key,
        Err(why) => return Ok(Outcome::NotMine(LoginRefusal::BadName { fault: why.message })),
    };
    let found = store.credentials(&name)?;
    // Read for unknown names too, for the same reason as the next one.
    let factor = store.second_factor(&name)?;
    // Read for known names too, so that the response time does not reveal which names exist.
    let bare = bare_account(store, &name)?;
    let (account, secret) = match found {
        Some((account, Some(secret))) => (account, secret),
        Some((account, None)) => {
            proof::check_unknown(&request.proof);
            let reason = LoginRefusal::NoPassword { user: account.name.clone() };
            return Ok(Outcome::Reject(Rejection { account: Some(account.name), reason }));
        }
        None => return Ok(Outcome::NotMine(unknown(&name, bare))),
    };
    Ok(match decide(store, request, caller, &account, (&secret, factor.as_ref()))? {
        Ok(grant) => Outcome::Grant(Box::new(grant)),
        Err(reason) => Outcome::Reject(Rejection { account: Some(account.name), reason }),
    })
}

fn decide(
    store: &Store,
    request: &AuthRequest,
    caller: &Caller,
    account: &Account,
    (secret, factor): (&Secret, Option<&SecondFactor>),
) -> adit_store::Result<Result<Grant, LoginRefusal>> {
    let user = &account.name;
    let proven = match factor {
        None => match proof::check(&request.proof, secret) {
            Ok(proven) => proven,
            Err(error) => return Ok(Err(proof_refusal(user, error))),
        },
        Some(stored) => {
            let step = adit_mfa::step(u64::try_from(Timestamp::now().as_second()).unwrap_or(0));
            let valid = match factor::check(&request.proof, user, secret, stored, step)? {
                Ok(valid) => valid,
                Err(reason) => return Ok(Err(reason)),
            };
            if !factor::consume(store, stored, &valid)? {
                let reason = LoginRefusal::SecondFactor { user: user.clone(), fault: FactorFault::Used };
                return Ok(Err(reason));
            }
            valid.proven
        }
    };
    let access = caller.config.access_for(account.group.as_deref());
    if let Err(reason) = access.allows_factor(user, factor.is_some()) {
        return Ok(Err(reason));
    }
    Ok(admit(store, caller, account, proven))
}

/// The grant for an account whose secret was proven, if it may log in now and from here.
fn admit(store: &Store, caller: &Caller, account: &Account, proven: Proven) -> Result<Grant, LoginRefusal> {
    caller.may_log_in(&account.name, account.group.as_deref())?;
    check_state(caller, account, proven.new_password.is_some())?;
    if let Some(password) = &proven.new_password {
        change_password(store, caller, account, password)?;
    }
    Ok(Grant {
        account: account.name.clone(),
        proven,
        group: account.group.clone(),
        address: AddressRequest { pool: None, address: account.address },
        networks: account.networks.clone(),
        limits: SessionLimits::default(),
        class: Vec::new(),
    })
}

/// The account with this name minus its domain part, if there is one.
fn bare_account(store: &Store, name: &str) -> adit_store::Result<Option<String>> {
    let behind = name.split_once('\\').map(|(_, user)| user);
    let Some(bare) = behind.or(name.rsplit_once('@').map(|(user, _)| user)) else { return Ok(None) };
    Ok(store.account(bare)?.map(|account| account.name))
}

/// The refusal of an unknown name: for the record, never for the client.
fn unknown(name: &str, bare: Option<String>) -> LoginRefusal {
    let form = if name.contains('\\') { NameForm::Backslash } else { NameForm::At };
    let name = escape(name.as_bytes()).to_string();
    match bare {
        Some(other) => LoginRefusal::UnknownUserInThisForm { name, other, form },
        None => LoginRefusal::UnknownUser { name },
    }
}

/// Checks whether the account may log in now. With a new password, the old one may have expired.
fn check_state(caller: &Caller, account: &Account, has_new_password: bool) -> Result<(), LoginRefusal> {
    let policy = account.for_policy();
    let must_change = policy.must_change && !has_new_password;
    // Whether the account is locked depends on the address, and was decided before any source was asked.
    let state = account::Account { name: account.name.clone(), must_change, locked_until: None, ..policy };
    let mut rules = caller.config.auth.password.account_rules();
    rules.password_max_age = rules.password_max_age.filter(|_| !has_new_password);
    let now = u64::try_from(Timestamp::now().as_second()).unwrap_or(0);
    account::decide(&state, &rules, now)
}

fn change_password(
    store: &Store,
    caller: &Caller,
    account: &Account,
    password: &Password,
) -> Result<(), LoginRefusal> {
    let rules = &caller.config.auth.password.rules;
    rules
        .check(&account.name, password.expose())
        .map_err(|why| LoginRefusal::NewPasswordRefused { fault: why.to_string() })?;
    let secret = Secret::Clear(password.clone());
    let new = NewSecret { secret: &secret, reversible: account.reversible, must_change: false };
    store
        .set_secret(&account.name, &new, Timestamp::now())
        .map_err(|error| LoginRefusal::NewPasswordNotStored { fault: error.to_string() })
}

fn proof_refusal(user: &str, error: ProofError) -> LoginRefusal {
    match error {
        ProofError::NeedsClearText => LoginRefusal::NeedsReversiblePassword { user: user.to_owned() },
        ProofError::BadChange(why) => LoginRefusal::BadPasswordChange { fault: why.to_string() },
        ProofError::Wrong => LoginRefusal::WrongPassword,
    }
}
