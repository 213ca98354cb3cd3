//! Files and directories of adit.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::failure::{Exit, Failure};
use crate::global::Global;

/// The default configuration file.
pub(crate) const CONFIG: &str = "/etc/adit/adit.toml";
/// The default state directory: database, seal key.
pub(crate) const STATE_DIR: &str = "/var/lib/adit";
/// The default runtime directory: control socket.
pub(crate) const RUN_DIR: &str = "/run/adit";
/// The default directory of what root does to this host: journals of `adit init`, and of `adit connect` started by hand. The
/// service users own their state directories, and root must not write there.
pub(crate) const HOST_DIR: &str = "/var/lib/adit-host";
/// The default runtime directory of clients, and of the service units of clients below it.
pub(crate) const CLIENT_RUN_DIR: &str = "/run/adit-client";

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
    /// Whether it was given explicitly.
    pub(crate) run_given: bool,
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
            run_given: global.run_dir.is_some(),
        }
    }

    /// The configuration file, if it exists. One that was given explicitly must exist.
    ///
    /// # Errors
    /// Also if it cannot be determined whether it exists: the defaults would name another database.
    pub(crate) fn config_file(&self) -> Result<Option<&Path>, Failure> {
        let looked = std::fs::metadata(&self.config).map(drop);
        let is_link = || std::fs::symlink_metadata(&self.config).is_ok();
        match looked {
            Ok(()) => Ok(Some(self.config.as_path())),
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Failure::io("cannot look for the configuration", &self.config, &error))
            }
            Err(_) if is_link() => {
                let message = format!("{} is a link to a file that does not exist", self.config.display());
                Err(Failure::new(Exit::Problem, message).fix("remove the link, or make the file"))
            }
            Err(_) if self.config_given => {
                Err(Failure::new(Exit::Problem, format!("there is no {}", self.config.display()))
                    .fix("leave -c away for /etc/adit/adit.toml, or adit init to make one"))
            }
            Err(_) => Ok(None),
        }
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

    /// The journal of lasting changes to this host.
    pub(crate) fn journal(&self) -> PathBuf {
        self.host().join("journal")
    }

    /// The state directory of `adit connect`, with its journal.
    pub(crate) fn client_state(&self) -> PathBuf {
        self.host().join("client")
    }

    /// All directories with journals: also the one of versions that had a single one.
    pub(crate) fn journals(&self) -> Vec<PathBuf> {
        let mut all = vec![self.client_state().join(adit_client::setup::FOLDER), self.journal()];
        let old = self.state.join("journal");
        if !all.contains(&old) {
            all.push(old);
        }
        all
    }

    /// The runtime directory of clients.
    pub(crate) fn client_run(&self) -> PathBuf {
        if self.run_given { self.run.clone() } else { CLIENT_RUN_DIR.into() }
    }

    fn host(&self) -> PathBuf {
        if self.state_given { self.state.clone() } else { HOST_DIR.into() }
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
