//! Text for a terminal.

use core::fmt;

/// The width that everything fits, in columns.
pub(crate) const WIDTH: usize = 80;

/// Writes a text in lines that begin with `indent`. A command between backticks stays on one line if it can.
pub(crate) fn paragraph(f: &mut dyn fmt::Write, indent: &str, text: &str) -> fmt::Result {
    wrap(f, indent, indent, text)
}

/// Writes items with a hyphen each.
pub(crate) fn list(f: &mut dyn fmt::Write, indent: &str, items: &[String]) -> fmt::Result {
    for item in items {
        wrap(f, &format!("{indent}- "), &format!("{indent}  "), item)?;
    }
    Ok(())
}

/// Writes a text whose first line begins with `first`, the others with `rest`.
pub(crate) fn wrap(f: &mut dyn fmt::Write, first: &str, rest: &str, text: &str) -> fmt::Result {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in words(text) {
        let width = line.chars().count() + usize::from(!empty) + word.chars().count();
        if !empty && width > WIDTH {
            writeln!(f, "{}", line.trim_end())?;
            line = rest.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    if empty { Ok(()) } else { writeln!(f, "{}", line.trim_end()) }
}

/// Splits at spaces, but not inside backticks, unless what they hold is too long for a line.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '`' => {
                let rest = text.get(at + 1..).unwrap_or_default();
                let long = rest.find('`').is_none_or(|end| end > WIDTH - 10);
                quoted = !quoted && !long;
            }
            ' ' if !quoted => {
                words.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(text.get(start..).unwrap_or_default());
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_between_words_and_keeps_commands_whole() {
        let mut out = String::new();
        let text = format!("{} `ip route get 192.0.2.1` end", "word ".repeat(13));
        paragraph(&mut out, "  ", &text).unwrap();
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1], "  `ip route get 192.0.2.1` end");
    }

    #[test]
    fn an_unclosed_or_long_command_is_wrapped_as_text() {
        let mut out = String::new();
        paragraph(&mut out, "", &format!("`{} and `open {}", "x ".repeat(60), "y ".repeat(60))).unwrap();
        assert!(out.lines().all(|line| line.chars().count() <= WIDTH));
    }
}
