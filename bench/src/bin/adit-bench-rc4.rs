//! RC4 and the keys of MPPE against the `rc4` and `sha1` crates: `adit-bench-rc4 [ROUNDS]`. With `--guard`, whole packets only:
//! ends with 1 if the form chosen on this processor is too slow.

use std::process::ExitCode;

use adit_bench::machine::Machine;
use adit_bench::micro::{guard, rc4};
use anyhow::Context as _;

fn main() -> anyhow::Result<ExitCode> {
    let rounds = match std::env::args().nth(1).as_deref() {
        Some("--guard") => return Ok(guarded()),
        Some(rounds) => rounds.parse().context("ROUNDS is a number, or --guard")?,
        None => 200,
    };
    println!("{}", Machine::here());
    print!("{}", rc4::run(rounds));
    Ok(ExitCode::SUCCESS)
}

fn guarded() -> ExitCode {
    println!("{}", Machine::here());
    let (report, findings) = guard::run();
    print!("{report}");
    findings.iter().for_each(|finding| eprintln!("{finding}"));
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
