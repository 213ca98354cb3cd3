//! `adit pool release`

use std::net::Ipv4Addr;

use schemars::JsonSchema;
use serde::Serialize;

use super::show::AddressBody;
use crate::commands::user::change::caller;
use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::service::Service;

/// Release an address that is kept for a user
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Any user can then get the address. To end the session that has an address: adit kick ADDRESS. To
give a user an address that no one else gets: adit user set NAME --address ADDRESS")]
pub(crate) struct Args {
    /// Select the address
    #[arg(value_name = "ADDRESS")]
    address: Ipv4Addr,
}

/// What `adit pool release --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Release {
    /// The pool of the address.
    pool: String,
    /// Whether this was a dry run.
    dry_run: bool,
    /// The address before.
    before: AddressBody,
}

impl Document for Release {
    const NAME: &'static str = "adit.pool-release/1";
}

pub(crate) fn run(args: &Args, output: &Output, service: &Service<'_>) -> Result<Exit, Failure> {
    let released = service.release(args.address, output.dry_run, caller())?;
    if output.is_text() {
        let word = if output.dry_run { "would release" } else { "released" };
        let until = released.before.until.map(|until| format!(" until {}", output.clock.minute(until)));
        let (address, user) = (args.address, &released.before.user);
        let until = until.unwrap_or_default();
        output.line(&format!("{word} {address}   pool {}   was kept for {user}{until}", released.pool))?;
    } else {
        let before = AddressBody::new(released.before);
        output.document(&Release { pool: released.pool, dry_run: output.dry_run, before })?;
    }
    if let Some(warning) = &released.warning {
        output.remark("warning", warning);
    }
    Ok(Exit::Done)
}
