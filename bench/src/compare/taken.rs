//! The result of one measurement.

use serde::Serialize;

/// The result of one measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Taken {
    /// In the unit of the measure.
    pub(crate) value: f64,
    /// What CPU time is counted against: GiB, or millions of packets; 0 where it means nothing.
    pub(crate) amount: f64,
    /// CPU seconds of the tunnel's processes, both ends, per `amount`.
    pub(crate) tunnel_cpu: Option<f64>,
    /// CPU seconds of the whole machine per `amount`.
    pub(crate) system_cpu: Option<f64>,
    /// TCP segments sent again.
    pub(crate) retransmits: Option<u64>,
    /// The 99th percentile, where `value` is a median.
    pub(crate) p99: Option<f64>,
    /// Share of datagrams that did not arrive.
    pub(crate) lost: Option<f64>,
}
