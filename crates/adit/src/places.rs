//! Where adit keeps its things.

use std::path::{Path, PathBuf};

use crate::failure::{Exit, Failure};
use crate::global::Global;

/// The configuration file, unless another is given.
pub(crate) const CONFIG: &str = "/etc/adit/adit.toml";
/// Database, seal key, undo journal.
pub(crate) const STATE_DIR: &str = "/var/lib/adit";
/// Control socket.
pub(crate) const RUN_DIR: &str = "/run/adit";

/// The files and directories of this call.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The configuration file.
    pub(crate) config: PathBuf,
    /// Whether it was named in this call.
    pub(crate) config_given: bool,
    /// Where the program keeps what it must not forget.
    pub(crate) state: PathBuf,
    /// Whether it was named in this call: then it goes before the configuration.
    pub(crate) state_given: bool,
    /// Where it keeps what ends with it.
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

    /// The configuration file, if it is there. One that was named must be.
    pub(crate) fn config_file(&self) -> Result<Option<&Path>, Failure> {
        let there = self.config.exists();
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

    /// The key of the sealed passwords.
    pub(crate) fn seal_key(&self) -> PathBuf {
        self.state.join("seal.key")
    }

    /// What makes the server the same one after a restart.
    pub(crate) fn server_identity(&self) -> PathBuf {
        self.state.join("server.id")
    }

    /// What was changed on this host and has to be put back.
    pub(crate) fn journal(&self) -> PathBuf {
        self.state.join("journal")
    }

    /// The daemon's control socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.run.join("adit.sock")
    }

    /// Whether a daemon answers on the control socket.
    pub(crate) fn daemon_runs(&self) -> bool {
        std::os::unix::net::UnixStream::connect(self.socket()).is_ok()
    }
}
