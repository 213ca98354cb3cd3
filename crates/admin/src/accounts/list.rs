//! Accounts in lists and in detail.

use adit_api::Result;
use adit_api::accounts::{Account, Attempt, Listed, Page, Shown, State};
use adit_diag::{Code, EventKind};
use adit_policy::name::key;
use adit_store::EventFilter;
use jiff::Timestamp;

use super::find;
use super::seen::Seen;
use crate::{Context, refused};

/// Maximum number of login attempts shown.
const ATTEMPTS: usize = 10;
/// Maximum number of an account's events read to find them.
const READ: u32 = 200;

/// The accounts after a name, at most one page.
pub(super) fn page(context: &Context<'_>, after: Option<&str>) -> Result<Page> {
    let after = after.map(key);
    let behind = |account: &Account| after.as_ref().is_none_or(|after| key(&account.name) > *after);
    let mut accounts: Vec<Account> =
        context.store.accounts().map_err(refused)?.into_iter().filter(behind).collect();
    // Pages are delimited by this key, so use the store's sort order.
    accounts.sort_by_cached_key(|account| key(&account.name));
    let count = accounts.len();
    accounts.truncate(context.page.items);
    accounts.truncate(context.page.fitting(accounts.iter()));
    let has_more = accounts.len() < count;
    let next = accounts.last().filter(|_| has_more).map(|account| account.name.clone());
    let seen = if accounts.is_empty() { Seen::default() } else { Seen::of_all(context)? };
    Ok(Page { accounts: accounts.into_iter().map(|account| listed(context, account, &seen)).collect(), next })
}

/// One account in detail.
pub(super) fn show(context: &Context<'_>, name: &str) -> Result<Shown> {
    let account = find(context.store, name)?;
    let seen = Seen::of_one(context, &account.name)?;
    let about = EventFilter { user: Some(account.name.clone()), last: Some(READ), ..EventFilter::default() };
    let attempts = context
        .store
        .events(&about)
        .map_err(refused)?
        .into_iter()
        .rev()
        .filter(|event| event.kind == EventKind::SessionUp || event.kind == EventKind::AuthFail)
        .take(ATTEMPTS)
        .map(|event| Attempt {
            at: event.at,
            from: event.from,
            code: event.code.map(|code| code.to_string()),
            session: event.session,
        })
        .collect();
    Ok(Shown { listed: listed(context, account, &seen), attempts })
}

fn listed(context: &Context<'_>, account: Account, seen: &Seen) -> Listed {
    Listed {
        state: state(context, &account, context.now),
        connected: seen.up(&account.name).to_vec(),
        last_end: seen.last_end(&account.name).map(str::to_owned),
        account,
    }
}

/// Login state of an account: the first reason that prevents a login.
fn state(context: &Context<'_>, account: &Account, now: Timestamp) -> State {
    let rules = context.config.auth.password.account_rules();
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    if account.disabled.is_none() && account.password_changed.is_none() {
        return State::NoPassword;
    }
    match adit_policy::decide(&account.for_policy(), &rules, seconds).map_err(|refusal| refusal.code()) {
        Ok(()) => State::Ok,
        Err(Code::A02) => State::Disabled,
        Err(Code::A04) => State::Locked,
        Err(Code::A10) => State::Expired,
        Err(Code::A11) => State::NoVpn,
        Err(Code::A03) if account.must_change => State::MustChange,
        Err(_) => State::PasswordExpired,
    }
}
