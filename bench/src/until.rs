//! Waiting for something that happens in another process.

use std::thread::sleep;
use std::time::{Duration, Instant};

use adit_testbed::Running;

/// How long a program may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// Polls a condition until it is true or the time is up.
pub fn wait(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + limit;
    while !ready() {
        if Instant::now() > until {
            return false;
        }
        sleep(Duration::from_millis(50));
    }
    true
}

/// Waits until a process has printed something.
///
/// # Errors
/// When it ends or time passes before.
pub fn wait_for(running: &mut Running, what: &str) -> anyhow::Result<()> {
    let mut ended = false;
    wait(PATIENCE, || {
        ended = running.status().is_some();
        ended || running.log().contains(what)
    });
    // The reader of its output may lag behind its end.
    let heard = wait(Duration::from_millis(200), || running.log().contains(what));
    let how = if ended { "ended" } else { "runs" };
    anyhow::ensure!(heard, "{how}, and has not printed {what:?} but: {}", running.log().trim());
    Ok(())
}
