//! The targets of adit, shown beside the measurements. A missed target fails no run: figures depend on the machine.

use crate::measure::Measure;
use crate::peers::Peer;

/// The property of a measurement that a mark limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// The ratio of the values is at least the mark.
    Value,
    /// The ratio of the whole machine's CPU time is at most the mark.
    SystemCpu,
}

/// A ratio and its mark.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) ours: Peer,
    pub(crate) theirs: Peer,
    pub(crate) measure: Measure,
    pub(crate) of: Of,
    pub(crate) mark: f64,
}

impl Mark {
    pub(crate) fn is_met(&self, ratio: f64) -> bool {
        match self.of {
            Of::Value => ratio >= self.mark,
            Of::SystemCpu => ratio <= self.mark,
        }
    }
}

const fn value(ours: Peer, theirs: Peer, measure: Measure, mark: f64) -> Mark {
    Mark { ours, theirs, measure, of: Of::Value, mark }
}

const fn cpu(ours: Peer, mark: f64) -> Mark {
    Mark { ours, theirs: Peer::Baseline, measure: Measure::Tcp1, of: Of::SystemCpu, mark }
}

/// The prototypes' ratios with one stream are the marks of the first lines; those with four streams and both ways
/// at once are what the prototypes reached.
pub(crate) const MARKS: &[Mark] = &[
    value(Peer::AditSocket, Peer::Baseline, Measure::Tcp1, 2.6),
    value(Peer::AditSocket, Peer::Gotatun, Measure::Tcp1, 2.0),
    value(Peer::AditSocket, Peer::Openvpn, Measure::Tcp1, 3.0),
    value(Peer::AditXdp, Peer::Baseline, Measure::Tcp1, 3.7),
    value(Peer::AditXdp, Peer::Gotatun, Measure::Tcp1, 4.0),
    value(Peer::AditXdp, Peer::Openvpn, Measure::Tcp1, 4.5),
    value(Peer::AditXdp, Peer::WireguardGoNew, Measure::Tcp1, 1.0),
    cpu(Peer::AditSocket, 0.38),
    cpu(Peer::AditXdp, 0.28),
    value(Peer::AditSocket, Peer::Baseline, Measure::Tcp4, 2.7),
    value(Peer::AditXdp, Peer::Baseline, Measure::Tcp4, 3.3),
    value(Peer::AditXdp, Peer::WireguardGoNew, Measure::Tcp4, 1.0),
    value(Peer::AditSocket, Peer::Baseline, Measure::Bidir, 2.4),
    value(Peer::AditXdp, Peer::Baseline, Measure::Bidir, 3.5),
];

/// Microseconds that an idle request through adit may take longer than through the baseline.
pub(crate) const PING_BEYOND_BASELINE: f64 = 20.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_cpu_is_better_and_more_speed_is() {
        let speed = value(Peer::AditSocket, Peer::Baseline, Measure::Tcp1, 2.0);
        assert!(speed.is_met(2.0) && !speed.is_met(1.9));
        let cost = cpu(Peer::AditSocket, 0.4);
        assert!(cost.is_met(0.4) && !cost.is_met(0.5));
    }
}
