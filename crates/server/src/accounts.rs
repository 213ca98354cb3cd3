//! Who is this, and what may they do: the answer to an authentication request from the local accounts.

use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;

use adit_config::Config;
use adit_crypto::proof::{self, ProofError, Secret};
use adit_crypto::secret::Password;
use adit_diag::note::{Cause, Refused};
use adit_diag::{Code, LoginRefusal, NameForm};
use adit_policy::account;
use adit_policy::name;
use adit_policy::{Access, Admission};
use adit_ppp::auth::{AuthRequest, MsChapError, Rejection};
use adit_store::{Account, Change, Store};
use adit_tunnel::events::{Answer, Terms, Why};
use adit_wire::text::escape;
use jiff::Timestamp;

use crate::convert;
use crate::event_writer::{Entry, EventWriter};
use crate::message::Learned;
use crate::registry::Registry;

/// How long a refusal takes: slow enough against guessing, the same for every reason.
pub(crate) const REFUSAL_DELAY: Duration = Duration::from_secs(1);

/// Everything a decision needs.
pub(crate) struct Clerk {
    pub(crate) store: Store,
    pub(crate) registry: Arc<Registry>,
    pub(crate) event_writer: EventWriter,
    pub(crate) config: Arc<Config>,
    pub(crate) from: SocketAddrV4,
}

impl Clerk {
    /// Decides; blocks on the store.
    pub(crate) fn decide(&self, request: &AuthRequest) -> (Answer, Learned) {
        match self.check(request) {
            Ok((answer, learned)) => (answer, learned),
            Err(refusal) => {
                let learned = Learned {
                    user: Some(refusal.user),
                    refused: Some(Refused { code: refusal.code, cause: refusal.cause }),
                    ..Learned::default()
                };
                if refusal.code == Code::A07 {
                    // A wrong password is the only other thing that MS-CHAP could say; people would change it.
                    let detail = "the account store does not answer".to_owned();
                    return (Answer::Unavailable { detail }, learned);
                }
                let rejection = Rejection {
                    error: refusal.error,
                    code: refusal.code,
                    retry: false,
                    message: refusal.told.to_owned(),
                };
                (Answer::Reject(rejection), learned)
            }
        }
    }

    fn check(&self, request: &AuthRequest) -> Result<(Answer, Learned), Refusal> {
        let shown = escape(&request.name).to_string();
        let name = match name::login_name(&request.name, &self.config.auth.domain) {
            Ok(name) => name.key,
            Err(why) => {
                proof::check_unknown(&request.proof);
                return Err(Refusal::of(&shown, why.code, why.message.into()));
            }
        };
        let silent = |error: adit_store::Error| {
            Refusal::of(&shown, Code::A07, format!("the account store does not answer: {error}").into())
        };
        let found = self.store.credentials(&name).map_err(silent)?;
        let bare = self.bare_account(&name).map_err(silent)?;
        // An unknown name costs the same work and gets the same answer as a wrong password.
        let (account, secret) = match found {
            Some((account, Some(secret))) => (account, secret),
            found => {
                proof::check_unknown(&request.proof);
                let known = found.map(|(account, _)| account.name);
                let why = unknown(&name, known.as_deref(), bare.as_deref());
                return Err(Refusal::typed(known.as_deref().unwrap_or(&shown), why));
            }
        };
        let proven =
            proof::check(&request.proof, &secret).map_err(|error| proof_refusal(&account.name, error))?;
        let access = self.config.access_for(account.group.as_deref());
        access
            .allows_from(&account.name, *self.from.ip())
            .map_err(|no| Refusal::of(&account.name, no.code, no.message.into()))?;
        self.account_state(&account, proven.new_password.as_ref())?;
        if let Some(password) = &proven.new_password {
            self.change_password(&account, password)?;
        }
        self.make_room(&account.name, access)?;
        self.event_writer
            .enqueue(Entry::Change(Change::Login(account.name.clone(), (*self.from.ip()).into())));
        let terms = Terms {
            idle: access.idle,
            max: access.max,
            mppe: Some(convert::mppe(&self.config, access)),
            networks: account.networks.clone(),
            reach: convert::reach(&self.config, access),
            answer_dhcp: true,
        };
        let learned = Learned {
            user: Some(account.name),
            group: account.group,
            networks: account.networks,
            ..Learned::default()
        };
        Ok((Answer::Accept { proven, terms }, learned))
    }

    /// The account that this name would be without the domain that is part of it.
    fn bare_account(&self, name: &str) -> adit_store::Result<Option<String>> {
        let behind = name.split_once('\\').map(|(_, user)| user);
        let Some(bare) = behind.or(name.rsplit_once('@').map(|(user, _)| user)) else { return Ok(None) };
        Ok(self.store.account(bare)?.map(|account| account.name))
    }

    /// Whether the account may log in now. Whoever brings a new password may do so with an old one that has expired.
    fn account_state(&self, account: &Account, new_password: Option<&Password>) -> Result<(), Refusal> {
        let seconds = |at: Timestamp| u64::try_from(at.as_second()).unwrap_or(0);
        let policy = account.for_policy();
        let must_change = policy.must_change && new_password.is_none();
        let state = account::Account { name: account.name.clone(), must_change, ..policy };
        let mut rules = self.config.auth.password.account_rules();
        rules.password_max_age = rules.password_max_age.filter(|_| new_password.is_none());
        account::decide(&state, &rules, seconds(Timestamp::now()))
            .map_err(|no| Refusal::of(&account.name, no.code, no.message.into()))
    }

    fn change_password(&self, account: &Account, password: &Password) -> Result<(), Refusal> {
        let refused = |refusal: LoginRefusal| Refusal::typed(&account.name, refusal);
        let rules = &self.config.auth.password.rules;
        rules
            .check(&account.name, password.expose())
            .map_err(|why| refused(LoginRefusal::NewPasswordRefused { fault: why.to_string() }))?;
        let secret = Secret::Clear(password.clone());
        self.store
            .set_secret(&account.name, &secret, account.reversible, Timestamp::now())
            .map_err(|error| refused(LoginRefusal::NewPasswordNotStored { fault: error.to_string() }))
    }

    /// Ends older sessions of the same account, or refuses this one, when it would be one too many.
    fn make_room(&self, user: &str, access: &Access) -> Result<(), Refusal> {
        let others = self.registry.of_user(user);
        let ids: Vec<u64> = others.iter().map(|session| session.id.0).collect();
        let replaced = match access.admit(user, &ids) {
            Admission::Admit => return Ok(()),
            Admission::Replace(replaced) => replaced,
            Admission::Refuse(no) => {
                let who: Vec<String> = others
                    .iter()
                    .map(|session| format!("{} from {}", session.id, session.from.ip()))
                    .collect();
                let detail = format!("{}: {}", no.message, who.join(", "));
                return Err(Refusal::of(user, no.code, detail.into()));
            }
        };
        for session in others.iter().filter(|session| replaced.contains(&session.id.0)) {
            session.end(Why::Replaced, None, format!("{user} called again from {}", self.from.ip()));
        }
        Ok(())
    }
}

/// Why somebody may not come in.
struct Refusal {
    user: String,
    error: MsChapError,
    code: Code,
    /// For the record and the log.
    cause: Cause,
    /// For the caller: the same for every reason that a guesser could learn from.
    told: &'static str,
}

impl Refusal {
    fn of(user: &str, code: Code, cause: Cause) -> Refusal {
        let told = match code {
            Code::A02 | Code::A10 => "the account is disabled",
            Code::A03 => "the password has expired",
            Code::A06 => "not at this hour",
            Code::A08 => "already connected",
            Code::A11 | Code::A13 => "no permission",
            _ => "authentication failed",
        };
        let error = MsChapError::from(account::mschap_error(code));
        Refusal { user: user.to_owned(), error, code, cause, told }
    }

    fn typed(user: &str, refusal: LoginRefusal) -> Refusal {
        let (code, told) = (refusal.code(), refusal.told());
        let error = MsChapError::from(refusal.mschap_error());
        Refusal { user: user.to_owned(), error, code, cause: Cause::Login(refusal), told }
    }
}

/// Why there is no password to compare with: for the record, never for the caller.
fn unknown(name: &str, known: Option<&str>, bare: Option<&str>) -> LoginRefusal {
    let escaped = escape(name.as_bytes()).to_string();
    match (known, bare) {
        (Some(known), _) => LoginRefusal::NoPassword { user: known.to_owned() },
        (None, Some(bare)) => LoginRefusal::UnknownUserInThisForm {
            name: escaped,
            other: bare.to_owned(),
            form: if name.contains('\\') { NameForm::Backslash } else { NameForm::At },
        },
        (None, None) => LoginRefusal::UnknownUser { name: escaped },
    }
}

fn proof_refusal(user: &str, error: ProofError) -> Refusal {
    Refusal::typed(
        user,
        match error {
            ProofError::NeedsClearText => LoginRefusal::NeedsReversiblePassword { user: user.to_owned() },
            ProofError::BadChange(fault) => LoginRefusal::BadPasswordChange { fault: fault.to_string() },
            ProofError::Wrong => LoginRefusal::WrongPassword,
        },
    )
}
