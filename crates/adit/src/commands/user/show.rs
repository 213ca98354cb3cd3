//! `adit user show`

mod why;

use adit_admin::accounts::networks_text;
use adit_api::accounts::{Connected, Shown};
use adit_diag::Code;
use schemars::JsonSchema;
use serde::Serialize;

use self::why::Effective;
use super::list::{self, UserBody};
use super::words::expires_text;
use crate::document::{Document, Utc};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::service::Service;
use crate::settings::Settings;
use crate::style::Tone;
use crate::table::printable;
use crate::when;

/// Show a user in detail
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Select the user
    name: String,
    /// Show every effective value with its origin: built-in, `[access]`, group or user
    #[arg(long)]
    why: bool,
}

/// The longest value of a rule in the text, in characters.
const LONGEST_VALUE: usize = 80;

/// What `adit user show --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct UserDocument {
    /// The account.
    user: UserBody,
    /// The rules that apply, with their origin.
    policy: Vec<Rule>,
    /// Every effective value, with its origin and the values that it overrides.
    effective: Vec<Effective>,
    /// IDs of the active sessions.
    sessions: Vec<String>,
    /// The last login attempts, newest first.
    attempts: Vec<Attempt>,
}

impl Document for UserDocument {
    const NAME: &'static str = "adit.user/1";
}

/// One rule that applies.
#[derive(Serialize, JsonSchema)]
struct Rule {
    /// The key of the configuration, without its section.
    key: String,
    /// The value in effect, as TOML.
    value: String,
    /// Its section and the line of the file; `default` when it is not configured.
    from: String,
}

/// One login attempt.
#[derive(Serialize, JsonSchema)]
struct Attempt {
    /// Time of the attempt.
    at: Utc,
    /// Public address of the client.
    from: Option<String>,
    /// Why it failed; null if it was accepted.
    code: Option<String>,
    /// Session ID.
    session: Option<String>,
}

pub(crate) fn run(
    args: &Args,
    output: &Output,
    settings: &Settings,
    service: &Service<'_>,
) -> Result<Exit, Failure> {
    let Shown { listed, attempts } = service.account(&args.name)?;
    let user = UserBody::new(listed, output.clock.now());
    let document = UserDocument {
        policy: policy(user.group.as_deref(), settings),
        effective: why::effective(&user.account, settings, output),
        sessions: user.connected.iter().map(|connected| connected.session.to_string()).collect(),
        user,
        attempts: attempts.into_iter().map(Attempt::from).collect(),
    };
    if output.is_text() && args.why {
        output.line(&output.paint(Tone::Head, &document.user.user))?;
        output.text(&why::text(&document.effective))?;
    } else if output.is_text() {
        output.text(&text(&document, output))?;
    } else {
        output.document(&document)?;
    }
    Ok(Exit::Done)
}

impl From<adit_api::accounts::Attempt> for Attempt {
    fn from(attempt: adit_api::accounts::Attempt) -> Attempt {
        Attempt {
            at: Utc(attempt.at),
            from: attempt.from.map(|from| from.to_string()),
            code: attempt.code,
            session: attempt.session.map(|session| session.to_string()),
        }
    }
}

/// The rules of a group, merged over the defaults.
fn policy(group: Option<&str>, settings: &Settings) -> Vec<Rule> {
    let Some(checked) = settings.file() else {
        return Vec::new();
    };
    let own = group.map(|group| format!("groups.{group}."));
    let mut rules: Vec<Rule> = Vec::new();
    for setting in checked.effective() {
        let (section, key) = match (setting.key.strip_prefix("access."), &own) {
            (Some(key), _) => ("access", key),
            (None, Some(own)) => match setting.key.strip_prefix(own.as_str()) {
                Some(key) => (own.trim_end_matches('.'), key),
                None => continue,
            },
            (None, None) => continue,
        };
        let from = match &setting.origin {
            Some((file, line)) => {
                let file = file.rsplit('/').next().unwrap_or(file);
                format!("{section}, {file} line {line}")
            }
            None => "default".to_owned(),
        };
        let rule = Rule { key: key.to_owned(), value: setting.value, from };
        match rules.iter_mut().find(|known| known.key == rule.key) {
            Some(known) => *known = rule,
            None => rules.push(rule),
        }
    }
    rules
}

fn text(document: &UserDocument, output: &Output) -> String {
    let UserDocument { user, policy, attempts, .. } = document;
    let account = &user.account;
    let clock = &output.clock;
    let mut text = format!("{}\n", output.paint(Tone::Head, &user.user));
    let mut fact = |name: &str, value: &str| text.push_str(&format!("  {name:<10} {value}\n"));
    let state = user.state_text();
    fact("state", &output.paint(Tone::of(&state), &state));
    if let Some(reason) = account.disabled.as_deref().filter(|reason| !reason.is_empty()) {
        fact("because", &printable(reason));
    }
    fact("group", account.group.as_deref().unwrap_or("none"));
    fact("address", &account.address.map_or_else(|| "any of the pool".into(), |address| address.to_string()));
    if !account.networks.is_empty() {
        fact("networks", &networks_text(&account.networks));
    }
    fact("expires", &expires_text(account, output));
    fact(
        "password",
        &match (account.password_changed, user.password_age_s) {
            (Some(at), Some(age)) => {
                let kept = if account.reversible { ", kept reversible" } else { "" };
                format!("set {} ({}){kept}", clock.day(at), list::age(age))
            }
            _ => "none".to_owned(),
        },
    );
    fact("created", &clock.day(account.created));
    if let Some(login) = &account.last_login {
        fact("last login", &format!("{} from {}", clock.minute(login.at), login.from));
    }
    if !account.note.is_empty() {
        fact("note", &printable(&account.note));
    }
    if !policy.is_empty() {
        text.push_str("rules\n");
        let width = policy.iter().map(|rule| rule.value.chars().count()).max().unwrap_or_default().min(40);
        let keys = policy.iter().map(|rule| rule.key.chars().count()).max().unwrap_or_default().max(10);
        for rule in policy {
            // An access list may have thousands of rules.
            let shown = match rule.value.char_indices().nth(LONGEST_VALUE) {
                Some((end, _)) => format!("{} ...", rule.value.get(..end).unwrap_or_default()),
                None => rule.value.clone(),
            };
            let line = format!("  {:<keys$} {shown:<width$}  {}", rule.key, rule.from);
            text.push_str(&format!("{}\n", line.trim_end()));
        }
    }
    if !user.connected.is_empty() {
        text.push_str("connected\n");
        for Connected { session, address, from, up } in &user.connected {
            let since = when::length(when::between(*up, clock.now()));
            let address = address.map(|address| address.to_string()).unwrap_or_default();
            text.push_str(&format!("  {:<6} {address}  from {from}  up {since}\n", session.to_string()));
        }
    }
    if !attempts.is_empty() {
        text.push_str("last logins\n");
        for attempt in attempts {
            let from = attempt.from.as_deref().unwrap_or("-");
            let word = match &attempt.code {
                None => "ok".to_owned(),
                Some(code) => {
                    let title = code.parse::<Code>().map(Code::title).unwrap_or_default();
                    format!("{code}  {title}")
                }
            };
            let session = attempt.session.as_deref().unwrap_or("-");
            text.push_str(&format!("  {}  {from:<15} {session:<6} {word}\n", clock.minute(attempt.at.0)));
        }
    }
    text
}
