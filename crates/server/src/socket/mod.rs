//! The control socket: a user who may open it may operate the server. One JSON request per line, one JSON
//! response per line.

mod collected;
mod lines;
mod talk;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use adit_diag::Code;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::error::{Result, ServerError};
use crate::service::Service;

/// The most connections at once.
const CONNECTIONS: usize = 64;
/// How long requests in progress may take during shutdown.
const GRACE: Duration = Duration::from_secs(5);

/// The path of the socket in the run directory.
pub fn path(run_dir: &Path) -> PathBuf {
    run_dir.join("adit.sock")
}

/// The open socket; dropping it removes its file.
pub(crate) struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Control {
    fn drop(&mut self) {
        // The file is removed before the socket is closed: the next server must not find it and treat it as
        // stale.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Opens the socket: root and the group of its directory may use it.
///
/// # Errors
/// S01 when a running server has it, S08 when it cannot be created.
pub(crate) fn open(run_dir: &Path) -> Result<Control> {
    let path = path(run_dir);
    let failed = |error: std::io::Error| {
        ServerError::new(
            Code::S08,
            format!("cannot make the control socket {}: {error}", path.display()),
            "start as root, or give a directory that you may write with --run-dir",
        )
    };
    std::fs::create_dir_all(run_dir).map_err(failed)?;
    if std::os::unix::net::UnixStream::connect(&path).is_ok() {
        return Err(ServerError::new(
            Code::S01,
            format!("another adit serves already: it answers on {}", path.display()),
            "adit status; or give this one its own --run-dir, --state-dir and addresses",
        ));
    }
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let control = Control { listener: UnixListener::bind(&path).map_err(failed)?, path: path.clone() };
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o660)).map_err(failed)?;
    Ok(control)
}

/// The open socket with a task that serves it.
pub(crate) struct Serving {
    task: JoinHandle<()>,
    /// Dropped to stop the task.
    stop: watch::Sender<()>,
}

impl Serving {
    /// Starts the task that serves the socket.
    pub(crate) fn start(service: Service, control: Control) -> Serving {
        let (stop, stopped) = watch::channel(());
        Serving { task: tokio::spawn(serve(service, control, stopped)), stop }
    }

    /// Closes the socket, waits at most [`GRACE`] until requests in progress are answered and followers have
    /// received all events so far, and closes their connections.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        let _ = tokio::time::timeout(GRACE, self.task).await;
    }
}

async fn serve(service: Service, control: Control, mut stop: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        // A connection beyond the limit waits in the listener's backlog.
        let has_capacity = connections.len() < CONNECTIONS;
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = control.listener.accept(), if has_capacity => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(talk::talk(service.clone(), stream, stop.clone()));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
        }
    }
    drop(control);
    while connections.join_next().await.is_some() {}
}
