//! Text from the network on a terminal.

/// A text without anything that would move the cursor or turn the letters round.
pub fn printable(text: &str) -> String {
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if !text.chars().any(odd) {
        return text.to_owned();
    }
    text.chars().flat_map(|c| if odd(c) { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_but_letters() {
        for (text, shown) in [
            ("plain, \"quoted\" 日本", "plain, \"quoted\" 日本"),
            ("a\u{1b}[2J", "a\\u{1b}[2J"),
            ("line\nline", "line\\nline"),
            ("\u{202e}turned", "\\u{202e}turned"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }
}
