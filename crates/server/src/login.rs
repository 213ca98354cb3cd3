//! Logins: asks the lockout and the account sources and admits the account, in the same way for every source.

mod guess;

use std::sync::Arc;
use std::time::Duration;

use adit_auth::{Caller, Grant, LoginOutcome, Pending, Rejection, Sources};
use adit_diag::note::Refused;
use adit_diag::{LiveSession, LoginRefusal};
use adit_policy::{Access, Admission};
use adit_ppp::auth::AuthRequest;
use adit_store::Change;
use adit_tunnel::events::{Answer, Terms, Why};
use adit_wire::text::escape;

use crate::convert;
use crate::event_writer::{Entry, EventWriter};
use crate::lockout::Lockout;
use crate::message::Learned;
use crate::registry::Registry;
use guess::{account_key, verdict};

/// When a refusal is sent, counted from the request: it slows down guessing, and is the same for every reason, whatever
/// work the reason took.
pub(crate) const REFUSAL_DELAY: Duration = Duration::from_secs(1);

/// Authenticates clients with the account sources and admits the granted accounts.
#[derive(Clone)]
pub(crate) struct SourceAuthenticator {
    pub(crate) sources: Sources,
    pub(crate) registry: Arc<Registry>,
    pub(crate) event_writer: EventWriter,
    pub(crate) lockout: Arc<Lockout>,
}

impl SourceAuthenticator {
    /// Authenticates a client and admits its account.
    pub(crate) async fn log_in(
        &self,
        request: &AuthRequest,
        caller: &Caller,
        pending: Option<Box<Pending>>,
    ) -> (Answer, Learned) {
        // Before any source is asked, in every round: what is passed on would count in a directory too.
        let user = account_key(&request.name, &caller.config.auth.domain);
        let checking = match self.lockout.begin(&user, caller.from).await {
            Ok(checking) => checking,
            Err(reason) => {
                let account = (!user.starts_with(' ')).then_some(user);
                return (Answer::Reject((&reason).into()), refused(request, account, reason.into()));
            }
        };
        let outcome = self.sources.authenticate(request, caller, pending).await;
        let account = match &outcome {
            LoginOutcome::Reject(rejection) | LoginOutcome::Unavailable { withheld: Some(rejection), .. } => {
                rejection.account.as_deref()
            }
            _ => None,
        };
        checking.end(verdict(&outcome), account);
        self.answer(request, caller, outcome)
    }

    fn answer(&self, request: &AuthRequest, caller: &Caller, outcome: LoginOutcome) -> (Answer, Learned) {
        let rejection = match outcome {
            LoginOutcome::Grant(grant) => match self.admit(caller, &grant) {
                Ok(terms) => return accept(*grant, terms),
                Err(reason) => Rejection { account: Some(grant.account), reason },
            },
            LoginOutcome::Challenge { pending, message } => {
                let learned = Learned { pending: Some(pending), ..Learned::default() };
                return (Answer::Challenge { message }, learned);
            }
            LoginOutcome::Reject(rejection) => rejection,
            LoginOutcome::Unavailable { why, .. } => {
                // MS-CHAP could otherwise only report a wrong password, and the user would change it.
                let answer = Answer::Unavailable { detail: why.for_client().to_owned() };
                return (answer, refused(request, None, why.into()));
            }
        };
        let Rejection { account, reason } = rejection;
        (Answer::Reject((&reason).into()), refused(request, account, reason.into()))
    }

    /// Checks whether the account may have this session, and returns its terms.
    fn admit(&self, caller: &Caller, grant: &Grant) -> Result<Terms, LoginRefusal> {
        caller.may_log_in(&grant.account, grant.group.as_deref())?;
        let access = caller.config.access_for(grant.group.as_deref());
        self.enforce_session_limit(caller, &grant.account, access)?;
        let login = Change::Login(grant.account.clone(), caller.from.into());
        self.event_writer.enqueue(Entry::Change(login));
        let terms = convert::terms(&caller.config, access, grant.networks.clone());
        Ok(Terms { idle: grant.limits.idle.or(terms.idle), max: grant.limits.session.or(terms.max), ..terms })
    }

    /// Ends older sessions of the account, or refuses this one, if it exceeds the session limit.
    fn enforce_session_limit(
        &self,
        caller: &Caller,
        user: &str,
        access: &Access,
    ) -> Result<(), LoginRefusal> {
        let others = self.registry.of_user(user);
        let ids: Vec<u64> = others.iter().map(|session| session.id.0).collect();
        let replaced = match access.admit(&ids) {
            Admission::Admit => return Ok(()),
            Admission::Replace(replaced) => replaced,
            Admission::Refuse => {
                let live = others.iter().map(|session| LiveSession {
                    session: session.id.to_string(),
                    from: (*session.from.ip()).into(),
                });
                let (user, limit) = (user.to_owned(), access.sessions);
                return Err(LoginRefusal::SessionLimit { user, limit, live: live.collect() });
            }
        };
        for session in others.iter().filter(|session| replaced.contains(&session.id.0)) {
            session.end(Why::Replaced, None, format!("{user} called again from {}", caller.from));
        }
        Ok(())
    }
}

fn accept(grant: Grant, terms: Terms) -> (Answer, Learned) {
    let Grant { account, proven, group, address, networks, .. } = grant;
    let learned = Learned { user: Some(account), group, networks, address, ..Learned::default() };
    (Answer::Accept { proven, terms }, learned)
}

fn refused(request: &AuthRequest, account: Option<String>, why: Refused) -> Learned {
    let user = account.unwrap_or_else(|| escape(&request.name).to_string());
    Learned { user: Some(user), refused: Some(why), ..Learned::default() }
}

#[cfg(test)]
mod tests;
