//! The secrets file of pppd: `client server secret [address ...]`, as pppd(8) describes it and as poptop uses it.

use adit_api::accounts::{ImportEntry, ImportSecret};
use adit_crypto::secret::Password;
use zeroize::Zeroizing;

use super::{Contents, Fault, MAX_FIELD, Reading, entry};

/// The most words of one line that are kept; pppd knows no bound.
const MAX_WORDS: usize = 64;

pub(super) fn read(text: &str, reading: &Reading<'_>) -> Contents {
    let mut contents = Contents::default();
    let mut lines = Lines { rest: text, line: 1 };
    while let Some((line, words)) = lines.next() {
        let words = match words {
            Ok(words) if words.is_empty() => continue,
            words => words,
        };
        if contents.is_full(line) {
            break;
        }
        let name = words.as_deref().ok().and_then(|words| words.first()).map_or("", |name| name.as_str());
        match words.as_deref().map_err(Clone::clone).and_then(|words| account(line, words, reading)) {
            Ok(Found::Account(entry)) => contents.entries.push(*entry),
            Ok(Found::Skipped(why)) => contents.skipped.push((line, why)),
            Err(fault) => contents.refuse(line, name, fault),
        }
    }
    contents
}

/// What a line contains.
enum Found {
    Account(Box<ImportEntry>),
    Skipped(String),
}

fn account(line: u64, words: &[Zeroizing<String>], reading: &Reading<'_>) -> Result<Found, Fault> {
    let [name, server, secret, addresses @ ..] = words else {
        let message = format!("{} words; expected client, server, secret and addresses", words.len());
        return Err((message, "write alice * \"secret\" *; quote a word that has a space or #"));
    };
    if reading.server.is_some_and(|wanted| server.as_str() != "*" && server.as_str() != wanted) {
        return Ok(Found::Skipped(format!("for the server \"{}\"", adit_diag::printable(server))));
    }
    match (name.as_str(), secret.as_str()) {
        ("*" | "", _) => {
            return Err(("the line is for every client".into(), "write one line for each account"));
        }
        (_, secret) if secret.starts_with('@') => {
            return Err(("the secret is in another file".into(), "write the secret into this line"));
        }
        (_, "") => return Err(("the secret is empty".into(), "set a password")),
        _ => {}
    }
    let password = Password::new(secret.as_str());
    let mut entry =
        entry(line, name, ImportSecret::Password { password, reversible: None, weak: reading.weak });
    let end = addresses.iter().position(|word| word.as_str() == "--");
    if end.is_some() {
        return Err((
            "the line has options of pppd after --".into(),
            "remove them; adit sets options for groups",
        ));
    }
    match addresses {
        [] => {}
        [any] if any.as_str() == "*" => {}
        [none] if none.as_str() == "-" => {
            return Err((
                "the line permits no address (-), so the account cannot be used".into(),
                "remove the line",
            ));
        }
        [address] => {
            let address = address.parse().map_err(|_| {
                let message = format!("\"{}\" is no IPv4 address", adit_diag::printable(address));
                (message, "one address, such as 10.99.0.7, or * for any")
            })?;
            entry.properties.address = Some(Some(address));
        }
        _ => {
            let message = format!("{} addresses; an account has one fixed address, or none", addresses.len());
            return Err((message, "keep one address, or * for any of the pool"));
        }
    }
    Ok(Found::Account(Box::new(entry)))
}

/// The words of a line; one of them is the secret.
type LineWords = Vec<Zeroizing<String>>;

/// The lines of a file, as words.
struct Lines<'a> {
    rest: &'a str,
    line: u64,
}

impl Lines<'_> {
    /// The words of the next line, and the number of the line. A backslash at its end continues a line.
    fn next(&mut self) -> Option<(u64, Result<LineWords, Fault>)> {
        if self.rest.is_empty() {
            return None;
        }
        let first = self.line;
        let mut words = Words::default();
        let mut chars = self.rest.char_indices().peekable();
        let mut used = self.rest.len();
        while let Some((at, c)) = chars.next() {
            if c == '\n' {
                self.line += 1;
                if words.is_in_quotes() {
                    // pppd keeps the line end in the word; no password contains one, so a quote is missing.
                    words.fault = Some((
                        "a quote is not closed in its line".into(),
                        "close it, or write \\\" for the character",
                    ));
                }
                used = at + 1;
                break;
            }
            match (c, chars.peek()) {
                ('\\', Some((_, '\n'))) => {
                    chars.next();
                    self.line += 1;
                }
                ('\\', Some((_, '\r'))) => {
                    chars.next();
                }
                ('\\', Some(_)) if !words.is_comment => {
                    let digits = escape(&mut chars);
                    words.push(digits);
                }
                _ => words.take(c),
            }
        }
        self.rest = self.rest.get(used..).unwrap_or_default();
        Some((first, words.finish()))
    }
}

/// The character of an escape sequence behind its backslash, as pppd reads it.
fn escape(chars: &mut core::iter::Peekable<core::str::CharIndices<'_>>) -> char {
    let Some((_, c)) = chars.next() else { return '\\' };
    let mut number = |mut value: u32, radix: u32, most: usize| {
        for _ in 0..most {
            let Some(digit) = chars.peek().and_then(|(_, c)| c.to_digit(radix)) else { break };
            value = value * radix + digit;
            chars.next();
        }
        // pppd stores an octet; every octet is a character of Latin-1.
        char::from(u8::try_from(value & 0xff).unwrap_or_default())
    };
    match c {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        's' => ' ',
        't' => '\t',
        'x' => number(0, 16, 2),
        '0'..='7' => number(c.to_digit(8).unwrap_or_default(), 8, 2),
        other => other,
    }
}

/// Collects the words of a line.
#[derive(Default)]
struct Words {
    done: LineWords,
    word: Option<Zeroizing<String>>,
    quote: Option<char>,
    is_comment: bool,
    fault: Option<Fault>,
}

impl Words {
    fn is_in_quotes(&self) -> bool {
        self.quote.is_some()
    }

    /// Takes a character that is not escaped.
    fn take(&mut self, c: char) {
        match (self.quote, c) {
            _ if self.is_comment => {}
            (Some(quote), c) if c == quote => self.quote = None,
            (Some(_), c) => self.push(c),
            (None, '"' | '\'') => {
                self.quote = Some(c);
                self.word.get_or_insert_default();
            }
            // A comment begins only where a word could.
            (None, '#') if self.word.is_none() => self.is_comment = true,
            (None, c) if c.is_ascii_whitespace() => self.end_word(),
            (None, c) => self.push(c),
        }
    }

    fn push(&mut self, c: char) {
        // With a capacity that is seldom exceeded, so that growing leaves no copy behind.
        let word = self.word.get_or_insert_with(|| Zeroizing::new(String::with_capacity(256)));
        if word.len() >= MAX_FIELD {
            self.fault = Some((format!("a word is longer than {MAX_FIELD} bytes"), "a quote may be missing"));
            return;
        }
        word.push(c);
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        if self.done.len() >= MAX_WORDS {
            self.fault =
                Some((format!("more than {MAX_WORDS} words"), "a quote or a line end may be missing"));
            return;
        }
        self.done.push(word);
    }

    fn finish(mut self) -> Result<LineWords, Fault> {
        if self.is_in_quotes() && self.fault.is_none() {
            self.fault = Some(("a quote is not closed".into(), "close it, or write \\\" for the character"));
        }
        self.end_word();
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(self.done),
        }
    }
}
