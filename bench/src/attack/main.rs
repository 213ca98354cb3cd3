//! Attacks `adit serve` and `adit connect` in network namespaces of its own, and reports what the users keep.

mod adit;
mod crowded;
mod echoes;
mod figures;
mod flood;
mod forge;
mod frames;
mod inside;
mod isolated;
mod login;
mod loops;
mod net;
mod observe;
mod report;
mod rows;
mod session;
mod stored;
mod throughput;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use adit_bench::machine::Machine;
use adit_bench::{cpu, program, results};
use anyhow::Context as _;
use clap::Parser;

use figures::{Outcome, Results, RowResult, SCHEMA};
use report::Report;
use rows::{Lengths, Row};

/// Attack a server, its clients and their sessions, and print what the users keep.
#[derive(Debug, Parser)]
struct Args {
    /// The program to attack [default: adit beside this program].
    #[arg(long)]
    adit: Option<PathBuf>,
    /// Run only these rows, separated by commas: a group (A1, A1-load, A2, B, B3) or a part of a name.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Number of runs of each row.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Shorter attacks and fewer logins.
    #[arg(long)]
    quick: bool,
    /// Rows that may run side by side: those whose figures do not depend on the speed of the machine.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=64))]
    at_once: u32,
    /// Directory for report.txt and report.json.
    #[arg(long, default_value = "bench/results/attack")]
    out: PathBuf,
    /// Print the report in this directory and the new one side by side.
    #[arg(long, value_name = "DIRECTORY")]
    compare: Option<PathBuf>,
    /// With --compare: run nothing, and take the report that is in --out.
    #[arg(long, requires = "compare")]
    no_run: bool,
    /// Print the names of the rows, and run nothing.
    #[arg(long)]
    list: bool,
    /// Run this row in this process.
    #[arg(long, hide = true)]
    row: Option<usize>,
}

impl Args {
    /// The program to attack.
    fn program(&self) -> PathBuf {
        program::find(self.adit.as_deref())
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut rows: Vec<(usize, Row)> = rows::all().into_iter().enumerate().collect();
    if let Some(index) = args.row {
        return run_row(&args, rows.get(index).map(|(_, row)| row));
    }
    rows.retain(|(_, row)| row.is_selected(&args.only));
    anyhow::ensure!(
        !rows.is_empty(),
        "--only {}: expected groups or parts of names; --list prints them",
        args.only.join(",")
    );
    if args.list {
        rows.iter().for_each(|(_, row)| println!("{:8} {}", row.group, row.name));
        return Ok(());
    }
    // Before the run, which takes long.
    let earlier = args.compare.as_deref().map(stored::read).transpose()?;
    let results = if args.no_run { stored::read(&args.out)? } else { attack(&args, &rows)? };
    print!("{}", Report { ours: &results, earlier: None });
    if let Some(earlier) = &earlier {
        println!("\n{}", Report { ours: &results, earlier: Some(earlier) });
    }
    let failed = results.rows.iter().flat_map(RowResult::failures).count();
    anyhow::ensure!(failed == 0, "{failed} runs failed: see FAILED above");
    Ok(())
}

/// Runs the rows, and stores the report.
fn attack(args: &Args, rows: &[(usize, Row)]) -> anyhow::Result<Results> {
    let program = args.program();
    let version = program::version(&program)?;
    // Thousands of connections are descriptors of this process and of the server, which inherits the limit.
    let descriptors = adit_sys::host::raise_descriptor_limit()?;
    anyhow::ensure!(
        descriptors >= 16_384,
        "the limit of open files is {descriptors}; expected at least 16384: ulimit -Hn 16384"
    );
    let isolated = isolated::Rows::new(&program, args.quick)?;
    let results = Mutex::new(Results {
        schema: SCHEMA.to_owned(),
        machine: Machine::here(),
        idle_load: cpu::idle_load()?,
        adit: version,
        quick: args.quick,
        rows: rows.iter().map(|(_, row)| empty(row)).collect(),
    });
    // Stored after every row: a run that is interrupted keeps what was measured before.
    let store = |results: &Results| {
        results::write(&args.out, "report.txt", &Report { ours: results, earlier: None }.to_string(), results)
    };
    store(&results.lock().unwrap_or_else(PoisonError::into_inner))?;
    let places: Vec<(usize, &(usize, Row))> = rows.iter().enumerate().collect();
    let (alone, others): (Vec<_>, Vec<_>) = places.into_iter().partition(|(_, (_, row))| row.is_alone());
    let run_one = |place: usize, index: usize, row: &Row| {
        eprintln!("{} {} ...", row.group, row.name);
        let outcome = isolated.run(index);
        if let Outcome::Failed(why) = &outcome {
            eprintln!("{} {} FAILED: {why}", row.group, row.name);
        }
        let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = results.rows.get_mut(place) {
            row.runs.push(outcome);
        }
        if let Err(error) = store(&results) {
            eprintln!("{error:#}");
        }
    };
    for run in 1..=args.runs {
        eprintln!("run {run} of {}", args.runs);
        for (rows, at_once) in [(&others, args.at_once), (&alone, 1)] {
            side_by_side(rows, at_once, |&(place, (index, row))| run_one(place, *index, row));
        }
    }
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    store(&results)?;
    Ok(results)
}

/// Runs one row in this process, and prints its figures as JSON.
fn run_row(args: &Args, row: Option<&Row>) -> anyhow::Result<()> {
    let row = row.context("--row: expected the number of a row")?;
    let figures = row.run(&args.program(), Lengths::new(args.quick))?;
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

fn empty(row: &Row) -> RowResult {
    RowResult { group: row.group.to_owned(), row: row.name.clone(), runs: Vec::new() }
}

/// Does something with every item, some at a time.
fn side_by_side<T: Sync>(items: &[T], at_once: u32, act: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..at_once.min(u32::try_from(items.len()).unwrap_or(u32::MAX)) {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    act(item);
                }
            });
        }
    });
}
