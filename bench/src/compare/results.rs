//! All samples of a run, and their statistics.

use std::process::Command;

use adit_bench::machine::Machine;
use adit_bench::stats::{Spread, ratios};
use serde::Serialize;

use crate::crowd::Crowd;
use crate::marks::{MARKS, Of, PING_BEYOND_BASELINE};
use crate::measure::{Measure, Unit};
use crate::micro::Stage;
use crate::peers::Peer;
use crate::taken::Taken;

/// Everything of one run: the JSON document.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    pub(crate) schema: &'static str,
    #[serde(rename = "machine")]
    pub(crate) conditions: Conditions,
    pub(crate) seconds: u32,
    /// Share of all cores at work before each round.
    pub(crate) idle_load: Vec<f64>,
    pub(crate) peers: Vec<About>,
    pub(crate) missing: Vec<Missing>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) summary: Vec<Summary>,
    pub(crate) ratios: Vec<Ratio>,
    /// Many sessions against one server.
    pub(crate) crowds: Vec<Crowd>,
    /// The stages of the path alone.
    pub(crate) stages: Vec<Stage>,
}

/// The machine, and the program that loads it.
#[derive(Debug, Serialize)]
pub(crate) struct Conditions {
    #[serde(flatten)]
    pub(crate) machine: Machine,
    /// First line of `iperf3 --version`.
    pub(crate) iperf3: String,
}

impl Conditions {
    /// Those of this machine.
    pub(crate) fn here() -> Conditions {
        let iperf3 = Command::new("iperf3").arg("--version").output();
        let iperf3 = iperf3.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
        Conditions { machine: Machine::here(), iperf3: iperf3.lines().next().unwrap_or_default().to_owned() }
    }
}

/// A configuration that ran.
#[derive(Debug, Serialize)]
pub(crate) struct About {
    pub(crate) peer: Peer,
    pub(crate) about: String,
}

/// A configuration that could not.
#[derive(Debug, Serialize)]
pub(crate) struct Missing {
    pub(crate) peer: Peer,
    pub(crate) reason: String,
}

/// One measurement.
#[derive(Debug, Serialize)]
pub(crate) struct Sample {
    pub(crate) round: u32,
    pub(crate) peer: Peer,
    pub(crate) measure: Measure,
    #[serde(flatten)]
    pub(crate) taken: Taken,
}

/// A measurement that failed.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    pub(crate) round: u32,
    pub(crate) peer: Peer,
    pub(crate) measure: Measure,
    pub(crate) reason: String,
}

/// All rounds of one configuration and measure.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) measure: Measure,
    pub(crate) unit: Unit,
    pub(crate) peer: Peer,
    pub(crate) value: Spread,
    pub(crate) p99: Option<Spread>,
    pub(crate) tunnel_cpu: Option<Spread>,
    pub(crate) system_cpu: Option<Spread>,
    pub(crate) retransmits: Option<Spread>,
    pub(crate) lost: Option<Spread>,
}

/// One of adit's back ends against something else.
#[derive(Debug, Serialize)]
pub(crate) struct Ratio {
    pub(crate) measure: Measure,
    /// `value`, `system_cpu`, or `difference` in microseconds.
    pub(crate) of: &'static str,
    pub(crate) ours: Peer,
    pub(crate) theirs: Peer,
    pub(crate) ratio: Spread,
    pub(crate) mark: Option<f64>,
    pub(crate) met: Option<bool>,
}

impl Results {
    /// Fills `summary` and `ratios` from the samples.
    pub(crate) fn conclude(&mut self, peers: &[Peer], measures: &[Measure]) {
        for &measure in measures {
            let rows: Vec<Summary> = peers.iter().filter_map(|&peer| self.summarise(peer, measure)).collect();
            self.summary.extend(rows);
            let ours = peers.iter().filter(|peer| matches!(peer, Peer::AditSocket | Peer::AditXdp));
            for &ours in ours {
                for &theirs in peers.iter().filter(|theirs| is_compared(**theirs)) {
                    self.compare(measure, ours, theirs);
                }
            }
        }
    }

    /// Values of one configuration and measure, with their rounds.
    fn values(&self, peer: Peer, measure: Measure, value: fn(&Taken) -> Option<f64>) -> Vec<(u32, f64)> {
        let fits = |sample: &&Sample| sample.peer == peer && sample.measure == measure;
        let samples = self.samples.iter().filter(fits);
        samples.filter_map(|sample| Some((sample.round, value(&sample.taken)?))).collect()
    }

    fn summarise(&self, peer: Peer, measure: Measure) -> Option<Summary> {
        let spread = |value| Spread::of(self.values(peer, measure, value).into_iter().map(|(_, v)| v));
        Some(Summary {
            measure,
            unit: measure.unit(),
            peer,
            value: spread(|taken| Some(taken.value))?,
            p99: spread(|taken| taken.p99),
            tunnel_cpu: spread(|taken| taken.tunnel_cpu),
            system_cpu: spread(|taken| taken.system_cpu),
            retransmits: spread(|taken| taken.retransmits.map(|n| n as f64)),
            lost: spread(|taken| taken.lost),
        })
    }

    fn compare(&mut self, measure: Measure, ours: Peer, theirs: Peer) {
        let whole: fn(&Taken) -> Option<f64> = |taken| Some(taken.value);
        let value = |of: Of| match of {
            Of::Value => whole,
            Of::SystemCpu => |taken: &Taken| taken.system_cpu,
        };
        for (of, name) in [(Of::Value, "value"), (Of::SystemCpu, "system_cpu")] {
            let found =
                ratios(&self.values(ours, measure, value(of)), &self.values(theirs, measure, value(of)));
            let Some(ratio) = found else { continue };
            let mark = MARKS
                .iter()
                .find(|mark| (mark.ours, mark.theirs, mark.measure, mark.of) == (ours, theirs, measure, of));
            let met = mark.map(|mark| mark.is_met(ratio.median));
            let mark = mark.map(|mark| mark.mark);
            self.ratios.push(Ratio { measure, of: name, ours, theirs, ratio, mark, met });
        }
        if measure == Measure::Ping && theirs == Peer::Baseline {
            self.ping_beyond(ours, theirs);
        }
    }

    /// How much longer an idle request takes than through the baseline, round by round.
    fn ping_beyond(&mut self, ours: Peer, theirs: Peer) {
        let measure = Measure::Ping;
        let base = self.values(theirs, measure, |taken| Some(taken.value));
        let own = self.values(ours, measure, |taken| Some(taken.value));
        let beyond = own.iter().filter_map(|(round, value)| {
            base.iter().find(|(other, _)| other == round).map(|(_, other)| value - other)
        });
        let Some(ratio) = Spread::of(beyond) else { return };
        let met = Some(ratio.median <= PING_BEYOND_BASELINE);
        let mark = Some(PING_BEYOND_BASELINE);
        self.ratios.push(Ratio { measure, of: "difference", ours, theirs, ratio, mark, met });
    }
}

/// Other variants of adit are not compared.
fn is_compared(theirs: Peer) -> bool {
    let own = [
        Peer::AditSocket,
        Peer::AditXdp,
        Peer::AditSocketStateful,
        Peer::AditXdpStateful,
        Peer::AditSocketOff,
        Peer::AditXdpOff,
    ];
    !own.contains(&theirs)
}
