//! Quoting of values in the languages of a hand-out.
//!
//! A name may contain any character that a user name can have; in a file or a command it must be only a value. Control
//! characters, which no user name contains, are left out.

/// A single-quoted string of PowerShell. Only the quote is special in it, and typographic quotes are quotes too.
pub(super) fn powershell(text: &str) -> String {
    let doubled = |c| matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}');
    format!("'{}'", prefixed(text, |c| doubled(c).then_some(c)))
}

/// A single-quoted word of a POSIX shell.
pub(super) fn shell(text: &str) -> String {
    let text = prefixed(text, |_| None);
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A double-quoted string of RouterOS.
pub(super) fn routeros(text: &str) -> String {
    format!("\"{}\"", prefixed(text, |c| matches!(c, '"' | '\\' | '$' | '?').then_some('\\')))
}

/// A double-quoted word in a file of pppd: options and chap-secrets.
pub(super) fn pppd(text: &str) -> String {
    format!("\"{}\"", prefixed(text, |c| matches!(c, '"' | '\\').then_some('\\')))
}

/// A value in a list `key = value, key = value` of nmcli.
pub(super) fn nmcli_value(text: &str) -> String {
    prefixed(text, |c| matches!(c, ',' | '\\').then_some('\\'))
}

/// The text with a character before those that need one, without control characters.
fn prefixed(text: &str, prefix: impl Fn(char) -> Option<char>) -> String {
    text.chars().filter(|c| !c.is_control()).flat_map(|c| prefix(c).into_iter().chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use adit_admin::account_file::{Format, Reading, read};
    use adit_crypto::Rng;

    use super::*;

    /// Texts of characters that one of the languages treats in a special way.
    fn hostile() -> impl Iterator<Item = String> {
        const CHARS: &[char] = &[
            '\'', '"', '\\', '$', '`', '?', ',', ' ', '#', '%', '(', ')', '{', '\u{2019}', '\u{201b}', 'é',
            '日', 'a', '\n',
        ];
        let mut rng = Rng::from_seed([3; 32]);
        (0..200).map(move |_| {
            let length = 1 + rng.below(12);
            let any = |rng: &mut Rng| CHARS[usize::try_from(rng.below(CHARS.len() as u64)).unwrap()];
            (0..length).map(|_| any(&mut rng)).collect()
        })
    }

    /// The text as it is quoted: without control characters.
    fn plain(text: &str) -> String {
        text.chars().filter(|c| !c.is_control()).collect()
    }

    /// The value of a quoted text in which `escape` stands before a character, with what follows it.
    fn unquote(
        quoted: &str,
        is_end: impl Fn(char) -> bool,
        is_escape: impl Fn(char, Option<char>) -> bool,
    ) -> String {
        let mut chars = quoted.chars().skip(1).peekable();
        let mut value = String::new();
        while let Some(c) = chars.next() {
            if is_escape(c, chars.peek().copied()) {
                value.extend(chars.next());
            } else if is_end(c) {
                assert_eq!(chars.next(), None, "{quoted}: the text goes on behind its quote");
                return value;
            } else {
                value.push(c);
            }
        }
        panic!("{quoted}: no end");
    }

    #[test]
    fn powershell_and_routeros_read_the_value() {
        let is_quote = |c| matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}');
        for text in hostile() {
            let read =
                unquote(&powershell(&text), is_quote, |c, next| is_quote(c) && next.is_some_and(is_quote));
            assert_eq!(read, plain(&text));
            let quoted = routeros(&text);
            assert_eq!(unquote(&quoted, |c| c == '"', |c, _| c == '\\'), plain(&text));
            assert!(!quoted.replace("\\$", "").contains('$'), "{quoted}: a variable");
        }
    }

    #[test]
    fn a_shell_reads_the_value() {
        let words: Vec<String> = hostile().collect();
        let quoted: Vec<String> = words.iter().map(|text| shell(text)).collect();
        let script = format!("printf '%s\\n' {}", quoted.join(" "));
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let expected: Vec<String> = words.iter().map(|text| plain(text)).collect();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{}\n", expected.join("\n")));
    }

    #[test]
    fn a_reader_of_chap_secrets_reads_the_value() {
        for text in hostile().filter(|text| !plain(text).is_empty()) {
            let file = format!("{} * \"PASSWORD\" *\n", pppd(&text));
            let reading = Reading {
                format: Format::ChapSecrets,
                server: None,
                weak: true,
                zone: jiff::tz::TimeZone::UTC,
            };
            let contents = read(file.as_bytes(), &reading).unwrap();
            assert_eq!(
                contents.entries.first().map(|entry| entry.name.clone()),
                Some(plain(&text)),
                "{file}"
            );
        }
    }
}
