//! The command line: the list of commands, and how an argument list is read.

use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands;
use crate::failure::Failure;
use crate::global::Global;
use crate::help;
use crate::negative_values;
use crate::output::Output;

/// PPTP server, client and diagnostic tools
#[derive(Debug, Parser)]
#[command(name = "adit", version, disable_help_subcommand = true, infer_long_args = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// All commands; one file each below `commands`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(commands::init::Args),
    Check(commands::check::Args),
    Undo(commands::undo::Args),
    Serve(commands::serve::Args),
    #[command(subcommand)]
    Service(commands::service::Service),
    Reload(commands::reload::Args),
    Stop(commands::stop::Args),
    Status(commands::status::Args),
    Sessions(commands::sessions::Args),
    Session(commands::session::Args),
    Kick(commands::kick::Args),
    Log(commands::log::Args),
    #[command(subcommand)]
    User(commands::user::User),
    #[command(subcommand)]
    Ban(commands::ban::Ban),
    #[command(subcommand)]
    Pool(commands::pool::Pool),
    Connect(commands::connect::Args),
    Disconnect(commands::disconnect::Args),
    Doctor(commands::doctor::Args),
    Explain(commands::explain::Args),
    Schema(commands::schema::Args),
    Completion(commands::completion::Args),
    Man(commands::man::Args),
    Version(commands::version::Args),
}

/// The command tree with its grouped list of commands.
pub(crate) fn tree() -> clap::Command {
    full_tree().mut_subcommands(quiet_globals)
}

/// The complete tree: every command has the global flags, as in the manual.
pub(crate) fn full_tree() -> clap::Command {
    let mut tree = help::grouped(Cli::command());
    tree.build();
    tree
}

/// Hides the global flags in `-h` of subcommands; `--help` still shows them.
fn quiet_globals(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| if arg.is_global_set() { arg.hide_short_help(true) } else { arg });
    command.mut_subcommands(quiet_globals)
}

/// Parses the command line; prints help and usage errors itself.
pub(crate) fn read() -> Result<(Cli, Output), ExitCode> {
    let tree = tree();
    let words = negative_values::joined(&tree, std::env::args_os());
    let read = tree.try_get_matches_from(words).and_then(|matches| Cli::from_arg_matches(&matches));
    match read {
        Ok(cli) => {
            let output = Output::new(&cli.global);
            Ok((cli, output))
        }
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            // The reader may have closed the pipe (`adit --help | head -1`); that is not an error.
            let _ = error.print();
            Err(ExitCode::SUCCESS)
        }
        // A subcommand is required, and none is given.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand
            ) =>
        {
            help_of(&path(&error));
            Err(ExitCode::from(2))
        }
        Err(error) => {
            let failure = failure(&error);
            Output::new(&Global::bare()).failure(&failure);
            Err(ExitCode::from(failure.exit.number()))
        }
    }
}

/// Prints the help of a command to stderr, because it was not requested.
fn help_of(path: &[String]) {
    let mut command = tree();
    command.build();
    let mut found = &mut command;
    for name in path.iter().skip(1) {
        match found.find_subcommand_mut(name) {
            Some(below) => found = below,
            None => return,
        }
    }
    eprint!("{}", found.render_help());
}

/// The command path of an error: `adit`, `user`, `add`.
fn path(error: &clap::Error) -> Vec<String> {
    let text = error.render().to_string();
    if let Some(usage) = text.lines().find_map(|line| line.trim().strip_prefix("Usage: ")) {
        let names = usage.split_whitespace().take_while(|word| !word.starts_with(['-', '<', '[']));
        return names.map(str::to_owned).collect();
    }
    // An error about a value has no usage line: find the command in the arguments.
    let tree = Cli::command();
    let (mut found, mut names) = (&tree, vec!["adit".to_owned()]);
    for word in std::env::args().skip(1) {
        if let Some(below) = found.find_subcommand(&word) {
            names.push(word);
            found = below;
        }
    }
    names
}

/// Converts a usage error to our form: one sentence, one suggestion.
fn failure(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    let (mut rest, mut tip) = (Vec::new(), None);
    for line in lines.map(str::trim) {
        match line.strip_prefix("tip: ") {
            Some(text) => tip = tip.or(Some(text.to_owned())),
            None if line.starts_with("Usage: ") || line.starts_with("For more information") => break,
            None => rest.push(line.to_owned()),
        }
    }
    let path = path(error);
    let tip = value_with_hyphen(error, &path).or(tip);
    let path = path.join(" ");
    let message = match error.kind() {
        ErrorKind::MissingRequiredArgument => {
            let missing = rest.join(" ");
            // Alternatives: one of them is enough.
            if missing.contains('|') {
                "nothing was given to change".to_owned()
            } else {
                format!("{missing} is missing")
            }
        }
        ErrorKind::InvalidSubcommand => match error.get(ContextKind::InvalidSubcommand) {
            Some(word) => format!("there is no command \"{path} {word}\""),
            None => first.to_owned(),
        },
        _ => in_plain_words(&std::iter::once(first.to_owned()).chain(rest).collect::<Vec<_>>().join(" ")),
    };
    let meant = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let near = meant.into_iter().find_map(|kind| error.get(kind)).map(|value| match error.kind() {
        ErrorKind::InvalidSubcommand => {
            format!("{path} {}", value.to_string().replace(", ", &format!(", {path} ")))
        }
        _ => format!("did you mean {value}?"),
    });
    Failure::usage(message).fix(near.or(tip).unwrap_or_else(|| format!("{path} --help")))
}

/// An error of a number without the words of the parser.
fn in_plain_words(message: &str) -> String {
    message
        .replace("invalid digit found in string", "a whole number is expected")
        .replace("invalid float literal", "a number is expected")
        .replace("cannot parse integer from empty string", "a whole number is expected")
        .replace("number too large to fit in target type", "the number is too large")
        .replace("number too small to fit in target type", "the number is too small")
}

/// How to write an unexpected word as the value of the option before it: `--reason=-x`.
fn value_with_hyphen(error: &clap::Error, path: &[String]) -> Option<String> {
    let unexpected =
        error.get(ContextKind::InvalidArg).filter(|_| error.kind() == ErrorKind::UnknownArgument)?;
    let unexpected = unexpected.to_string();
    let tree = tree();
    let command = path.iter().skip(1).try_fold(&tree, |command, name| command.find_subcommand(name))?;
    let words: Vec<String> = std::env::args().collect();
    // clap names the first letter of a group such as -xyz.
    let (option, word) = words.iter().zip(words.iter().skip(1)).find(|(option, word)| {
        word.starts_with(&unexpected) && negative_values::takes_value(command, option.as_ref())
    })?;
    Some(format!("to pass {word} as the value, write {option}={word}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_is_sound() {
        super::tree().debug_assert();
    }
}
