//! `adit pool`

pub(crate) mod list;
pub(crate) mod release;
pub(crate) mod show;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::service::Service;
use crate::settings::Settings;

/// Show the pools of client addresses
#[derive(Debug, clap::Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum Pool {
    List(list::Args),
    Show(show::Args),
    Release(release::Args),
}

pub(crate) fn run(pool: Pool, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let settings = &Settings::load(places)?;
    let service = &Service::open(output, places, settings)?;
    match pool {
        Pool::List(args) => list::run(&args, output, service),
        Pool::Show(args) => show::run(&args, output, service),
        Pool::Release(args) => release::run(&args, output, service),
    }
}
