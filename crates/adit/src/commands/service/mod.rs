//! `adit service`: the units of systemd, so that server and clients start at boot.

mod client;
mod host;
mod install;
mod remove;
mod units;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

pub(crate) use install::{can_install_server, install_server};
pub(crate) use units::{CLIENT_PATH, SERVER_PATH};

/// Start the server or a client at boot, with systemd
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Service {
    Install(install::Args),
    Remove(remove::Args),
}

/// What `adit service --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Changed {
    /// Whether this was a dry run.
    dry_run: bool,
    /// The unit: adit.service, or adit-client@NAME.service.
    unit: String,
    /// Files that were written, or would be.
    written: Vec<String>,
    /// Files that were removed, or would be.
    removed: Vec<String>,
    /// Whether the unit was started.
    started: bool,
    /// What is left to do, as commands.
    to_do: Vec<String>,
}

impl Document for Changed {
    const NAME: &'static str = "adit.service/1";
}

impl Changed {
    fn new(unit: &str, output: &Output) -> Changed {
        Changed {
            dry_run: output.dry_run,
            unit: unit.to_owned(),
            written: Vec::new(),
            removed: Vec::new(),
            started: false,
            to_do: Vec::new(),
        }
    }

    fn print(&self, output: &Output) -> Result<(), Failure> {
        if output.is_text() { self.text(output) } else { output.document(self) }
    }

    /// Prints what was done, as text.
    pub(crate) fn text(&self, output: &Output) -> Result<(), Failure> {
        let (wrote, removed) =
            if self.dry_run { ("would write ", "would remove") } else { ("wrote   ", "removed ") };
        for path in &self.written {
            output.line(&format!("{wrote} {path}"))?;
        }
        for path in &self.removed {
            output.line(&format!("{removed} {path}"))?;
        }
        if self.started {
            output.line(&format!("started  {}; it starts at boot from now on", self.unit))?;
        }
        for command in &self.to_do {
            output.line(&format!("to do    {command}"))?;
        }
        Ok(())
    }
}

pub(crate) fn run(command: Service, output: &Output, places: &Places) -> Result<Exit, Failure> {
    match command {
        Service::Install(args) => install::run(&args, output, places),
        Service::Remove(args) => remove::run(&args, output),
    }
}

/// The root directory of the system whose units are changed.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Target {
    /// Change the system in this directory, such as an image, and start nothing
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

/// Checks the name of a client: it becomes a part of file names.
fn client_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() || text.len() > 64 || text.starts_with(['.', '-']) || !text.chars().all(plain) {
        return Err("a name of at most 64 letters, digits, '-', '_' and '.', such as office".to_owned());
    }
    Ok(text.to_owned())
}
