//! Values of options that begin with a hyphen and a digit: `--for -1h`.
//!
//! clap would take `-1h` for options `-1` and `-h`, and report the first one as unknown. With `allow_hyphen_values` it
//! would take every word as the value, also the next option of `--since --json`.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command};

/// Joins each word `-1…` to the option before it, as in `--for=-1h`, if that option takes a value. The reader of the
/// value then reports what it expects. Words after `--` are not options.
pub(crate) fn joined(tree: &Command, words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words = words.into_iter();
    // The name of the program is no command.
    let mut joined: Vec<OsString> = words.next().into_iter().collect();
    let (mut command, mut expects_value) = (tree, false);
    while let Some(mut word) = words.next() {
        if word == "--" {
            joined.push(word);
            joined.extend(words);
            break;
        }
        if expects_value && is_negative(&word) {
            let option = joined.pop().unwrap_or_default();
            word = [option, word].join(OsStr::new("="));
        } else if !expects_value && let Some(below) = command.find_subcommand(&word) {
            command = below;
        }
        expects_value = takes_value(command, &word);
        joined.push(word);
    }
    joined
}

/// Whether a word is a hyphen and a digit, with anything behind.
fn is_negative(word: &OsStr) -> bool {
    matches!(word.as_encoded_bytes(), [b'-', digit, ..] if digit.is_ascii_digit())
}

/// Whether a word is the name of an option that takes a value.
pub(crate) fn takes_value(command: &Command, word: &OsStr) -> bool {
    let Some(word) = word.to_str() else { return false };
    let is_named = |arg: &Arg| match word.strip_prefix("--") {
        Some(name) => arg.get_long() == Some(name),
        None => arg.get_short().is_some_and(|short| word.strip_prefix('-') == Some(&*short.to_string())),
    };
    command.get_arguments().any(|arg| is_named(arg) && arg.get_action().takes_values())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::error::ErrorKind;

    use super::joined;
    use crate::cli::tree;

    fn words<T: AsRef<str>>(line: &[T]) -> Vec<OsString> {
        line.iter().map(|word| OsString::from(word.as_ref())).collect()
    }

    /// Calls `check` for every option of every command, by each of its names: the command, the option, and whether the
    /// option takes a value.
    fn each_option(command: &clap::Command, path: &[String], check: &mut dyn FnMut(&[String], &str, bool)) {
        for arg in command.get_arguments() {
            let long = arg.get_long().map(|long| format!("--{long}"));
            let short = arg.get_short().map(|short| format!("-{short}"));
            for name in long.into_iter().chain(short) {
                check(path, &name, arg.get_action().takes_values());
            }
        }
        for below in command.get_subcommands() {
            each_option(below, &[path, &[below.get_name().to_owned()]].concat(), check);
        }
    }

    #[test]
    fn a_negative_value_is_the_value_of_its_option() {
        let tree = tree();
        let mut seen = 0;
        each_option(&tree, &["adit".to_owned()], &mut |path, name, takes_value| {
            for value in ["-1h", "-3", "-128,40"].into_iter().filter(|_| takes_value) {
                seen += 1;
                let line = [path, &[name.to_owned(), value.to_owned()]].concat();
                let error = tree.clone().try_get_matches_from(joined(&tree, words(&line))).err();
                let kind = error.as_ref().map(clap::Error::kind);
                assert_ne!(kind, Some(ErrorKind::UnknownArgument), "{line:?}: {error:?}");
            }
        });
        assert!(seen > 200, "{seen} options");
    }

    #[test]
    fn only_a_value_is_joined_and_only_to_an_option() {
        let tree = tree();
        for (line, expected) in [
            ("log --since -1h", "log --since=-1h"),
            ("--config log log --since -1h", "--config log log --since=-1h"),
            ("status --client -1", "status --client -1"),
            ("log -n -3", "log -n=-3"),
            ("log --since --json -1", "log --since --json -1"),
            ("log --since 1h -1", "log --since 1h -1"),
            ("log --since=1h -1", "log --since=1h -1"),
            ("status -v -1", "status -v -1"),
            ("status --no-such -1", "status --no-such -1"),
            ("status -1 -1", "status -1 -1"),
            ("status -1", "status -1"),
            ("user add -- --note -1", "user add -- --note -1"),
            ("user add --note -x", "user add --note -x"),
            ("user add --note - 1", "user add --note - 1"),
            ("", ""),
            ("-1", "-1"),
        ] {
            let line: Vec<&str> = std::iter::once("adit").chain(line.split_whitespace()).collect();
            let expected: Vec<&str> = std::iter::once("adit").chain(expected.split_whitespace()).collect();
            assert_eq!(joined(&tree, words(&line)), words(&expected), "{line:?}");
        }
    }
}
