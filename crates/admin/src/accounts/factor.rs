//! The second factor of an account: enrolment, recovery codes, removal.

use adit_api::accounts::{EnrolledFactor, FactorAction, FactorRequest, FactorState};
use adit_api::{Error, Kind, Result, Utc};
use adit_crypto::Rng;
use adit_crypto::secret::Password;
use adit_diag::event::{AccountChanged, EventFacts};
use adit_mfa::Factor;
use adit_store::{ErrorKind, NewEvent, SecondFactor};

use super::find;
use crate::{Context, refused};

/// Carries out one request.
///
/// # Errors
/// The request cannot be carried out; nothing was changed.
pub(super) fn call(context: &Context<'_>, request: &FactorRequest) -> Result<FactorState> {
    let account = find(context.store, &request.name)?;
    let user = account.name.as_str();
    let stored = context.store.second_factor(user).map_err(refused)?;
    let is_to_be_written = !request.dry_run;
    let mut recovery = None;
    let done = match &request.action {
        FactorAction::Status => None,
        FactorAction::Enroll { secret, code } => {
            if !account.reversible {
                let message = format!(
                    "a second factor needs the clear-text password of {user}, and only its NT hash is stored"
                );
                return Err(Error::new(Kind::Invalid, message)
                    .fix(format!("adit user passwd {user} --reversible, then enroll again")));
            }
            let factor =
                Factor::from_text(secret).map_err(|why| Error::new(Kind::Invalid, why.to_string()))?;
            let step = confirm(context, &factor, code.as_ref())?;
            if is_to_be_written {
                let octets = factor.to_octets();
                context
                    .store
                    .enroll_second_factor(user, &octets, step, &request.by, context.now)
                    .map_err(refused)?;
                recovery = Some(list(&factor));
            }
            Some("enrolled")
        }
        FactorAction::RenewRecovery => {
            let stored = stored.as_ref().ok_or_else(|| none(user))?;
            if is_to_be_written {
                let mut factor = open(user, stored)?;
                factor.renew_recovery(&mut random()?);
                let is_written = context
                    .store
                    .use_second_factor(stored, None, Some(&factor.to_octets()))
                    .map_err(refused)?;
                if !is_written {
                    return Err(refused(ErrorKind::Changed(user.to_owned()).into()));
                }
                recovery = Some(list(&factor));
            }
            Some("new recovery codes")
        }
        FactorAction::Remove => {
            if is_to_be_written && stored.is_some() {
                context.store.set_sealed_factor(user, None).map_err(refused)?;
            }
            stored.as_ref().map(|_| "no")
        }
    };
    let warning = done.filter(|_| is_to_be_written).and_then(|to| record(context, user, to, &request.by));
    let now = context.store.second_factor(user).map_err(refused)?;
    let enrolled = now.map(|stored| enrolled(user, &stored)).transpose()?;
    Ok(FactorState {
        user: user.to_owned(),
        reversible: account.reversible,
        enrolled,
        changed: done.is_some(),
        recovery,
        warning,
    })
}

/// The step of the code that confirms an enrolment: that code is used, and not valid for a login.
fn confirm(context: &Context<'_>, factor: &Factor, code: Option<&Password>) -> Result<u64> {
    let Some(code) = code else { return Ok(0) };
    let step = adit_mfa::step(u64::try_from(context.now.as_second()).unwrap_or(0));
    factor.confirm(code, step).ok_or_else(|| {
        Error::new(Kind::Invalid, "this is not the code of now: nothing was enrolled")
            .fix("enroll again with the code that the app shows; compare the clocks of the server and of the device")
    })
}

fn none(user: &str) -> Error {
    Error::new(Kind::NotFound, format!("{user} has no second factor"))
        .fix(format!("adit user mfa enroll {user}"))
}

fn open(user: &str, stored: &SecondFactor) -> Result<Factor> {
    Factor::from_octets(&stored.octets)
        .map_err(|_| refused(ErrorKind::Unsealable { name: user.into() }.into()))
}

fn enrolled(user: &str, stored: &SecondFactor) -> Result<EnrolledFactor> {
    let record = stored.record();
    let recovery_left = open(user, stored)?.recovery().len();
    Ok(EnrolledFactor { at: Utc(record.enrolled), by: record.by.clone(), recovery_left })
}

fn list(factor: &Factor) -> Password {
    Password::new(factor.recovery().join(" "))
}

fn random() -> Result<Rng> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| Error::new(Kind::Internal, format!("no random numbers: {error}")))?;
    Ok(Rng::from_seed(seed))
}

/// Records a change in the event log. The change is already made, so a failure here is only a warning.
fn record(context: &Context<'_>, user: &str, to: &str, by: &str) -> Option<String> {
    let changes = vec![("mfa".to_owned(), to.to_owned())];
    let mut event =
        NewEvent::new(context.now, EventFacts::UserSet(AccountChanged { changes, by: by.to_owned() }));
    event.user = Some(user.to_owned());
    let error = context.recorder.record(event).err()?;
    Some(format!("the change is done, but not in the log: {error}"))
}
