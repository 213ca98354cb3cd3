//! Takes away what a server needs of its host, at random times under living sessions, and reports what was lost.

mod fault;
mod report;
mod run;
mod server;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use adit_bench::machine::Machine;
use adit_crypto::Rng;
use anyhow::Context as _;
use clap::{Parser, ValueEnum as _};

use fault::Fault;
use report::{Report, Row, SCHEMA};
use run::Record;
use server::Template;

/// Inject faults of the host at random times under living sessions, and print what was reported, kept and lost.
#[derive(Debug, Parser)]
struct Args {
    /// The program under test [default: adit beside this program].
    #[arg(long)]
    adit: Option<PathBuf>,
    /// Number of runs of each fault.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// Sessions that stay up; four more at once come and go.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    sessions: u32,
    /// The seed of the times [default: random].
    #[arg(long)]
    seed: Option<u64>,
    /// Only these faults, separated by commas.
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Fault>,
    /// Directory for report.md and report.json.
    #[arg(long, default_value = "bench/results/faults")]
    out: PathBuf,
}

/// The latest time of a fault, in milliseconds after the last session came up.
const LATEST_MS: u64 = 1500;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let beside = || Some(std::env::current_exe().ok()?.parent()?.join("adit"));
    let program = args.adit.clone().or_else(beside).unwrap_or_else(|| PathBuf::from("adit"));
    let expected =
        || format!("{}: expected the program adit; build it, or name another with --adit", program.display());
    let version = Command::new(&program).arg("--version").output().with_context(expected)?;
    let template = Template::new(&program)?;
    let seed = match args.seed {
        Some(seed) => seed,
        None => random()?,
    };
    eprintln!("seed {seed}");
    let selected = |fault: &Fault| args.only.is_empty() || args.only.contains(fault);
    let faults: Vec<Fault> = Fault::value_variants().iter().copied().filter(selected).collect();
    let mut report = Report {
        schema: SCHEMA,
        machine: Machine::here(),
        adit: String::from_utf8_lossy(&version.stdout).trim().to_owned(),
        seed,
        sessions: args.sessions,
        faults: faults.iter().map(|fault| Row { fault: fault.name(), runs: Vec::new() }).collect(),
    };
    for number in 1..=args.runs {
        for (fault, row) in faults.iter().zip(0..) {
            let delay = Duration::from_millis(delay_ms(seed, number, *fault));
            let record = run::run(&program, &template, *fault, args.sessions, delay)
                .unwrap_or_else(|error| Record { failed: vec![format!("{error:#}")], ..Record::default() });
            let is_good = if record.failed.is_empty() { "ok".to_owned() } else { record.failed.join("; ") };
            eprintln!("run {number} of {}: {} after {delay:?}: {is_good}", args.runs, fault.name());
            if let Some(row) = report.faults.get_mut::<usize>(row) {
                row.runs.push(record);
            }
            // A run that is interrupted keeps what it has.
            report.write(&args.out)?;
        }
    }
    println!("{report}");
    let bad: usize = report.faults.iter().map(|row| row.runs.len() - row.good()).sum();
    anyhow::ensure!(bad == 0, "{bad} runs were not as expected: see below the table");
    Ok(())
}

fn random() -> anyhow::Result<u64> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(u64::from_le_bytes(seed))
}

/// The time of a fault: it depends on nothing but seed, run and fault, so that one run can be repeated alone.
fn delay_ms(seed: u64, run: u32, fault: Fault) -> u64 {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..12].copy_from_slice(&run.to_le_bytes());
    key[12] = fault as u8;
    let mut time = [0; 8];
    Rng::from_seed(key).fill(&mut time);
    u64::from_le_bytes(time) % LATEST_MS
}
