//! `adit user set`

use std::net::Ipv4Addr;

use adit_store::{Account, AccountChange};
use ipnet::Ipv4Net;

use super::change::{Change, ChangeDocument, record};
use super::find::{find, nobody};
use super::network::{check_address, check_networks};
use super::words::{expires, expires_text, networks_text};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::settings::Settings;

/// Change somebody
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
    /// Who
    name: String,
    #[command(flatten)]
    what: What,
}

/// What to change; at least one thing.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct What {
    /// A group of the configuration
    #[arg(long, value_name = "GROUP", conflicts_with = "no_group")]
    group: Option<String>,
    /// No group: what everybody gets
    #[arg(long)]
    no_group: bool,
    /// The address it always gets
    #[arg(long, value_name = "ADDRESS", conflicts_with = "no_address")]
    address: Option<Ipv4Addr>,
    /// Any address of the pool
    #[arg(long)]
    no_address: bool,
    /// Networks behind the client, all of them
    #[arg(long, value_name = "NET", value_delimiter = ',', conflicts_with = "no_networks")]
    network: Vec<Ipv4Net>,
    /// No network behind the client
    #[arg(long)]
    no_networks: bool,
    /// The last day on which it works (2027-03-31), a span (90d), or never
    #[arg(long, value_name = "DAY")]
    expires: Option<String>,
    /// Whether it may use the VPN: yes or no
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    vpn: Option<bool>,
    /// Whether the password must be changed at the next login: yes or no
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    must_change: Option<bool>,
    /// A word for people; empty for none
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

pub(crate) fn run(args: &Args, output: &Output, settings: &Settings) -> Result<Exit, Failure> {
    let What { group, no_group, address, no_address, network, no_networks, .. } = &args.what;
    if let Some(group) = group {
        settings.check_group(group)?;
    }
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
    let store = if output.dry_run { settings.store_to_read()? } else { Some(settings.store()?) };
    let Some(store) = store else {
        return Err(nobody(&[], &args.name));
    };
    let before = find(&store, &args.name)?;
    let after = change.clone().apply(before.clone());
    if let Some(address) = after.address.filter(|_| change.address.is_some() || change.group.is_some()) {
        check_address(address, after.group.as_deref(), settings)?;
    }
    if change.networks.is_some() {
        check_networks(&before.name, &after.networks, &store.accounts()?, settings)?;
    }
    let changes = differences(&before, &after, output);
    if !changes.is_empty() && !output.dry_run {
        store.change_account(&before.name, &AccountChange { revision: Some(before.revision), ..change })?;
        record(&store, output, "user.set", &before.name, &changes);
    }
    tell(&before.name, changes, output)
}

/// What a change changes, in words.
fn differences(before: &Account, after: &Account, output: &Output) -> Vec<Change> {
    let words = |account: &Account| {
        let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
        [
            ("group", account.group.clone().unwrap_or_else(|| "none".into())),
            ("address", account.address.map_or_else(|| "dynamic".into(), |address| address.to_string())),
            ("networks", networks_text(&account.networks)),
            ("expires", expires_text(account, output)),
            ("vpn", yes(account.vpn)),
            ("must-change", yes(account.must_change)),
            ("note", if account.note.is_empty() { "none".into() } else { account.note.clone() }),
        ]
    };
    let pairs = words(before).into_iter().zip(words(after));
    let changes = pairs.filter(|((_, from), (_, to))| from != to);
    changes.map(|((field, from), (_, to))| Change { field, from, to }).collect()
}

fn tell(name: &str, changes: Vec<Change>, output: &Output) -> Result<Exit, Failure> {
    if !output.is_text() {
        output.document(&ChangeDocument {
            action: "changed",
            user: name.to_owned(),
            changed: !changes.is_empty(),
            dry_run: output.dry_run,
            changes,
            password: None,
        })?;
        return Ok(Exit::Done);
    }
    let word = match (changes.is_empty(), output.dry_run) {
        (true, _) => "unchanged",
        (false, true) => "would change",
        (false, false) => "changed ",
    };
    output.line(&format!("{word} {name}"))?;
    for change in changes {
        let (from, to) = (crate::table::printable(&change.from), crate::table::printable(&change.to));
        output.line(&format!("  {:<12} {from} → {to}", change.field))?;
    }
    Ok(Exit::Done)
}
