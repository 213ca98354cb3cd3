use adit_diag::Traffic;
use adit_policy::name;
use adit_store::{
    Change, Changes, ErrorKind, Login, NewSession, Result, ServerId, Session, SessionFilter, SessionId,
    SessionUpdate, Sessions, Step,
};
use jiff::Timestamp;

use crate::Fake;
use crate::leases::release;
use crate::state::State;

fn begin(id: SessionId, server: ServerId, new: &NewSession) -> Session {
    Session {
        id,
        server,
        started: new.started,
        from: new.from,
        up: None,
        host: None,
        vendor: None,
        user: None,
        group: None,
        pool: None,
        address: None,
        server_address: None,
        method: None,
        mppe: None,
        traffic: Traffic::default(),
        seen: new.started,
        end: None,
        omitted: 0,
    }
}

fn update(session: &mut Session, update: &SessionUpdate, now: Timestamp) {
    let SessionUpdate { up, host, vendor, user, group, pool, address, server_address, method, mppe, traffic } =
        update.clone();
    session.seen = now;
    session.up = up.or(session.up);
    session.host = host.or(session.host.take());
    session.vendor = vendor.or(session.vendor.take());
    session.user = user.or(session.user.take());
    session.group = group.or(session.group.take());
    session.pool = pool.or(session.pool.take());
    session.address = address.or(session.address);
    session.server_address = server_address.or(session.server_address);
    session.method = method.or(session.method.take());
    session.mppe = mppe.or(session.mppe.take());
    if let Some(traffic) = traffic {
        count(session, traffic, now);
    }
}

fn count(session: &mut Session, traffic: Traffic, now: Timestamp) {
    // As a database does that counts with a sign.
    let fits = |n: u64| n.min(i64::MAX as u64);
    session.seen = now;
    session.traffic = Traffic {
        rx_bytes: fits(traffic.rx_bytes),
        tx_bytes: fits(traffic.tx_bytes),
        rx_packets: fits(traffic.rx_packets),
        tx_packets: fits(traffic.tx_packets),
    };
}

fn running(state: &mut State, id: SessionId) -> Option<&mut Session> {
    state.sessions.get_mut(&id).filter(|session| session.end.is_none())
}

fn apply(state: &mut State, change: &Change, now: Timestamp) -> Result<()> {
    match change {
        Change::Events(events) => {
            for event in events {
                state.last_event += 1;
                state.events.push(crate::suite::on_record(state.last_event, event.clone()));
            }
        }
        Change::Login(user, from) => {
            if let Some((account, _)) = state.accounts.get_mut(&name::key(user)) {
                account.last_login = Some(Login { at: now, from: *from });
            }
        }
        Change::Update(id, new) => {
            if let Some(session) = running(state, *id) {
                update(session, new, now);
            }
        }
        Change::Count(traffic) => {
            for (id, traffic) in traffic {
                if let Some(session) = running(state, *id) {
                    count(session, *traffic, now);
                }
            }
        }
        Change::End(id, end, traffic, steps, omitted) => {
            let session = state.sessions.get_mut(id).ok_or(ErrorKind::NoSuchSession(*id))?;
            session.omitted = omitted + steps.len().saturating_sub(Step::MAX) as u64;
            if session.end.is_none() {
                if let Some(traffic) = traffic {
                    count(session, *traffic, end.at);
                }
                session.end = Some((**end).clone());
            }
            state.records.insert(*id, steps.iter().take(Step::MAX).cloned().collect());
        }
        Change::Release(released) => release(state, released, now),
        Change::Lockout(changes) => crate::lockout::apply(state, changes),
    }
    Ok(())
}

impl Changes for Fake {
    fn apply(&self, changes: &[Change], now: Timestamp) -> Result<Vec<i64>> {
        self.write(|state| {
            let last = state.last_event;
            changes.iter().try_for_each(|change| apply(state, change, now))?;
            Ok((last + 1..=state.last_event).collect())
        })
    }
}

fn fits(session: &Session, filter: &SessionFilter) -> bool {
    let user = filter.user.as_deref().map(name::key);
    filter.running.is_none_or(|running| session.end.is_none() == running)
        && user.is_none_or(|user| session.user.as_deref().map(name::key) == Some(user))
        && filter.since.is_none_or(|since| session.end.as_ref().is_none_or(|end| end.at >= since))
        && filter.until.is_none_or(|until| session.started < until)
        && (!filter.failed || session.end.as_ref().is_some_and(|end| end.code.is_some()))
}

impl Sessions for Fake {
    fn start_sessions(&self, server: ServerId, new: &[NewSession]) -> Result<Vec<SessionId>> {
        self.write(|state| {
            let mut ids = Vec::new();
            for new in new {
                state.last_session += 1;
                let id = SessionId(state.last_session);
                state.sessions.insert(id, begin(id, server, new));
                ids.push(id);
            }
            Ok(ids)
        })
    }

    fn session(&self, id: SessionId) -> Result<Option<Session>> {
        Ok(self.lock().sessions.get(&id).cloned())
    }

    fn record(&self, id: SessionId) -> Result<Vec<Step>> {
        Ok(self.lock().records.get(&id).cloned().unwrap_or_default())
    }

    fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>> {
        let state = self.lock();
        let mut sessions: Vec<Session> =
            state.sessions.values().filter(|session| fits(session, filter)).cloned().collect();
        if filter.newest_per_user {
            let all = sessions.clone();
            let user = |session: &Session| session.user.as_deref().map(name::key);
            sessions.retain(|session| {
                let newer = |other: &Session| other.id > session.id && user(other) == user(session);
                session.user.is_some() && !all.iter().any(newer)
            });
        }
        let last = filter.last.map_or(sessions.len(), |last| sessions.len().min(last as usize));
        Ok(sessions.split_off(sessions.len() - last))
    }
}
