//! Text of configuration files, and locations in it.

use std::ops::Range;

/// A file, or a text in place of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path, as shown in messages.
    pub name: String,
    /// The content.
    pub text: String,
}

/// A location for users, both numbers counted from 1; `col` counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub col: usize,
}

impl Source {
    /// Creates a source from a name and a text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Source {
        Source { name: name.into(), text: text.into() }
    }

    /// Line and column of a byte offset; an offset past the end is the end.
    pub fn place(&self, offset: usize) -> Place {
        let before = self.before(offset);
        let line = before.matches('\n').count() + 1;
        let col = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Place { line, col }
    }

    /// The line at an offset, without its line end.
    pub fn line_at(&self, offset: usize) -> &str {
        let range = self.line_range(offset);
        self.text.get(range).unwrap_or_default().trim_end_matches('\r')
    }

    /// The byte range of the line at an offset, without its line end.
    pub(crate) fn line_range(&self, offset: usize) -> Range<usize> {
        let before = self.before(offset);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = self.text.get(before.len()..).unwrap_or_default();
        start..before.len() + rest.find('\n').unwrap_or(rest.len())
    }

    fn before(&self, offset: usize) -> &str {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        self.text.get(..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_survive_any_offset() {
        let source = Source::new("f", "a = 1\r\nü = \"x\"\n");
        assert_eq!(source.place(0), Place { line: 1, col: 1 });
        let quote = source.text.find('"').unwrap_or_default();
        assert_eq!(source.place(quote), Place { line: 2, col: 5 });
        assert_eq!(source.line_at(quote), "ü = \"x\"");
        assert_eq!(source.line_at(2), "a = 1");
        assert_eq!(source.place(8), Place { line: 2, col: 1 }, "inside a letter of two octets");
        assert_eq!(source.place(9_999), Place { line: 3, col: 1 });
    }
}
