//! Prints docs/reference/codes.md: the catalogue of codes as one page.

use adit_diag::Code;

fn main() {
    println!("# Codes");
    println!();
    println!(
        "What can go wrong, by layer, in the order in which a person tests. `adit explain CODE` prints one of them."
    );
    println!();
    println!("Made by `cargo xtask reference`; do not edit.");
    let mut last = None;
    for code in Code::ALL {
        let layer = code.layer();
        if last != Some(layer) {
            last = Some(layer);
            println!();
            println!("## {} {}", layer.letter(), layer.word());
        }
        println!();
        // Pages are written on their own, with a heading of the first level.
        for line in code.page().trim_end().lines() {
            println!("{}{line}", if line.starts_with('#') { "##" } else { "" });
        }
    }
}
