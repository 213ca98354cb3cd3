//! Codes and log lines of other programs, and what they can mean.

use std::collections::BTreeMap;
use std::fmt;

use crate::text::{WIDTH, paragraph, wrap};
use crate::{Cause, Code, Layer, patterns};

/// Keys with what the other program says, a note, and whether it is confirmed; the causes stand in the pages of our
/// codes.
const SAYINGS: &str = include_str!("../codes/foreign.tsv");

/// A code or a log line of another program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Its key: `windows:619`, or `pppd:"Modem hangup"` for a log line.
    pub key: String,
    /// The wording of the other program.
    pub wording: String,
    /// What to know before the causes, or instead of them.
    pub note: Option<String>,
    /// Our codes that it can mean, the likeliest first. Empty when it is no fault of PPTP.
    pub causes: Vec<Cause>,
    /// Other keys of the same system with the same first cause.
    pub see_also: Vec<String>,
    /// Whether the words or the meaning were found in the papers or the source of the other program, or in a real log.
    pub confirmed: bool,
}

impl Foreign {
    /// The program, as `Windows`.
    pub fn system(&self) -> &'static str {
        system(&self.key)
    }

    /// The number or text without the program.
    pub fn id(&self) -> &str {
        match self.key.split_once('"') {
            Some((_, quoted)) => quoted.trim_end_matches('"'),
            None => self.key.rsplit(':').next().unwrap_or_default(),
        }
    }

    /// Whether it is a line of a log, not a number.
    pub fn is_log_line(&self) -> bool {
        self.key.ends_with('"')
    }

    /// Whether another line of the same log explains more: this one only follows from it, or does no harm.
    pub(crate) fn gives_way(&self) -> bool {
        let note = self.note.as_deref().unwrap_or_default();
        ["A consequence", "A warning", "Harmless", "Not an error"].iter().any(|word| note.starts_with(word))
    }

    /// The layers of the causes, the likeliest first.
    pub fn layers(&self) -> Vec<Layer> {
        let mut layers = Vec::new();
        for cause in &self.causes {
            if !layers.contains(&cause.code.layer()) {
                layers.push(cause.code.layer());
            }
        }
        layers
    }
}

/// The name of the program that a key begins with.
fn system(key: &str) -> &'static str {
    match key.split(':').next().unwrap_or_default() {
        "windows" => "Windows",
        "event" => "Windows event",
        "nps" => "Windows NPS reason",
        "pppd" => "pppd",
        "pptp" => "PPTP",
        "mschap" => "MS-CHAP",
        "radius" => "RADIUS",
        "pptpclient" => "pptp client",
        "pptpd" => "pptpd",
        "pptp-ping" => "PPTP Ping",
        "accel" => "accel-ppp",
        "cisco" => "Cisco",
        "routeros" => "RouterOS",
        "android" => "Android",
        "nm" => "NetworkManager",
        "wire" => "on the wire",
        "linux" => "Linux",
        _ => "log or symptom",
    }
}

/// Everything that other programs say, in the order of the keys.
pub fn foreign() -> Vec<Foreign> {
    let mut all: BTreeMap<String, Foreign> = BTreeMap::new();
    let blank = |key: &str| Foreign {
        key: key.to_owned(),
        wording: String::new(),
        note: None,
        causes: Vec::new(),
        see_also: Vec::new(),
        confirmed: true,
    };
    for row in SAYINGS.lines().filter(|row| !row.starts_with('#')) {
        let mut fields = row.split('\t');
        let (Some(key), Some(wording)) = (fields.next(), fields.next()) else { continue };
        let note = fields.next().filter(|note| !note.is_empty()).map(str::to_owned);
        let confirmed = fields.next() != Some("not confirmed");
        all.insert(key.to_owned(), Foreign { wording: wording.to_owned(), note, confirmed, ..blank(key) });
    }
    for code in Code::ALL {
        for elsewhere in code.elsewhere() {
            let found = all.entry(elsewhere.key.clone()).or_insert_with(|| blank(&elsewhere.key));
            found.causes.push(Cause { code: *code, rank: elsewhere.rank, when: elsewhere.when });
        }
    }
    let mut all: Vec<Foreign> = all.into_values().collect();
    all.extend(patterns().into_iter().map(|pattern| {
        let key = format!("wire:{}", pattern.id);
        Foreign {
            wording: pattern.evidence.to_owned(),
            note: pattern.note,
            causes: pattern.causes,
            ..blank(&key)
        }
    }));
    for one in &mut all {
        one.causes.sort_by_key(|cause| (cause.rank, cause.code));
        if one.is_log_line() {
            one.wording = one.id().to_owned();
        }
    }
    link(&mut all);
    all
}

/// Fills in which keys of a system share their first cause.
fn link(all: &mut [Foreign]) {
    let family = |one: &Foreign| {
        let numbered = !one.is_log_line() && !one.key.starts_with("wire:");
        one.causes.first().filter(|_| numbered).map(|cause| (one.system(), cause.code))
    };
    let mut families: BTreeMap<(&'static str, Code), Vec<String>> = BTreeMap::new();
    for one in all.iter() {
        if let Some(family) = family(one) {
            families.entry(family).or_default().push(one.key.clone());
        }
    }
    for one in all {
        let Some(family) = family(one).and_then(|family| families.get(&family)) else { continue };
        one.see_also = family.iter().filter(|key| **key != one.key).cloned().collect();
    }
}

impl fmt::Display for Foreign {
    /// The page for a terminal of 80 columns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_log_line() {
            wrap(f, &format!("{}  ", self.system()), "     ", &format!("\"{}\"", self.id()))?;
        } else {
            wrap(f, &format!("{}  {}   ", self.id(), self.name()), "     ", &self.wording)?;
        }
        if let Some(note) = &self.note {
            paragraph(f, "     ", note)?;
        }
        if !self.confirmed {
            paragraph(
                f,
                "     ",
                "Not confirmed: common knowledge, not yet found in its maker's papers or a real log.",
            )?;
        }
        self.layers_line(f)?;
        self.causes_lines(f)?;
        if let Some(first) = self.causes.first() {
            let entry = first.code.entry();
            if let Some(fix) = entry.fix.first() {
                field(f, "First fix", &format!("({}) {fix}", first.code))?;
            }
            field(f, "Who", &entry.owner)?;
            field(f, "Next test", &entry.next)?;
        }
        let mut see: Vec<String> = self.see_also.clone();
        see.extend(self.causes.iter().map(|cause| cause.code.to_string()));
        if !see.is_empty() {
            field(f, "See also", &see.join(", "))?;
        }
        Ok(())
    }
}

impl Foreign {
    /// The program and, for keys of three parts, what the number belongs to.
    fn name(&self) -> String {
        let parts: Vec<&str> = self.key.split(':').collect();
        match parts.as_slice() {
            [_, middle, _] => format!("{} {middle}", self.system()),
            _ => self.system().to_owned(),
        }
    }

    fn layers_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layers = self.layers();
        let show = |layer: &Layer| format!("{} ({})", layer.letter(), layer.word());
        match layers.as_slice() {
            [] => Ok(()),
            [one] => field(f, "Layer", &show(one)),
            [first, rest @ ..] => {
                let rest: Vec<String> = rest.iter().map(show).collect();
                field(f, "Layer", &format!("usually {}, sometimes {}", show(first), rest.join(", ")))
            }
        }
    }

    fn causes_lines(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.causes.as_slice() {
            return field(f, "Means", &format!("{}, {}", only.code, only.when_and_title()));
        }
        for (index, cause) in self.causes.iter().enumerate() {
            let label = if index == 0 { "Tell apart" } else { "" };
            field(f, label, &cause.when)?;
            let arrow = format!("                  → {}  {}", cause.code, cause.code.title());
            debug_assert!(arrow.chars().count() <= WIDTH);
            writeln!(f, "{arrow}")?;
        }
        Ok(())
    }
}

fn field(f: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    wrap(f, &format!("     {label:<11}"), "                ", text)
}
