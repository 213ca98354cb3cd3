//! The packet path with an access list of 10,000 networks against none: `adit-bench-reach [ROUNDS]`.

use adit_bench::machine::Machine;
use adit_bench::micro::reach;
use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let rounds = match std::env::args().nth(1) {
        Some(rounds) => rounds.parse().context("ROUNDS is a number")?,
        None => 200,
    };
    println!("{}", Machine::here());
    print!("{}", reach::run(rounds));
    Ok(())
}
