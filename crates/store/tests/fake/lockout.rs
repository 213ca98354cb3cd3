use adit_policy::name;
use adit_store::{LockoutChange, Lockouts, Result};
use jiff::Timestamp;

use crate::Fake;
use crate::state::State;

impl Lockouts for Fake {
    fn lockout(&self) -> Result<Vec<LockoutChange>> {
        Ok(self.lock().lockout.values().cloned().collect())
    }
}

fn place(change: &LockoutChange) -> (u8, String, String) {
    match change {
        LockoutChange::Account(name, _) => (0, name.to_string(), String::new()),
        LockoutChange::Home(name, network, _) => (1, name.to_string(), network.to_string()),
        LockoutChange::Sender(network, _) => (2, String::new(), network.to_string()),
        LockoutChange::Ban(network, _) => (3, String::new(), network.to_string()),
    }
}

pub(crate) fn apply(state: &mut State, changes: &[LockoutChange]) {
    for change in changes {
        let is_there = match change {
            LockoutChange::Account(_, value) => value.is_some(),
            LockoutChange::Home(_, _, value) => value.is_some(),
            LockoutChange::Sender(_, value) => value.is_some(),
            LockoutChange::Ban(_, value) => value.is_some(),
        };
        if is_there {
            state.lockout.insert(place(change), change.clone());
        } else {
            state.lockout.remove(&place(change));
        }
        let (LockoutChange::Account(name, _) | LockoutChange::Home(name, ..)) = change else { continue };
        if matches!(change, LockoutChange::Account(_, None)) {
            state.lockout.retain(|(kind, owner, _), _| *kind != 1 || *owner != **name);
        }
        let locks = state.lockout.values().filter_map(|row| match row {
            LockoutChange::Account(owner, Some(account)) if owner == name => Some(account.strikes.lock.until),
            LockoutChange::Home(owner, _, Some(home)) if owner == name => Some(home.strikes.lock.until),
            _ => None,
        });
        let until = locks.max().filter(|until| *until > 0);
        if let Some((account, _)) = state.accounts.get_mut(&name::key(name)) {
            account.locked_until = until.map(|until| Timestamp::from_millisecond(until as i64).unwrap());
        }
    }
}
