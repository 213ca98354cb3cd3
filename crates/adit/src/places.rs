//! Files and directories of adit.

use std::path::{Path, PathBuf};

use crate::failure::{Exit, Failure};
use crate::global::Global;

/// The default configuration file.
pub(crate) const CONFIG: &str = "/etc/adit/adit.toml";
/// The default state directory: database, seal key, undo journal.
pub(crate) const STATE_DIR: &str = "/var/lib/adit";
/// The default runtime directory: control socket.
pub(crate) const RUN_DIR: &str = "/run/adit";

/// The files and directories of this invocation.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The configuration file.
    pub(crate) config: PathBuf,
    /// Whether it was given explicitly.
    pub(crate) config_given: bool,
    /// The state directory, for persistent data.
    pub(crate) state: PathBuf,
    /// Whether it was given explicitly: it then takes precedence over the configuration.
    pub(crate) state_given: bool,
    /// The runtime directory, for data that is not kept after exit.
    pub(crate) run: PathBuf,
}

impl Places {
    pub(crate) fn new(global: &Global) -> Places {
        let or = |given: &Option<PathBuf>, usual: &str| given.clone().unwrap_or_else(|| usual.into());
        Places {
            config: or(&global.config, CONFIG),
            config_given: global.config.is_some(),
            state: or(&global.state_dir, STATE_DIR),
            state_given: global.state_dir.is_some(),
            run: or(&global.run_dir, RUN_DIR),
        }
    }

    /// The configuration file, if it exists. One that was given explicitly must exist.
    pub(crate) fn config_file(&self) -> Result<Option<&Path>, Failure> {
        let there = adit_config::is_there(&self.config);
        if !there && self.config_given {
            return Err(Failure::new(Exit::Problem, format!("there is no {}", self.config.display()))
                .fix("leave -c away for /etc/adit/adit.toml, or adit init to make one"));
        }
        Ok(Some(self.config.as_path()).filter(|_| there))
    }

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        self.state.join("adit.db")
    }

    /// The key that seals passwords.
    pub(crate) fn seal_key(&self) -> PathBuf {
        self.state.join("seal.key")
    }

    /// The server's identity, which is kept across restarts.
    pub(crate) fn server_identity(&self) -> PathBuf {
        self.state.join("server.id")
    }

    /// The journal of changes to this host that have to be undone.
    pub(crate) fn journal(&self) -> PathBuf {
        self.state.join("journal")
    }

    /// The server's control socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.run.join("adit.sock")
    }

    /// Whether a server answers on the control socket.
    pub(crate) fn daemon_runs(&self) -> bool {
        std::os::unix::net::UnixStream::connect(self.socket()).is_ok()
    }
}
