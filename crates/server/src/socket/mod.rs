//! The control socket: who may open it may operate the server. One JSON request a line, one JSON answer a line.

mod lines;
mod talk;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adit_diag::Code;
use tokio::net::UnixListener;
use tokio::sync::Semaphore;

use crate::error::{Result, ServerError};
use crate::service::Service;

/// Connections at once.
const CONNECTIONS: usize = 64;

/// Where the socket is in the run directory.
pub fn path(run_dir: &Path) -> PathBuf {
    run_dir.join("adit.sock")
}

/// The open socket; its file goes with it.
pub(crate) struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Control {
    fn drop(&mut self) {
        // The file goes before the socket is closed: whoever starts next must not find it and think it dead.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Opens the socket: root and the group of its directory may use it.
///
/// # Errors
/// S01 when a living server has it, S08 when it cannot be made.
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

/// Serves until it is cancelled.
pub(crate) async fn serve(service: Service, control: Control) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // Who is one too many waits in the listener's queue.
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
        match control.listener.accept().await {
            Ok((stream, _)) => {
                let service = service.clone();
                tokio::spawn(async move {
                    // Who closes the connection, or is closed, knows; there is nobody else to tell.
                    let _ = talk::talk(service, stream).await;
                    drop(permit);
                });
            }
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    }
}
