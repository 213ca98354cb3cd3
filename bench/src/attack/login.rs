//! The time of a good login while the server is flooded. A client that was refused or cut off tries again, as users do.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::thread::sleep;
use std::time::{Duration, Instant};

use adit_bench::Plan;
use adit_bench::stats::Spread;
use adit_testbed::Host;

use crate::adit::PASSWORD;
use crate::figures::Figures;
use crate::net::SERVER;

/// The pause before the next attempt.
const RETRY: Duration = Duration::from_secs(1);

/// Who logs in, and from where.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) source: Ipv4Addr,
}

/// One login.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    /// The time until the session was up, of all attempts together; the patience if it never was.
    pub(crate) seconds: f64,
    pub(crate) is_up: bool,
    /// Why attempts failed.
    pub(crate) failed: Vec<String>,
}

impl Account {
    /// Logs in from a host, and hangs up.
    pub(crate) fn log_in(&self, host: &Host, patience: Duration) -> anyhow::Result<Login> {
        let started = Instant::now();
        let mut failed = Vec::new();
        loop {
            let before = started.elapsed();
            let left = patience.saturating_sub(before);
            if left.is_zero() {
                return Ok(Login { seconds: patience.as_secs_f64(), is_up: false, failed });
            }
            let plan = Plan {
                user: self.user.clone(),
                sources: vec![self.source],
                patience: left,
                ..Plan::new(SocketAddrV4::new(SERVER, adit_wire::pptp::PORT), PASSWORD)
            };
            let report = host.run(|| adit_bench::run(plan))?;
            if report.up == 1 {
                let seconds = before.as_secs_f64() + report.setup_ms_max / 1e3;
                return Ok(Login { seconds, is_up: true, failed });
            }
            failed.extend(report.failed.into_keys().map(|why| code(&why)));
            sleep(RETRY.min(patience.saturating_sub(started.elapsed())));
        }
    }
}

/// The code of a failure, or the whole text of one without.
fn code(why: &str) -> String {
    let first = why.split_whitespace().next().unwrap_or_default();
    let is_code = first.len() == 3 && first.bytes().skip(1).all(|octet| octet.is_ascii_digit());
    if is_code { first.to_owned() } else { why.to_owned() }
}

/// Adds the figures of logins, for instance of `known` users.
pub(crate) fn report(logins: &[Login], who: &str, figures: &mut Figures) {
    if let Some(spread) = Spread::of(logins.iter().map(|login| login.seconds)) {
        figures.set(&format!("{who} s"), spread.median);
        figures.set(&format!("{who} worst s"), spread.max);
    }
    figures.set(&format!("{who} logins"), logins.len() as f64);
    let without = logins.iter().filter(|login| !login.is_up).count();
    figures.set(&format!("{who} failed"), without as f64);
    for login in logins {
        for why in &login.failed {
            figures.note(format!("{who}: {why}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_its_code() {
        assert_eq!(code("C02 the connection was reset by 192.0.2.1"), "C02");
        assert_eq!(code("connection refused"), "connection refused");
        assert_eq!(code(""), "");
    }

    #[test]
    fn a_login_that_never_came_up_counts_with_the_patience() {
        let login = |seconds, is_up| Login { seconds, is_up, failed: vec!["C02".to_owned()] };
        let mut figures = Figures::default();
        report(&[login(1.0, true), login(60.0, false), login(2.0, true)], "known", &mut figures);
        let values: Vec<_> = figures.values.iter().map(|f| (f.name.as_str(), f.value)).collect();
        assert_eq!(
            values,
            [("known s", 2.0), ("known worst s", 60.0), ("known logins", 3.0), ("known failed", 1.0)]
        );
        assert_eq!(figures.notes, ["known: C02"]);
    }
}
