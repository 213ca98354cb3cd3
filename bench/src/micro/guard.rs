//! A guard against RC4 that is slow on the processor at hand: a rebuild or another processor can turn the gain of the
//! assembly into a loss, which no test of its octets shows.

use adit_crypto::rc4::Form;

use super::rc4::{CHOSEN, CRATES, PORTABLE, Report, run_packets};

const ROUNDS: usize = 100;

/// The least gains of the chosen form: over the portable form, over the crates.
#[derive(Clone, Copy)]
struct Gains {
    portable: f64,
    crates: f64,
}

/// What the assembly must gain, or it is not worth its risk. For packets of 64 octets it is 1.17 to 1.4 times as fast as the
/// portable form, by processor; where something slows it down, the portable form is faster.
const OF_ASSEMBLY: Gains = Gains { portable: 1.1, crates: 1.5 };
/// What any form must gain: it is not much slower than the other, and not slower than the crates.
const OF_PORTABLE: Gains = Gains { portable: 1.0 / 1.2, crates: 1.0 };

/// Measures whole packets of every length. Returns the report, and what is too slow in it: other programs disturb a
/// measurement, so a finding counts when further processes find it too.
pub fn run() -> (Report, Vec<String>) {
    let least = match Form::chosen() {
        Form::Assembly => OF_ASSEMBLY,
        Form::Portable => OF_PORTABLE,
    };
    let report = run_packets(ROUNDS);
    let findings = findings(&report, least);
    (report, findings)
}

/// What of a report is too slow.
fn findings(report: &Report, least: Gains) -> Vec<String> {
    let undisturbed = |task: &str, variant: &str| {
        report.rows.iter().find(|row| row.task == task && row.variant == variant).map(|row| row.p05_ns)
    };
    let mut findings = Vec::new();
    for chosen in report.rows.iter().filter(|row| row.variant == CHOSEN) {
        for (variant, least) in [(PORTABLE, least.portable), (CRATES, least.crates)] {
            let Some(other) = undisturbed(&chosen.task, variant) else {
                findings.push(format!("{}: \"{variant}\" was not measured", chosen.task));
                continue;
            };
            let gain = other / chosen.p05_ns;
            if gain < least {
                findings.push(format!(
                    "{}: the chosen form is {gain:.2} times as fast as \"{variant}\", expected at least {least:.2}",
                    chosen.task
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::rc4::Row;
    use super::*;

    fn report(times: [(&'static str, f64); 3]) -> Report {
        let row = |(variant, p05_ns)| Row {
            task: "a packet".to_owned(),
            variant,
            p05_ns,
            median_ns: p05_ns,
            gigabytes_per_second: None,
            times_faster: 1.0,
        };
        Report { implementation: String::new(), rounds: 1, rows: times.map(row).into() }
    }

    #[test]
    fn a_slow_form_is_found() {
        let cases = [
            (OF_ASSEMBLY, [(1060.0, 0), (1080.0, 1), (1100.0, 2)]),
            (OF_PORTABLE, [(1400.0, 0), (1500.0, 1), (1700.0, 2)]),
        ];
        for (least, times) in cases {
            for (chosen, expected) in times {
                let found =
                    findings(&report([(CRATES, 1600.0), (PORTABLE, 1200.0), (CHOSEN, chosen)]), least);
                assert_eq!(found.len(), expected, "{chosen}: {found:?}");
            }
        }
    }

    #[test]
    fn what_was_not_measured_is_a_finding() {
        let found = findings(&report([(CRATES, 1600.0), ("other", 1200.0), (CHOSEN, 1.0)]), OF_ASSEMBLY);
        assert_eq!(found, ["a packet: \"portable\" was not measured"]);
    }
}
