//! Dispatch of commands to their modules.

use crate::cli::{self, Cli, Command};
use crate::commands::{
    ban, check, completion, connect, disconnect, doctor, explain, init, kick, log, man, pool, reload, schema,
    serve, service, session, sessions, status, stop, undo, user, version,
};
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
        Command::Service(service) => service::run(service, output, places),
        Command::Reload(args) => reload::run(&args, output, places),
        Command::Stop(args) => stop::run(&args, output, places),
        Command::Status(args) => status::run(&args, output, places),
        Command::Sessions(args) => sessions::run(&args, output, places),
        Command::Session(args) => session::run(&args, output, places),
        Command::Kick(args) => kick::run(&args, output, places),
        Command::Log(args) => log::run(&args, output, places),
        Command::User(user) => user::run(user, output, places),
        Command::Ban(ban) => ban::run(ban, output, places),
        Command::Pool(pool) => pool::run(pool, output, places),
        Command::Connect(args) => connect::run(&args, output, places),
        Command::Disconnect(args) => disconnect::run(&args, output, places),
        Command::Doctor(args) => doctor::run(&args, output, places),
        Command::Explain(args) => explain::run(&args, output, places),
        Command::Schema(args) => schema::run(&args, output),
        Command::Completion(args) => completion::run(&args, &mut cli::tree(), output),
        Command::Man(args) => man::run(&args, &cli::full_tree(), output),
        Command::Version(_) => version::run(output),
    }
}
