//! Escaping of octets from the network for display.

use core::fmt;

/// Escapes octets from the network for display: names, reasons, messages.
///
/// Printable ASCII and letters and digits of valid UTF-8 appear as they are; every other octet appears as
/// `\xNN`. A backslash is doubled and a double quote becomes `\x22`, so the text can be quoted on one line.
pub fn escape(octets: &[u8]) -> Escape<'_> {
    Escape { octets, limit: usize::MAX }
}

/// The return type of [`escape`].
#[derive(Clone, Copy, Debug)]
pub struct Escape<'a> {
    octets: &'a [u8],
    limit: usize,
}

impl Escape<'_> {
    /// Shows at most about `limit` characters, then `...`.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }
}

impl fmt::Display for Escape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.limit;
        for chunk in self.octets.utf8_chunks() {
            for c in chunk.valid().chars() {
                let width = if is_plain(c) { 1 } else { 4 * c.len_utf8() };
                let Some(rest) = left.checked_sub(width) else { return f.write_str("...") };
                left = rest;
                write_char(f, c)?;
            }
            for octet in chunk.invalid() {
                let Some(rest) = left.checked_sub(4) else { return f.write_str("...") };
                left = rest;
                write!(f, "\\x{octet:02x}")?;
            }
        }
        Ok(())
    }
}

fn is_plain(c: char) -> bool {
    match c {
        '"' | '\\' => false,
        ' '..='~' => true,
        _ => c.is_alphanumeric(),
    }
}

fn write_char(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    use fmt::Write as _;
    match c {
        '\\' => f.write_str("\\\\"),
        c if is_plain(c) => f.write_char(c),
        c => c.encode_utf8(&mut [0; 4]).bytes().try_for_each(|octet| write!(f, "\\x{octet:02x}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::escape;

    #[test]
    fn c013_names_are_shown_escaped() {
        assert_eq!(escape(b"vpn.example").to_string(), "vpn.example");
        assert_eq!(escape(b"a b~").to_string(), "a b~");
        assert_eq!(escape(b"a\nb\0\x1b[31m").to_string(), "a\\x0ab\\x00\\x1b[31m");
        assert_eq!(escape(b"say \"hi\" \\").to_string(), "say \\x22hi\\x22 \\\\");
        assert_eq!(escape("Jürgen".as_bytes()).to_string(), "Jürgen");
        assert_eq!(escape(b"\xff\xc3").to_string(), "\\xff\\xc3");
        // A right-to-left override would reorder the line.
        assert_eq!(escape("a\u{202e}b".as_bytes()).to_string(), "a\\xe2\\x80\\xaeb");
    }

    #[test]
    fn a_limit_cuts() {
        assert_eq!(escape(b"abcdef").limit(3).to_string(), "abc...");
        assert_eq!(escape(b"abc").limit(3).to_string(), "abc");
        assert_eq!(escape(b"a\xff").limit(3).to_string(), "a...");
    }

    proptest! {
        #[test]
        fn one_line_without_control_characters(octets: Vec<u8>) {
            let text = escape(&octets).to_string();
            prop_assert!(!text.chars().any(|c| c.is_control() || c == '"'));
        }
    }
}
