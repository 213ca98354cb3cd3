//! `adit user list`

use std::collections::BTreeMap;

use adit_admin::accounts::networks_text;
use adit_api::accounts::{Account, Connected, Listed, State};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::words::expires_text;
use crate::document::{Document, Utc};
use crate::failure::{Exit, Failure};
use crate::list::{Column, EXTRA, ListFlags};
use crate::output::Output;
use crate::service::Service;
use crate::style::Tone;
use crate::table::Field;
use crate::when;

/// Passwords older than this are counted below the list.
const OLD_PASSWORD_S: u64 = 180 * 86_400;

/// List users
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  adit user list --filter 'group=staff state!=ok'
  adit user list --sort -password_age --columns user,password_age,last_login")]
pub(crate) struct Args {
    #[command(flatten)]
    list: ListFlags,
}

/// What `adit user list --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Users {
    /// The users by name, unless sorted otherwise.
    users: Vec<UserBody>,
}

impl Document for Users {
    const NAME: &'static str = "adit.users/1";
}

/// An account, without its secret.
#[derive(Clone, Serialize, JsonSchema)]
pub(crate) struct UserBody {
    /// The name.
    pub(crate) user: String,
    /// The group; null for the defaults.
    pub(crate) group: Option<String>,
    /// Login state: ok, disabled, expired, locked, no-vpn, no-password, must-change or password-expired.
    #[schemars(with = "String")]
    pub(crate) state: State,
    /// Number of active sessions.
    pub(crate) sessions: u64,
    /// Uptime of the oldest of them in seconds; null without one.
    pub(crate) connected_s: Option<u64>,
    /// Time of the last login.
    pub(crate) last_login: Option<Utc>,
    /// Public address of the last login.
    pub(crate) last_from: Option<String>,
    /// How the last session ended: a code, or a reason.
    pub(crate) last_end: Option<String>,
    /// Seconds since the password was set; null without one.
    pub(crate) password_age_s: Option<u64>,
    /// Whether the clear-text password is stored too.
    pub(crate) reversible: bool,
    /// The fixed address; null for any of the pool.
    pub(crate) address: Option<String>,
    /// Networks behind the client.
    pub(crate) networks: Vec<String>,
    /// End of validity, exclusive.
    pub(crate) expires: Option<Utc>,
    /// Why the account is disabled; null when it is enabled.
    pub(crate) disabled: Option<String>,
    /// End of the lock after failed logins.
    pub(crate) locked_until: Option<Utc>,
    /// When the account was added.
    pub(crate) created: Utc,
    /// Free-form note.
    pub(crate) note: String,
    #[serde(skip)]
    pub(crate) account: Account,
    #[serde(skip)]
    pub(crate) connected: Vec<Connected>,
    #[serde(skip)]
    now: Timestamp,
}

impl UserBody {
    pub(crate) fn new(listed: Listed, now: Timestamp) -> UserBody {
        let Listed { account, state, connected, last_end } = listed;
        let oldest = connected.iter().map(|connected| connected.up).min();
        UserBody {
            user: account.name.clone(),
            group: account.group.clone(),
            state,
            sessions: connected.len() as u64,
            connected_s: oldest.map(|since| when::between(since, now)),
            last_login: account.last_login.as_ref().map(|login| Utc(login.at)),
            last_from: account.last_login.as_ref().map(|login| login.from.to_string()),
            last_end,
            password_age_s: account.password_changed.map(|at| when::between(at, now)),
            reversible: account.reversible,
            address: account.address.map(|address| address.to_string()),
            networks: account.networks.iter().map(ToString::to_string).collect(),
            expires: account.expires.map(Utc),
            disabled: account.disabled.clone(),
            locked_until: account.locked_until.filter(|until| *until > now).map(Utc),
            created: Utc(account.created),
            note: account.note.clone(),
            account,
            connected,
            now,
        }
    }

    /// The state as text, with details.
    pub(crate) fn state_text(&self) -> String {
        let connected = self.connected_s.map(|seconds| format!("connected {}", when::length(seconds)));
        let words = match self.state {
            State::Ok if connected.is_some() => return connected.unwrap_or_default(),
            State::Ok if self.last_login.is_none() => "ok, no login yet".to_owned(),
            State::Locked => {
                let until = self.locked_until.map_or(self.now, |until| until.0);
                format!("locked {}", when::about(when::between(self.now, until)))
            }
            state => state.word().replace('-', " "),
        };
        match connected {
            Some(connected) => format!("{words}, {connected}"),
            None => words,
        }
    }
}

/// The age of a password, in days.
fn days(seconds: u64) -> String {
    if seconds < 86_400 { "today".into() } else { when::about(seconds) }
}

/// The age of a password, for use in a sentence.
pub(super) fn age(seconds: u64) -> String {
    if seconds < 86_400 { "today".into() } else { format!("{} ago", when::about(seconds)) }
}

fn optional(text: &Option<String>) -> Field {
    text.clone().unwrap_or_default().into()
}

const COLUMNS: &[Column<UserBody>] = &[
    Column::left("user", "USER", 0, |u, _| u.user.clone().into()),
    Column::left("group", "GROUP", 2, |u, _| optional(&u.group)),
    Column::left("state", "STATE", 0, |u, _| {
        let text = u.state_text();
        Field::new(Tone::of(&text), text)
    }),
    Column::left("last_login", "LAST LOGIN", 1, |u, output| {
        u.last_login.map(|at| output.clock.minute(at.0)).unwrap_or_default().into()
    }),
    Column::left("last_from", "FROM", 4, |u, _| optional(&u.last_from)),
    Column::left("last_end", "LAST END", 5, |u, _| optional(&u.last_end)),
    Column::right("password_age_s", "PWD AGE", 3, |u, _| {
        u.password_age_s.map(days).unwrap_or_default().into()
    }),
    Column::left("address", "ADDRESS", EXTRA, |u, _| optional(&u.address)),
    Column::left("networks", "NETWORKS", EXTRA, |u, _| match u.networks.is_empty() {
        true => "".into(),
        false => networks_text(&u.account.networks).into(),
    }),
    Column::left("expires", "EXPIRES", EXTRA, |u, output| match u.account.expires {
        None => "".into(),
        Some(_) => expires_text(&u.account, output).into(),
    }),
    Column::left("created", "CREATED", EXTRA, |u, output| output.clock.day(u.created.0).into()),
    Column::right("sessions", "SESSIONS", EXTRA, |u, _| u.sessions.to_string().into()),
    Column::left("disabled", "DISABLED", EXTRA, |u, _| optional(&u.disabled)),
    Column::left("note", "NOTE", EXTRA, |u, _| u.note.clone().into()),
];

pub(crate) fn run(args: &Args, output: &Output, service: &Service<'_>) -> Result<Exit, Failure> {
    let now = output.clock.now();
    let users: Vec<UserBody> =
        service.all_accounts()?.into_iter().map(|listed| UserBody::new(listed, now)).collect();
    let total = users.len();
    let chosen = args.list.choose(COLUMNS, users)?;
    if !output.is_text() {
        chosen.document(output, "users", &Users { users: Vec::new() })?;
        return Ok(Exit::Done);
    }
    if chosen.rows().next().is_some() {
        output.text(&chosen.text(output))?;
    }
    output.line(&summary(chosen.rows(), total))?;
    if total == 0 {
        output.remark("next", "adit user add NAME");
    }
    Ok(Exit::Done)
}

/// `4 users, 1 connected, 1 locked, 2 passwords older than 180 days`
fn summary<'a>(shown: impl Iterator<Item = &'a UserBody>, total: usize) -> String {
    let (mut count, mut connected, mut old) = (0, 0, 0);
    let mut states: BTreeMap<State, u32> = BTreeMap::new();
    for user in shown {
        count += 1;
        connected += u32::from(user.connected_s.is_some());
        old += u32::from(user.password_age_s.is_some_and(|age| age > OLD_PASSWORD_S));
        if user.state != State::Ok {
            *states.entry(user.state).or_default() += 1;
        }
    }
    let of = if count == total { String::new() } else { format!(" of {total}") };
    let mut parts = vec![match (count, total) {
        (0, 0) => "no users".to_owned(),
        (1, 1) => "1 user".to_owned(),
        (count, _) => format!("{count}{of} users"),
    }];
    if connected > 0 {
        parts.push(format!("{connected} connected"));
    }
    parts.extend(states.iter().map(|(state, count)| format!("{count} {}", state.word().replace('-', " "))));
    match old {
        0 => {}
        1 => parts.push("1 password older than 180 days".into()),
        old => parts.push(format!("{old} passwords older than 180 days")),
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_a_field_of_the_document() {
        let schema = schemars::schema_for!(UserBody);
        let fields = schema.get("properties").unwrap();
        for column in COLUMNS {
            assert!(fields.get(column.name).is_some(), "{}", column.name);
        }
    }
}
