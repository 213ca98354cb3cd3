//! Prints docs/reference/config.md: every key, from the table that reads them.

use std::collections::BTreeMap;

fn main() {
    println!("# adit.toml");
    println!();
    println!("Every key, with what it takes and its default. `adit check` knows the same table.");
    println!();
    println!("Made by `cargo xtask reference`; do not edit.");
    let mut sections: BTreeMap<&str, Vec<&adit_config::Key>> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    for key in adit_config::keys() {
        for section in key.sections {
            if !order.contains(section) {
                order.push(section);
            }
            sections.entry(section).or_default().push(key);
        }
    }
    for section in order {
        println!();
        if section.is_empty() {
            println!("## At the top");
        } else {
            println!("## `[{section}]`");
        }
        println!();
        println!("| key | takes | default | what it is for |");
        println!("|---|---|---|---|");
        for key in sections.get(section).into_iter().flatten() {
            let default = match (key.default, key.example) {
                ("", "") => "none".to_owned(),
                ("", example) => format!("none; for example {}", code(example)),
                (default, _) => code(default),
            };
            let cells = [code(key.name), cell(&key.takes()), default, cell(key.about)];
            println!("| {} |", cells.join(" | "));
        }
    }
}

fn code(text: &str) -> String {
    format!("`{}`", cell(text))
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
