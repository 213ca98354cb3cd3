//! The control socket: who may open it may operate the server.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adit_diag::Code;
use adit_tunnel::events::Why;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::control::{Request, Response};
use crate::error::{Result, ServerError};
use crate::server::Server;

/// A request line may be this long, in octets.
const MAX_REQUEST: u64 = 64 << 10;
/// A client that says nothing for so long is let go.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

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
pub(crate) async fn serve(server: Arc<Server>, control: Control) {
    loop {
        match control.listener.accept().await {
            Ok((stream, _)) => {
                let server = Arc::clone(&server);
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(PATIENCE, talk(server, stream)).await;
                });
            }
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    }
}

async fn talk(server: Arc<Server>, stream: UnixStream) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(read.take(MAX_REQUEST));
    while reader.read_line(&mut line).await? > 0 {
        let response = match serde_json::from_str::<Request>(&line) {
            Ok(request) => answer(&server, request).await,
            Err(error) => Response::Error { exit: 2, message: format!("not a request: {error}") },
        };
        let mut text = serde_json::to_vec(&response).unwrap_or_default();
        text.push(b'\n');
        write.write_all(&text).await?;
        line.clear();
        reader.get_mut().set_limit(MAX_REQUEST);
    }
    Ok(())
}

async fn answer(server: &Arc<Server>, request: Request) -> Response {
    match request {
        Request::Status => Response::Status(Box::new(server.status().await)),
        Request::Sessions => {
            Response::Sessions(server.registry.all().iter().map(|session| session.row()).collect())
        }
        Request::Session { selector } => match server.registry.select(&selector).last() {
            Some(session) => Response::Session(Box::new(session.detail())),
            None => nobody(&selector),
        },
        Request::Kick { selector, reason, dry_run } => {
            let sessions = server.registry.select(&selector);
            if sessions.is_empty() {
                return nobody(&selector);
            }
            if !dry_run {
                for session in &sessions {
                    session.end(Why::AdminReset, None, reason.clone());
                }
            }
            Response::Kicked(sessions.iter().map(|session| session.row()).collect())
        }
        Request::Reload => match server.reload().await {
            Ok(text) => Response::Done(text),
            Err(error) => Response::Error { exit: 1, message: error },
        },
        Request::Drain { on } => {
            server.drain(on);
            Response::Done(if on {
                "new calls are refused; the sessions that are up go on".to_owned()
            } else {
                "new calls are taken again".to_owned()
            })
        }
        Request::Stop => {
            server.request_shutdown();
            Response::Done("stopping".to_owned())
        }
    }
}

fn nobody(selector: &str) -> Response {
    Response::Error { exit: 5, message: format!("no session {selector:?} is here now: adit sessions") }
}
