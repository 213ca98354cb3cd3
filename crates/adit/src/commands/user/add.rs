//! `adit user add`

use std::net::Ipv4Addr;

use adit_store::{ErrorKind, NewAccount};
use ipnet::Ipv4Net;

use super::change::{Change, ChangeDocument, record};
use super::network::{check_address, check_networks};
use super::password::{PasswordFlags, new_password, tell_password};
use super::words::{expires, networks_text};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::settings::Settings;
use crate::style::Tone;

/// Let somebody in
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The password is asked for; when the answer is empty, one is made and shown once.
Examples:
  adit user add alice --group staff --expires 2027-03-31
  adit user add branch7 --address 10.99.0.7 --network 192.168.7.0/24
  printf '%s\\n' \"$PW\" | adit user add bob --password-stdin")]
pub(crate) struct Args {
    /// The name; upper and lower case are the same
    name: String,
    /// A group of the configuration [default: what everybody gets]
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// The address it always gets [default: any of the pool]
    #[arg(long, value_name = "ADDRESS")]
    address: Option<Ipv4Addr>,
    /// Networks behind the client, routed to it
    #[arg(long, value_name = "NET", value_delimiter = ',')]
    network: Vec<Ipv4Net>,
    /// The last day on which it works (2027-03-31), or a span (90d)
    #[arg(long, value_name = "DAY")]
    expires: Option<String>,
    /// Make the account, but do not let it use the VPN yet
    #[arg(long)]
    no_vpn: bool,
    /// A word for people
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,
    #[command(flatten)]
    password: PasswordFlags,
}

pub(crate) fn run(args: &Args, output: &Output, settings: &Settings) -> Result<Exit, Failure> {
    // Everything that can be wrong is said before anybody has to type a password.
    adit_policy::name::check(&args.name)
        .map_err(|why| store_error(ErrorKind::BadName { name: args.name.clone(), why }))?;
    if let Some(group) = &args.group {
        settings.check_group(group)?;
    }
    if let Some(address) = args.address {
        check_address(address, args.group.as_deref(), settings)?;
    }
    let new = NewAccount {
        name: args.name.clone(),
        group: args.group.clone(),
        address: args.address,
        networks: args.network.clone(),
        expires: args.expires.as_deref().map(|text| expires(text, output)).transpose()?.flatten(),
        vpn: !args.no_vpn,
        must_change: args.password.must_change,
        note: args.note.clone(),
    };
    if output.dry_run {
        let accounts = match settings.store_to_read()? {
            Some(store) => store.accounts()?,
            None => Vec::new(),
        };
        check_new(&new, &accounts)?;
        check_networks(&new.name, &new.networks, &accounts, settings)?;
        return tell(&new, None, output, settings);
    }
    let store = settings.store()?;
    let accounts = store.accounts()?;
    check_new(&new, &accounts)?;
    check_networks(&new.name, &new.networks, &accounts, settings)?;

    let question = format!("Password for {} (empty: make one): ", new.name);
    let password = new_password(&new.name, &args.password, &question, settings)?;
    let reversible = args.password.reversible;
    store.add_account(&new, Some(&password.secret), reversible, output.clock.now())?;
    record(&store, output, "user.add", &new.name, &facts(&new, output));
    tell(&new, password.made.as_ref(), output, settings)
}

/// What the store would answer.
fn store_error(kind: ErrorKind) -> Failure {
    adit_store::Error::from(kind).into()
}

/// Whether the store would take it.
fn check_new(new: &NewAccount, accounts: &[adit_store::Account]) -> Result<(), Failure> {
    let key = adit_policy::name::key;
    if let Some(there) = accounts.iter().find(|account| key(&account.name) == key(&new.name)) {
        return Err(store_error(ErrorKind::AccountExists(there.name.clone())));
    }
    let owner = accounts.iter().find(|account| account.address.is_some() && account.address == new.address);
    if let (Some(owner), Some(address)) = (owner, new.address) {
        return Err(store_error(ErrorKind::AddressTaken { address, by: owner.name.clone() }));
    }
    Ok(())
}

/// What is special about a new account.
fn facts(new: &NewAccount, output: &Output) -> Vec<Change> {
    let fact = |field, to: Option<String>| to.map(|to| Change { field, from: "none".into(), to });
    [
        fact("group", new.group.clone()),
        fact("address", new.address.map(|address| address.to_string())),
        fact("networks", (!new.networks.is_empty()).then(|| networks_text(&new.networks))),
        fact("expires", new.expires.map(|end| output.clock.last_day(end))),
        fact("vpn", (!new.vpn).then(|| "no".into())),
        fact("note", (!new.note.is_empty()).then(|| new.note.clone())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn tell(
    new: &NewAccount,
    made: Option<&adit_crypto::secret::Password>,
    output: &Output,
    settings: &Settings,
) -> Result<Exit, Failure> {
    if !output.is_text() {
        output.document(&ChangeDocument {
            action: "added",
            user: new.name.clone(),
            changed: true,
            dry_run: output.dry_run,
            changes: facts(new, output),
            password: made.map(|password| password.expose().to_owned()),
        })?;
        return Ok(Exit::Done);
    }
    let mut parts = vec![new.name.clone()];
    if let Some(group) = &new.group {
        parts.push(format!("group {group}"));
    }
    let pool = &settings.effective().access_for(new.group.as_deref()).pool;
    parts.push(match new.address {
        Some(address) => format!("address {address}"),
        None => format!("pool {pool} (dynamic)"),
    });
    if !new.networks.is_empty() {
        parts.push(format!("networks {}", networks_text(&new.networks)));
    }
    if new.expires.is_some() {
        let account = new.expires.map(|end| output.clock.last_day(end)).unwrap_or_default();
        parts.push(format!("expires {account}"));
    }
    if !new.vpn {
        parts.push("no VPN".into());
    }
    let word = if output.dry_run { "would add" } else { "added   " };
    output.line(&format!("{word} {}", output.paint(Tone::Plain, &parts.join("   "))))?;
    if let Some(made) = made {
        tell_password(output, made)?;
    }
    Ok(Exit::Done)
}
