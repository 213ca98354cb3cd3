//! Recovery: undoing the changes of owners that have exited.

use std::path::{Path, PathBuf};

use super::change::{Change, Lasts};
use super::folder::Folder;
use super::format::{Content, DAMAGED, ENDING, Header, JournalFile, boot_id};
use super::scope::Scope;
use super::undo::undo_inside;
use super::undone::Undone;
use crate::error::{Error, Kind, Result};
use crate::namespace::Namespace;

/// The result of a recovery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The changes of owners that have exited, with the outcome of each.
    pub outcomes: Vec<Outcome>,
    /// Owners whose changes are meant to be in effect.
    pub still: Vec<Still>,
    /// Files that could not be parsed completely: the readable changes were undone, and the rest is in the named
    /// file. Also files that another user may have written: nothing in them was undone.
    pub damaged: Vec<Error>,
}

/// A change of an owner that has exited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The owner: "connect office".
    pub by: String,
    /// The change.
    pub change: Change,
    /// The outcome; `None` in a dry run.
    pub undone: Option<Undone>,
}

/// Changes that were kept because they are meant to be in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Still {
    /// The journal's file.
    pub path: PathBuf,
    /// Their owner; empty if the owner is running and its file was not read.
    pub by: String,
    /// Whether the owner is running; otherwise the changes last until they are undone.
    pub alive: bool,
}

/// Undoes the changes of owners that have exited, and, with `lasting`, also those that were meant to last.
/// With `dry_run` it only reports. Changes of a running owner are not modified. A file that another user than root or
/// this one may have written is reported as damaged and not used, and a change outside of `scope` is not undone.
///
/// # Errors
/// If the directory cannot be read or trusted. A missing directory is not an error: nothing was ever changed.
pub fn recover(folder: &Path, scope: &Scope, lasting: bool, dry_run: bool) -> Result<Report> {
    let mut report = Report::default();
    let Some(folder) = Folder::open(folder)? else { return Ok(report) };
    let is_journal = |name: &String| Path::new(name).extension().is_some_and(|ending| ending == ENDING);
    for name in folder.names()?.into_iter().filter(is_journal) {
        if let Err(error) = one_file(&folder, &name, scope, lasting, dry_run, &mut report) {
            report.damaged.push(error);
        }
    }
    Ok(report)
}

fn one_file(
    folder: &Folder,
    name: &str,
    scope: &Scope,
    lasting: bool,
    dry_run: bool,
    report: &mut Report,
) -> Result<()> {
    let path = folder.path_of(name);
    let Some(mut file) = JournalFile::take_over(folder, name)? else {
        if folder.has(name) {
            report.still.push(Still { path, by: String::new(), alive: true });
        }
        return Ok(());
    };
    let content = file.read()?;
    let by = content.header.as_ref().map_or_else(|| "unknown".to_owned(), |h| h.by.clone());
    if content.header.as_ref().is_some_and(|h| h.lasts == Lasts::UntilUndo) && !lasting {
        report.still.push(Still { path, by, alive: false });
        return Ok(());
    }
    let place = Place::of(content.header.as_ref());
    let mut failed = false;
    for (number, change) in content.changes.iter().rev() {
        let undone = match scope.check(change) {
            Ok(()) => (!dry_run).then(|| place.undo(change)),
            Err(error) => Some(Undone::Failed(error)),
        };
        match &undone {
            None => {}
            Some(Undone::Failed(_)) => failed = true,
            // If this fails, the change is undone a second time later, which does no harm.
            Some(_) => drop(file.undone(*number)),
        }
        report.outcomes.push(Outcome { by: by.clone(), change: change.clone(), undone });
    }
    let damage = damage(&path, &content);
    match (dry_run || failed, damage) {
        (true, damage) => report.damaged.extend(damage),
        (false, None) => file.remove(),
        (false, Some(error)) => {
            let aside = file.set_aside();
            report.damaged.push(error.with_fix(format!(
                "what could be read was undone; see {} for the rest, then remove it",
                aside.display()
            )));
        }
    }
    Ok(())
}

fn damage(path: &Path, content: &Content) -> Option<Error> {
    let lines: Vec<_> = content.damaged.iter().map(ToString::to_string).collect();
    let answer = match (lines.is_empty(), &content.header) {
        (true, Some(_)) => return None,
        // The owner exited before it had written anything, or no change is left.
        (true, None) if content.changes.is_empty() => return None,
        (true, None) => "its first line is missing".to_owned(),
        (false, _) => format!("line {} is damaged", lines.join(", ")),
    };
    let tried = format!("cannot read all of journal {}", path.display());
    Some(Error::new(Kind::Damaged, tried, answer).with_fix(format!("inspect it; it is kept as *.{DAMAGED}")))
}

/// The namespace in which the changes of an owner were in effect.
enum Place {
    /// A namespace that still exists.
    Inside(Namespace),
    /// A namespace that no longer exists, or before a reboot: its kernel state no longer exists either.
    Gone,
    /// Unknown.
    Unknown(Error),
}

impl Place {
    fn of(header: Option<&Header>) -> Place {
        let here = match Namespace::current() {
            Ok(here) => here,
            Err(error) => return Place::Unknown(error),
        };
        // Without a header the changes were most likely made in this namespace; each undo checks its own
        // change.
        let Some(header) = header else { return Place::Inside(here) };
        let boot = boot_id();
        if !boot.is_empty() && boot != header.boot {
            return Place::Gone;
        }
        match here.identity() {
            Ok(identity) if identity == header.namespace => Place::Inside(here),
            Ok(_) => Namespace::find(header.namespace).map_or(Place::Gone, Place::Inside),
            Err(error) => Place::Unknown(error),
        }
    }

    fn undo(&self, change: &Change) -> Undone {
        match self {
            Place::Inside(namespace) => undo_inside(namespace, change),
            Place::Gone if change.is_of_the_kernel() => Undone::Gone,
            // Files do not depend on the network namespace.
            Place::Gone => match Namespace::current() {
                Ok(here) => undo_inside(&here, change),
                Err(error) => Undone::Failed(error),
            },
            Place::Unknown(error) => Undone::Failed(error.clone()),
        }
    }
}
