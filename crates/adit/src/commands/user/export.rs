//! `adit user export`

use adit_admin::account_file::{hex, write_csv};
use adit_api::accounts::{ExportedAccount, ImportSecret};
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::{Document, Utc};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::service::Service;

/// Print all users as CSV or JSON
#[derive(Debug, clap::Args)]
#[command(after_help = "\
An NT hash is as good as the password: write the file with umask 077, and delete it after use.
Examples:
  adit user export > users.csv
  (umask 077; sudo adit user export --with-hashes > users.csv)")]
pub(crate) struct Args {
    /// Set the form of the output [default: csv, which can be imported again; json with --json]
    #[arg(long, value_name = "FORMAT")]
    format: Option<FormatName>,
    /// Include NT hashes, and passwords that are stored in clear; for root only
    #[arg(long)]
    with_hashes: bool,
}

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FormatName {
    /// Comma-separated values, as adit user import reads them
    Csv,
    /// A JSON document
    Json,
}

/// What `adit user export --format json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ExportDocument {
    /// The users, by name.
    users: Vec<ExportedUser>,
}

impl Document for ExportDocument {
    const NAME: &'static str = "adit.user-export/1";
}

/// One user.
#[derive(Serialize, JsonSchema)]
struct ExportedUser {
    /// The name.
    user: String,
    /// The group; null for the defaults.
    group: Option<String>,
    /// The fixed address; null for any of the pool.
    address: Option<String>,
    /// Networks behind the client.
    networks: Vec<String>,
    /// End of validity, exclusive.
    expires: Option<Utc>,
    /// Whether the account may use the VPN.
    vpn: bool,
    /// Why the account is disabled; null when it is enabled.
    disabled: Option<String>,
    /// Whether the password must be changed at the next login.
    must_change: bool,
    /// Free-form note.
    note: String,
    /// Whether the clear-text password is stored too.
    reversible: bool,
    /// When the password was set; null without one.
    password_changed: Option<Utc>,
    /// When the account was added.
    created: Utc,
    /// The NT hash; null without a password, and without `--with-hashes`.
    nt_hash: Option<String>,
    /// The clear-text password, if it is stored; null without `--with-hashes`.
    password: Option<String>,
}

pub(crate) fn run(args: &Args, output: &Output, service: &Service<'_>) -> Result<Exit, Failure> {
    let accounts = match args.with_hashes {
        true => service.export()?,
        false => service
            .all_accounts()?
            .into_iter()
            .map(|listed| ExportedAccount { account: listed.account, secret: ImportSecret::None })
            .collect(),
    };
    match args.format.unwrap_or(if output.is_text() { FormatName::Csv } else { FormatName::Json }) {
        FormatName::Csv if output.is_text() => output.text(&write_csv(&accounts, args.with_hashes))?,
        FormatName::Csv => {
            return Err(Failure::usage("CSV is no JSON document").fix("--format json, or leave --json away"));
        }
        FormatName::Json => {
            output.document(&ExportDocument { users: accounts.into_iter().map(user).collect() })?;
        }
    }
    Ok(Exit::Done)
}

fn user(ExportedAccount { account, secret }: ExportedAccount) -> ExportedUser {
    let (nt_hash, password) = match secret {
        ImportSecret::None => (None, None),
        ImportSecret::NtHash(hash) => (Some(hex(&hash)), None),
        ImportSecret::Password { password, .. } => {
            (Some(hex(&password.nt_hash())), Some(password.expose().to_owned()))
        }
    };
    ExportedUser {
        user: account.name,
        group: account.group,
        address: account.address.map(|address| address.to_string()),
        networks: account.networks.iter().map(ToString::to_string).collect(),
        expires: account.expires.map(Utc),
        vpn: account.vpn,
        disabled: account.disabled,
        must_change: account.must_change,
        note: account.note,
        reversible: account.reversible,
        password_changed: account.password_changed.map(Utc),
        created: Utc(account.created),
        nt_hash,
        password,
    }
}
