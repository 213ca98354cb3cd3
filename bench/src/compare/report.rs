//! The results for people.

use std::fmt::{self, Display};

use crate::measure::{Measure, Unit};
use crate::results::{Ratio, Results, Summary};
use crate::stats::Spread;

/// The text form of results.
pub(crate) struct Report<'a>(pub(crate) &'a Results);

impl Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let results = self.0;
        let machine = &results.machine;
        writeln!(
            f,
            "machine   {}, {} cores{}",
            machine.cpu,
            machine.cores,
            if machine.hypervisor { ", virtual" } else { "" }
        )?;
        writeln!(f, "kernel    Linux {}; {}", machine.kernel, machine.iperf3)?;
        for mitigation in &machine.mitigations {
            writeln!(f, "          {mitigation}")?;
        }
        let loads: Vec<String> = results.idle_load.iter().map(|l| format!("{:.0} %", l * 100.0)).collect();
        writeln!(f, "idle load before each round: {}", loads.join(", "))?;
        writeln!(f, "runs of {} s\n", results.seconds)?;
        for about in &results.peers {
            writeln!(f, "{:22}{}", about.peer.name(), about.about)?;
        }
        for missing in &results.missing {
            writeln!(f, "{:22}MISSING: {}", missing.peer.name(), missing.reason)?;
        }
        for measure in Measure::ALL {
            table(f, results, measure)?;
        }
        if !results.failures.is_empty() {
            writeln!(f, "\nFAILED")?;
        }
        for failure in &results.failures {
            let name = failure.peer.name();
            writeln!(f, "{name:22}{:?}, round {}: {}", failure.measure, failure.round, failure.reason)?;
        }
        Ok(())
    }
}

fn table(f: &mut fmt::Formatter<'_>, results: &Results, measure: Measure) -> fmt::Result {
    let rows: Vec<&Summary> = results.summary.iter().filter(|row| row.measure == measure).collect();
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{} ({}): median (min - max)", measure.title(), measure.unit().text())?;
    let per = match measure.unit() {
        Unit::Gigabit => "s/GiB",
        _ => "s/Mpacket",
    };
    for row in rows {
        write!(f, "  {:22}{:26}", row.peer.name(), spread(&row.value))?;
        if let (Some(tunnel), Some(system)) = (row.tunnel_cpu, row.system_cpu) {
            write!(f, "CPU {per}: tunnel {:6.2}, system {:6.2}", tunnel.median, system.median)?;
        }
        if let Some(p99) = row.p99 {
            write!(f, "p99 {}", spread(&p99))?;
        }
        if let Some(again) = row.retransmits {
            write!(f, "   again {:.0}", again.median)?;
        }
        if let Some(lost) = row.lost.filter(|lost| lost.max > 0.0) {
            write!(f, "   lost {:.2} %", lost.median * 100.0)?;
        }
        writeln!(f)?;
    }
    let ratios = results.ratios.iter().filter(|ratio| ratio.measure == measure);
    ratios.into_iter().try_for_each(|ratio| line(f, ratio))
}

fn line(f: &mut fmt::Formatter<'_>, ratio: &Ratio) -> fmt::Result {
    let (kind, bound) = match ratio.of {
        "value" => ("RATIO", "at least"),
        "system_cpu" => ("CPU RATIO", "at most"),
        _ => ("BEYOND, µs,", "at most"),
    };
    // A ratio of CPU time without a mark says what the ratio of throughput says.
    if ratio.of == "system_cpu" && ratio.mark.is_none() {
        return Ok(());
    }
    let pair = format!("{} / {}", ratio.ours.name(), ratio.theirs.name());
    let r = &ratio.ratio;
    write!(f, "  {kind:11} {pair:32} {:.2} ({:.2} - {:.2})", r.median, r.min, r.max)?;
    if let (Some(mark), Some(met)) = (ratio.mark, ratio.met) {
        write!(f, "   mark: {bound} {mark}, {}", if met { "met" } else { "NOT met" })?;
    }
    writeln!(f)
}

fn spread(spread: &Spread) -> String {
    let places = if spread.median < 20.0 { 2 } else { 0 };
    format!("{:.places$} ({:.places$} - {:.places$})", spread.median, spread.min, spread.max)
}
