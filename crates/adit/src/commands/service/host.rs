//! Files and commands of the system whose units are changed.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::units::MARK;
use super::{Changed, Target};
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// The system whose units are changed.
pub(super) struct System {
    root: PathBuf,
    /// Whether it is the running system.
    is_running: bool,
    dry_run: bool,
}

impl System {
    /// Checks that this system can be changed.
    pub(super) fn new(target: &Target, output: &Output) -> Result<System, Failure> {
        let system = System {
            root: target.root.clone().unwrap_or_else(|| PathBuf::from("/")),
            is_running: target.root.is_none() && Path::new("/run/systemd/system").is_dir(),
            dry_run: output.dry_run,
        };
        if !system.path("/etc/systemd").is_dir() {
            let root = system.root.display();
            return Err(Failure::new(
                Exit::Problem,
                format!("{root} has no systemd: there is no /etc/systemd"),
            )
            .fix("start adit serve from the service manager of this system"));
        }
        if target.root.is_none() && adit_sys::host::effective_user() != 0 && !output.dry_run {
            return Err(Failure::new(Exit::Denied, "units are installed by root")
                .code(adit_diag::Code::S08)
                .fix("run it with sudo; or see what it does: adit service install --dry-run"));
        }
        Ok(system)
    }

    /// The place of an absolute path in this system.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    pub(super) fn is_running(&self) -> bool {
        self.is_running
    }

    /// Writes a file, atomically; a file of the same name that is not ours is kept.
    pub(super) fn write(
        &self,
        path: &str,
        text: &str,
        mode: u32,
        changed: &mut Changed,
    ) -> Result<(), Failure> {
        let place = self.path(path);
        self.refuse_foreign(&place)?;
        changed.written.push(path.to_owned());
        if self.dry_run {
            return Ok(());
        }
        put(&place, text.as_bytes(), mode)
    }

    /// Writes a file of an administrator, which replaces an earlier one.
    pub(super) fn replace(
        &self,
        path: &str,
        text: &str,
        mode: u32,
        changed: &mut Changed,
    ) -> Result<(), Failure> {
        changed.written.push(path.to_owned());
        if self.dry_run {
            return Ok(());
        }
        put(&self.path(path), text.as_bytes(), mode)
    }

    /// Copies the program to where the units can use it.
    pub(super) fn copy_program(&self, from: &Path, to: &str, changed: &mut Changed) -> Result<(), Failure> {
        changed.written.push(to.to_owned());
        if self.dry_run {
            return Ok(());
        }
        let program = std::fs::read(from).map_err(|error| Failure::io("reading", from, &error))?;
        put(&self.path(to), &program, 0o755)
    }

    /// Removes a file if it is ours, or `is_ours` although it has no mark.
    pub(super) fn remove(&self, path: &str, is_ours: bool, changed: &mut Changed) -> Result<(), Failure> {
        let place = self.path(path);
        if std::fs::symlink_metadata(&place).is_err() {
            return Ok(());
        }
        if !is_ours {
            self.refuse_foreign(&place)?;
        }
        changed.removed.push(path.to_owned());
        if self.dry_run {
            return Ok(());
        }
        std::fs::remove_file(&place).map_err(|error| Failure::io("removing", &place, &error))
    }

    /// Makes a unit start at boot, or no longer: with links, as `systemctl enable` does, which works in an image too.
    pub(super) fn enable(&self, unit: &str, file: &str, changed: &mut Changed) -> Result<(), Failure> {
        let link = wants(unit);
        let place = self.path(&link);
        changed.written.push(link);
        if self.dry_run {
            return Ok(());
        }
        let failed = |error: std::io::Error| Failure::io("writing", &place, &error);
        std::fs::create_dir_all(place.parent().unwrap_or(Path::new("/"))).map_err(failed)?;
        let _ = std::fs::remove_file(&place);
        std::os::unix::fs::symlink(file, &place).map_err(failed)
    }

    pub(super) fn disable(&self, unit: &str, changed: &mut Changed) -> Result<(), Failure> {
        self.remove(&wants(unit), true, changed)
    }

    /// Runs a program of the running system; the error contains what it printed.
    pub(super) fn run(&self, program: &str, arguments: &[&str]) -> Result<(), Failure> {
        if self.dry_run {
            return Ok(());
        }
        let line = format!("{program} {}", arguments.join(" "));
        let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
        match output {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stderr);
                Err(Failure::new(Exit::Problem, format!("{line} failed: {}", text.trim())).fix(line))
            }
            Err(error) => {
                Err(Failure::new(Exit::Problem, format!("{line} cannot be run: {error}")).fix(line))
            }
        }
    }

    /// Fails if a file exists that adit has not written.
    fn refuse_foreign(&self, place: &Path) -> Result<(), Failure> {
        let text = match std::fs::read(place) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Failure::io("reading", place, &error)),
        };
        let mark = MARK.trim_start_matches("# ");
        if String::from_utf8_lossy(&text).lines().next().is_some_and(|line| line.ends_with(mark)) {
            return Ok(());
        }
        Err(Failure::new(Exit::Conflict, format!("{} is not a file of adit service", place.display()))
            .fix(format!("look at it, and move it away: mv {0} {0}.old", place.display())))
    }
}

/// The link that starts a unit at boot.
fn wants(unit: &str) -> String {
    format!("{}/multi-user.target.wants/{unit}", super::units::UNITS)
}

/// Replaces a file as a whole; links are replaced, not followed.
fn put(place: &Path, content: &[u8], mode: u32) -> Result<(), Failure> {
    let folder = place.parent().unwrap_or(Path::new("/"));
    let new = place.with_extension("adit-new");
    let written = (|| {
        // A secret is in a directory that only root may read.
        let folder_mode = if mode & 0o077 == 0 { 0o700 } else { 0o755 };
        std::fs::DirBuilder::new().recursive(true).mode(0o755).create(folder.parent().unwrap_or(folder))?;
        std::fs::DirBuilder::new().recursive(true).mode(folder_mode).create(folder)?;
        let _ = std::fs::remove_file(&new);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
        file.write_all(content)?;
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
        file.sync_all()?;
        std::fs::rename(&new, place)
    })();
    written.map_err(|error: std::io::Error| {
        let _ = std::fs::remove_file(&new);
        Failure::io("writing", place, &error)
    })
}
