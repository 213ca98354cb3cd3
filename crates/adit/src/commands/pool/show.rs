//! `adit pool show`

use adit_api::pools::{Address, State};
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::{Document, Utc};
use crate::failure::{Exit, Failure};
use crate::list::{Column, ListFlags};
use crate::output::Output;
use crate::service::Service;
use crate::table::Field;

/// Show who has which address of a pool
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The addresses that are used by a session, kept for the user who had them last, or the fixed address
of a user. All others are free.

Examples:
  adit pool show default
  adit pool show default --filter state=used --sort since")]
pub(crate) struct Args {
    /// Select the pool
    #[arg(value_name = "POOL", default_value = "default")]
    pool: String,
    #[command(flatten)]
    list: ListFlags,
}

/// What `adit pool show --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Addresses {
    /// The pool.
    pool: String,
    /// The used, kept and fixed addresses, in order, unless sorted otherwise.
    addresses: Vec<AddressBody>,
}

impl Document for Addresses {
    const NAME: &'static str = "adit.pool/1";
}

/// One address.
#[derive(Clone, Serialize, JsonSchema)]
pub(crate) struct AddressBody {
    /// The address.
    pub(super) address: String,
    /// used: a session has it; kept: for the user who had it last; fixed: of a user without a session.
    pub(super) state: &'static str,
    /// The user who has it, for whom it is kept, or whose fixed address it is.
    pub(super) user: String,
    /// The session that has it; null without one.
    session: Option<String>,
    /// The user whose fixed address it is; null if it is not one.
    fixed_of: Option<String>,
    /// When it was assigned, or the last session with it ended; null if there was none.
    since: Option<Utc>,
    /// Until when it is kept; null in other states.
    pub(super) until: Option<Utc>,
}

impl AddressBody {
    pub(super) fn new(shown: Address) -> AddressBody {
        let Address { address, state, user, session, fixed_of, since, until } = shown;
        AddressBody {
            address: address.to_string(),
            state: match state {
                State::Used => "used",
                State::Kept => "kept",
                State::Fixed => "fixed",
            },
            user,
            session: session.map(|session| session.to_string()),
            fixed_of,
            since: since.map(Utc),
            until: until.map(Utc),
        }
    }
}

/// A value that may be missing.
fn text(value: Option<String>) -> Field {
    value.unwrap_or_default().into()
}

const COLUMNS: &[Column<AddressBody>] = &[
    Column::left("address", "ADDRESS", 0, |shown, _| shown.address.clone().into()),
    Column::left("state", "STATE", 0, |shown, _| shown.state.into()),
    Column::left("user", "USER", 0, |shown, _| shown.user.clone().into()),
    Column::left("session", "SESSION", 2, |shown, _| text(shown.session.clone())),
    Column::left("since", "SINCE", 3, |shown, output| {
        text(shown.since.as_ref().map(|since| output.clock.minute(since.0)))
    }),
    Column::left("until", "UNTIL", 4, |shown, output| {
        text(shown.until.as_ref().map(|until| output.clock.minute(until.0)))
    }),
    Column::left("fixed_of", "FIXED", 5, |shown, _| text(shown.fixed_of.clone())),
];

pub(crate) fn run(args: &Args, output: &Output, service: &Service<'_>) -> Result<Exit, Failure> {
    let addresses = service.pool(&args.pool)?.into_iter().map(AddressBody::new).collect();
    let chosen = args.list.choose(COLUMNS, addresses)?;
    if !output.is_text() {
        let document = Addresses { pool: args.pool.clone(), addresses: Vec::new() };
        chosen.document(output, "addresses", &document)?;
        return Ok(Exit::Done);
    }
    let count = chosen.rows().count();
    if count == 0 {
        output.line("no addresses: all are free")?;
    } else {
        output.text(&chosen.text(output))?;
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_a_field_of_the_document() {
        let schema = schemars::schema_for!(AddressBody);
        let fields = schema.get("properties").unwrap();
        for column in COLUMNS {
            assert!(fields.get(column.name).is_some(), "{}", column.name);
        }
    }
}
