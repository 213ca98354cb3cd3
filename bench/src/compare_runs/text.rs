//! The comparison as text.

use std::fmt::{self, Display};

use adit_bench::stats::Spread;

use crate::comparison::{Both, Comparison, ROUNDS, Table};
use crate::run::Run;

/// The share of all cores above which a machine was not idle before a round.
const BUSY: f64 = 0.1;

/// The text form of a comparison.
pub(crate) struct Text<'a> {
    pub(crate) comparison: &'a Comparison,
    pub(crate) a: &'a Run,
    pub(crate) b: &'a Run,
}

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, run) in self.runs() {
            conditions(f, name, run)?;
        }
        self.notes(f)?;
        self.comparison.tables.iter().try_for_each(|table| rows(f, table))?;
        let (differing, common) = self.comparison.differing();
        writeln!(f, "\n* {differing} of {common} values and ratios differ by more than the scatter")
    }
}

impl Text<'_> {
    fn runs(&self) -> [(&'static str, &Run); 2] {
        [("A", self.a), ("B", self.b)]
    }

    /// What a reader must know before comparing.
    fn notes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.a.seconds != self.b.seconds {
            writeln!(f, "note: a load lasted {} s in A and {} s in B", self.a.seconds, self.b.seconds)?;
        }
        for (name, run) in self.runs() {
            if run.rounds() < ROUNDS {
                writeln!(f, "note: {name} has fewer than {ROUNDS} rounds, so no difference is marked")?;
            }
            if run.idle_load.iter().any(|load| *load > BUSY) {
                writeln!(f, "note: {name} was measured on a machine that also did other work")?;
            }
            for missing in &run.missing {
                writeln!(f, "note: {name} lacks {}: {}", missing.peer, missing.reason)?;
            }
            for failure in &run.failures {
                let (peer, measure) = (&failure.peer, &failure.measure);
                writeln!(f, "note: {name} lacks {peer}, {measure}, round {}: it failed", failure.round + 1)?;
            }
        }
        Ok(())
    }
}

fn conditions(f: &mut fmt::Formatter<'_>, name: &str, run: &Run) -> fmt::Result {
    writeln!(f, "{name}  {}", run.file.display())?;
    writeln!(f, "   {}", run.machine.processor())?;
    let loads: Vec<String> = run.idle_load.iter().map(|load| format!("{:.0} %", load * 100.0)).collect();
    writeln!(
        f,
        "   Linux {}; {} rounds, {} s for each load; idle load before each round: {}",
        run.machine.kernel,
        run.rounds(),
        run.seconds,
        loads.join(", ")
    )?;
    run.machine.mitigations.iter().try_for_each(|mitigation| writeln!(f, "   {mitigation}"))
}

fn rows(f: &mut fmt::Formatter<'_>, table: &Table) -> fmt::Result {
    writeln!(f, "\n{} ({}): median (min - max)", table.measure, table.unit)?;
    writeln!(
        f,
        "  {:20}  {:24}{:24}{:>6}    {:22}B / baseline of B",
        "", "A", "B", "B / A", "A / baseline of A"
    )?;
    for row in &table.rows {
        let ratio = row.value.ratio().map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
        let line = format!(
            "  {:20}  {:24}{:24}{ratio:>6} {}  {:22}{:22}{}",
            row.peer,
            spread(row.value.a),
            spread(row.value.b),
            mark(row.value),
            spread(row.to_baseline.a),
            spread(row.to_baseline.b),
            mark(row.to_baseline)
        );
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

fn mark(both: Both) -> &'static str {
    if both.differs() { "*" } else { " " }
}

fn spread(spread: Option<Spread>) -> String {
    spread.map_or("-".to_owned(), |spread| spread.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::{report, run};

    fn text(a: &Run, b: &Run) -> String {
        Text { comparison: &Comparison::of(a, b), a, b }.to_string()
    }

    #[test]
    fn machines_values_ratios_and_marks_are_shown() {
        let a = run(&[("tcp1", "baseline", &[1.0, 1.0, 1.0]), ("tcp1", "adit-xdp", &[3.0, 3.5, 4.0])]);
        let b = run(&[("tcp1", "baseline", &[1.0, 2.0, 1.0]), ("tcp1", "adit-xdp", &[2.0, 5.0, 2.2])]);
        let text = text(&a, &b);
        for part in [
            "A  ",
            "B  ",
            "   X, V, microcode 0x2b, 2 cores, virtual\n",
            "Linux 6.1; 3 rounds, 2 s",
            "a: Vulnerable",
        ] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        let row = text.lines().find(|line| line.starts_with("  adit-xdp")).unwrap();
        let words: Vec<&str> = row.split_whitespace().collect();
        // The values overlap; the ratios of each round do not.
        assert_eq!(
            words.join(" "),
            "adit-xdp 3.50 (3.00 - 4.00) 2.20 (2.00 - 5.00) 0.63 3.50 (3.00 - 4.00) 2.20 (2.00 - 2.50) *"
        );
        assert!(text.ends_with("\n* 1 of 3 values and ratios differ by more than the scatter\n"), "{text}");
    }

    #[test]
    fn different_conditions_are_noted() {
        let mut other = report(&[("tcp1", "baseline", &[1.0])]);
        other["seconds"] = 1.into();
        other["idle_load"] = vec![0.4].into();
        other["missing"] = serde_json::json!([{"peer": "gotatun", "reason": "gotatun is not installed"}]);
        other["failures"] =
            serde_json::json!([{"round": 0, "peer": "openvpn", "measure": "tcp1", "reason": "no reply"}]);
        let other = serde_json::from_value(other).unwrap();
        let text = text(&run(&[("tcp1", "baseline", &[1.0, 1.0, 1.0])]), &other);
        for note in [
            "note: a load lasted 2 s in A and 1 s in B\n",
            "note: B has fewer than 3 rounds, so no difference is marked\n",
            "note: B was measured on a machine that also did other work\n",
            "note: B lacks gotatun: gotatun is not installed\n",
            "note: B lacks openvpn, tcp1, round 1: it failed\n",
        ] {
            assert!(text.contains(note), "{note:?} in {text}");
        }
        assert!(!text.contains("note: A"), "{text}");
    }
}
