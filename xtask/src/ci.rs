//! The steps of CI. All of them share one build: same profile, same features.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::{Write, conformance, faults, files, layers, outside, reference, terminology};

type Step = (&'static str, fn(&Path) -> anyhow::Result<()>);

/// Quick ones first: simple mistakes are reported in seconds, not after the build.
const STEPS: &[Step] = &[
    ("format", |root| cargo(root, &["fmt", "--all", "--check"], &[])),
    ("files", files::check),
    ("spelling", outside::spelling),
    ("terminology", terminology::check),
    ("layers", layers::check),
    ("conformance", |root| conformance::run(root, Write::Compare)),
    ("dependencies", outside::dependencies),
    ("lint", |root| {
        cargo(root, &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"], &[])
    }),
    ("doc", |root| {
        cargo(root, &["doc", "--workspace", "--no-deps", "--locked"], &[("RUSTDOCFLAGS", "-D warnings")])
    }),
    // Fuzz corpora are replayed here too: crates/fuzzing is a package like any other.
    ("test", |root| cargo(root, &["nextest", "run", "--workspace", "--profile", "ci", "--locked"], &[])),
    // Its rows mostly wait: they run separately, with more at a time than tests that measure.
    ("faults", faults::run),
    ("doctest", |root| cargo(root, &["test", "--doc", "--workspace", "--locked"], &[])),
    ("reference", |root| reference::run(root, Write::Compare)),
];

/// Runs all steps, or those in the comma-separated list `only`. Stops at the first that fails.
pub(crate) fn run(root: &Path, only: Option<&str>) -> anyhow::Result<()> {
    let wanted: Option<Vec<&str>> = only.map(|names| names.split(',').collect());
    for name in wanted.iter().flatten() {
        ensure!(
            STEPS.iter().any(|(step, _)| step == name),
            "no step {name:?}; there are {}",
            STEPS.iter().map(|(step, _)| *step).collect::<Vec<_>>().join(", ")
        );
    }
    let mut times = Vec::new();
    for (name, step) in STEPS {
        if wanted.as_ref().is_some_and(|wanted| !wanted.contains(name)) {
            continue;
        }
        println!("== {name}");
        let begun = Instant::now();
        let result = step(root);
        times.push((*name, begun.elapsed()));
        if let Err(error) = result {
            println!("{}", table(&times, false));
            return Err(error.context(format!("step {name}")));
        }
    }
    println!("{}", table(&times, true));
    Ok(())
}

fn table(times: &[(&str, Duration)], is_good: bool) -> String {
    let mut out = String::from("== times\n");
    for (number, (name, time)) in times.iter().enumerate() {
        let word = if is_good || number + 1 < times.len() { "ok" } else { "FAILED" };
        let _ = writeln!(out, "{name:<12} {:>7.1} s  {word}", time.as_secs_f64());
    }
    let total: Duration = times.iter().map(|(_, time)| *time).sum();
    let _ = write!(out, "{:<12} {:>7.1} s", "total", total.as_secs_f64());
    out
}

fn cargo(root: &Path, args: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<()> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(args).current_dir(root).envs(environment.iter().copied());
    let status = command.status().with_context(|| format!("cargo {}", args.join(" ")))?;
    if !status.success() {
        bail!("cargo {} failed ({status})", args.join(" "));
    }
    Ok(())
}
