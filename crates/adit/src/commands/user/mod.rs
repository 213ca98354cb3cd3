//! `adit user`

pub(crate) mod add;
pub(crate) mod list;
pub(crate) mod passwd;
pub(crate) mod remove;
pub(crate) mod set;
pub(crate) mod show;
pub(crate) mod switch;

use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt as _;

use adit_config::{Config, PasswordPolicy};
use adit_crypto::Rng;
use adit_crypto::proof::Secret;
use adit_crypto::secret::Password;
use adit_policy::PasswordRules;
use adit_store::{Account, NewAccount, NewEvent, SqliteStore, Store};
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::prompt::PasswordSource;
use crate::settings::Settings;
use crate::table::printable;

/// People who may log in
#[derive(Debug, clap::Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum User {
    List(list::Args),
    Show(show::Args),
    Add(add::Args),
    Set(set::Args),
    Passwd(passwd::Args),
    Enable(switch::EnableArgs),
    Disable(switch::DisableArgs),
    Unlock(switch::UnlockArgs),
    Remove(remove::Args),
}

pub(crate) fn run(user: User, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let settings = &Settings::load(output, places)?;
    match user {
        User::List(args) => list::run(&args, output, places, settings),
        User::Show(args) => show::run(&args, output, places, settings),
        User::Add(args) => add::run(&args, output, settings),
        User::Set(args) => set::run(&args, output, settings),
        User::Passwd(args) => passwd::run(&args, output, settings),
        User::Enable(args) => switch::enable(&args, output, settings),
        User::Disable(args) => switch::disable(&args, output, places, settings),
        User::Unlock(args) => switch::unlock(&args, output, settings),
        User::Remove(args) => remove::run(&args, output, places, settings),
    }
}

/// What every `adit user` command that changes something prints with `--json`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ChangeDocument {
    /// What was done: added, changed, removed, enabled, disabled, unlocked, password.
    pub(crate) action: &'static str,
    /// The account.
    pub(crate) user: String,
    /// Whether anything is different now.
    pub(crate) changed: bool,
    /// Whether it was only tried.
    pub(crate) dry_run: bool,
    /// What is different.
    pub(crate) changes: Vec<Change>,
    /// The password that was made, if one was made. It is shown here and nowhere else.
    pub(crate) password: Option<String>,
}

impl Document for ChangeDocument {
    const NAME: &'static str = "adit.user-change/1";
}

/// One thing that is different.
#[derive(Clone, Serialize, JsonSchema)]
pub(crate) struct Change {
    /// What.
    pub(crate) field: &'static str,
    /// How it was, in words.
    pub(crate) from: String,
    /// How it is, in words.
    pub(crate) to: String,
}

/// The account of a name; with a suggestion when there is none.
fn find(store: &dyn Store, name: &str) -> Result<Account, Failure> {
    if let Some(account) = store.account(name)? {
        return Ok(account);
    }
    Err(nobody(&store.accounts()?, name))
}

/// There is nobody of this name among these.
fn nobody(accounts: &[Account], name: &str) -> Failure {
    let near = adit_diag::nearest(name, accounts.iter().map(|account| account.name.as_str()));
    let meant = near.map(|near| format!(": did you mean \"{near}\"?")).unwrap_or_default();
    let fix = if accounts.is_empty() { "adit user add NAME" } else { "adit user list" };
    Failure::new(Exit::NotFound, format!("there is no user \"{}\"{meant}", printable(name))).fix(fix)
}

/// Who calls this program, for the log.
fn caller() -> String {
    let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let uid = || std::fs::metadata("/proc/self").map(|me| me.uid()).ok();
    let by_uid = || match uid()? {
        0 => Some("root".to_owned()),
        uid => Some(format!("uid:{uid}")),
    };
    named("SUDO_USER").or_else(|| named("LOGNAME")).or_else(by_uid).unwrap_or_else(|| "-".into())
}

/// Writes down that an account was changed. The change itself is done already, so a failure here is only a remark.
fn record(store: &SqliteStore, output: &Output, kind: &str, user: &str, changes: &[Change]) {
    let mut event = NewEvent::new(output.clock.now(), kind);
    event.user = Some(user.to_owned());
    event.fields = changes.iter().map(|change| (change.field.to_owned(), change.to.clone())).collect();
    event.fields.push(("by".into(), caller()));
    if let Err(error) = store.add_events(&[event]) {
        output.remark("warning", &format!("the change is done, but not in the log: {error}"));
    }
}

/// Adds somebody with a password made here, and tells it once: `adit serve --first-user`.
pub(crate) fn add_first(
    name: &str,
    config: &Config,
    store: &SqliteStore,
    output: &Output,
) -> Result<(), Failure> {
    let made = make_password(&config.auth.password)?;
    let new = NewAccount::named(name);
    store.add_account(&new, Some(&Secret::Clear(made.clone())), false, output.clock.now())?;
    record(store, output, "user.add", name, &[]);
    output.line(&format!("added    {name}"))?;
    tell_password(output, &made)
}

/// Makes a password in the style of the configuration.
fn make_password(policy: &PasswordPolicy) -> Result<Password, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| Failure::new(Exit::Problem, format!("no random numbers: {error}")))?;
    Ok(adit_policy::password::generate(policy.generate, &mut Rng::from_seed(seed)))
}

/// Flags about a new password.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct PasswordFlags {
    #[command(flatten)]
    source: PasswordSource,
    /// Keep the password itself too (sealed), for old devices that only speak CHAP-MD5
    #[arg(long)]
    reversible: bool,
    /// Take a password that the rules of the configuration refuse
    #[arg(long)]
    weak: bool,
    /// It must be changed at the next login
    #[arg(long)]
    must_change: bool,
}

/// A password from a person, or one that was made because the answer was empty.
struct NewPassword {
    secret: Secret,
    /// Only when it was made here: somebody has to be told.
    made: Option<Password>,
}

/// Asks for a password and checks it against the rules.
fn new_password(
    name: &str,
    flags: &PasswordFlags,
    question: &str,
    settings: &Settings,
) -> Result<NewPassword, Failure> {
    let policy = &settings.effective().auth.password;
    let given = flags.source.read(question)?;
    if given.is_empty() {
        let made = make_password(policy)?;
        return Ok(NewPassword { secret: Secret::Clear(made.clone()), made: Some(made) });
    }
    // Whatever the rules say, PPTP has to be able to carry it.
    let rules =
        if flags.weak { PasswordRules { min_length: 1, blocklist: false } } else { policy.rules.clone() };
    rules.check(name, given.expose()).map_err(|fault| {
        let fix = if flags.weak { "choose another one" } else { "leave it empty and one is made; or --weak" };
        Failure::usage(format!("this password is refused: {fault}")).fix(fix)
    })?;
    Ok(NewPassword { secret: Secret::Clear(given), made: None })
}

/// Tells a password that was made here, once.
fn tell_password(output: &Output, made: &Password) -> Result<(), Failure> {
    output.line(&format!("password {}      shown once", made.expose()))
}

/// Sees that a fixed address lies in the pool of its group and is nobody else's by nature.
fn check_address(address: Ipv4Addr, group: Option<&str>, settings: &Settings) -> Result<(), Failure> {
    let Some(config) = settings.config() else {
        return Ok(());
    };
    let access = config.access_for(group);
    let Some(pool) = config.pools.get(&access.pool) else {
        return Ok(());
    };
    let refuse = |why: String| {
        let free = format!("one of {} but {}", pool.net, pool.server);
        Err(Failure::usage(format!("{address} cannot be a client's address: {why}")).fix(free))
    };
    if !pool.net.contains(&address) {
        return refuse(format!("it is not in pool {} {}", pool.name, pool.net));
    }
    if address == pool.server {
        return refuse(format!("it is the server's end of pool {}", pool.name));
    }
    if address == pool.net.network() || address == pool.net.broadcast() {
        return refuse(format!("it is the first or last of {}", pool.net));
    }
    Ok(())
}

/// Sees that networks behind a client overlap neither each other, nor another client's, nor a pool.
fn check_networks(
    name: &str,
    networks: &[Ipv4Net],
    accounts: &[Account],
    settings: &Settings,
) -> Result<(), Failure> {
    let overlap = |a: &Ipv4Net, b: &Ipv4Net| a.contains(b) || b.contains(a);
    for (place, net) in networks.iter().enumerate() {
        if *net != net.trunc() {
            return Err(
                Failure::usage(format!("{net} has bits behind its prefix")).fix(net.trunc().to_string())
            );
        }
        let conflict = |with: String| Failure::new(Exit::Conflict, format!("{net} overlaps {with}"));
        if let Some(other) = networks.iter().skip(place + 1).find(|other| overlap(net, other)) {
            return Err(Failure::usage(format!("{net} and {other} overlap")).fix("name each network once"));
        }
        let key = adit_policy::name::key;
        for other in accounts.iter().filter(|account| key(&account.name) != key(name)) {
            if let Some(theirs) = other.networks.iter().find(|theirs| overlap(net, theirs)) {
                return Err(conflict(format!("{theirs} of {}", other.name))
                    .fix(format!("adit user set {} --no-networks", other.name)));
            }
        }
        for pool in settings.config().into_iter().flat_map(|config| config.pools.values()) {
            if overlap(net, &pool.net) {
                return Err(conflict(format!("pool {} {}", pool.name, pool.net))
                    .fix("a client's network cannot be where client addresses are"));
            }
        }
    }
    Ok(())
}

/// Networks in words.
fn networks_text(networks: &[Ipv4Net]) -> String {
    if networks.is_empty() {
        return "none".into();
    }
    networks.iter().map(Ipv4Net::to_string).collect::<Vec<_>>().join(" ")
}

/// The end of an account in words.
fn expires_text(account: &Account, output: &Output) -> String {
    account.expires.map_or_else(|| "never".into(), |end| output.clock.last_day(end))
}

/// Reads `--expires`: the last day on which the account works, a span from now, or never.
fn expires(text: &str, output: &Output) -> Result<Option<jiff::Timestamp>, Failure> {
    let wrong = || {
        Failure::usage(format!("--expires: \"{}\" is no day", printable(text)))
            .fix("the last day on which it works (2027-03-31), a span from now (90d), or never")
    };
    if text == "never" {
        return Ok(None);
    }
    if let Ok(span) = crate::when::span(text) {
        let span = jiff::SignedDuration::try_from(span).map_err(|_| wrong())?;
        return output.clock.now().checked_add(span).map(Some).map_err(|_| wrong());
    }
    let day: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
    let end = output.clock.end_of(day).ok_or_else(wrong)?;
    if end <= output.clock.now() {
        let fix = "adit user disable, to end an account now";
        return Err(Failure::usage(format!("--expires: {day} is over already")).fix(fix));
    }
    Ok(Some(end))
}
