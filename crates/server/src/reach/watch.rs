//! Follows the addresses of this host.

use std::sync::{Arc, Weak};
use std::time::Duration;

use adit_diag::Code;
use adit_policy::reach::Locals;
use adit_sys::local::{self, Changes};
use adit_sys::net::Net;

use crate::error::{Result, ServerError, sys_error};
use crate::server::Server;

/// How often the thread looks whether the server still runs. It also reads the addresses then, in case a notification was
/// lost.
const EVERY: Duration = Duration::from_secs(10);

/// The addresses of this host now.
///
/// # Errors
/// If the kernel does not report them.
pub(crate) fn read() -> Result<Locals> {
    let net = Net::open().map_err(|error| sys_error(&error))?;
    let networks = local::networks(&net).map_err(|error| sys_error(&error))?;
    Ok(Locals::new(networks))
}

/// Starts the thread that follows changes. It ends with the server.
pub(crate) fn start(server: &Arc<Server>) -> Result<()> {
    let changes = Changes::open().map_err(|error| sys_error(&error))?;
    let net = Net::open().map_err(|error| sys_error(&error))?;
    let server = Arc::downgrade(server);
    let spawned = std::thread::Builder::new()
        .name("adit-local".to_owned())
        .spawn(move || follow(&server, changes, &net));
    let no_thread = |error| ServerError::new(Code::S08, format!("no thread: {error}"), "look at ulimit -u");
    spawned.map(drop).map_err(no_thread)
}

fn follow(server: &Weak<Server>, mut changes: Changes, net: &Net) {
    loop {
        if let Some(server) = server.upgrade() {
            if server.is_stopping() {
                return;
            }
            match local::networks(net) {
                Ok(networks) => server.set_locals(Locals::new(networks)),
                // The addresses known before stay in force.
                Err(error) => server.log_rate_limited("the addresses of this host could not be read", &error),
            }
        } else {
            return;
        }
        if let Err(error) = changes.wait(EVERY) {
            if let Some(server) = server.upgrade() {
                server.log_rate_limited("changes of addresses could not be read", &error);
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }
}
