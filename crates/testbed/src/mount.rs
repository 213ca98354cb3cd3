//! Mount namespaces: file systems that only some processes see.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::host::Host;
use crate::process::Running;

/// A mount namespace; dropping it unmounts everything in it.
#[derive(Debug)]
pub struct MountNamespace {
    holder: Running,
}

impl MountNamespace {
    /// Runs `script`, which mounts, in a new one.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn new(host: &Host, script: &str) -> MountNamespace {
        let script = format!("{script}\necho mounted; exec sleep 1000");
        let mut holder = host.spawn(Command::new("unshare").args(["--mount", "sh", "-e", "-c", &script]));
        holder.wait_for("mounted", Duration::from_secs(30));
        MountNamespace { holder }
    }

    /// The same command, to be run in this namespace.
    pub fn inside(&self, command: &Command) -> Command {
        let mut wrapped = Command::new("nsenter");
        wrapped.args(["--mount", "--target", &self.holder.pid().to_string(), "--"]);
        wrap(&mut wrapped, command);
        wrapped
    }

    /// The path of a file of this namespace, seen from outside.
    pub fn path(&self, inside: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.pid()));
        root.join(inside.strip_prefix("/").unwrap_or(inside))
    }
}

/// Lets `wrapped`, a program that runs another, run `command` with its environment.
pub fn wrap(wrapped: &mut Command, command: &Command) {
    wrapped.arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(key, value),
            None => wrapped.env_remove(key),
        };
    }
}
