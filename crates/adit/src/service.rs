//! The administration interface: through the server if it runs, else directly on the store.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use adit_admin::account_file::json_length;
use adit_admin::{Context, PageLimit, StoreRecorder, StoredLockout};
use adit_api::accounts::{
    self, Change, Changed, ExportedAccount, FactorRequest, FactorState, Import, Imported, Listed,
    MAX_IMPORT_ENTRY, Shown,
};
use adit_api::log::{self, Event};
use adit_api::{Request, Response, bans, history, pools};
use adit_store::{Store, StoreConfig};

use crate::control::{self, Control};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::settings::Settings;

/// The administration interface of this invocation.
pub(crate) struct Service<'a> {
    output: &'a Output,
    places: &'a Places,
    settings: &'a Settings,
    is_serving: bool,
}

impl<'a> Service<'a> {
    /// Checks whether the server of this store runs; does not open the store yet.
    ///
    /// A server with another database is not the one that the configuration or `--state-dir` names.
    pub(crate) fn open(
        output: &'a Output,
        places: &'a Places,
        settings: &'a Settings,
    ) -> Result<Service<'a>, Failure> {
        let is_serving = match control::find(output, places)? {
            Some(mut control) => serves(&mut control, settings)?,
            None => false,
        };
        match (is_serving, settings.usable()) {
            (_, Ok(())) => {}
            (true, Err(_)) => {
                let path = places.config.display();
                let text = format!("{path} has errors (adit check); the running server has the one before");
                output.remark("warning", &text);
            }
            (false, Err(failure)) => return Err(failure),
        }
        Ok(Service { output, places, settings, is_serving })
    }

    /// Whether the server of this store runs.
    pub(crate) fn is_serving(&self) -> bool {
        self.is_serving
    }

    /// Carries out a request; an error response becomes a [`Failure`].
    pub(crate) fn call(&self, request: &Request) -> Result<Response, Failure> {
        if self.is_serving {
            // One connection per request: the server does not keep one open during a prompt.
            return control::connect(self.output, self.places)?.ask(request);
        }
        let store = self.store(request)?;
        let now = self.output.clock.now();
        let rules = &self.settings.effective().auth.lockout;
        let lockout = StoredLockout { store: &store, rules, now };
        let context = Context {
            store: &store,
            config: self.settings.effective(),
            file: &self.settings.config_file(),
            recorder: &StoreRecorder(&store),
            lockout: &lockout,
            is_serving: false,
            page: PageLimit::NONE,
            now,
        };
        Ok(adit_admin::call(&context, request)?)
    }

    /// Opens the store for a request; an empty one if none exists and nothing is to be written.
    fn store(&self, request: &Request) -> Result<Store, Failure> {
        if request.changes_store() {
            return self.settings.store();
        }
        // Secrets are opened with the key; a store that does not exist is not made to look into it.
        if request.reads_secrets() && self.settings.database()?.exists() {
            return self.settings.store();
        }
        match self.settings.store_to_read()? {
            Some(store) => Ok(store),
            None => Ok(adit_store::open(&StoreConfig::memory())?),
        }
    }

    /// Changes an account, or with `dry_run` reports what would change.
    pub(crate) fn change(&self, change: Change) -> Result<Changed, Failure> {
        match self.accounts(accounts::Request::Change(Box::new(change)))? {
            accounts::Response::Changed(changed) => Ok(*changed),
            _ => Err(control::other_version()),
        }
    }

    /// Imports accounts: in one request without a server, else in as many as the entries need, on one connection.
    pub(crate) fn import(&self, import: Import) -> Result<Imported, Failure> {
        if !self.is_serving {
            return match self.accounts(accounts::Request::Import(Box::new(import)))? {
                accounts::Response::Imported(imported) => Ok(*imported),
                _ => Err(control::other_version()),
            };
        }
        let mut control = control::connect(self.output, self.places)?;
        let mut problems = Vec::new();
        let mut last = Imported::default();
        for request in parts(import) {
            let request = Request::Accounts(accounts::Request::Import(Box::new(request)));
            match control.ask_patiently(&request)? {
                Response::Accounts(accounts::Response::Imported(imported)) => last = *imported,
                _ => return Err(control::other_version()),
            }
            problems.append(&mut last.problems);
        }
        Ok(Imported { problems, ..last })
    }

    /// All accounts by name, with their secrets.
    pub(crate) fn export(&self) -> Result<Vec<ExportedAccount>, Failure> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            match self.accounts(accounts::Request::Export { after })? {
                accounts::Response::Exported(page) => {
                    all.extend(page.accounts);
                    after = page.next;
                }
                _ => return Err(control::other_version()),
            }
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    /// One account in detail.
    pub(crate) fn account(&self, name: &str) -> Result<Shown, Failure> {
        match self.accounts(accounts::Request::Show { name: name.to_owned() })? {
            accounts::Response::Shown(shown) => Ok(*shown),
            _ => Err(control::other_version()),
        }
    }

    /// All accounts by name.
    pub(crate) fn all_accounts(&self) -> Result<Vec<Listed>, Failure> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            match self.accounts(accounts::Request::List { after })? {
                accounts::Response::Page(page) => {
                    all.extend(page.accounts);
                    after = page.next;
                }
                _ => return Err(control::other_version()),
            }
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    /// The bans in force, by network.
    pub(crate) fn bans(&self) -> Result<Vec<bans::Ban>, Failure> {
        match self.call(&Request::Bans(bans::Request::List))? {
            Response::Bans(bans::Response::List(bans)) => Ok(bans),
            _ => Err(control::other_version()),
        }
    }

    /// Adds or lifts a ban, or with `dry_run` reports what would change.
    pub(crate) fn change_ban(&self, change: bans::Change) -> Result<bans::Changed, Failure> {
        match self.call(&Request::Bans(bans::Request::Change(change)))? {
            Response::Bans(bans::Response::Changed(changed)) => Ok(changed),
            _ => Err(control::other_version()),
        }
    }

    /// The pools by name.
    pub(crate) fn pools(&self) -> Result<Vec<pools::Pool>, Failure> {
        match self.call(&Request::Pools(pools::Request::List))? {
            Response::Pools(pools::Response::List(pools)) => Ok(pools),
            _ => Err(control::other_version()),
        }
    }

    /// The used, kept and fixed addresses of a pool, in order.
    pub(crate) fn pool(&self, pool: &str) -> Result<Vec<pools::Address>, Failure> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            match self.call(&Request::Pools(pools::Request::Show { pool: pool.to_owned(), after }))? {
                Response::Pools(pools::Response::Page(page)) => {
                    all.extend(page.addresses);
                    after = page.next;
                }
                _ => return Err(control::other_version()),
            }
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    /// Releases an address that is kept for a user, or with `dry_run` reports for whom it is kept.
    pub(crate) fn release(
        &self,
        address: Ipv4Addr,
        dry_run: bool,
        by: String,
    ) -> Result<pools::Released, Failure> {
        match self.call(&Request::Pools(pools::Request::Release { dry_run, by, address }))? {
            Response::Pools(pools::Response::Released(released)) => Ok(released),
            _ => Err(control::other_version()),
        }
    }

    /// Shows or changes the second factor of an account.
    pub(crate) fn second_factor(&self, request: FactorRequest) -> Result<FactorState, Failure> {
        match self.accounts(accounts::Request::SecondFactor(request))? {
            accounts::Response::SecondFactor(state) => Ok(*state),
            _ => Err(control::other_version()),
        }
    }

    fn accounts(&self, request: accounts::Request) -> Result<accounts::Response, Failure> {
        match self.call(&Request::Accounts(request))? {
            Response::Accounts(response) => Ok(response),
            _ => Err(control::other_version()),
        }
    }

    /// The past sessions that match a filter, oldest first.
    pub(crate) fn history(&self, filter: &history::Filter) -> Result<Vec<history::PastSession>, Failure> {
        let page = |before, last| {
            let filter = history::Filter { before, last, ..filter.clone() };
            match self.call(&Request::History(history::Request::List(filter)))? {
                Response::History(history::Response::Page(page)) => Ok((page.sessions, page.next)),
                _ => Err(control::other_version()),
            }
        };
        pages(filter.before, filter.last, page)
    }

    /// One past session in detail: by its ID, or a user's newest one.
    pub(crate) fn past_session(&self, selector: &str) -> Result<history::PastDetail, Failure> {
        let selector = selector.to_owned();
        match self.call(&Request::History(history::Request::Show { selector }))? {
            Response::History(history::Response::Shown(detail)) => Ok(*detail),
            _ => Err(control::other_version()),
        }
    }

    /// The stored events that match a filter, oldest first.
    pub(crate) fn log(&self, filter: &log::Filter) -> Result<Vec<Event>, Failure> {
        let page = |before, last| {
            let filter = log::Filter { before, last, ..filter.clone() };
            match self.call(&Request::Log(filter))? {
                Response::Log(page) => Ok((page.events, page.next)),
                _ => Err(control::other_version()),
            }
        };
        pages(filter.before, filter.last, page)
    }
}

/// Reads all pages of a list that begins with its newest items; returns the items oldest first.
fn pages<T, Id: Copy>(
    mut before: Option<Id>,
    last: Option<u32>,
    page: impl Fn(Option<Id>, Option<u32>) -> Result<(Vec<T>, Option<Id>), Failure>,
) -> Result<Vec<T>, Failure> {
    let mut newest_first = Vec::new();
    loop {
        let have = u32::try_from(newest_first.len()).unwrap_or(u32::MAX);
        let (items, next) = page(before, last.map(|last| last.saturating_sub(have)))?;
        newest_first.extend(items.into_iter().rev());
        if next.is_none() {
            newest_first.reverse();
            return Ok(newest_first);
        }
        before = next;
    }
}

/// An import as requests that a server reads; the last one has `is_last`.
fn parts(import: Import) -> impl Iterator<Item = Import> {
    let Import { dry_run, by, update, is_last, entries } = import;
    let mut entries = entries.into_iter().peekable();
    let mut is_begun = false;
    std::iter::from_fn(move || {
        let mut part = Vec::new();
        let mut length = 0;
        while let Some(next) = entries.next_if(|entry| {
            length = json_length(entry).saturating_add(length + 1);
            part.is_empty() || length <= MAX_IMPORT_ENTRY
        }) {
            part.push(next);
        }
        let has_more = entries.peek().is_some();
        // An import without entries is one request too.
        let is_part = !part.is_empty() || !is_begun;
        is_begun = true;
        is_part.then(|| Import {
            dry_run,
            by: by.clone(),
            update,
            is_last: is_last && !has_more,
            entries: part,
        })
    })
}

/// Whether a server uses the store of these settings.
///
/// # Errors
/// The server read the same configuration file when it named another database: two would be in use at the same time.
fn serves(control: &mut Control, settings: &Settings) -> Result<bool, Failure> {
    let Response::Identity(server) = control.ask(&Request::Identity)? else {
        return Err(control::other_version());
    };
    // The server read its configuration before the error was made.
    if !settings.is_store_known() {
        return Ok(true);
    }
    // Only a database in memory has no file.
    let (theirs, ours) = (server.database.as_ref().map(PathBuf::from), settings.database().ok());
    if theirs == ours || theirs.as_deref().and_then(real) == ours.as_deref().and_then(real) {
        return Ok(true);
    }
    let file = settings.config_file().path;
    if settings.is_state_given() || real(Path::new(&server.config)) != real(Path::new(&file)) {
        return Ok(false);
    }
    let shown = |path: Option<&PathBuf>| {
        path.map_or_else(|| "a database in memory".to_owned(), |path| path.display().to_string())
    };
    let message = format!(
        "{file} names {}, and the running server (process {}) uses {}: nothing was read or changed",
        shown(ours.as_ref()),
        server.pid,
        shown(theirs.as_ref())
    );
    Err(Failure::new(Exit::Conflict, message)
        .fix("restart the server, or take the change of store.url back; --state-dir DIR names a database expressly"))
}

/// The path without symbolic links, also if the file does not exist.
fn real(path: &Path) -> Option<PathBuf> {
    path.canonicalize().or_else(|_| std::path::absolute(path)).ok()
}

#[cfg(test)]
mod tests {
    use adit_api::accounts::{AccountChange, ImportEntry, ImportSecret};

    use super::*;

    #[test]
    fn an_import_is_split_into_requests_that_fit() {
        let entry = |line: u64, note: usize| ImportEntry {
            line,
            name: "alice".to_owned(),
            properties: AccountChange { note: Some("x".repeat(note)), ..AccountChange::default() },
            secret: ImportSecret::None,
            password_changed: None,
            created: None,
            is_checked: false,
        };
        for (count, note) in [(0, 0), (1, 0), (1, 30_000), (7, 30_000), (2000, 10)] {
            let entries: Vec<ImportEntry> = (0..count).map(|line| entry(line, note)).collect();
            let (by, expected) = ("root".to_owned(), entries.clone());
            let import = Import { dry_run: false, by, update: true, is_last: true, entries };
            let parts: Vec<Import> = parts(import).collect();
            let lengths = parts.iter().map(|part| serde_json::to_vec(part).unwrap().len());
            assert!(lengths.max() <= Some(60_000));
            let last: Vec<bool> = parts.iter().map(|part| part.is_last).collect();
            assert_eq!(last.iter().filter(|is_last| **is_last).count(), 1);
            assert_eq!(last.last(), Some(&true));
            let all: Vec<ImportEntry> = parts.into_iter().flat_map(|part| part.entries).collect();
            assert_eq!(all, expected);
        }
    }

    #[test]
    fn pages_are_put_together_oldest_first() {
        let stored: Vec<i64> = (1..=25).collect();
        let page = |before: Option<i64>, last: Option<u32>| {
            let want = last.unwrap_or(10).min(10) as usize;
            let fits: Vec<i64> =
                stored.iter().copied().filter(|id| before.is_none_or(|before| *id < before)).collect();
            let items = fits[fits.len().saturating_sub(want)..].to_vec();
            let may_have_more = items.len() == want && last.is_none_or(|last| last as usize > want);
            let next = items.first().copied().filter(|_| may_have_more);
            Ok((items, next))
        };
        assert_eq!(pages(None, None, page).unwrap(), stored);
        assert_eq!(pages(None, Some(13), page).unwrap(), stored[12..]);
        assert_eq!(pages(Some(4), None, page).unwrap(), [1, 2, 3]);
    }
}
