//! `adit user add`

use std::net::Ipv4Addr;

use adit_admin::accounts::{last_day, networks_text};
use adit_api::accounts::{Action, Changed, NewAccount, NewPassword};
use ipnet::Ipv4Net;

use super::change::{changes, document, remarks, request};
use super::password::{PasswordFlags, new_password, print_made};
use super::words::expires;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::service::Service;
use crate::style::Tone;

/// Add a user
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Prompts for the password; an empty answer generates one and shows it once.
Examples:
  adit user add alice --group staff --expires 2027-03-31
  adit user add branch7 --address 10.99.0.7 --network 192.168.7.0/24
  printf '%s\\n' \"$PW\" | adit user add bob --password-stdin")]
pub(crate) struct Args {
    /// Set the name; case is ignored
    name: String,
    /// Put the user in this group [default: none]
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Assign this fixed address [default: any of the pool]
    #[arg(long, value_name = "ADDRESS")]
    address: Option<Ipv4Addr>,
    /// Route these networks behind the client to it
    #[arg(long, value_name = "NET", value_delimiter = ',')]
    network: Vec<Ipv4Net>,
    /// Set the last valid day (2027-03-31), or a duration (90d)
    #[arg(long, value_name = "DAY")]
    expires: Option<String>,
    /// Add the account, but do not permit VPN use yet
    #[arg(long)]
    no_vpn: bool,
    /// Add a free-form note
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,
    #[command(flatten)]
    password: PasswordFlags,
}

pub(crate) fn run(args: &Args, output: &Output, service: &Service<'_>) -> Result<Exit, Failure> {
    let account = NewAccount {
        name: args.name.clone(),
        group: args.group.clone(),
        address: args.address,
        networks: args.network.clone(),
        expires: args.expires.as_deref().map(|text| expires(text, output)).transpose()?.flatten(),
        vpn: !args.no_vpn,
        must_change: args.password.must_change,
        note: args.note.clone(),
    };
    let reversible = args.password.reversible;
    let add = |password, dry_run| {
        let action = Action::Add { account: account.clone(), password, reversible };
        service.change(request(action, dry_run))
    };
    // Report all errors before prompting for a password.
    let would_add = add(NewPassword::Made, true)?;
    if output.dry_run {
        return show(&would_add, output);
    }
    let question = format!("Password for {} (empty: make one): ", account.name);
    let password = new_password(&args.password, &question)?;
    show(&add(password, false)?, output)
}

fn show(added: &Changed, output: &Output) -> Result<Exit, Failure> {
    if output.is_text() {
        let word = if output.dry_run { "would add" } else { "added   " };
        output.line(&format!("{word} {}", output.paint(Tone::Plain, &parts(added, output).join("   "))))?;
        print_made(added.password.as_ref(), output)?;
    } else {
        document("added", added, changes(added, output), output)?;
    }
    remarks(added, output);
    Ok(Exit::Done)
}

/// Describes the new account.
fn parts(added: &Changed, output: &Output) -> Vec<String> {
    let Some(account) = &added.after else { return Vec::new() };
    let mut parts = vec![account.name.clone()];
    if let Some(group) = &account.group {
        parts.push(format!("group {group}"));
    }
    parts.push(match account.address {
        Some(address) => format!("address {address}"),
        None => format!("pool {} (dynamic)", added.pool),
    });
    if !account.networks.is_empty() {
        parts.push(format!("networks {}", networks_text(&account.networks)));
    }
    if let Some(end) = account.expires {
        parts.push(format!("expires {}", last_day(end, output.clock.zone())));
    }
    if !account.vpn {
        parts.push("no VPN".into());
    }
    parts
}
