//! `adit user`

pub(crate) mod add;
pub(crate) mod change;
pub(crate) mod export;
pub(crate) mod first;
pub(crate) mod handout;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod mfa;
pub(crate) mod passwd;
mod password;
pub(crate) mod remove;
pub(crate) mod set;
pub(crate) mod show;
pub(crate) mod switch;
mod words;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::service::Service;
use crate::settings::Settings;

/// Manage users
#[derive(Debug, clap::Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum User {
    List(list::Args),
    Show(show::Args),
    Add(add::Args),
    Set(set::Args),
    Passwd(passwd::Args),
    Enable(switch::EnableArgs),
    Disable(switch::DisableArgs),
    Unlock(switch::UnlockArgs),
    Remove(remove::Args),
    Import(import::Args),
    Export(export::Args),
    Handout(handout::Args),
    #[command(subcommand)]
    Mfa(mfa::Mfa),
}

pub(crate) fn run(user: User, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let settings = &Settings::load(places)?;
    let service = &Service::open(output, places, settings)?;
    match user {
        User::List(args) => list::run(&args, output, service),
        User::Show(args) => show::run(&args, output, settings, service),
        User::Add(args) => add::run(&args, output, service),
        User::Set(args) => set::run(&args, output, service),
        User::Passwd(args) => passwd::run(&args, output, service),
        User::Enable(args) => switch::enable(&args, output, service),
        User::Disable(args) => switch::disable(&args, output, service),
        User::Unlock(args) => switch::unlock(&args, output, service),
        User::Remove(args) => remove::run(&args, output, service),
        User::Import(args) => import::run(&args, output, service),
        User::Export(args) => export::run(&args, output, service),
        User::Mfa(mfa) => mfa::run(mfa, output, settings, service),
        User::Handout(args) => handout::run(&args, output, settings, service),
    }
}
