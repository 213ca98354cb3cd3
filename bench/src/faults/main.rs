//! Takes away what a server needs of its host, at random times under living sessions, and reports what was lost.

mod fault;
mod isolated;
mod report;
mod run;
mod server;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use adit_bench::machine::Machine;
use adit_bench::{program, results};
use adit_crypto::Rng;
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
    /// Runs side by side.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    at_once: u32,
    /// Directory for report.md and report.json.
    #[arg(long, default_value = "bench/results/faults")]
    out: PathBuf,
    /// Run in this process, which is the first one of its PID namespace.
    #[arg(long, hide = true)]
    isolated: bool,
    /// Only run statements on a database.
    #[arg(long, hide = true, num_args = 2, value_names = ["FILE", "STATEMENTS"])]
    database: Option<Vec<String>>,
}

/// The latest time of a fault, in milliseconds after the last session came up.
const LATEST_MS: u64 = 1500;

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    if let Some([file, statements]) = args.database.as_deref() {
        let database = rusqlite::Connection::open(file)?;
        database.busy_timeout(Duration::from_secs(20))?;
        database.execute_batch(statements)?;
        return Ok(ExitCode::SUCCESS);
    }
    let program = program::find(args.adit.as_deref());
    let version = program::version(&program)?;
    if !args.isolated {
        return isolated::run();
    }
    let seed = match args.seed {
        Some(seed) => seed,
        None => random()?,
    };
    eprintln!("seed {seed}");
    let selected = |fault: &Fault| args.only.is_empty() || args.only.contains(fault);
    let faults: Vec<Fault> = Fault::value_variants().iter().copied().filter(selected).collect();
    let report = Report {
        schema: SCHEMA,
        machine: Machine::here(),
        adit: version,
        seed,
        sessions: args.sessions,
        at_once: args.at_once,
        faults: faults.iter().map(|fault| Row { fault: fault.name(), runs: Vec::new() }).collect(),
    };
    let report = run_all(&args, &program, &faults, report)?;
    println!("{report}");
    let bad: usize = report.faults.iter().map(|row| row.runs.len() - row.good()).sum();
    anyhow::ensure!(bad == 0, "{bad} runs were not as expected: see below the table");
    Ok(ExitCode::SUCCESS)
}

/// Runs every fault as often as requested, some at once, and adds the records to the report.
fn run_all(args: &Args, program: &Path, faults: &[Fault], report: Report) -> anyhow::Result<Report> {
    let template = Template::new(program)?;
    let seed = report.seed;
    let all: Vec<(u32, usize, Fault)> = (1..=args.runs)
        .flat_map(|number| faults.iter().enumerate().map(move |(row, fault)| (number, row, *fault)))
        .collect();
    let next = AtomicUsize::new(0);
    let report = Mutex::new(report);
    let work = || -> anyhow::Result<()> {
        while let Some(&(number, row, fault)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            let delay = Duration::from_millis(delay_ms(seed, number, fault));
            // The namespaces of a run panic when they cannot be made; the other runs go on.
            let run = AssertUnwindSafe(|| run::run(program, &template, fault, args.sessions, delay));
            let record = match catch_unwind(run) {
                Ok(Ok(record)) => record,
                Ok(Err(error)) => Record { failed: vec![format!("{error:#}")], ..Record::default() },
                Err(_) => Record { failed: vec!["panicked".to_owned()], ..Record::default() },
            };
            let is_good = if record.failed.is_empty() { "ok".to_owned() } else { record.failed.join("; ") };
            eprintln!("run {number} of {}: {} after {delay:?}: {is_good}", args.runs, fault.name());
            let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
            report.add(row, Record { number, ..record });
            // A run that is interrupted keeps what it has.
            results::write(&args.out, "report.md", &report.to_string(), &*report)?;
        }
        Ok(())
    };
    thread::scope(|scope| -> anyhow::Result<()> {
        let workers: Vec<_> = (0..args.at_once).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().map_err(|_| anyhow::anyhow!("a thread of the runs panicked"))??;
        }
        Ok(())
    })?;
    Ok(report.into_inner().unwrap_or_else(PoisonError::into_inner))
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
