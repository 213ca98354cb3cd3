//! Colour, which only repeats what the text contains.

/// Whether to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether a stream gets colour.
    pub(crate) fn wanted(self, is_terminal: bool) -> bool {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                is_terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

/// The meaning of a piece of text, which determines its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing special.
    Plain,
    /// Success.
    Good,
    /// A warning.
    Warn,
    /// Failure.
    Bad,
    /// Less important than the rest.
    Dim,
    /// A heading.
    Head,
}

impl Tone {
    /// The tone of a status word of any command.
    pub(crate) fn of(word: &str) -> Tone {
        match word.split([' ', ',']).next().unwrap_or_default() {
            "ok" | "up" | "connected" | "added" | "wrote" => Tone::Good,
            "warning" | "warn" | "locked" | "starting" => Tone::Warn,
            "error" | "FAIL" | "failed" | "disabled" | "expired" => Tone::Bad,
            _ => Tone::Plain,
        }
    }
}

/// `text` in a colour, or as it is.
pub(crate) fn paint(on: bool, tone: Tone, text: &str) -> String {
    let number = match tone {
        Tone::Plain => return text.to_owned(),
        _ if !on || text.is_empty() => return text.to_owned(),
        Tone::Good => "32",
        Tone::Warn => "33",
        Tone::Bad => "31",
        Tone::Dim => "2",
        Tone::Head => "1",
    };
    format!("\x1b[{number}m{text}\x1b[0m")
}
