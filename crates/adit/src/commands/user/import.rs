//! `adit user import`

use std::io::Read as _;
use std::path::{Path, PathBuf};

use adit_admin::account_file::{self, Contents, Format, MAX_FILE, Reading};
use adit_api::accounts::{Import, ImportProblem, Imported};
use schemars::JsonSchema;
use serde::Serialize;
use zeroize::Zeroizing;

use super::change::caller;
use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::service::Service;
use crate::table::printable;

/// The most errors that are shown as text.
const SHOWN: usize = 100;

/// Add or change many users from a file
#[derive(Debug, clap::Args)]
#[command(after_help = "\
With any error nothing is written. CSV needs a header row; its columns are: name, password, nt_hash,
reversible, group, address, networks, expires, vpn, disabled, disabled_reason, must_change, note,
password_changed, created. Only name is required. With --update, an empty field clears the property,
and a column that the file does not have leaves it; an empty password is no change.
Examples:
  adit user import staff.csv --dry-run
  adit user import /etc/ppp/chap-secrets --format chap-secrets --chap-server pptpd --weak
  adit user import hashes.txt --format nt-hashes --update")]
pub(crate) struct Args {
    /// Read this file; - reads stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Set the form of the file
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    format: FormatName,
    /// Change users that exist; without it they are errors
    #[arg(long)]
    update: bool,
    /// Accept passwords that violate the configured rules
    #[arg(long)]
    weak: bool,
    /// Import only the entries of chap-secrets for this server, and for every server
    #[arg(long, value_name = "NAME")]
    chap_server: Option<String>,
}

/// The form of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FormatName {
    /// Comma-separated values with a header row
    Csv,
    /// The secrets file of pppd and poptop
    ChapSecrets,
    /// name:hash, pwdump or smbpasswd
    NtHashes,
}

/// What `adit user import --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ImportDocument {
    /// Whether this was a dry run.
    dry_run: bool,
    /// Whether the users were written: all of them, or none.
    written: bool,
    /// Number of users that are new.
    added: u64,
    /// Number of users that differ.
    changed: u64,
    /// Number of users that are as in the file already.
    unchanged: u64,
    /// Number of passwords and NT hashes that were not checked against the rules.
    not_checked: u64,
    /// Number of new users without a password.
    without_password: u64,
    /// Lines with errors.
    errors: Vec<ImportProblem>,
    /// Number of errors that are not in the list.
    errors_omitted: u64,
    /// Lines that are not for this server.
    skipped: Vec<Skipped>,
}

impl Document for ImportDocument {
    const NAME: &'static str = "adit.user-import/1";
}

/// A line that was not imported, and is no error.
#[derive(Serialize, JsonSchema)]
struct Skipped {
    /// The line.
    line: u64,
    /// Why.
    reason: String,
}

pub(crate) fn run(args: &Args, output: &Output, service: &Service<'_>) -> Result<Exit, Failure> {
    let format = match args.format {
        FormatName::Csv => Format::Csv,
        FormatName::ChapSecrets => Format::ChapSecrets,
        FormatName::NtHashes => Format::NtHashes,
    };
    if args.chap_server.is_some() && format != Format::ChapSecrets {
        return Err(
            Failure::usage("--chap-server selects entries of chap-secrets").fix("--format chap-secrets")
        );
    }
    let text = read(&args.file)?;
    let server = args.chap_server.as_deref();
    let reading = Reading { format, server, weak: args.weak, zone: output.clock.zone().clone() };
    let Contents { entries, problems, skipped } =
        account_file::read(&text, &reading).map_err(|(message, fix)| {
            let failure = Failure::new(Exit::Problem, format!("{}: {message}", args.file.display()));
            if fix.is_empty() { failure } else { failure.fix(fix) }
        })?;
    let import = Import {
        // With an error in the file the others are still checked, so that all errors are shown at once.
        dry_run: output.dry_run || !problems.is_empty(),
        by: caller(),
        update: args.update,
        is_last: true,
        entries,
    };
    let mut imported = service.import(import)?;
    imported.problems.extend(problems);
    imported.problems.sort_by_key(|problem| problem.line);
    let has_problems = !imported.problems.is_empty();
    if output.is_text() {
        show(&imported, &skipped, output)?;
    } else {
        output.document(&document(imported, skipped, output))?;
    }
    Ok(if has_problems { Exit::Problem } else { Exit::Done })
}

/// Reads a file, or stdin, of limited size.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error: std::io::Error| Failure::io("reading", path, &error);
    // With the full capacity of a usual file, so that growing leaves no copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(1 << 20));
    // One byte more than is accepted, so that a larger file is recognised.
    let limit = MAX_FILE as u64 + 1;
    if path == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut text).map_err(failed)?;
    } else {
        std::fs::File::open(path).map_err(failed)?.take(limit).read_to_end(&mut text).map_err(failed)?;
    }
    Ok(text)
}

fn document(imported: Imported, skipped: Vec<(u64, String)>, output: &Output) -> ImportDocument {
    if let Some(warning) = &imported.warning {
        output.remark("warning", warning);
    }
    ImportDocument {
        dry_run: output.dry_run,
        written: imported.written,
        added: imported.added,
        changed: imported.changed,
        unchanged: imported.unchanged,
        not_checked: imported.not_checked,
        without_password: imported.without_password,
        errors: imported.problems,
        errors_omitted: imported.omitted,
        skipped: skipped.into_iter().map(|(line, reason)| Skipped { line, reason }).collect(),
    }
}

fn show(imported: &Imported, skipped: &[(u64, String)], output: &Output) -> Result<(), Failure> {
    for ImportProblem { line, user, message, fix } in imported.problems.iter().take(SHOWN) {
        let user = if user.is_empty() { String::new() } else { format!("{}: ", printable(user)) };
        let fix = fix.as_ref().map(|fix| format!(" ({})", printable(fix))).unwrap_or_default();
        output.line(&format!("line {line:<4} {user}{}{fix}", printable(message)))?;
    }
    let errors = imported.problems.len() as u64 + imported.omitted;
    if errors > SHOWN as u64 {
        output.line(&format!("and {} more errors", errors - SHOWN as u64))?;
    }
    output.line(&summary(imported, errors))?;
    for (line, reason) in skipped.iter().take(SHOWN) {
        output.remark("note", &format!("line {line} is skipped: {}", printable(reason)));
    }
    if errors == 0 && imported.not_checked > 0 {
        let text = format!(
            "passwords and NT hashes that were not checked against the rules: {}",
            imported.not_checked
        );
        output.remark("note", &text);
    }
    if errors == 0 && imported.without_password > 0 {
        let text =
            format!("new users without a password: {} (adit user passwd NAME)", imported.without_password);
        output.remark("note", &text);
    }
    if let Some(warning) = &imported.warning {
        output.remark("warning", warning);
    }
    Ok(())
}

/// `12 would be added, 1 would change, 1 error. Nothing was written.`
fn summary(imported: &Imported, errors: u64) -> String {
    let Imported { added, changed, unchanged, written, .. } = imported;
    let mut parts = match written {
        true => vec![format!("{added} added"), format!("{changed} changed")],
        false => vec![format!("{added} would be added"), format!("{changed} would change")],
    };
    if *unchanged > 0 {
        parts.push(format!("{unchanged} unchanged"));
    }
    match errors {
        0 => {}
        1 => parts.push("1 error".to_owned()),
        errors => parts.push(format!("{errors} errors")),
    }
    let end = if *written { "" } else { "  Nothing was written." };
    format!("{}.{end}", parts.join(", "))
}
