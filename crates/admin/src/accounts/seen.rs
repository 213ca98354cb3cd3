//! What session records show about accounts.

use std::collections::BTreeMap;

use adit_api::accounts::Connected;
use adit_policy::name::key;
use adit_store::{Session, SessionFilter};

use crate::{Context, refused};

/// What session records show about accounts, by name key.
#[derive(Default)]
pub(super) struct Seen {
    up: BTreeMap<String, Vec<Connected>>,
    last_end: BTreeMap<String, String>,
}

impl Seen {
    /// Reads the session records of all accounts.
    pub(super) fn of_all(context: &Context<'_>) -> adit_api::Result<Seen> {
        Seen::of(context, None)
    }

    /// Reads the session records of one account.
    pub(super) fn of_one(context: &Context<'_>, name: &str) -> adit_api::Result<Seen> {
        Seen::of(context, Some(name.to_owned()))
    }

    fn of(context: &Context<'_>, user: Option<String>) -> adit_api::Result<Seen> {
        let mut seen = Seen::default();
        // If the server does not run, sessions that look active are stale.
        if context.is_serving {
            let filter =
                SessionFilter { running: Some(true), user: user.clone(), ..SessionFilter::default() };
            for session in context.store.sessions(&filter).map_err(refused)? {
                let Some(user) = session.user.as_deref().map(key) else { continue };
                seen.up.entry(user).or_default().extend(connected(&session));
            }
        }
        let filter =
            SessionFilter { running: Some(false), newest_per_user: true, user, ..SessionFilter::default() };
        for Session { user, end, .. } in context.store.sessions(&filter).map_err(refused)? {
            if let (Some(user), Some(end)) = (user, end) {
                seen.last_end.insert(key(&user), end.code.unwrap_or(end.why));
            }
        }
        Ok(seen)
    }

    /// The active sessions of an account, oldest first.
    pub(super) fn up(&self, name: &str) -> &[Connected] {
        self.up.get(&key(name)).map_or(&[], Vec::as_slice)
    }

    /// How the account's last session ended.
    pub(super) fn last_end(&self, name: &str) -> Option<&str> {
        self.last_end.get(&key(name)).map(String::as_str)
    }
}

/// The session, if it is active.
fn connected(session: &Session) -> Option<Connected> {
    Some(Connected {
        session: session.id,
        address: session.address,
        from: session.from.ip(),
        up: session.up?,
    })
}
