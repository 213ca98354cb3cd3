//! Sessions whose packets never bring anything back.

use std::sync::Arc;

use adit_api::status::Warning;
use adit_diag::Code;

use crate::session::Session;

/// The most sessions that a warning names.
const NAMED: usize = 4;

/// The warning for the status of the server: a session is left out once a packet from it has arrived.
pub(crate) fn warning(sessions: &[Arc<Session>]) -> Option<Warning> {
    let names: Vec<String> = sessions.iter().filter_map(|session| name(session)).collect();
    let (named, more) = names.split_at(names.len().min(NAMED));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    let text = format!("nothing is received from {}{more}, although LCP is answered", named.join(", "));
    (!named.is_empty()).then_some(Warning { code: Code::R10, text })
}

fn name(session: &Session) -> Option<String> {
    let known = session.known();
    let user = known.user.as_deref().unwrap_or_default();
    (known.silent_after == Some(known.counters.rx_packets)).then(|| format!("{} ({user})", session.id))
}
