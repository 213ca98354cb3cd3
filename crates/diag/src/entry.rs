//! A code's page, taken apart.

use core::fmt;

use crate::Code;
use crate::text::{list, paragraph};

/// Everything that is known about a code. Texts are single lines for the reader to wrap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// What is wrong, one short line.
    pub title: &'static str,
    /// What it means.
    pub meaning: String,
    /// How adit knows.
    pub proof: String,
    /// What looks like it and is not.
    pub confused_with: Vec<String>,
    /// Who can do something about it.
    pub owner: String,
    /// What to do, by place or platform, the likeliest first.
    pub fix: Vec<String>,
    /// The one test to run next.
    pub next: String,
    /// What other programs call it.
    pub elsewhere: Vec<Elsewhere>,
}

/// A code or log line of another program that can mean this code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// Its key: `windows:619`, or `pppd:"Modem hangup"` for a log line.
    pub key: String,
    /// 1 for the likeliest meaning of the key; others are told after it.
    pub rank: u8,
    /// What must be true for this meaning.
    pub when: String,
}

impl Code {
    /// The code's page.
    pub fn entry(self) -> Entry {
        let page = self.page();
        let text = |heading| join(section(page, heading));
        Entry {
            code: self,
            title: self.title(),
            meaning: join(section(page, "")),
            proof: text("How it is proven"),
            confused_with: items(section(page, "Not to be confused with")),
            owner: text("Who can fix it"),
            fix: items(section(page, "Fix")),
            next: text("Next test"),
            elsewhere: self.elsewhere(),
        }
    }

    /// What other programs call it, without the rest of the page.
    pub(crate) fn elsewhere(self) -> Vec<Elsewhere> {
        items(section(self.page(), "Elsewhere")).iter().filter_map(|item| elsewhere(item)).collect()
    }
}

/// The lines below a heading; the empty heading is the page's own.
fn section<'p>(page: &'p str, heading: &str) -> impl Iterator<Item = &'p str> {
    let mut lines = page.lines().skip(1);
    if !heading.is_empty() {
        // Moves on to the heading, or to the end of the page.
        let _ = lines.find(|line| line.strip_prefix("## ") == Some(heading));
    }
    lines.take_while(|line| !line.starts_with("## "))
}

fn join<'p>(lines: impl Iterator<Item = &'p str>) -> String {
    lines.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn items<'p>(lines: impl Iterator<Item = &'p str>) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in lines {
        match (line.strip_prefix("- "), items.last_mut()) {
            (Some(first), _) => items.push(first.trim().to_owned()),
            (None, Some(item)) if !line.trim().is_empty() => {
                item.push(' ');
                item.push_str(line.trim());
            }
            _ => {}
        }
    }
    items
}

/// Reads `windows:619 1 no LCP line in the record`.
fn elsewhere(item: &str) -> Option<Elsewhere> {
    // A quoted log line may hold spaces.
    let end = match item.find('"') {
        Some(quote) if !item.get(..quote)?.contains(' ') => quote + item.get(quote + 1..)?.find('"')? + 2,
        _ => item.find(' ')?,
    };
    let (key, rest) = (item.get(..end)?, item.get(end..)?.trim_start());
    let (rank, when) = rest.split_once(' ')?;
    Some(Elsewhere { key: key.to_owned(), rank: rank.parse().ok()?, when: when.to_owned() })
}

impl fmt::Display for Entry {
    /// The page for a terminal of 80 columns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layer = self.code.layer();
        writeln!(f, "{}  {}", self.code, self.title)?;
        writeln!(f, "     layer {} ({}), exit code {}", layer, layer.title(), layer.exit_code())?;
        writeln!(f)?;
        paragraph(f, "     ", &self.meaning)?;
        for (heading, text) in [("How it is proven", &self.proof), ("Who can fix it", &self.owner)] {
            writeln!(f, "\n  {heading}")?;
            paragraph(f, "     ", text)?;
        }
        for (heading, items) in [("Fix", &self.fix), ("Not to be confused with", &self.confused_with)] {
            writeln!(f, "\n  {heading}")?;
            list(f, "     ", items)?;
        }
        writeln!(f, "\n  Next test")?;
        paragraph(f, "     ", &self.next)?;
        if !self.elsewhere.is_empty() {
            writeln!(f, "\n  Elsewhere")?;
            let names: Vec<&str> = self.elsewhere.iter().map(|elsewhere| elsewhere.key.as_str()).collect();
            paragraph(f, "     ", &names.join(", "))?;
        }
        Ok(())
    }
}
