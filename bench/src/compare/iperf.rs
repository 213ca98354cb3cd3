//! iperf3: bulk TCP.

use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

use crate::pair::Pair;

/// Directions and streams of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) streams: u32,
    pub(crate) options: &'static [&'static str],
}

/// What one run moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moved {
    /// Octets that the receivers got, both directions together.
    pub(crate) octets: f64,
    /// The same per second, in bits.
    pub(crate) bits_per_second: f64,
    pub(crate) retransmits: u64,
}

impl Run {
    /// # Errors
    /// When iperf3 fails, or nothing arrives.
    pub(crate) fn start(self, pair: &Pair, seconds: u32) -> anyhow::Result<Moved> {
        let mut command = Command::new("timeout");
        command.args([
            &(seconds + 10).to_string(),
            "iperf3",
            "-J",
            "-C",
            "cubic",
            "--connect-timeout",
            "3000",
        ]);
        command.args(["-c", &pair.target.to_string(), "-t", &seconds.to_string()]);
        command.args(["-P", &self.streams.to_string()]).args(self.options);
        let output = pair.client.command(&mut command);
        let report: Value = serde_json::from_str(&output.stdout)
            .with_context(|| format!("iperf3 printed no report: {output}"))?;
        if let Some(error) = report.get("error") {
            anyhow::bail!("iperf3: {error}; {}", pair.logs());
        }
        let moved = moved(&report).context("iperf3's report lacks the sums")?;
        anyhow::ensure!(moved.octets > 0.0, "iperf3 transferred no data");
        Ok(moved)
    }
}

fn moved(report: &Value) -> Option<Moved> {
    let end = report.get("end")?;
    let mut moved = Moved { octets: 0.0, bits_per_second: 0.0, retransmits: 0 };
    let received = ["sum_received", "sum_received_bidir_reverse"];
    let sent = ["sum_sent", "sum_sent_bidir_reverse"];
    moved.octets += end.get(received[0])?.get("bytes")?.as_f64()?;
    moved.bits_per_second += end.get(received[0])?.get("bits_per_second")?.as_f64()?;
    if let Some(back) = end.get(received[1]) {
        moved.octets += back.get("bytes")?.as_f64()?;
        moved.bits_per_second += back.get("bits_per_second")?.as_f64()?;
    }
    let retransmits = |name| end.get(name)?.get("retransmits")?.as_u64();
    moved.retransmits = sent.into_iter().filter_map(retransmits).sum();
    Some(moved)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_directions_count() {
        let report = json!({"end": {
            "sum_sent": {"bytes": 999, "retransmits": 3},
            "sum_received": {"bytes": 100, "bits_per_second": 800.0},
            "sum_sent_bidir_reverse": {"bytes": 999, "retransmits": 4},
            "sum_received_bidir_reverse": {"bytes": 50, "bits_per_second": 400.0},
        }});
        assert_eq!(moved(&report), Some(Moved { octets: 150.0, bits_per_second: 1200.0, retransmits: 7 }));
    }

    #[test]
    fn one_direction_has_only_the_sum_received() {
        let report = json!({"end": {
            "sum_sent": {"bytes": 999},
            "sum_received": {"bytes": 100, "bits_per_second": 800.0},
        }});
        assert_eq!(moved(&report), Some(Moved { octets: 100.0, bits_per_second: 800.0, retransmits: 0 }));
        assert_eq!(moved(&json!({"error": "unable to connect"})), None);
    }
}
