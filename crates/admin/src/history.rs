//! Past sessions.

use adit_api::Result;
use adit_api::history::{End, Filter, Page, PastSession, Request, Response};
use adit_store::{Session, SessionFilter};

use crate::{Context, refused};

/// Carries out one request.
pub(crate) fn call(context: &Context<'_>, request: &Request) -> Result<Response> {
    match request {
        Request::List(filter) => list(context, filter).map(Response::Page),
    }
}

/// The newest sessions that fit, at most a page of them.
fn list(context: &Context<'_>, filter: &Filter) -> Result<Page> {
    let most = u32::try_from(context.page).unwrap_or(u32::MAX);
    let want = filter.last.map_or(most, |last| last.min(most));
    let stored = SessionFilter {
        running: Some(false),
        user: filter.user.clone(),
        since: filter.since,
        newest_per_user: false,
        before: filter.before,
        failed: filter.failed,
        last: Some(want),
    };
    let sessions = context.store.sessions(&stored).map_err(refused)?;
    let may_have_more = sessions.len() == want as usize && filter.last.is_none_or(|last| last > want);
    let next = sessions.first().map(|session| session.id).filter(|_| may_have_more);
    Ok(Page { sessions: sessions.into_iter().map(past).collect(), next })
}

/// A session of the store as it is shown.
pub fn past(session: Session) -> PastSession {
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
        rx_bytes: session.traffic.rx_bytes,
        tx_bytes: session.traffic.tx_bytes,
        rx_packets: session.traffic.rx_packets,
        tx_packets: session.traffic.tx_packets,
        end: session.end.map(|end| End { at: end.at, why: end.why, code: end.code, detail: end.detail }),
        omitted: session.omitted,
    }
}
