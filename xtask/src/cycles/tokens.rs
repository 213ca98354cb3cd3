//! Rust source as a tree of tokens, each with its line. Comments, numbers, characters and lifetimes are left out: no path
//! is in them.

use anyhow::{Context as _, bail};

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// An identifier or a keyword, and its line, from 1.
    Word(String, usize),
    /// `::`
    Colons,
    /// Any other sign.
    Sign(char),
    /// What a string literal holds, with its escapes as they are written, and its line.
    Text(String, usize),
    /// What is inside of brackets, and the opening one.
    Group(char, Vec<Token>),
}

impl Token {
    /// Whether it is this word.
    pub(super) fn is_word(&self, text: &str) -> bool {
        matches!(self, Token::Word(word, _) if word == text)
    }
}

/// Reads a source text.
///
/// Error: a bracket, a comment or a string that has no other end, with the line where it begins.
pub(super) fn read(text: &str) -> anyhow::Result<Vec<Token>> {
    let mut reader = Reader { rest: text.chars().collect(), at: 0, line: 1 };
    // The open brackets with their lines, and what is before each.
    let mut open: Vec<(char, usize, Vec<Token>)> = Vec::new();
    let mut tokens = Vec::new();
    while let Some(first) = reader.peek(0) {
        let line = reader.line;
        match first {
            '(' | '[' | '{' => {
                reader.next();
                open.push((first, line, std::mem::take(&mut tokens)));
            }
            ')' | ']' | '}' => {
                reader.next();
                let (bracket, _, before) =
                    open.pop().with_context(|| format!("{line}: {first} closes nothing"))?;
                let inside = std::mem::replace(&mut tokens, before);
                tokens.push(Token::Group(bracket, inside));
            }
            _ => tokens.extend(reader.token().with_context(|| format!("{line}: no end"))?),
        }
    }
    match open.pop() {
        Some((bracket, line, _)) => bail!("{line}: {bracket} is never closed"),
        None => Ok(tokens),
    }
}

struct Reader {
    rest: Vec<char>,
    at: usize,
    line: usize,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek(0)?;
        self.at += 1;
        self.line += usize::from(next == '\n');
        Some(next)
    }

    fn is_at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == Some(c))
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.next();
        }
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek(0).filter(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
            self.next();
        }
        word
    }

    /// Reads one token that is no bracket: `Some(None)` for what is left out, `None` for one without an end.
    fn token(&mut self) -> Option<Option<Token>> {
        let line = self.line;
        let first = self.peek(0)?;
        if self.is_at("//") {
            while self.peek(0).is_some_and(|c| c != '\n') {
                self.next();
            }
            return Some(None);
        }
        if self.is_at("/*") {
            self.comment()?;
            return Some(None);
        }
        if let Some(text) = self.raw_text() {
            return Some(Some(Token::Text(text?, line)));
        }
        if self.is_at("r#") {
            self.skip(2);
        }
        Some(match first {
            '"' => Some(Token::Text(self.text()?, line)),
            '\'' => {
                self.character();
                None
            }
            c if c.is_ascii_digit() => {
                self.number();
                None
            }
            c if c.is_alphabetic() || c == '_' => {
                let word = self.word();
                // b'x' and c"x": the letter belongs to the literal behind it.
                let is_prefix =
                    matches!(self.peek(0), Some('"' | '\'')) && matches!(word.as_str(), "b" | "c");
                (!is_prefix).then_some(Token::Word(word, line))
            }
            ':' if self.is_at("::") => {
                self.skip(2);
                Some(Token::Colons)
            }
            c => {
                self.next();
                (!c.is_whitespace()).then_some(Token::Sign(c))
            }
        })
    }

    fn comment(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            if self.is_at("/*") {
                depth += 1;
                self.skip(2);
            } else if self.is_at("*/") {
                depth -= 1;
                self.skip(2);
                if depth == 0 {
                    return Some(());
                }
            } else {
                self.next()?;
            }
        }
    }

    /// `r"..."` and `br#"..."#`; the outer `None` is something else, the inner one a text without an end.
    fn raw_text(&mut self) -> Option<Option<String>> {
        let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
            let hashes = (prefix.len()..).take_while(|at| self.peek(*at) == Some('#')).count();
            self.is_at(prefix) && self.peek(prefix.len() + hashes) == Some('"')
        })?;
        self.skip(prefix.len());
        let hashes = (0..).take_while(|at| self.peek(*at) == Some('#')).count();
        self.skip(hashes + 1);
        let end = format!("\"{}", "#".repeat(hashes));
        let mut text = String::new();
        while !self.is_at(&end) {
            let Some(c) = self.next() else { return Some(None) };
            text.push(c);
        }
        self.skip(end.len());
        Some(Some(text))
    }

    fn text(&mut self) -> Option<String> {
        self.next();
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Some(text),
                '\\' => text.extend(['\\', self.next()?]),
                c => text.push(c),
            }
        }
    }

    /// A character, or a lifetime.
    fn character(&mut self) {
        self.next();
        match (self.peek(0), self.peek(1)) {
            (Some('\\'), _) => {
                self.skip(2);
                while self.next().is_some_and(|c| c != '\'') {}
            }
            (_, Some('\'')) => self.skip(2),
            _ => {
                self.word();
            }
        }
    }

    fn number(&mut self) {
        self.word();
        if self.peek(0) == Some('.') && self.peek(1).is_some_and(|c| c.is_ascii_digit()) {
            self.next();
            self.word();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words, signs and texts of a source, flat.
    fn flat(tokens: &[Token]) -> String {
        let each = tokens.iter().map(|token| match token {
            Token::Word(word, line) => format!("{word}@{line}"),
            Token::Colons => "::".to_owned(),
            Token::Sign(sign) => sign.to_string(),
            Token::Text(text, line) => format!("<{text}>@{line}"),
            Token::Group(open, inside) => format!("{open}{} ", flat(inside)),
        });
        each.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_characters_numbers_and_lifetimes_are_left_out() {
        let text = "a // b::c\n/* d /* e */ \" */ f<'g>('h', '\\'', b'i', '\"', 1.5e3, 0..j, x.0)";
        assert_eq!(flat(&read(text).unwrap()), "a@1 f@2 < > (, , , , , . . j@2 , x@2 . ");
    }

    #[test]
    fn string_literals_end_at_their_closing_quote() {
        let text = "\"a\\\"b\" r\"c\\\" br#\"d\"e\"# b\"f\" r#type \"g\n\" h";
        assert_eq!(flat(&read(text).unwrap()), "<a\\\"b>@1 <c\\>@1 <d\"e>@1 <f>@1 type@1 <g\n>@1 h@2");
    }

    #[test]
    fn an_unterminated_token_is_an_error_with_its_line() {
        for (text, line) in [("a\n(b", "2"), ("a)", "1"), ("\n\n\"a", "3"), ("/* a", "1"), ("r#\"a\"", "1")] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{line}: ")), "{text:?}: {error}");
        }
    }
}
