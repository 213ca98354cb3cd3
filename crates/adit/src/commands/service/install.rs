//! `adit service install`

use std::path::{Path, PathBuf};

use super::client::ClientArgs;
use super::host::System;
use super::units::{self, SERVER_UNIT};
use super::{Changed, Target};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

/// The program is copied there from a directory that services cannot read, such as a home directory.
const PROGRAM: &str = "/usr/local/bin/adit";

/// Start the server, or with --client a client, at boot
///
/// Writes adit.service and adit-client@.service, creates the users adit and adit-client, and enables and starts the unit. The
/// units run without root, with CAP_NET_ADMIN and CAP_NET_RAW only. The program is copied to /usr/local/bin/adit unless it is
/// below /usr or /opt.
///
/// Exit status: 0 when it is installed, 1 if a step failed, 4 without root, 6 if a file of the same name is not of adit.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo adit service install
  sudo adit service install --client office --host vpn.example.org -u alice -- --routes 192.168.10.0/24
  adit service install --dry-run           show what it writes")]
pub(crate) struct Args {
    #[command(flatten)]
    client: ClientArgs,
    /// Allow the server to use AF_XDP: with CAP_BPF, it may load BPF programs
    #[arg(long, conflicts_with = "client")]
    af_xdp: bool,
    /// Enable the unit, but do not start it
    #[arg(long)]
    no_start: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(args: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let system = System::new(&args.target, output)?;
    let client = args.client.read()?;
    let unit =
        client.as_ref().map_or_else(|| SERVER_UNIT.to_owned(), |client| units::client_unit(&client.name));
    let mut changed = Changed::new(&unit, output);
    install_units(&system, &mut changed)?;
    match &client {
        Some(client) => {
            client.write(&system, &mut changed)?;
            system.enable(&unit, units::CLIENT_PATH, &mut changed)?;
        }
        None => {
            if args.af_xdp {
                system.write(units::AF_XDP_PATH, &units::af_xdp(), 0o644, &mut changed)?;
            }
            system.enable(&unit, units::SERVER_PATH, &mut changed)?;
        }
    }
    let runs_by_hand = client.is_none() && system.is_running() && runs_by_hand(places);
    finish(&system, &unit, args.no_start, runs_by_hand, &mut changed)?;
    changed.print(output)?;
    Ok(Exit::Done)
}

/// Whether `adit init` can install the server: on a system with systemd, for the files that the unit uses.
pub(crate) fn can_install_server(output: &Output, places: &Places) -> bool {
    let is_default = !places.config_given && !places.state_given && !places.run_given;
    is_default && System::new(&Target { root: None }, output).is_ok()
}

/// Installs and starts the server for `adit init`.
pub(crate) fn install_server(output: &Output, places: &Places) -> Result<Changed, Failure> {
    let system = System::new(&Target { root: None }, output)?;
    let mut changed = Changed::new(SERVER_UNIT, output);
    install_units(&system, &mut changed)?;
    system.enable(SERVER_UNIT, units::SERVER_PATH, &mut changed)?;
    let runs_by_hand = system.is_running() && runs_by_hand(places);
    finish(&system, SERVER_UNIT, false, runs_by_hand, &mut changed)?;
    Ok(changed)
}

/// Writes what both units need.
fn install_units(system: &System, changed: &mut Changed) -> Result<(), Failure> {
    let program = program(system, changed)?;
    system.write(units::USERS_PATH, &units::users(), 0o644, changed)?;
    system.write(units::SERVER_PATH, &units::server(&program), 0o644, changed)?;
    system.write(units::CLIENT_PATH, &units::client(&program), 0o644, changed)?;
    if system.path(units::POLKIT_FOLDER).is_dir() {
        system.write(units::POLKIT_PATH, &units::polkit(), 0o644, changed)?;
    }
    Ok(())
}

/// The program that the units start.
fn program(system: &System, changed: &mut Changed) -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().map_err(|error| {
        Failure::new(Exit::Problem, format!("the program's own path is not known: {error}"))
    })?;
    let is_installed = ["/usr/", "/opt/"].iter().any(|folder| own.starts_with(folder));
    if is_installed {
        return Ok(own);
    }
    system.copy_program(&own, PROGRAM, changed)?;
    Ok(Path::new(PROGRAM).to_owned())
}

/// Whether a server runs that the unit has not started.
fn runs_by_hand(places: &Places) -> bool {
    let is_active =
        std::process::Command::new("systemctl").args(["is-active", "--quiet", SERVER_UNIT]).status();
    places.daemon_runs() && !is_active.is_ok_and(|status| status.success())
}

/// Creates the users and starts the unit, where the system runs.
fn finish(
    system: &System,
    unit: &str,
    no_start: bool,
    runs_by_hand: bool,
    changed: &mut Changed,
) -> Result<(), Failure> {
    if !system.is_running() {
        changed.to_do.push("systemd creates the users and starts the unit at the next boot".to_owned());
        return Ok(());
    }
    system.run("systemd-sysusers", &[units::USERS_PATH])?;
    system.run("systemctl", &["daemon-reload"])?;
    if runs_by_hand {
        changed.to_do.push("a server runs already: adit stop, then systemctl start adit".to_owned());
    } else if no_start {
        changed.to_do.push(format!("systemctl start {unit}"));
    } else {
        system.run("systemctl", &["restart", unit])?;
        changed.started = !changed.dry_run;
    }
    Ok(())
}
