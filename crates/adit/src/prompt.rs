//! Prompts on the terminal, and input of passwords.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use adit_crypto::secret::Password;

use crate::failure::Failure;
use crate::output::Output;

/// Number of attempts to enter a new password.
const TRIES: usize = 3;

/// Longer than any password: a wrong file, such as a device, must not exhaust the memory.
const LONGEST: u64 = 4096;

/// Whether a terminal is available for prompts.
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks a yes-or-no question; `instead` is the flag that makes it unnecessary.
pub(crate) fn agree(output: &Output, question: &str, usual: bool, instead: &str) -> Result<bool, Failure> {
    if output.yes {
        return Ok(true);
    }
    must_ask(question, instead)?;
    loop {
        let choices = if usual { "[Y/n]" } else { "[y/N]" };
        let answer = line(question, &format!("{question} {choices} "), instead)?;
        match answer.to_lowercase().as_str() {
            "" => return Ok(usual),
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => {}
        }
    }
}

/// Fails without a terminal.
pub(crate) fn must_ask(question: &str, instead: &str) -> Result<(), Failure> {
    if can_ask() {
        return Ok(());
    }
    Err(Failure::usage(format!("there is no terminal to ask on: {question}")).fix(instead))
}

/// Reads one line; empty for the default answer. `shown` is the prompt, with the choices.
pub(crate) fn line(question: &str, shown: &str, instead: &str) -> Result<String, Failure> {
    must_ask(question, instead)?;
    let mut err = std::io::stderr();
    let _ = write!(err, "{shown}").and_then(|()| err.flush());
    let mut answer = String::new();
    let read = std::io::stdin().lock().take(LONGEST).read_line(&mut answer);
    match read {
        // The end of input is not an answer: end the line, and do not continue with a guess.
        Ok(0) => {
            let _ = writeln!(err);
            Err(Failure::usage("no answer").fix(instead))
        }
        Ok(_) => Ok(answer.trim().to_owned()),
        Err(error) => Err(Failure::io("reading", Path::new("the terminal"), &error)),
    }
}

/// The source of a password; never the command line itself, which every local user can see.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct PasswordSource {
    /// Read the password from the first line of stdin
    #[arg(long, conflicts_with = "password_file")]
    pub(crate) password_stdin: bool,
    /// Read the password from the first line of a file
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

impl PasswordSource {
    /// Reads a new password; asks for it twice on a terminal.
    pub(crate) fn read(&self, question: &str) -> Result<Password, Failure> {
        let asked = !self.password_stdin && self.password_file.is_none();
        for _ in 0..TRIES {
            let first = self.read_once(question)?;
            if !asked || first.is_empty() || ask("The same again: ")? == first {
                return Ok(first);
            }
            eprintln!("         the two differ");
        }
        Err(Failure::usage("the two passwords differ"))
    }

    /// Reads an existing password.
    pub(crate) fn read_once(&self, question: &str) -> Result<Password, Failure> {
        if self.password_stdin {
            let stdin = std::io::stdin();
            let read = first_line(stdin.lock());
            return not_empty(read.map_err(|e| Failure::io("reading", Path::new("stdin"), &e))??, "stdin");
        }
        if let Some(path) = &self.password_file {
            let file = std::fs::File::open(path).map_err(|error| Failure::io("reading", path, &error))?;
            let read = first_line(std::io::BufReader::new(file));
            let place = path.display().to_string();
            return not_empty(read.map_err(|error| Failure::io("reading", path, &error))??, &place);
        }
        if !can_ask() {
            return Err(Failure::usage("there is no terminal to ask for a password")
                .fix("--password-stdin, or --password-file FILE"));
        }
        ask(question)
    }
}

/// Asks without echo of the input.
fn ask(question: &str) -> Result<Password, Failure> {
    rpassword::prompt_password(question)
        .map(Password::new)
        .map_err(|error| Failure::io("reading", Path::new("the terminal"), &error))
}

/// A program that gives an empty password has failed to read its own: a password must not be generated, or an empty one
/// sent, in its place.
fn not_empty(password: Password, place: &str) -> Result<Password, Failure> {
    if password.is_empty() {
        return Err(Failure::usage(format!("the password is empty: the first line of {place}"))
            .fix("give the password there, or leave the flag away and be asked for it"));
    }
    Ok(password)
}

/// The first line, without its end.
fn first_line(reader: impl std::io::BufRead) -> std::io::Result<Result<Password, Failure>> {
    let mut line = zeroize::Zeroizing::new(Vec::with_capacity(LONGEST as usize));
    reader.take(LONGEST).read_until(b'\n', &mut line)?;
    if line.len() as u64 == LONGEST {
        return Ok(Err(Failure::usage("the password is longer than 4096 octets")));
    }
    let text = line.strip_suffix(b"\n").unwrap_or(&line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    Ok(match core::str::from_utf8(text) {
        Ok(text) => Ok(Password::new(text)),
        Err(_) => Err(Failure::usage("the password is not UTF-8")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<String, String> {
        first_line(bytes).unwrap().map(|p| p.expose().to_owned()).map_err(|f| f.message)
    }

    #[test]
    fn the_first_line_and_nothing_else() {
        for (bytes, password) in [
            (&b"secret\nother\n"[..], "secret"),
            (b"secret\r\n", "secret"),
            (b"secret", "secret"),
            (b" two words \n", " two words "),
            (b"", ""),
            (b"\n", ""),
        ] {
            assert_eq!(read(bytes).as_deref(), Ok(password));
        }
        assert!(read(b"\xff\xfe\n").is_err());
        assert!(read(&[b'x'; 5000]).is_err());
    }
}
