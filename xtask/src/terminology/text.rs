//! Files as words: those of identifiers, and those of comments and string literals.

use std::path::Path;

/// A word and where it stands.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) lower: String,
    /// From 1; 0 in a path.
    pub(super) line: usize,
    pub(super) kind: Kind,
    /// The whole identifier, at its first word.
    pub(super) name: Option<String>,
    pub(super) begins_name: bool,
}

/// What a word is part of. A phrase lies within one name, or within text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The identifier or part of a path of this number.
    Name(usize),
    /// A comment, string literal or page.
    Text,
}

/// The words of a path: each folder and the file is a name, the extension its last word.
pub(super) fn path(file: &Path) -> Vec<Word> {
    let mut words = Words::default();
    for part in file.components() {
        words.name(&part.as_os_str().to_string_lossy(), 0);
    }
    words.all
}

/// The words of a page. Addresses of links count as text.
pub(super) fn prose(page: &str) -> Vec<Word> {
    let mut words = Words::default();
    for (number, line) in page.lines().enumerate() {
        words.text(line, number + 1);
    }
    words.all
}

/// The words of a Rust source.
pub(super) fn rust(source: &str) -> Vec<Word> {
    let mut words = Words::default();
    let mut line = 1;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => quoted(rest, 1),
            'r' | 'b' | 'c' if literal(rest).is_some() => literal(rest).unwrap_or(1),
            '\'' => character(rest),
            _ if first.is_alphabetic() || first == '_' => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            _ => first.len_utf8(),
        };
        let (token, behind) = rest.split_at(len);
        if len > 1 && (first == '/' || token.ends_with(['"', '#'])) {
            for (number, text) in token.split('\n').enumerate() {
                words.text(text, line + number);
            }
        } else if first.is_alphabetic() || first == '_' {
            words.name(token, line);
        }
        line += token.matches('\n').count();
        rest = behind;
    }
    words.all
}

/// Octets of a string literal whose content begins at `start`.
fn quoted(text: &str, start: usize) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < start) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Octets of a literal with a prefix: `b"`, `c"`, `r"`, `br#"`.
fn literal(text: &str) -> Option<usize> {
    let letters = text.find(|c: char| !matches!(c, 'r' | 'b' | 'c'))?;
    let behind = text.get(letters..)?;
    let hashes = behind.len() - behind.trim_start_matches('#').len();
    let is_raw = text.get(..letters)?.contains('r');
    if letters > 2 || !behind.get(hashes..)?.starts_with('"') || (hashes > 0 && !is_raw) {
        return None;
    }
    let start = letters + hashes + 1;
    if !is_raw {
        return Some(quoted(text, start));
    }
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text.get(start..)?.find(&end).map_or(text.len(), |at| start + at + end.len()))
}

/// Octets of a character literal, or of the mark of a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => text.get(3..).and_then(|rest| rest.find('\'')).map_or(1, |at| at + 4),
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

#[derive(Default)]
struct Words {
    all: Vec<Word>,
    names: usize,
}

impl Words {
    /// An identifier: `keep_house`, `KeepHouse`, `KEEP_HOUSE`.
    fn name(&mut self, name: &str, line: usize) {
        self.names += 1;
        let kind = Kind::Name(self.names);
        let mut first = Some(name.to_owned());
        for part in name.split(|c: char| !c.is_alphabetic()).filter(|part| !part.is_empty()) {
            let chars: Vec<char> = part.chars().collect();
            let mut start = 0;
            for at in 1..=chars.len() {
                let ends = match (chars.get(at - 1), chars.get(at), chars.get(at + 1)) {
                    (_, None, _) => true,
                    (Some(before), Some(c), _) if before.is_lowercase() && c.is_uppercase() => true,
                    (Some(before), Some(c), Some(next)) => {
                        before.is_uppercase() && c.is_uppercase() && next.is_lowercase()
                    }
                    _ => false,
                };
                if ends {
                    let lower = chars[start..at].iter().collect::<String>().to_lowercase();
                    let name = first.take();
                    self.all.push(Word { lower, line, kind, begins_name: name.is_some(), name });
                    start = at;
                }
            }
        }
    }

    fn text(&mut self, text: &str, line: usize) {
        let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
        self.all.extend(words.map(|word| Word {
            lower: word.to_lowercase(),
            line,
            kind: Kind::Text,
            name: None,
            begins_name: false,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Vec<String> {
        rust(source).into_iter().filter(|word| word.kind != Kind::Text).map(|word| word.lower).collect()
    }

    #[test]
    fn literals_and_comments_are_text_and_lifetimes_are_not_quotes() {
        let source = "fn f<'a>(x: &'a str) -> char { '\"' } // it's\nlet b = br#\"a\"b\"#; let c = '\\''; done(\"\\\"q\")";
        let text: Vec<String> =
            rust(source).into_iter().filter(|w| w.kind == Kind::Text).map(|w| w.lower).collect();
        assert_eq!(text, ["it", "s", "br", "a", "b", "q"]);
        assert!(names(source).contains(&"done".to_owned()));
    }

    #[test]
    fn names_are_split_at_capitals_and_underscores() {
        assert_eq!(
            names("LocalCallID HTTPServer run_it X"),
            ["local", "call", "id", "http", "server", "run", "it", "x"]
        );
    }

    #[test]
    fn any_text_ends() {
        for source in ["\"", "r#\"", "/*", "'", "'\\", "b'", "r#type", "é\"é"] {
            rust(source);
        }
    }
}
