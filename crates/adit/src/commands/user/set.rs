//! `adit user set`

use std::net::Ipv4Addr;

use adit_api::accounts::{AccountChange, Action};
use ipnet::Ipv4Net;

use super::change::{changes, document, name, remarks, request};
use super::words::expires;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::service::Service;

/// Change a user
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "adit user set [OPTIONS] <NAME>",
    after_help = "\
Examples:
  adit user set alice --group ops --expires never
  adit user set branch7 --network 192.168.7.0/24,192.168.8.0/24
  adit user set bob --no-address --dry-run"
)]
pub(crate) struct Args {
    /// Select the user
    name: String,
    #[command(flatten)]
    what: What,
}

/// The changes to make; at least one.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct What {
    /// Put the user in this group
    #[arg(long, value_name = "GROUP", conflicts_with = "no_group")]
    group: Option<String>,
    /// Remove the user from its group; the defaults apply
    #[arg(long)]
    no_group: bool,
    /// Assign this fixed address
    #[arg(long, value_name = "ADDRESS", conflicts_with = "no_address")]
    address: Option<Ipv4Addr>,
    /// Assign any address of the pool
    #[arg(long)]
    no_address: bool,
    /// Replace the networks behind the client
    #[arg(long, value_name = "NET", value_delimiter = ',', conflicts_with = "no_networks")]
    network: Vec<Ipv4Net>,
    /// Remove the networks behind the client
    #[arg(long)]
    no_networks: bool,
    /// Set the last valid day (2027-03-31), a duration (90d), or never
    #[arg(long, value_name = "DAY")]
    expires: Option<String>,
    /// Permit VPN use: yes or no
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    vpn: Option<bool>,
    /// Require a password change at the next login: yes or no
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    must_change: Option<bool>,
    /// Set the free-form note; empty for none
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "y" | "true" | "on" => Ok(true),
        "no" | "n" | "false" | "off" => Ok(false),
        _ => Err("yes or no".into()),
    }
}

pub(crate) fn run(args: &Args, output: &Output, service: &Service<'_>) -> Result<Exit, Failure> {
    let What { group, no_group, address, no_address, network, no_networks, .. } = &args.what;
    let change = AccountChange {
        revision: None,
        group: if *no_group { Some(None) } else { group.clone().map(Some) },
        address: if *no_address { Some(None) } else { address.map(Some) },
        networks: (*no_networks || !network.is_empty()).then(|| network.clone()),
        expires: args.what.expires.as_deref().map(|text| expires(text, output)).transpose()?,
        vpn: args.what.vpn,
        must_change: args.what.must_change,
        note: args.what.note.clone(),
        ..AccountChange::default()
    };
    let action = Action::Set { name: args.name.clone(), change };
    let changed = service.change(request(action, output.dry_run))?;
    let changes = changes(&changed, output);
    if output.is_text() {
        let word = match (changed.changed, output.dry_run) {
            (false, _) => "unchanged",
            (true, true) => "would change",
            (true, false) => "changed ",
        };
        output.line(&format!("{word} {}", name(&changed)))?;
        for change in changes {
            let (from, to) = (crate::table::printable(&change.from), crate::table::printable(&change.to));
            output.line(&format!("  {:<12} {from} → {to}", change.field))?;
        }
    } else {
        document("changed", &changed, changes, output)?;
    }
    remarks(&changed, output);
    Ok(Exit::Done)
}
