//! Output: results to stdout, remarks and errors to stderr.

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::document::{self, Document};
use crate::failure::Failure;
use crate::global::Global;
use crate::style::{Tone, paint};
use crate::when::Clock;

/// The format of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text for users.
    Text,
    /// One JSON document.
    Json,
    /// One JSON document per line.
    JsonLines,
}

/// Output options and flags of this invocation.
pub(crate) struct Output {
    pub(crate) form: Form,
    pub(crate) quiet: bool,
    pub(crate) verbose: u8,
    /// Continue without prompting.
    pub(crate) yes: bool,
    /// Show what would be done, change nothing.
    pub(crate) dry_run: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) clock: Clock,
    color_out: bool,
    color_err: bool,
    /// Columns of the terminal; `None` if stdout is not one, so that output is not shortened.
    width: Option<usize>,
    wrote_json: Cell<bool>,
}

impl Output {
    pub(crate) fn new(global: &Global) -> Output {
        let out = std::io::stdout().is_terminal();
        let form = match (global.json, global.jsonl) {
            (true, _) => Form::Json,
            (_, true) => Form::JsonLines,
            _ => Form::Text,
        };
        let set = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let asked = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        Output {
            form,
            quiet: global.quiet,
            verbose: global.verbose,
            yes: global.yes,
            dry_run: global.dry_run,
            timeout: global.timeout,
            clock: Clock::new(global.utc),
            color_out: global.color.wanted(out),
            color_err: global.color.wanted(std::io::stderr().is_terminal()),
            width: set.or_else(|| if out { asked() } else { None }).map(|width: usize| width.max(20)),
            wrote_json: Cell::new(false),
        }
    }

    /// Fails with `--dry-run`: the command runs until it is stopped, and has no changes that it could list beforehand.
    pub(crate) fn refuse_dry_run(&self, command: &str, instead: &str) -> Result<(), Failure> {
        if self.dry_run {
            return Err(Failure::usage(format!("adit {command} has no dry run")).fix(instead));
        }
        Ok(())
    }

    pub(crate) fn is_text(&self) -> bool {
        self.form == Form::Text
    }

    /// Columns that a table may use; `None` for no limit.
    pub(crate) fn table_width(&self) -> Option<usize> {
        self.width
    }

    /// Colours a part of a result.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        paint(self.color_out, tone, text)
    }

    /// Prints a text result, with its line ends.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        written.map_err(|error| match error.kind() {
            std::io::ErrorKind::BrokenPipe => Failure::reader_closed(),
            _ => Failure::io("writing", &PathBuf::from("stdout"), &error),
        })
    }

    /// Prints one line of a text result.
    pub(crate) fn line(&self, line: &str) -> Result<(), Failure> {
        self.text(&format!("{}\n", line.trim_end()))
    }

    /// Prints the JSON document of a command.
    pub(crate) fn document<T: Document>(&self, body: &T) -> Result<(), Failure> {
        self.value(&document::envelope(body, self.clock.now()))
    }

    /// Prints a prepared JSON document.
    pub(crate) fn value(&self, value: &impl Serialize) -> Result<(), Failure> {
        self.wrote_json.set(true);
        let text = match self.form {
            Form::JsonLines => serde_json::to_string(value),
            _ => serde_json::to_string_pretty(value),
        };
        match text {
            Ok(text) => self.text(&format!("{text}\n")),
            Err(error) => Err(Failure::new(crate::failure::Exit::Problem, format!("writing JSON: {error}"))),
        }
    }

    /// Prints a remark to stderr, in text format and without `-q`.
    pub(crate) fn remark(&self, word: &str, text: &str) {
        if !self.quiet {
            let word = paint(self.color_err, Tone::of(word), &format!("{word:<8}"));
            // If stderr is closed, remarks are not wanted.
            let _ = writeln!(std::io::stderr(), "{word} {text}");
        }
    }

    /// Prints the error of a command that failed.
    pub(crate) fn failure(&self, failure: &Failure) {
        if failure.silent {
            return;
        }
        let mut text = paint(self.color_err, Tone::Bad, "error");
        text.push_str("    ");
        if let Some(code) = failure.code {
            text.push_str(&format!("{code}  "));
        }
        text.push_str(&failure.message.replace('\n', "\n         "));
        text.push('\n');
        if let Some(fix) = &failure.fix {
            text.push_str(&format!("         fix   {}\n", fix.replace('\n', "\n               ")));
        }
        if let Some(code) = failure.code {
            text.push_str(&format!("         page  adit explain {code}\n"));
        }
        let _ = std::io::stderr().write_all(text.as_bytes());
        if self.form != Form::Text && !self.wrote_json.get() {
            let _ = self.document(&document::ErrorDocument::from(failure));
        }
    }
}
