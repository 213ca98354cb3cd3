//! The configuration for commands, also if there is no file.

use std::path::PathBuf;

use adit_admin::{ConfigFile, FileState};
use adit_config::{Checked, Config, SecretSource, StoreUrl};
use adit_store::{Access, ErrorKind, KeySource, Location, SealKey, Store, StoreConfig};

use crate::failure::{Exit, Failure};
use crate::places::Places;

/// The configuration of this invocation.
pub(crate) struct Settings {
    /// The files, if they exist and are usable.
    file: Option<Checked>,
    /// The effective configuration: the files, or the defaults.
    effective: Config,
    there: bool,
    places: Places,
}

impl Settings {
    /// Reads the files. A command that uses stored data must refuse if they have errors: see [`Settings::usable`].
    pub(crate) fn load(places: &Places) -> Result<Settings, Failure> {
        let path = places.config_file()?;
        let there = path.is_some();
        let usable = path.map(Checked::read).filter(|checked| checked.config().is_some());
        let effective = match usable.as_ref().and_then(Checked::config) {
            Some(config) => config.clone(),
            None => Checked::built_in()
                .into_config()
                .map_err(|checked| Failure::new(Exit::Problem, checked.render()))?,
        };
        Ok(Settings { file: usable, effective, there, places: places.clone() })
    }

    /// The configuration, if there is a file without errors.
    pub(crate) fn config(&self) -> Option<&Config> {
        self.file.as_ref().and_then(Checked::config)
    }

    /// The checked files, if there are any without errors.
    pub(crate) fn file(&self) -> Option<&Checked> {
        self.file.as_ref()
    }

    /// The effective configuration: the file, or the defaults if there is none. While the file has errors these are the
    /// defaults too, and nothing may be decided by them.
    pub(crate) fn effective(&self) -> &Config {
        &self.effective
    }

    /// The configuration file, and whether it is in effect.
    pub(crate) fn config_file(&self) -> ConfigFile {
        let state = match (self.config(), self.there) {
            (Some(_), _) => FileState::Usable,
            (None, true) => FileState::Invalid,
            (None, false) => FileState::Missing,
        };
        ConfigFile { path: self.places.config.display().to_string(), state }
    }

    /// Opens the store to read and write; creates it at first use.
    pub(crate) fn store(&self) -> Result<Store, Failure> {
        self.usable()?;
        open_store(&self.places, self.config())
    }

    /// Opens the store only to read; `None` if it does not exist.
    pub(crate) fn store_to_read(&self) -> Result<Option<Store>, Failure> {
        self.usable()?;
        match adit_store::open(&StoreConfig::sqlite_read_only(self.database()?)) {
            Ok(store) => Ok(Some(store)),
            Err(error) if error.kind == ErrorKind::Missing => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Checks that the file, if there is one, has no errors. Otherwise neither the database that it names nor its rules are
    /// known: an account must not be added to, or looked for in, the wrong database, nor by other rules.
    pub(crate) fn usable(&self) -> Result<(), Failure> {
        if self.config().is_some() || !self.there {
            return Ok(());
        }
        let path = self.places.config.display();
        let message = format!(
            "{path} cannot be used, so the database that it names is not known: nothing was read or changed"
        );
        Err(Failure::new(Exit::Problem, message).fix("adit check"))
    }

    /// Whether the database is known: named by a file without errors, by an explicit state directory, or the default.
    pub(crate) fn is_store_known(&self) -> bool {
        self.config().is_some() || !self.there || self.places.state_given
    }

    /// Whether an explicit state directory names the database.
    pub(crate) fn is_state_given(&self) -> bool {
        self.places.state_given
    }

    /// The database file.
    pub(crate) fn database(&self) -> Result<PathBuf, Failure> {
        database(&self.places, self.config())
    }
}

/// Opens the configured store to read and write; creates it at first use.
pub(crate) fn open_store(places: &Places, config: Option<&Config>) -> Result<Store, Failure> {
    let path = database(places, config)?;
    let key = match config.filter(|_| !places.state_given) {
        None => KeySource::File(places.seal_key()),
        Some(config) => key_source(&config.store.seal_key)?,
    };
    Ok(adit_store::open(&StoreConfig::new(Location::Sqlite(path), Access::Full(key)))?)
}

/// The source of the seal key; a key that is not in a file is read here.
fn key_source(source: &SecretSource) -> Result<KeySource, Failure> {
    if let SecretSource::File(path) = source {
        return Ok(KeySource::File(path.clone()));
    }
    let wrong = |why: &str| {
        Failure::new(Exit::Problem, format!("the seal key in {source}: {why}"))
            .code(adit_diag::Code::S09)
            .fix("run it where the service manager gives the key, or use store.seal_key = { file = ... }")
    };
    let text = source.read().map(zeroize::Zeroizing::new).map_err(|error| wrong(&error.to_string()))?;
    let key = SealKey::parse(&text).ok_or_else(|| wrong("not 64 hexadecimal digits"))?;
    Ok(KeySource::Key(key))
}

/// The database file; an explicit state directory takes precedence over the configuration.
pub(crate) fn database(places: &Places, config: Option<&Config>) -> Result<PathBuf, Failure> {
    match config.filter(|_| !places.state_given).map(|config| &config.store.url) {
        None => Ok(places.database()),
        Some(StoreUrl::Sqlite(path)) => Ok(path.clone()),
        Some(StoreUrl::Memory) => Err(Failure::new(
            Exit::Problem,
            "store.url is in memory: its data end with the server, and no other program can see them",
        )
        .fix("store.url = \"sqlite:/var/lib/adit/adit.db\"")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use adit_config::Source;

    use super::*;

    fn config(text: &str) -> Config {
        Checked::built_in_with(Source::new("adit.toml", text)).into_config().unwrap()
    }

    #[test]
    fn store_url_is_the_database() {
        let path = |url: &str| {
            let config = config(&format!("[store]\nurl = \"{url}\"\n"));
            let state = PathBuf::from("/state");
            let (file, run) = (state.join("adit.toml"), state.join("run"));
            let places = Places {
                config: file,
                config_given: false,
                state,
                state_given: false,
                run,
                run_given: false,
            };
            database(&places, Some(&config)).ok().unwrap()
        };
        assert_eq!(path("sqlite:/x/a.db"), Path::new("/x/a.db"));
        assert_eq!(path("sqlite:/x/b.db"), Path::new("/x/b.db"));
    }

    #[test]
    fn seal_key_is_the_source_of_the_key() {
        let source = |seal_key: &str| {
            let config = config(&format!("[store]\nseal_key = {seal_key}\n"));
            key_source(&config.store.seal_key)
        };
        let file = source("{ file = \"/x/key\" }").ok().unwrap();
        assert!(matches!(file, KeySource::File(path) if path == Path::new("/x/key")));
        assert!(source("{ env = \"ADIT_TEST_NO_SUCH_VARIABLE\" }").is_err());
    }
}
