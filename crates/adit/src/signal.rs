//! Signals that terminate this program.

use tokio::signal::unix::{SignalKind, signal};

/// Returns at the next SIGTERM or SIGINT; never, if signals cannot be handled.
pub(crate) async fn wait_for_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Returns at the next SIGHUP: the terminal was closed. From the first call on, this signal no longer ends the process.
pub(crate) async fn wait_for_hangup() {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return std::future::pending().await };
    if hangup.recv().await.is_none() {
        std::future::pending().await
    }
}
