//! The catalogue as one page of documentation.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::{Code, Foreign, foreign};

/// The systems of foreign keys in the order of the page, with their headings.
const SYSTEMS: &[(&str, &str)] = &[
    ("windows", "Windows, errors 600 to 868"),
    ("event", "Windows, events of RasClient and RemoteAccess"),
    ("nps", "Windows NPS, reasons of event 6273"),
    ("mschap", "MS-CHAP, E= in a Failure"),
    ("pptp", "PPTP, result, error and cause codes"),
    ("radius", "RADIUS, Acct-Terminate-Cause"),
    ("pppd", "pppd, exit codes and lines of the log"),
    ("pptpd", "pptpd"),
    ("pptpclient", "pptp client"),
    ("accel", "accel-ppp"),
    ("routeros", "RouterOS"),
    ("cisco", "Cisco"),
    ("linux", "Linux"),
    ("nm", "NetworkManager"),
    ("android", "Android"),
    ("pptp-ping", "PPTP Ping"),
    ("log", "Symptoms"),
    ("wire", "On the wire"),
];

/// The page `docs/reference/codes.md`: every code, then what other programs say.
pub fn reference() -> String {
    let mut page = String::from(
        "# Codes\n\n\
         What can go wrong, by layer, in the order in which a person tests. `adit explain CODE` prints one of them.\n\
         What other programs say, and what it means here, [stands at the end](#what-other-programs-say).\n\n\
         Made by `cargo xtask reference`; do not edit.\n",
    );
    let mut last = None;
    for code in Code::ALL {
        let layer = code.layer();
        if last != Some(layer) {
            last = Some(layer);
            let _ = writeln!(page, "\n## {} {}", layer.letter(), layer.word());
        }
        page.push('\n');
        // Pages are written on their own, with a heading of the first level.
        for line in code.page().trim_end().lines() {
            let _ = writeln!(page, "{}{line}", if line.starts_with('#') { "##" } else { "" });
        }
    }
    page.push_str(
        "\n## What other programs say\n\nThe likeliest code first. `adit explain KEY` tells them apart.\n",
    );
    let mut by_system: BTreeMap<String, Vec<Foreign>> = BTreeMap::new();
    for one in foreign() {
        let system = one.key.split(':').next().unwrap_or_default().to_owned();
        by_system.entry(system).or_default().push(one);
    }
    for (system, heading) in SYSTEMS {
        let _ = writeln!(page, "\n### {heading}\n\n| key | wording | means |\n|---|---|---|");
        let mut rows = by_system.remove(*system).unwrap_or_default();
        rows.sort_by_key(|one| (one.is_log_line(), one.id().parse::<u32>().ok()));
        for one in rows {
            let _ = writeln!(page, "{}", row(&one));
        }
    }
    page
}

fn row(one: &Foreign) -> String {
    let wording = if one.is_log_line() { "" } else { &one.wording };
    let codes: Vec<&str> = one.causes.iter().map(|cause| cause.code.as_str()).collect();
    let mut means = codes.join(", ");
    if means.is_empty() {
        means = one.note.clone().unwrap_or_default();
    }
    if !one.confirmed {
        means.push_str(" (not confirmed)");
    }
    format!("| `{}` | {} | {} |", one.key, cell(wording), cell(&means))
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
