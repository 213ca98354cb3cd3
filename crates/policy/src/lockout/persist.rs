//! The changes to store, and their way back after a restart.

use super::account::{Account, OWN_FOR};
use super::change::{Change, Key};
use super::machine::Lockout;
use super::rules::{LONGEST, ms};

impl Lockout {
    /// What changed since the last call.
    pub fn take_changes(&mut self) -> Vec<Change> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().map(|key| self.change(key)).collect()
    }

    fn change(&self, key: Key) -> Change {
        match key {
            Key::Account(name) => {
                let account = self.accounts.get(&name).cloned();
                Change::Account(name, account.map(|account| Account { homes: Vec::new(), ..account }))
            }
            Key::Home(name, network) => {
                let account = self.accounts.get(&name);
                let home =
                    account.and_then(|account| account.homes.iter().find(|home| home.network == network));
                let home = home.copied();
                Change::Home(name, network, home)
            }
            Key::Sender(network) => {
                let table = if network.prefix_len() == 32 { &self.addresses } else { &self.networks };
                Change::Sender(network, table.get(&network).copied())
            }
            Key::Ban(network) => Change::Ban(network, self.bans.get(network).cloned()),
        }
    }

    /// Puts back what was stored. Times that are ahead, because the clock was, are brought to the present. Accounts come before
    /// their networks.
    pub fn restore(&mut self, now: u64, stored: Change) {
        let longest_ban = LONGEST.max(ms(self.rules.address.ban));
        match stored {
            Change::Account(name, Some(mut account)) => {
                account.strikes.clamp(now);
                account.foreign.clamp(now);
                account.own.clamp(now);
                let expires = account.expires();
                let removed = self.accounts.put(now, name, account, expires);
                removed.into_iter().for_each(|name| self.note(Key::Account(name)));
            }
            Change::Home(name, _, Some(mut home)) => {
                home.at = home.at.min(now);
                home.strikes.clamp(now);
                let mut account = self.take(&name);
                account.put_home(home);
                let expires = account.expires();
                let removed = self.accounts.put(now, name, account, expires);
                removed.into_iter().for_each(|name| self.note(Key::Account(name)));
                if home.is_valid(now) {
                    self.known.put(now, home.address, home.at, home.at.saturating_add(OWN_FOR));
                }
            }
            Change::Sender(network, Some(mut sender)) => {
                sender.clamp(now, longest_ban);
                let table = if network.prefix_len() == 32 { &mut self.addresses } else { &mut self.networks };
                let removed = table.put(now, network, sender, sender.expires());
                removed.into_iter().for_each(|network| self.note(Key::Sender(network)));
            }
            Change::Ban(network, Some(mut ban)) => {
                // An administrator chose the end of the others.
                if ban.by.is_none() {
                    ban.until = ban.until.min(now.saturating_add(longest_ban));
                }
                self.bans.put(now, network, ban);
            }
            Change::Account(_, None)
            | Change::Home(_, _, None)
            | Change::Sender(_, None)
            | Change::Ban(_, None) => {}
        }
    }
}
