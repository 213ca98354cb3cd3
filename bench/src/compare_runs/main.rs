//! Puts two runs of `bench/run` side by side.

mod comparison;
mod run;
mod text;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use comparison::Comparison;
use run::{Invalid, Run};

/// Put two runs of `bench/run` side by side: machines, medians with their ranges, and ratios to the baseline.
#[derive(Debug, Parser)]
#[command(after_help = RULE)]
struct Args {
    /// First run: a directory with a report.json, or that file.
    a: PathBuf,
    /// Second run, in the same form.
    b: PathBuf,
}

/// How the result is to be read.
const RULE: &str = "\
A difference is marked with * if it is larger than the scatter: the range of all rounds of A
and that of B do not overlap, and each has at least three rounds. Ratios to the baseline are
those of values of the same round.

Exit status: 0 if the runs were compared, 2 if one of them cannot be read.";

fn main() -> ExitCode {
    let args = Args::parse();
    match compare(&args) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(invalid) => {
            eprintln!("compare-runs: {invalid}");
            ExitCode::from(2)
        }
    }
}

fn compare(args: &Args) -> Result<String, Invalid> {
    let (a, b) = (Run::read(&args.a)?, Run::read(&args.b)?);
    Ok(text::Text { comparison: &Comparison::of(&a, &b), a: &a, b: &b }.to_string())
}
