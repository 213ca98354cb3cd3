//! How long each step may take.

use std::time::{Duration, Instant};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// To resolve the name.
pub(crate) const NAME: Duration = s(3);
/// For TCP to open.
pub(crate) const TCP: Duration = s(4);
/// For the control connection.
pub(crate) const CONTROL: Duration = s(5);
/// For the call.
pub(crate) const CALL: Duration = s(5);
/// For GRE and LCP: three to four Configure-Requests.
pub(crate) const LINK: Duration = s(10);
/// For the login: three tries, as peers ask again every three seconds.
pub(crate) const AUTH: Duration = s(10);
/// For CCP and IPCP: on a line that loses a third, each takes two tries more often than not.
pub(crate) const NETWORK: Duration = s(12);
/// For what lies behind the tunnel.
pub(crate) const INSIDE: Duration = s(6);
/// For GRE with rising time to live.
pub(crate) const HOPS: Duration = s(4);
/// For the good-bye; beyond the total.
pub(crate) const GOODBYE: Duration = s(2);
/// The whole test, unless the user sets another bound.
pub(crate) const TOTAL: Duration = s(30);

/// The time that is left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    end: Instant,
    /// With more time than usual, each step gets more in proportion.
    times: u32,
}

impl Bounds {
    pub(crate) fn new(began: Instant, total: Duration) -> Bounds {
        let times = (total.as_secs() / TOTAL.as_secs()).clamp(1, 4) as u32;
        Bounds { end: began + total, times }
    }

    /// When a step that begins now must be over.
    pub(crate) fn until(&self, step: Duration) -> Instant {
        self.end.min(Instant::now() + step * self.times)
    }

    /// The test goes on for so much longer.
    pub(crate) fn extend(&mut self, by: Duration) {
        self.end += by;
    }

    /// No time is left.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }
}
