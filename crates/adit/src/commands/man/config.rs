//! adit.toml(5), from the table that reads the keys.

use std::fmt::Write as _;

/// The text of the page.
pub(super) fn page() -> String {
    let mut page = String::from(
        ".TH ADIT.TOML 5\n.SH NAME\nadit.toml \\- configuration of adit\n.SH DESCRIPTION\n\
         TOML, in /etc/adit/adit.toml or the file of \\-\\-config. Every key may be left out. \
         \\fBadit check\\fR reads the file as the server does; \\fBadit explain key\\fR KEY says more of one key.\n",
    );
    let mut sections: Vec<&str> = Vec::new();
    for section in adit_config::keys().iter().flat_map(|key| key.sections) {
        if !sections.contains(section) {
            sections.push(section);
        }
    }
    for section in sections {
        let title = if section.is_empty() { "AT THE TOP".to_owned() } else { format!("[{section}]") };
        let _ = writeln!(page, ".SH \"{}\"", escape(&title));
        for key in adit_config::keys().iter().filter(|key| key.sections.contains(&section)) {
            let default = match (key.default, key.example) {
                ("", "") => String::new(),
                ("", example) => format!(" For example {example}."),
                (default, _) => format!(" Default {default}."),
            };
            let (name, about) = (escape(key.name), escape(key.about));
            let takes = escape(&format!("Takes {}.{default}", key.takes()));
            let _ = writeln!(page, ".TP\n\\fB{name}\\fR\n\\&{about}.\n{takes}");
        }
    }
    page.push_str(".SH \"SEE ALSO\"\n\\fBadit\\fR(1), \\fBadit\\-check\\fR(1), \\fBadit\\-explain\\fR(1)\n");
    page
}

/// Escapes text for roff: ASCII only, without requests and escapes.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '"' => escaped.push_str("\\(dq"),
            character if character.is_ascii() => escaped.push(character),
            character => {
                let _ = write!(escaped, "\\[u{:04X}]", u32::from(character));
            }
        }
    }
    escaped
}
