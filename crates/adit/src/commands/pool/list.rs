//! `adit pool list`

use adit_api::pools::Pool;
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::list::{Column, ListFlags};
use crate::output::Output;
use crate::service::Service;

/// List the pools, with their used and free addresses
#[derive(Debug, clap::Args)]
#[command(after_help = "\
FREE: the addresses that a user without a fixed address can get now. KEPT: those of them that are
kept for the user who had them last; another user gets one only if no other is free.

Examples:
  adit pool list
  adit pool list --filter 'free<20'")]
pub(crate) struct Args {
    #[command(flatten)]
    list: ListFlags,
}

/// What `adit pool list --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Pools {
    /// The pools by name, unless sorted otherwise.
    pools: Vec<PoolBody>,
}

impl Document for Pools {
    const NAME: &'static str = "adit.pools/1";
}

/// One pool.
#[derive(Clone, Serialize, JsonSchema)]
pub(crate) struct PoolBody {
    /// Its name.
    pool: String,
    /// Its network.
    net: String,
    /// The server's end of its tunnels.
    server: String,
    /// The ranges for users without a fixed address: first and last address of each.
    ranges: Vec<[String; 2]>,
    /// How long an address is kept for the user who had it, in seconds.
    sticky_s: u64,
    /// The tables of the configuration that name the pool: access, groups.NAME.
    users: Vec<String>,
    /// Number of addresses of the ranges.
    size: u64,
    /// Number of addresses of the network that sessions have.
    used: u64,
    /// Number of addresses of the ranges that a user without a fixed address can get now.
    free: u64,
    /// Number of free addresses that are kept for the user who had them last.
    kept: u64,
    /// Number of fixed addresses in the network.
    fixed: u64,
}

impl PoolBody {
    fn new(pool: Pool) -> PoolBody {
        let Pool { name, net, server, ranges, sticky_s, users, size, free, used, kept, fixed } = pool;
        PoolBody {
            pool: name,
            net: net.to_string(),
            server: server.to_string(),
            ranges: ranges.into_iter().map(|(from, to)| [from.to_string(), to.to_string()]).collect(),
            sticky_s,
            users,
            size,
            used,
            free,
            kept,
            fixed,
        }
    }
}

const COLUMNS: &[Column<PoolBody>] = &[
    Column::left("pool", "POOL", 0, |pool, _| pool.pool.clone().into()),
    Column::left("net", "NET", 1, |pool, _| pool.net.clone().into()),
    Column::right("size", "SIZE", 2, |pool, _| pool.size.to_string().into()),
    Column::right("used", "USED", 0, |pool, _| pool.used.to_string().into()),
    Column::right("free", "FREE", 0, |pool, _| pool.free.to_string().into()),
    Column::right("kept", "KEPT", 3, |pool, _| pool.kept.to_string().into()),
    Column::right("fixed", "FIXED", 4, |pool, _| pool.fixed.to_string().into()),
    Column::left("users", "USERS", 5, |pool, _| pool.users.join(" ").into()),
];

pub(crate) fn run(args: &Args, output: &Output, service: &Service<'_>) -> Result<Exit, Failure> {
    let pools: Vec<PoolBody> = service.pools()?.into_iter().map(PoolBody::new).collect();
    let chosen = args.list.choose(COLUMNS, pools)?;
    if output.is_text() {
        output.text(&chosen.text(output))?;
    } else {
        chosen.document(output, "pools", &Pools { pools: Vec::new() })?;
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_a_field_of_the_document() {
        let schema = schemars::schema_for!(PoolBody);
        let fields = schema.get("properties").unwrap();
        for column in COLUMNS {
            assert!(fields.get(column.name).is_some(), "{}", column.name);
        }
    }
}
