//! The results as text.

use std::fmt::{self, Display};

use crate::crowd::{Crowd, MANY, ONE, number};
use crate::measure::{Measure, Unit};
use crate::results::{Conditions, Ratio, Results, Summary};

/// The text form of results.
pub(crate) struct Report<'a>(pub(crate) &'a Results);

impl Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let results = self.0;
        let Conditions { machine, iperf3 } = &results.conditions;
        writeln!(f, "machine   {}", machine.processor())?;
        writeln!(f, "kernel    Linux {}; {iperf3}", machine.kernel)?;
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
        crowds(f, &results.crowds)?;
        for stage in &results.stages {
            match &stage.table {
                Ok(table) => writeln!(f, "\n{}\n{}", stage.program, table.trim_end())?,
                Err(reason) => writeln!(f, "\n{}  MISSING: {reason}", stage.program)?,
            }
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
        write!(f, "  {:22}{:26}", row.peer.name(), row.value)?;
        if let (Some(tunnel), Some(system)) = (row.tunnel_cpu, row.system_cpu) {
            write!(f, "CPU {per}: tunnel {:6.2}, system {:6.2}", tunnel.median, system.median)?;
        }
        if let Some(p99) = row.p99 {
            write!(f, "p99 {p99}")?;
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

/// The fields of a crowd's report that are shown, with their labels.
const CROWD_FIELDS: [(&str, &str); 9] = [
    ("up", "up"),
    ("setups_per_second", "set-ups/s"),
    ("last_up_seconds", "last up after s"),
    ("setup_ms_median", "set-up ms, median"),
    ("bytes_per_session", "octets of memory each"),
    ("server_cpu_us_per_setup", "server µs a set-up"),
    ("idle_server_cpu_percent", "idle % of a core"),
    ("traffic_packets_per_second", "packets/s"),
    ("server_cpu_us_per_packet", "server µs a packet"),
];

fn crowds(f: &mut fmt::Formatter<'_>, crowds: &[Crowd]) -> fmt::Result {
    if !crowds.is_empty() {
        writeln!(f, "\nMany sessions against one server, generator on the same cores")?;
    }
    for crowd in crowds {
        match &crowd.report {
            Err(reason) => writeln!(f, "  {:24}FAILED: {reason}", crowd.title)?,
            Ok(report) => {
                let fields = CROWD_FIELDS.iter().filter_map(|(key, name)| {
                    let value = number(report, key)?;
                    (value > 0.0).then(|| format!("{name} {value:.2}"))
                });
                writeln!(f, "  {:24}{}", crowd.title, fields.collect::<Vec<_>>().join(", "))?;
            }
        }
    }
    let packet = |title| {
        let crowd = crowds.iter().find(|crowd| crowd.title == title)?;
        number(crowd.report.as_ref().ok()?, "server_cpu_us_per_packet")
    };
    if let (Some(one), Some(many)) = (packet(ONE), packet(MANY)) {
        let met = if many <= one * 1.1 { "met" } else { "NOT met" };
        writeln!(
            f,
            "  RATIO       cost per packet, 1,000 sessions / 1: {:.2}   mark: at most 1.1, {met}",
            many / one
        )?;
    }
    Ok(())
}

fn line(f: &mut fmt::Formatter<'_>, ratio: &Ratio) -> fmt::Result {
    let (kind, bound) = match ratio.of {
        "value" => ("RATIO", "at least"),
        "system_cpu" => ("CPU RATIO", "at most"),
        _ => ("BEYOND, µs,", "at most"),
    };
    // A ratio of CPU time without a mark adds nothing to the ratio of throughput.
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
