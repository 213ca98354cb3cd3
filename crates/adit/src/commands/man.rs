//! `adit man`

mod config;

use std::path::{Path, PathBuf};

use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Text common to all commands: exit status, files, environment.
const ABOUT_ALL: &str = include_str!("adit.1.roff");

/// Write the manual pages and adit.toml(5) into a directory
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write to this directory; create it if it does not exist
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Writes a page for each command of the tree.
pub(crate) fn run(args: &Args, tree: &clap::Command, output: &Output) -> Result<Exit, Failure> {
    if output.dry_run {
        output.remark("would", &format!("write the pages to {}", args.directory.display()));
        return Ok(Exit::Done);
    }
    let failed = |error: &std::io::Error| Failure::io("writing", &args.directory, error);
    std::fs::create_dir_all(&args.directory).map_err(|error| failed(&error))?;
    let count = write(tree, "adit", &args.directory).map_err(|error| failed(&error))? + 1;
    std::fs::write(args.directory.join("adit.toml.5"), config::page()).map_err(|error| failed(&error))?;
    output.remark("wrote", &format!("{count} pages to {}", args.directory.display()));
    Ok(Exit::Done)
}

/// Writes the page of a command and of its subcommands; returns their number.
fn write(command: &clap::Command, name: &str, directory: &Path) -> std::io::Result<usize> {
    let below: Vec<_> = command.get_subcommands().filter(|below| !below.is_hide_set()).collect();
    // The grouped list is for the terminal; a page has a list of its own.
    let plain = command.clone().help_template("{about}");
    let mut page = Vec::new();
    clap_mangen::Man::new(plain).title(name.to_uppercase()).render(&mut page)?;
    if name == "adit" {
        page.extend_from_slice(ABOUT_ALL.as_bytes());
    }
    std::fs::write(directory.join(format!("{name}.1")), page)?;
    let mut count = 1;
    for command in below {
        count += write(command, &format!("{name}-{}", command.get_name()), directory)?;
    }
    Ok(count)
}
