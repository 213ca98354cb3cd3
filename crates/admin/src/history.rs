//! Past sessions.

use std::time::Duration;

use adit_api::history::{Filter, Page, PastDetail, PastSession, Request, Response};
use adit_api::{Error, Kind, Result};
use adit_diag::{Code, EventKind};
use adit_store::{EventFilter, Session, SessionFilter, SessionId, Store};

use crate::{Context, refused};

/// Maximum number of events searched for consecutive refused logins.
const ATTEMPTS: u32 = 50;

/// Carries out one request.
pub(crate) fn call(context: &Context<'_>, request: &Request) -> Result<Response> {
    match request {
        Request::List(filter) => list(context, filter).map(Response::Page),
        Request::Show { selector } => show(context.store, selector).map(Box::new).map(Response::Shown),
    }
}

/// The newest sessions that match, at most one page.
fn list(context: &Context<'_>, filter: &Filter) -> Result<Page> {
    let want = context.page.wanted(filter.last);
    let stored = SessionFilter {
        running: Some(false),
        user: filter.user.clone(),
        since: filter.since,
        until: filter.until,
        newest_per_user: false,
        before: filter.before,
        failed: filter.failed,
        last: Some(want),
    };
    let sessions = context.store.sessions(&stored).map_err(refused)?;
    let sessions: Vec<PastSession> = sessions.into_iter().map(past).collect();
    let (sessions, has_older) = context.page.newest(sessions, filter.last);
    let next = sessions.first().map(|session| session.id).filter(|_| has_older);
    Ok(Page { sessions, next })
}

/// One session, active or past.
fn show(store: &Store, selector: &str) -> Result<PastDetail> {
    let by_id = match selector.parse::<SessionId>() {
        Ok(id) => store.session(id).map_err(refused)?,
        Err(_) => None,
    };
    let session = match by_id {
        Some(session) => session,
        None => newest_of(store, selector)?.ok_or_else(|| {
            let message = format!("there is no session {selector:?}, nor a user with one");
            Error::new(Kind::NotFound, message).fix("adit sessions, or adit sessions --past")
        })?,
    };
    let steps = store.record(session.id).map_err(refused)?;
    let failures_in_a_row = match session.end.as_ref().and_then(|end| end.code.as_deref()) {
        Some(code) if code == Code::A01.as_str() => failures_in_a_row(store, &session)?,
        _ => 0,
    };
    Ok(PastDetail { session: past(session), steps, failures_in_a_row })
}

fn newest_of(store: &Store, user: &str) -> Result<Option<Session>> {
    let newest = SessionFilter { user: Some(user.to_owned()), last: Some(1), ..SessionFilter::default() };
    Ok(store.sessions(&newest).map_err(refused)?.pop())
}

/// Number of consecutive refusals of this account from this address, up to this session.
fn failures_in_a_row(store: &Store, session: &Session) -> Result<u32> {
    let Some(user) = session.user.clone() else { return Ok(1) };
    let until = session.end.as_ref().map(|end| end.at + Duration::from_secs(1));
    let filter = EventFilter { user: Some(user), until, last: Some(ATTEMPTS), ..EventFilter::default() };
    let events = store.events(&filter).map_err(refused)?;
    let here = events.iter().rev().filter(|event| event.from == Some(session.from.ip()));
    let refusals = here
        .take_while(|event| event.kind != EventKind::SessionUp)
        .filter(|event| event.kind == EventKind::AuthFail && event.known_code() == Some(Code::A01));
    Ok(u32::try_from(refusals.count()).unwrap_or(u32::MAX).max(1))
}

/// Converts a session of the store.
fn past(session: Session) -> PastSession {
    PastSession {
        id: session.id,
        started: session.started,
        from: session.from,
        up: session.up,
        host: session.host,
        vendor: session.vendor,
        user: session.user,
        group: session.group,
        pool: session.pool,
        address: session.address,
        server_address: session.server_address,
        method: session.method,
        mppe: session.mppe,
        traffic: session.traffic,
        end: session.end,
        omitted: session.omitted,
    }
}
