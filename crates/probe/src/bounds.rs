//! Time limits of the steps.

use std::time::{Duration, Instant};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Name resolution.
pub(crate) const NAME: Duration = s(3);
/// TCP connection.
pub(crate) const TCP: Duration = s(4);
/// Control connection.
pub(crate) const CONTROL: Duration = s(5);
/// Call set-up.
pub(crate) const CALL: Duration = s(5);
/// GRE and LCP: three to four Configure-Requests.
pub(crate) const LINK: Duration = s(10);
/// Authentication: three tries, as peers retransmit every three seconds.
pub(crate) const AUTH: Duration = s(10);
/// CCP and IPCP: on a line that loses a third of the packets, each usually takes two tries.
pub(crate) const NETWORK: Duration = s(12);
/// Tests through the tunnel.
pub(crate) const INSIDE: Duration = s(6);
/// GRE with increasing time to live.
pub(crate) const HOPS: Duration = s(4);
/// Orderly shutdown, in addition to the total.
pub(crate) const GOODBYE: Duration = s(2);
/// The whole test, unless the user sets another limit.
pub(crate) const TOTAL: Duration = s(30);

/// The time that is left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    end: Instant,
    /// Factor of all time limits, above 1 if the user allows more time than usual.
    times: u32,
}

impl Bounds {
    pub(crate) fn new(began: Instant, total: Duration) -> Bounds {
        let times = (total.as_secs() / TOTAL.as_secs()).clamp(1, 4) as u32;
        Bounds { end: began + total, times }
    }

    /// Deadline of a step that begins now.
    pub(crate) fn until(&self, step: Duration) -> Instant {
        self.end.min(Instant::now() + step * self.times)
    }

    /// Extends the whole test.
    pub(crate) fn extend(&mut self, by: Duration) {
        self.end += by;
    }

    /// Whether no time is left.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }
}
