//! The watchdog of the service manager (sd_watchdog_enabled(3)): the server reports that it is alive only when all threads
//! without which no call works have made progress since the last report. A server that hangs is then restarted.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::server::Server;

/// The interval at which an expected heartbeat is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Reports progress until it is cancelled; returns at once if the service manager requests no reports.
pub(crate) async fn run(server: Arc<Server>) {
    let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero()) else { return };
    // Several reports in each period: a single late one does no harm.
    let every = limit / 4;
    let mut number = 0;
    loop {
        let next = Instant::now() + every;
        number += 1;
        if has_progressed(&server, number, next).await {
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        } else {
            log_stderr!(
                "error    watchdog: a worker, or the thread that handles its events, makes no progress"
            );
        }
        sleep_until(next).await;
    }
}

/// Whether every worker, the thread that delivers events, and the tasks of this runtime have executed something since the
/// call.
async fn has_progressed(server: &Arc<Server>, number: u64, until: Instant) -> bool {
    server.dataplane.request_beat(number);
    let registry = Arc::clone(&server.registry);
    // Another task, on any thread of the runtime; the registry's lock is taken for every delivery.
    let task = tokio::spawn(async move { registry.len() });
    if tokio::time::timeout_at(until, task).await.is_err() {
        return false;
    }
    while server.dataplane.last_beat() < number {
        if Instant::now() >= until {
            return false;
        }
        sleep(LOOK_EVERY).await;
    }
    true
}
