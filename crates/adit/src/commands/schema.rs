//! `adit schema`

use adit_api::status::Status;
use adit_client::Progress;

use crate::commands::{
    ban, check, disconnect, doctor, explain, init, log, pool, reload, service, session, sessions, status,
    stop, undo, user, version,
};
use crate::document::{ErrorDocument, Known, known};
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Print the JSON Schema of a `--json` document, or the names of all
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Select a document, such as adit.users/1 or users
    name: Option<String>,
}

/// Every document that adit prints.
const KNOWN: &[Known] = &[
    known::<ErrorDocument>(),
    known::<check::Check>(),
    known::<doctor::json::Doctor>(),
    known::<doctor::json::Step>(),
    known::<explain::Explain>(),
    known::<explain::key::Keys>(),
    known::<explain::route::Route>(),
    known::<explain::user::UserExplanation>(),
    known::<init::Init>(),
    known::<undo::Undo>(),
    known::<Status>(),
    known::<status::clients::Clients>(),
    known::<reload::Reloaded>(),
    known::<stop::Stopped>(),
    known::<service::Changed>(),
    known::<status::Sessions>(),
    known::<status::LiveSession>(),
    known::<status::Kicked>(),
    known::<Progress>(),
    known::<disconnect::Disconnected>(),
    known::<log::Log>(),
    known::<log::Line>(),
    known::<log::Gap>(),
    known::<session::PastSessionDocument>(),
    known::<sessions::PastSessions>(),
    known::<user::list::Users>(),
    known::<user::show::UserDocument>(),
    known::<user::change::ChangeDocument>(),
    known::<user::export::ExportDocument>(),
    known::<user::handout::Handout>(),
    known::<user::import::ImportDocument>(),
    known::<user::mfa::FactorDocument>(),
    known::<ban::list::Bans>(),
    known::<ban::change::BanChange>(),
    known::<pool::list::Pools>(),
    known::<pool::show::Addresses>(),
    known::<pool::release::Release>(),
    known::<version::Version>(),
];

pub(crate) fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let Some(wanted) = &args.name else {
        for known in KNOWN {
            output.line(known.name)?;
        }
        return Ok(Exit::Done);
    };
    let bare = |name: &str| {
        let name = name.strip_prefix("adit.").unwrap_or(name);
        name.split('/').next().unwrap_or_default().to_owned()
    };
    let found = KNOWN.iter().find(|known| known.name == wanted || bare(known.name) == *wanted);
    let Some(known) = found else {
        let names: Vec<String> = KNOWN.iter().map(|known| bare(known.name)).collect();
        let near = adit_diag::nearest(&bare(wanted), names.iter().map(String::as_str));
        let meant = near.map(|name| format!(": did you mean \"{name}\"?")).unwrap_or_default();
        return Err(Failure::new(Exit::NotFound, format!("there is no schema \"{wanted}\"{meant}"))
            .fix("adit schema lists all"));
    };
    output.value(&(known.schema)())?;
    Ok(Exit::Done)
}
