//! `adit ban add`, `remove`

use adit_api::bans::{Action, Ban, Change};
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::Serialize;

use super::list::BanBody;
use super::{network, shown};
use crate::commands::user::change::caller;
use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::service::Service;
use crate::when;

/// Refuse connections from an address or network
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Active sessions are not terminated; to do so: adit kick from:ADDRESS

Examples:
  adit ban add 203.0.113.7
  adit ban add 203.0.113.0/24 --for 7d --reason 'scans every night'")]
pub(crate) struct AddArgs {
    /// Select the address or network
    #[arg(value_name = "ADDRESS|NETWORK", value_parser = network)]
    network: Ipv4Net,
    /// Lift the ban after this time, such as 12h or 30d [default: auth.lockout.address.ban]
    #[arg(long = "for", value_name = "TIME", value_parser = when::span)]
    lasts: Option<std::time::Duration>,
    /// Record this reason, for the log and for other administrators
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
}

/// Lift a ban
#[derive(Debug, clap::Args)]
#[command(after_help = "The failed logins that led to the ban are forgotten.")]
pub(crate) struct RemoveArgs {
    /// Select the address or network
    #[arg(value_name = "ADDRESS|NETWORK", value_parser = network)]
    network: Ipv4Net,
}

/// What `adit ban add` and `remove` print with `--json`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct BanChange {
    /// What was done: added, removed.
    action: &'static str,
    /// The address, or the network with its length.
    network: String,
    /// Whether this was a dry run.
    dry_run: bool,
    /// The ban of this network before; null without one.
    before: Option<BanBody>,
    /// The ban of this network now; null without one.
    after: Option<BanBody>,
    /// The other bans in force that hold addresses of this network.
    others: Vec<BanBody>,
}

impl Document for BanChange {
    const NAME: &'static str = "adit.ban-change/1";
}

pub(crate) fn add(args: &AddArgs, output: &Output, service: &Service<'_>) -> Result<Exit, Failure> {
    let for_s = args.lasts.map(|lasts| lasts.as_secs());
    let action = Action::Add { for_s, reason: args.reason.clone() };
    change(("added", "banned  ", "would ban"), args.network, action, output, service)
}

pub(crate) fn remove(args: &RemoveArgs, output: &Output, service: &Service<'_>) -> Result<Exit, Failure> {
    change(("removed", "unbanned", "would unban"), args.network, Action::Remove, output, service)
}

/// Makes a change; the words are those of the document, of the text, and of the text of a dry run.
fn change(
    (action, done, would): (&'static str, &str, &str),
    network: Ipv4Net,
    change: Action,
    output: &Output,
    service: &Service<'_>,
) -> Result<Exit, Failure> {
    let is_lifted = matches!(change, Action::Remove);
    let request = Change { dry_run: output.dry_run, by: caller(), network, action: change };
    let changed = service.change_ban(request)?;
    let body = |ban| BanBody::new(ban, output);
    if output.is_text() {
        let end = changed.after.as_ref().map(|ban| {
            let left = when::about(when::between(ban.since, ban.until));
            format!("   until {} ({left})", output.clock.minute(ban.until))
        });
        let word = if output.dry_run { would } else { done };
        output.line(&format!("{word} {}{}", shown(network), end.unwrap_or_default()))?;
    } else {
        output.document(&BanChange {
            action,
            network: shown(network),
            dry_run: output.dry_run,
            before: changed.before.map(body),
            after: changed.after.map(body),
            others: changed.others.iter().cloned().map(body).collect(),
        })?;
    }
    for ban in changed.others.iter().filter(|_| is_lifted) {
        output.remark("note", &still_banned(network, ban, output));
    }
    if let Some(warning) = &changed.warning {
        output.remark("warning", warning);
    }
    Ok(Exit::Done)
}

/// Reports a ban that still holds addresses of a network whose own ban is lifted.
fn still_banned(network: Ipv4Net, ban: &Ban, output: &Output) -> String {
    let (other, until) = (shown(ban.network), output.clock.minute(ban.until));
    if ban.network.contains(&network) {
        format!(
            "{} is still banned, as part of {other}, until {until}: adit ban remove {other}",
            shown(network)
        )
    } else {
        format!("{other} is still banned, until {until}: adit ban remove {other}")
    }
}
