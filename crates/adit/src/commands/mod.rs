//! One file per command.

mod background;
pub(crate) mod check;
pub(crate) mod completion;
pub(crate) mod connect;
pub(crate) mod disconnect;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod kick;
mod link_flags;
pub(crate) mod log;
pub(crate) mod man;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod status;
pub(crate) mod undo;
pub(crate) mod user;
pub(crate) mod verdict;
pub(crate) mod version;

use crate::cli::{Cli, Command};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

/// Runs the command that was given.
pub(crate) fn run(cli: Cli, output: &Output) -> Result<Exit, Failure> {
    let places = &Places::new(&cli.global);
    if output.verbose > 0 {
        let Places { config, state, run, .. } = places;
        let (config, state, run) = (config.display(), state.display(), run.display());
        output.remark("using", &format!("config {config}  state {state}  run {run}"));
    }
    match cli.command {
        Command::Init(args) => init::run(&args, output, places),
        Command::Check(args) => check::run(&args, output, places),
        Command::Undo(args) => undo::run(&args, output, places),
        Command::Serve(args) => serve::run(&args, output, places),
        Command::Status(args) => status::run(&args, output, places),
        Command::Sessions(args) => sessions::run(&args, output, places),
        Command::Session(args) => session::run(&args, output, places),
        Command::Kick(args) => kick::run(&args, output, places),
        Command::Log(args) => log::run(&args, output, places),
        Command::User(user) => user::run(user, output, places),
        Command::Connect(args) => connect::run(&args, output, places),
        Command::Disconnect(args) => disconnect::run(&args, output, places),
        Command::Doctor(args) => doctor::run(&args, output, places),
        Command::Explain(args) => explain::run(&args, output, places),
        Command::Schema(args) => schema::run(&args, output),
        Command::Completion(args) => completion::run(&args, output),
        Command::Man(args) => man::run(&args, output),
        Command::Version(_) => version::run(output),
    }
}
