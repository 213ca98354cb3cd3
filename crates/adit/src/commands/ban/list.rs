//! `adit ban list`

use adit_api::bans::Ban;
use schemars::JsonSchema;
use serde::Serialize;

use super::shown;
use crate::document::{Document, Utc};
use crate::failure::{Exit, Failure};
use crate::list::{Column, ListFlags};
use crate::output::Output;
use crate::service::Service;
use crate::when;

/// List banned addresses and networks
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  adit ban list --sort -left_s
  adit ban list --filter by=server")]
pub(crate) struct Args {
    #[command(flatten)]
    list: ListFlags,
}

/// What `adit ban list --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Bans {
    /// The bans in force by network, unless sorted otherwise.
    bans: Vec<BanBody>,
}

impl Document for Bans {
    const NAME: &'static str = "adit.bans/1";
}

/// One ban.
#[derive(Clone, Serialize, JsonSchema)]
pub(crate) struct BanBody {
    /// The address, or the network with its length.
    network: String,
    /// When it began.
    since: Utc,
    /// When it ends.
    until: Utc,
    /// Seconds until it ends.
    left_s: u64,
    /// The administrator; `server` for a ban after failed logins.
    by: String,
    /// Why; empty if no reason was given.
    reason: String,
}

impl BanBody {
    pub(super) fn new(ban: Ban, output: &Output) -> BanBody {
        let Ban { network, since, until, by, reason } = ban;
        let reason = if by.is_none() { "failed logins".to_owned() } else { reason };
        BanBody {
            network: shown(network),
            since: Utc(since),
            until: Utc(until),
            left_s: when::between(output.clock.now(), until),
            by: by.unwrap_or_else(|| "server".to_owned()),
            reason,
        }
    }
}

const COLUMNS: &[Column<BanBody>] = &[
    Column::left("network", "NETWORK", 0, |ban, _| ban.network.clone().into()),
    Column::left("since", "SINCE", 2, |ban, output| output.clock.minute(ban.since.0).into()),
    Column::left("until", "UNTIL", 1, |ban, output| output.clock.minute(ban.until.0).into()),
    Column::right("left_s", "LEFT", 0, |ban, _| when::about(ban.left_s).into()),
    Column::left("by", "BY", 3, |ban, _| ban.by.clone().into()),
    Column::left("reason", "REASON", 4, |ban, _| ban.reason.clone().into()),
];

pub(crate) fn run(args: &Args, output: &Output, service: &Service<'_>) -> Result<Exit, Failure> {
    let bans: Vec<BanBody> = service.bans()?.into_iter().map(|ban| BanBody::new(ban, output)).collect();
    let chosen = args.list.choose(COLUMNS, bans)?;
    if !output.is_text() {
        chosen.document(output, "bans", &Bans { bans: Vec::new() })?;
        return Ok(Exit::Done);
    }
    let count = chosen.rows().count();
    if count > 0 {
        output.text(&chosen.text(output))?;
    }
    output.line(&match count {
        0 => "no bans".to_owned(),
        1 => "1 ban".to_owned(),
        count => format!("{count} bans"),
    })?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_a_field_of_the_document() {
        let schema = schemars::schema_for!(BanBody);
        let fields = schema.get("properties").unwrap();
        for column in COLUMNS {
            assert!(fields.get(column.name).is_some(), "{}", column.name);
        }
    }
}
