//! `adit undo`

use adit_sys::Kind;
use adit_sys::journal::{self, Report, Scope, Undone};
use schemars::JsonSchema;
use serde::Serialize;

use super::service::{CLIENT_PATH, SERVER_PATH};
use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::prompt;

/// Undo the changes to this host that a crashed adit left
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Changes of a running adit are never touched: stop it, and it undoes them itself.
Changes that another program has made since are kept and listed.")]
pub(crate) struct Args {
    /// Undo the lasting changes of `adit init` too, and list the files that are left
    #[arg(long)]
    all: bool,
}

/// What `adit undo --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Undo {
    /// Whether this was a dry run.
    dry_run: bool,
    /// The changes of processes that no longer run.
    changes: Vec<Changed>,
    /// Owners whose changes were kept, because they run or because the changes are meant to last.
    kept: Vec<Kept>,
    /// Files that could not be read.
    damaged: Vec<String>,
    /// With --all: the files of adit on this host that are kept, because they are the administrator's.
    left: Vec<Left>,
}

/// A file that `adit undo --all` keeps.
#[derive(Serialize, JsonSchema)]
struct Left {
    /// Its path.
    path: String,
    /// What it contains.
    what: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct Changed {
    /// Description of the change.
    change: String,
    /// The owner of the change.
    by: String,
    /// Result: undone, gone, left, failed; would-undo in a dry run.
    state: &'static str,
    /// Why it was left or failed.
    why: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Kept {
    /// The owner of the changes.
    by: String,
    /// Whether the owner still runs.
    running: bool,
}

impl Document for Undo {
    const NAME: &'static str = "adit.undo/1";
}

pub(crate) fn run(args: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    if args.all && !output.dry_run {
        let question = "Take back what adit init set up too?";
        if !prompt::agree(output, question, false, "--yes, or --dry-run to see what it would do")? {
            output.remark("nothing", "was changed");
            return Ok(Exit::Done);
        }
    }
    let report = recover(args.all, output, places)?;
    let left = if args.all { left(places) } else { Vec::new() };
    let document = document(&report, output.dry_run, left);
    if output.is_text() {
        print(&document, output)?
    } else {
        output.document(&document)?
    }
    let failures = || {
        report.outcomes.iter().filter_map(|outcome| match &outcome.undone {
            Some(Undone::Failed(error)) => Some(error),
            _ => None,
        })
    };
    Ok(match failures().next() {
        None if report.damaged.is_empty() => Exit::Done,
        None => Exit::Problem,
        Some(_) if failures().all(|error| error.kind() == Kind::NotPermitted) => Exit::Denied,
        Some(_) => Exit::Problem,
    })
}

/// Recovers from all journals. One that cannot be read or trusted does not keep the others from being undone.
fn recover(lasting: bool, output: &Output, places: &Places) -> Result<Report, Failure> {
    let mut whole = Report::default();
    let (mut read, mut first) = (0, None);
    for folder in places.journals() {
        match journal::recover(&folder, &Scope::default(), lasting, output.dry_run) {
            Ok(report) => {
                read += 1;
                whole.outcomes.extend(report.outcomes);
                whole.still.extend(report.still);
                whole.damaged.extend(report.damaged);
            }
            Err(error) => {
                first.get_or_insert_with(|| error.clone());
                whole.damaged.push(error);
            }
        }
    }
    match first {
        Some(error) if read == 0 => Err(error.into()),
        _ => Ok(whole),
    }
}

/// The files of adit that exist: accounts and a configuration that was edited since `adit init` must not be lost.
fn left(places: &Places) -> Vec<Left> {
    let files = [
        (places.config.clone(), "the configuration"),
        (places.database(), "accounts, sessions and events"),
        (places.seal_key(), "the key that seals the passwords of the database"),
        (SERVER_PATH.into(), "the service; to remove it: adit service remove"),
        (CLIENT_PATH.into(), "the service of clients; to remove it: adit service remove --client"),
    ];
    let there = files.into_iter().filter(|(path, _)| adit_config::is_there(path));
    there.map(|(path, what)| Left { path: path.display().to_string(), what }).collect()
}

fn document(report: &Report, dry_run: bool, left: Vec<Left>) -> Undo {
    let changed = |outcome: &journal::Outcome| {
        let (state, why) = match &outcome.undone {
            None => ("would-undo", None),
            Some(Undone::Undone) => ("undone", None),
            Some(Undone::Gone) => ("gone", None),
            Some(Undone::Left(why)) => ("left", Some(why.clone())),
            Some(Undone::Failed(error)) => ("failed", Some(error.to_string())),
        };
        Changed { change: outcome.change.to_string(), by: outcome.by.clone(), state, why }
    };
    Undo {
        dry_run,
        changes: report.outcomes.iter().map(changed).collect(),
        kept: report.still.iter().map(|still| Kept { by: still.by.clone(), running: still.alive }).collect(),
        damaged: report.damaged.iter().map(ToString::to_string).collect(),
        left,
    }
}

fn print(document: &Undo, output: &Output) -> Result<(), Failure> {
    for Changed { change, by, state, why } in &document.changes {
        let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let word = if *state == "would-undo" { "would undo" } else { state };
        output.line(&format!("{word:<8} {change}   ({by}){why}"))?;
    }
    for text in &document.damaged {
        output.line(&format!("damaged  {text}"))?;
    }
    if document.changes.is_empty() && document.damaged.is_empty() {
        output.line("nothing to undo")?;
    }
    for Left { path, what } in &document.left {
        output.line(&format!("left     {path}   {what}"))?;
    }
    if !document.left.is_empty() {
        output.remark(
            "note",
            "rm removes the files that are left; without a backup, accounts are lost with them",
        );
    }
    for kept in &document.kept {
        output.remark(
            "note",
            &match kept.running {
                true => "an adit that runs has changes in force; it puts them back when it ends".to_owned(),
                false => format!("what {} set up lasts: adit undo --all takes it back too", kept.by),
            },
        );
    }
    Ok(())
}
