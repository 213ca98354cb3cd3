//! Text from the network on a terminal.

/// A text without anything that would move the cursor, turn the letters round or not be seen.
pub fn printable(text: &str) -> String {
    if !text.chars().any(is_unprintable) {
        return text.to_owned();
    }
    text.chars()
        .flat_map(|c| if is_unprintable(c) { c.escape_default().collect() } else { vec![c] })
        .collect()
}

/// Whether a character is a control character, or one without a shape of its own: those of the general category Cf of
/// Unicode 16.0, line separators, fillers and variation selectors.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
        )
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
            ("bo\u{ad}b", "bo\\u{ad}b"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }
}
