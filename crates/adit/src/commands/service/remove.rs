//! `adit service remove`

use super::host::System;
use super::units::{self, SERVER_UNIT};
use super::{Changed, Target, client, client_name};
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Stop the server, or with --client a client, and no longer start it at boot
///
/// Accounts, sessions and the configuration of the server are kept, as are the users adit and adit-client. The description
/// and the password of a client are removed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Remove the client of this name instead of the server
    #[arg(long, value_name = "NAME", value_parser = client_name)]
    client: Option<String>,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let system = System::new(&args.target, output)?;
    let unit = args.client.as_deref().map_or_else(|| SERVER_UNIT.to_owned(), units::client_unit);
    let file = args.client.as_deref().map_or_else(|| units::SERVER_PATH.to_owned(), client::path);
    if !system.path(&file).exists() {
        return Err(Failure::new(Exit::NotFound, format!("{unit} is not installed: there is no {file}"))
            .fix("adit service install"));
    }
    let mut changed = Changed::new(&unit, output);
    if system.is_running() {
        system.run("systemctl", &["stop", &unit])?;
    }
    system.disable(&unit, &mut changed)?;
    match &args.client {
        Some(name) => {
            system.remove(&client::path(name), false, &mut changed)?;
            system.remove(&client::password_path(name), true, &mut changed)?;
        }
        None => {
            system.remove(units::AF_XDP_PATH, false, &mut changed)?;
            system.remove(units::SERVER_PATH, false, &mut changed)?;
        }
    }
    if !has_clients(&system) && !system.path(units::SERVER_PATH).exists() {
        for path in [units::CLIENT_PATH, units::POLKIT_PATH, units::USERS_PATH] {
            system.remove(path, false, &mut changed)?;
        }
    }
    if system.is_running() {
        system.run("systemctl", &["daemon-reload"])?;
    }
    changed.print(output)?;
    Ok(Exit::Done)
}

fn has_clients(system: &System) -> bool {
    let entries = std::fs::read_dir(system.path(units::CLIENTS)).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.path().extension().is_some_and(|ending| ending == "conf"))
}
