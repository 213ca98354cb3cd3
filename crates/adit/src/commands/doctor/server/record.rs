//! Facts from the store: accounts, and events of the last day.

use std::collections::BTreeMap;
use std::net::IpAddr;

use adit_diag::{Code, EventFacts, EventKind, LoginRefusal};
use adit_doctor::facts::host::{Calls, Check, Failed, Host, Users};
use adit_doctor::host::Line;
use adit_doctor::{At, Evidence, State};
use adit_store::{Account, EventFilter, SessionId, Store};
use jiff::{SignedDuration, Timestamp};

use super::purpose::Known;
use crate::commands::verdict;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::service::Service;
use crate::settings::Settings;
use crate::table::printable;

/// Maximum number of events read for the last day.
const EVENTS_MAX: u32 = 200_000;
/// Maximum number of failures of one user shown.
const SHOWN: u32 = 5;
const DAY: SignedDuration = SignedDuration::from_hours(24);
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Adds accounts and calls, as far as they can be read.
pub(super) fn put(settings: &Settings, output: &Output, known: &Known<'_>, host: &mut Host) {
    let store = match settings.store_to_read() {
        Ok(Some(store)) => store,
        Ok(None) => return neither(host, "nothing was ever written down"),
        Err(failure) => return neither(host, &failure.message),
    };
    let now = output.clock.now();
    match store.accounts() {
        Ok(accounts) => host.users = Some(users(&accounts, settings, now)),
        Err(error) => {
            host.not_tested.insert(Check::Users, error.to_string().into());
        }
    }
    match calls(&store, now) {
        Ok(mut calls) => {
            let live = known.sessions().iter().filter(|session| session.counters.acl_unicast > 0);
            calls.denied.extend(live.map(|session| {
                let packets = session.counters.acl_unicast;
                (session.user.clone(), format!("{packets} packets dropped that the rules do not allow"))
            }));
            host.calls = Some(calls);
        }
        Err(error) => {
            host.not_tested.insert(Check::Calls, error.to_string().into());
        }
    }
}

fn neither(host: &mut Host, why: &str) {
    for check in [Check::Users, Check::Calls] {
        host.not_tested.insert(check, why.into());
    }
}

fn refusal(account: &Account, settings: &Settings, now: Timestamp) -> Option<LoginRefusal> {
    let rules = settings.effective().auth.password.account_rules();
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    adit_policy::decide(&account.for_policy(), &rules, seconds).err()
}

fn users(accounts: &[Account], settings: &Settings, now: Timestamp) -> Users {
    let barred = accounts.iter().filter_map(|account| {
        let refusal = refusal(account, settings, now)?;
        Some((account.name.clone(), refusal.code()))
    });
    let barred: Vec<(String, Code)> = barred.collect();
    let soon = accounts.iter().filter(|account| {
        account.disabled.is_none()
            && account.expires.is_some_and(|end| end > now && end.duration_since(now) < SOON)
    });
    Users { all: accounts.len() as u64, soon: soon.map(|account| account.name.clone()).collect(), barred }
}

/// Failures by code: the total, and the count for each address.
type Tally = BTreeMap<Code, (u64, BTreeMap<IpAddr, u64>)>;

fn calls(store: &Store, now: Timestamp) -> adit_store::Result<Calls> {
    let since = now.checked_sub(DAY).ok();
    let filter = EventFilter { since, last: Some(EVENTS_MAX), ..EventFilter::default() };
    let mut tally = Tally::new();
    let mut calls = Calls::default();
    for event in store.events(&filter)? {
        match event.kind.known() {
            Some(EventKind::SessionUp) => calls.up += 1,
            Some(EventKind::AuthFail | EventKind::CallFail) => {
                let Some(code) = event.known_code() else { continue };
                let (count, from) = tally.entry(code).or_default();
                *count += 1;
                if let Some(address) = event.from {
                    *from.entry(address).or_default() += 1;
                }
            }
            Some(EventKind::SessionEnd) => {
                let findings = event.facts.iter().flat_map(EventFacts::findings);
                let denied = findings.filter(|finding| finding.code() == Code::R02);
                let session = event.session.map(|session| session.to_string());
                let who = event.user.or(session).unwrap_or_default();
                calls.denied.extend(denied.map(|finding| (who.clone(), finding.to_string())));
            }
            _ => {}
        }
    }
    let failed = tally.into_iter().map(|(code, (count, from))| {
        let most = from.into_iter().max_by_key(|(_, number)| *number);
        // Report an address only if more than half of the failures are from it.
        let most_from =
            most.filter(|(_, number)| *number * 2 > count).map(|(address, n)| (address.to_string(), n));
        Failed { code, count, most_from }
    });
    calls.failed = failed.collect();
    calls.failed.sort_by_key(|failed| std::cmp::Reverse(failed.count));
    Ok(calls)
}

/// Checks one account: whether it may log in, and how its last attempts ended.
pub(super) fn user(name: &str, settings: &Settings, output: &Output) -> Result<Line, Failure> {
    let unknown_user =
        || Failure::new(Exit::NotFound, format!("there is no account \"{name}\"")).fix("adit user list");
    let store = settings.store_to_read()?.ok_or_else(unknown_user)?;
    let account = store.account(name)?.ok_or_else(unknown_user)?;
    let refusal = refusal(&account, settings, output.clock.now());
    let filter = EventFilter {
        user: Some(account.name.clone()),
        failed: true,
        last: Some(SHOWN),
        ..EventFilter::default()
    };
    let failures = store.events(&filter)?;
    let evidence =
        failures.iter().map(|event| Evidence { text: event.to_string(), at: At::NOWHERE }).collect();
    let name = printable(&account.name);
    let login = match &account.last_login {
        Some(login) => format!("{name} may log in; last login {:.0} from {}", login.at, login.from),
        None => format!("{name} may log in, and never has"),
    };
    Ok(match refusal {
        Some(refusal) => Line {
            check: Check::User,
            state: State::Fail,
            code: Some(refusal.code()),
            summary: printable(&refusal.to_string()),
            evidence,
            fixes: refusal.code().entry().fix.into_iter().take(1).collect(),
        },
        None => Line {
            check: Check::User,
            state: State::Pass,
            code: None,
            summary: login,
            evidence,
            fixes: Vec::new(),
        },
    })
}

/// Checks one session: the verdict on the server's record of it.
pub(super) fn session(id: &str, service: &Service<'_>, host: Option<&str>) -> Result<Line, Failure> {
    let number: SessionId = id.parse().map_err(|why: &str| Failure::usage(why))?;
    let detail = service.past_session(&number.to_string())?;
    let judged = verdict::past(&detail, host);
    let session = detail.session;
    let user = session.user.as_deref().map_or_else(|| "no user yet".to_owned(), printable);
    let mut evidence: Vec<Evidence> = judged
        .innocent
        .iter()
        .map(|text| Evidence { text: format!("not the cause: {text}"), at: At::NOWHERE })
        .collect();
    evidence.push(Evidence { text: format!("full record: adit session {number}"), at: At::NOWHERE });
    Ok(Line {
        check: Check::Session,
        state: if judged.first_failure.is_some() { State::Fail } else { State::Pass },
        code: judged.first_failure,
        summary: format!("{number} {user} from {}: {}", session.from.ip(), printable(&judged.headline)),
        evidence,
        fixes: judged.fixes,
    })
}
