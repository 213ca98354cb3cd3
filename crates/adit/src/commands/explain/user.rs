//! `adit explain user`: why a user cannot connect, by the account and the last attempts.

use adit_api::accounts::Account;
use adit_api::log::{Event, Filter};
use adit_diag::{Code, EventFacts, EventKind, Recorded};
use adit_doctor::text;
use adit_policy::name::key;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::user::list::UserBody;
use super::conclusions::{self, Attempt, Meaning};
use crate::document::{Document, Utc};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::service::Service;
use crate::settings::Settings;
use crate::style::Tone;
use crate::table::{cut, printable};

/// Number of attempts that are examined and shown.
const SHOWN: usize = 10;
const READ: u32 = 200;
/// Maximum number of failed calls without a name that are examined: those from addresses of this user count.
const NAMELESS: u32 = 1000;

/// What `adit explain user --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct UserExplanation {
    /// The name as requested.
    user: String,
    /// The account; null where there is none.
    account: Option<UserBody>,
    /// Its last attempts, newest first.
    attempts: Vec<AttemptBody>,
    /// The conclusions, most relevant first.
    meanings: Vec<MeaningBody>,
}

impl Document for UserExplanation {
    const NAME: &'static str = "adit.explain-user/1";
}

#[derive(Serialize, JsonSchema)]
struct AttemptBody {
    at: Utc,
    /// The public address.
    from: Option<String>,
    /// The session.
    session: Option<String>,
    /// Why it failed; null if the call came up.
    code: Option<Recorded<Code>>,
    /// The evidence, or the address in the tunnel.
    detail: String,
    /// Whether the call ended before a name was sent; it came from an address of this user.
    nameless: bool,
}

#[derive(Serialize, JsonSchema)]
struct MeaningBody {
    /// The diagnosis code; null if nothing is wrong.
    code: Option<&'static str>,
    /// The conclusion.
    text: String,
    /// What to do.
    fix: String,
}

impl From<&Meaning> for MeaningBody {
    fn from(Meaning { code, text, fix }: &Meaning) -> MeaningBody {
        MeaningBody { code: code.map(Code::as_str), text: text.clone(), fix: fix.clone() }
    }
}

impl From<&Attempt> for AttemptBody {
    fn from(attempt: &Attempt) -> AttemptBody {
        AttemptBody {
            at: Utc(attempt.at),
            from: attempt.from.map(|from| from.to_string()),
            session: attempt.session.clone(),
            code: attempt.code.clone(),
            detail: attempt.detail.clone(),
            nameless: attempt.nameless,
        }
    }
}

pub(super) fn run(name: &str, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let settings = Settings::load(places)?;
    // Whether an account may log in depends on the rules of the file.
    settings.usable()?;
    let unknown = || {
        Failure::new(Exit::NotFound, format!("nothing is known of a user \"{}\"", printable(name)))
            .fix("adit user list; adit log --failed")
    };
    let service = Service::open(output, places, &settings)?;
    let listed = match service.account(name) {
        Ok(shown) => Some(shown.listed),
        Err(failure) if failure.exit == Exit::NotFound => None,
        Err(failure) => return Err(failure),
    };
    let account = listed.as_ref().map(|listed| &listed.account);
    let attempts = attempts(&service, account.map_or(name, |account| &account.name))?;
    if account.is_none() && attempts.is_empty() {
        return Err(unknown());
    }
    let now = output.clock.now();
    let refused = account.and_then(|account| state(account, &settings, now));
    let near = match account {
        Some(_) => None,
        None => nearest(&service, name)?,
    };
    let mut meanings = conclusions::of(&conclusions::Known {
        exists: account.is_some(),
        refused,
        near,
        password_changed: account.and_then(|account| account.password_changed),
        up: listed.as_ref().is_some_and(|listed| !listed.connected.is_empty()),
        attempts: &attempts,
    });
    if let Some(account) = account {
        for meaning in &mut meanings {
            meaning.fix = meaning.fix.replace("NAME", &account.name);
        }
    }
    let account = listed.map(|listed| UserBody::new(listed, now));
    if !output.is_text() {
        output.document(&UserExplanation {
            user: name.to_owned(),
            account,
            attempts: attempts.iter().take(SHOWN).map(AttemptBody::from).collect(),
            meanings: meanings.iter().map(MeaningBody::from).collect(),
        })?;
        return Ok(Exit::Done);
    }
    output.text(&words(name, account.as_ref(), &attempts, &meanings, output))?;
    Ok(Exit::Done)
}

/// Why the state of the account prevents a login, whatever the password.
fn state(account: &Account, settings: &Settings, now: Timestamp) -> Option<(Code, String)> {
    if account.password_changed.is_none() {
        return Some((Code::A01, format!("the account {} has no password yet", account.name)));
    }
    let rules = settings.effective().auth.password.account_rules();
    let now = u64::try_from(now.as_second()).unwrap_or(0);
    adit_policy::account::decide(&account.for_policy(), &rules, now)
        .err()
        .map(|no| (no.code(), no.to_string()))
}

/// The account that was probably meant: the name without its domain, or a similar spelling.
fn nearest(service: &Service<'_>, name: &str) -> Result<Option<String>, Failure> {
    let accounts = service.all_accounts()?;
    let names = || accounts.iter().map(|listed| listed.account.name.as_str());
    let bare = name.rsplit_once('\\').map(|(_, user)| user).or(name.split_once('@').map(|(user, _)| user));
    let named = |bare: &str| names().find(|name| key(name) == key(bare));
    Ok(bare.and_then(named).or_else(|| adit_diag::nearest(name, names())).map(str::to_owned))
}

/// The last attempts, newest first: those under this name, and those that ended before a name was sent, from an address
/// that this user has used.
fn attempts(service: &Service<'_>, name: &str) -> Result<Vec<Attempt>, Failure> {
    let named = Filter { user: Some(name.to_owned()), last: Some(READ), ..Filter::default() };
    let named = service.log(&named)?;
    let addresses: Vec<_> =
        named.iter().filter(|event| is_attempt(event)).filter_map(|event| event.from).collect();
    let since = named.first().map(|event| event.at);
    let failed = Filter { failed: true, since, last: Some(NAMELESS), ..Filter::default() };
    let nameless = service.log(&failed)?.into_iter().filter(|event| {
        event.user.is_none()
            && event.session.is_some()
            && event.from.is_some_and(|from| addresses.contains(&from))
    });
    let mut attempts: Vec<Attempt> =
        named.into_iter().chain(nameless).filter(is_attempt).map(attempt).collect();
    attempts.sort_by_key(|attempt| std::cmp::Reverse(attempt.at));
    Ok(attempts)
}

fn is_attempt(event: &Event) -> bool {
    match event.kind.known() {
        Some(EventKind::SessionUp | EventKind::CallFail | EventKind::AuthFail) => true,
        Some(EventKind::SessionEnd) => event.code.is_some(),
        _ => false,
    }
}

fn attempt(event: Event) -> Attempt {
    Attempt {
        at: event.at,
        from: event.from,
        session: event.session.map(|session| session.to_string()),
        nameless: event.user.is_none(),
        was_up: event.kind.known().is_some_and(EventKind::is_of_session),
        detail: detail(&event),
        code: event.code,
    }
}

/// The evidence, or the address in the tunnel.
fn detail(event: &Event) -> String {
    match &event.facts {
        Some(EventFacts::SessionUp(up)) => up.address.to_string(),
        Some(facts) => facts.cause().map(ToString::to_string).unwrap_or_default(),
        // Another version wrote it: show its text as it is.
        None => {
            let shown = if event.code.is_none() { "address" } else { "detail" };
            let field = event.fields.iter().find(|(key, _)| key == shown);
            field.map(|(_, text)| text.clone()).unwrap_or_default()
        }
    }
}

fn words(
    name: &str,
    account: Option<&UserBody>,
    attempts: &[Attempt],
    meanings: &[Meaning],
    output: &Output,
) -> String {
    const WIDTH: usize = 80;
    let clock = &output.clock;
    let mut out = match account {
        Some(account) => {
            let state = account.state_text();
            let group = account.group.as_ref().map(|group| format!("  group {group}")).unwrap_or_default();
            let painted = output.paint(Tone::of(&state), &state);
            format!("{}{group}  {painted}\n", output.paint(Tone::Head, &account.user))
        }
        None => format!("{}  no such account\n", output.paint(Tone::Head, &printable(name))),
    };
    if let Some(login) = account.and_then(|account| account.account.last_login.as_ref()) {
        out.push_str(&format!("  last login {} from {}\n", clock.minute(login.at), login.from));
    }
    if !attempts.is_empty() {
        out.push_str("Last calls\n");
    }
    for attempt in attempts.iter().take(SHOWN) {
        let from = attempt.from.map(|from| from.to_string()).unwrap_or_default();
        let session = attempt.session.as_deref().unwrap_or("-");
        let what = match (&attempt.code, attempt.was_up) {
            (None, _) => format!("up   {}", attempt.detail),
            (Some(code), true) => format!("{code}  after it was up: {}", attempt.detail),
            (Some(code), false) => format!("{code}  {}", attempt.detail),
        };
        let mark = if attempt.nameless { "*" } else { " " };
        let line =
            format!("  {}  {from:<15}{mark} {session:<6} {}", clock.minute(attempt.at), printable(&what));
        out.push_str(&cut(line.trim_end(), WIDTH));
        out.push('\n');
    }
    if attempts.iter().take(SHOWN).any(|attempt| attempt.nameless) {
        out.push_str("  * ended before a name was sent; from an address that this user calls from\n");
    }
    for meaning in meanings {
        out.push('\n');
        let code = meaning.code.map(|code| format!("{code}  ")).unwrap_or_default();
        text::paragraph(&mut out, "It means", &format!("{code}{}", meaning.text));
        if !meaning.fix.is_empty() {
            text::paragraph(&mut out, "Do this", &meaning.fix);
        }
    }
    out
}
