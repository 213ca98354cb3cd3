//! Compares adit with its alternatives: on one machine, in one run, in turn within every round.

mod crowd;
mod datagram;
mod iperf;
mod marks;
mod measure;
mod micro;
mod pair;
mod peers;
mod plot;
mod profile;
mod report;
mod results;
mod taken;

use std::fs;
use std::path::PathBuf;

use adit_bench::cpu;
use anyhow::Context as _;
use clap::{Parser, ValueEnum as _};

use measure::Measure;
use pair::Pair;
use peers::{Peer, Programs};
use report::Report;
use results::{About, Conditions, Failure, Missing, Results, Sample};

/// Compare adit with other tunnels over a veth pair between two network namespaces, and print ratios.
#[derive(Debug, Parser)]
struct Args {
    /// Run only these configurations, separated by commas [default: all].
    #[arg(long, value_delimiter = ',')]
    only: Vec<Peer>,
    /// Run only these loads, separated by commas [default: all].
    #[arg(long, value_delimiter = ',')]
    measures: Vec<Measure>,
    /// Number of rounds [default: 5].
    #[arg(long)]
    rounds: Option<u32>,
    /// Seconds of each load [default: 2].
    #[arg(long)]
    seconds: Option<u32>,
    /// Run two rounds of one TCP stream with veth, the baseline and adit, unless other options are given.
    #[arg(long)]
    quick: bool,
    /// Leave out what is measured without a comparison: many sessions, and the stages of the data path.
    #[arg(long)]
    tunnels_only: bool,
    /// Directory with a guest that has the kernel's PPTP driver; see bench/kernel-pptp.
    #[arg(long, env = "BENCH_LAB")]
    lab: Option<PathBuf>,
    /// Record a profile with `perf` in one more run of each of adit's back ends.
    #[arg(long)]
    perf: bool,
    /// Directory for report.txt, report.json and plot.svg.
    #[arg(long, default_value = "bench/results/last")]
    out: PathBuf,
    /// Directories with programs, searched before PATH; repeat for more.
    #[arg(long)]
    programs: Vec<PathBuf>,
}

impl Args {
    fn peers(&self) -> Vec<Peer> {
        match (self.only.is_empty(), self.quick) {
            (false, _) => self.only.clone(),
            (true, true) => vec![Peer::Veth, Peer::Baseline, Peer::AditSocket, Peer::AditXdp],
            (true, false) => Peer::value_variants().to_vec(),
        }
    }

    /// Whether adit alone is measured too: unless a selection was given.
    fn measures_alone(&self) -> bool {
        !self.quick && !self.tunnels_only && self.only.is_empty() && self.measures.is_empty()
    }

    fn measures(&self) -> Vec<Measure> {
        match (self.measures.is_empty(), self.quick) {
            (false, _) => self.measures.clone(),
            (true, true) => vec![Measure::Tcp1],
            (true, false) => Measure::ALL.to_vec(),
        }
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut directories = args.programs.clone();
    directories.extend(std::env::current_exe()?.parent().map(PathBuf::from));
    let (peers, measures) = (args.peers(), args.measures());
    let mut results = Results {
        schema: adit_bench::REPORT_SCHEMA,
        conditions: Conditions::here(),
        seconds: args.seconds.unwrap_or(2),
        idle_load: Vec::new(),
        peers: Vec::new(),
        missing: Vec::new(),
        samples: Vec::new(),
        failures: Vec::new(),
        summary: Vec::new(),
        ratios: Vec::new(),
        crowds: Vec::new(),
        stages: Vec::new(),
    };
    let programs = Programs { directories };
    let pairs = start(&peers, &programs, &mut results);
    let rounds = args.rounds.unwrap_or(if args.quick { 2 } else { 5 });
    for round in 0..rounds {
        results.idle_load.push(cpu::idle_load()?);
        eprint!(
            "round {} of {rounds}, idle load {:.0} %:",
            round + 1,
            results.idle_load[round as usize] * 100.0
        );
        take_round(round, &pairs, &measures, &mut results);
        eprintln!();
    }
    results.conclude(&peers, &measures);
    if args.measures_alone() {
        results.crowds = crowd::measure(&programs);
        results.stages = micro::measure(&programs, args.lab.as_deref());
    }
    fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string())?;
    let text = Report(&results).to_string();
    fs::write(args.out.join("report.txt"), &text)?;
    fs::write(args.out.join("report.json"), serde_json::to_string_pretty(&results)?)?;
    fs::write(args.out.join("plot.svg"), plot::svg(&results))?;
    print!("{text}");
    let own = |peer: &Peer| matches!(peer, Peer::AditSocket | Peer::AditXdp);
    for (peer, pair) in pairs.iter().filter(|(peer, _)| args.perf && own(peer)) {
        println!("\n{}", profile::profile(pair, &peer.name(), results.seconds, &args.out)?);
    }
    println!("\nalso as JSON and SVG, in {}", args.out.display());
    anyhow::ensure!(results.failures.is_empty(), "some measurements failed: see FAILED above");
    Ok(())
}

/// Starts every configuration; those that do not start are listed as missing, with the reason.
fn start(peers: &[Peer], programs: &Programs, results: &mut Results) -> Vec<(Peer, Pair)> {
    let mut pairs = Vec::new();
    for &peer in peers {
        match peer.start(programs) {
            Ok(pair) => {
                results.peers.push(About { peer, about: pair.about.clone() });
                pairs.push((peer, pair));
            }
            Err(error) => {
                eprintln!("{} is missing: {error:#}", peer.name());
                results.missing.push(Missing { peer, reason: format!("{error:#}") });
            }
        }
    }
    pairs
}

/// Every load, and for every load all configurations in turn; each round begins with another one.
fn take_round(round: u32, pairs: &[(Peer, Pair)], measures: &[Measure], results: &mut Results) {
    for &measure in measures {
        for turn in 0..pairs.len() {
            let (peer, pair) = &pairs[(turn + round as usize) % pairs.len()];
            match measure.take(pair, results.seconds) {
                Ok(taken) => {
                    eprint!(" {}={:.2}", peer.name(), taken.value);
                    results.samples.push(Sample { round, peer: *peer, measure, taken });
                }
                Err(error) => {
                    eprint!(" {}=FAILED", peer.name());
                    let reason = format!("{error:#}");
                    results.failures.push(Failure { round, peer: *peer, measure, reason });
                }
            }
        }
    }
}
