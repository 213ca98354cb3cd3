//! `adit user mfa`

use adit_api::accounts::{FactorAction, FactorRequest, FactorState};
use adit_crypto::Rng;
use adit_crypto::secret::Password;
use adit_mfa::{Factor, qr_text};
use schemars::JsonSchema;
use serde::Serialize;

use super::change::caller;
use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::prompt;
use crate::service::Service;
use crate::settings::Settings;

/// Manage a user's second factor
#[derive(Debug, clap::Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum Mfa {
    Enroll(EnrollArgs),
    /// Show whether a user has a second factor
    Status(NameArgs),
    /// Replace a user's recovery codes and show the new ones once
    RecoveryCodes(NameArgs),
    /// Remove a user's second factor: the password alone is enough again
    Remove(NameArgs),
}

/// Enroll a second factor: from then on the code follows the password at every login
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Prints the secret as a QR code for an authenticator app, once, and asks for a code to confirm it. The user logs in with
the password followed by the code, without a space. Needs the clear-text password: adit user passwd NAME --reversible
Examples:
  adit user mfa enroll alice
  adit user mfa enroll alice --no-confirm --json")]
pub(crate) struct EnrollArgs {
    /// Select the user
    name: String,
    /// Enroll without a code of the app, for a user who is not here
    #[arg(long)]
    no_confirm: bool,
}

/// Selects a user.
#[derive(Debug, clap::Args)]
pub(crate) struct NameArgs {
    /// Select the user
    name: String,
}

/// The second factor of a user.
#[derive(Serialize, JsonSchema)]
pub(crate) struct FactorDocument {
    /// What was done: status, enrolled, recovery-codes, removed.
    action: &'static str,
    /// The account.
    user: String,
    /// Whether anything has changed.
    changed: bool,
    /// Whether this was a dry run.
    dry_run: bool,
    /// Whether a second factor is enrolled.
    enrolled: bool,
    /// When it was enrolled.
    enrolled_at: Option<String>,
    /// Who enrolled it.
    enrolled_by: Option<String>,
    /// Recovery codes that were not used yet.
    recovery_left: usize,
    /// The otpauth URI with the secret. It is shown here and not again.
    uri: Option<String>,
    /// The new recovery codes. They are shown here and not again.
    recovery_codes: Vec<String>,
}

impl Document for FactorDocument {
    const NAME: &'static str = "adit.user-mfa/1";
}

pub(crate) fn run(
    mfa: Mfa,
    output: &Output,
    settings: &Settings,
    service: &Service<'_>,
) -> Result<Exit, Failure> {
    let (action, state, uri) = match mfa {
        Mfa::Enroll(args) => {
            let (state, uri) = enroll(&args, output, settings, service)?;
            ("enrolled", state, Some(uri))
        }
        Mfa::Status(args) => ("status", ask(&args.name, FactorAction::Status, true, service)?, None),
        Mfa::RecoveryCodes(args) => {
            let state = ask(&args.name, FactorAction::RenewRecovery, output.dry_run, service)?;
            ("recovery-codes", state, None)
        }
        Mfa::Remove(args) => match remove(&args.name, output, service)? {
            Some(state) => ("removed", state, None),
            None => {
                output.remark("nothing", "was changed");
                return Ok(Exit::Done);
            }
        },
    };
    match output.is_text() {
        true => text(action, &state, output)?,
        false => document(action, &state, uri.filter(|_| !output.dry_run), output)?,
    }
    if let Some(warning) = &state.warning {
        output.remark("warning", warning);
    }
    Ok(Exit::Done)
}

fn ask(
    name: &str,
    action: FactorAction,
    dry_run: bool,
    service: &Service<'_>,
) -> Result<FactorState, Failure> {
    service.second_factor(FactorRequest { name: name.to_owned(), by: caller(), dry_run, action })
}

fn enroll(
    args: &EnrollArgs,
    output: &Output,
    settings: &Settings,
    service: &Service<'_>,
) -> Result<(FactorState, String), Failure> {
    let factor = generate()?;
    let action = |code| FactorAction::Enroll { secret: factor.to_text(), code };
    // Check that it can be enrolled before showing a secret and prompting for a code.
    let would = ask(&args.name, action(None), true, service)?;
    let server = &settings.effective().server;
    let issuer = server.name.as_deref().unwrap_or(&server.hostname);
    let uri = factor.uri(issuer, &would.user);
    if output.dry_run {
        return Ok((would, String::new()));
    }
    if would.enrolled.is_some() {
        let question = format!("{} has a second factor, which this one replaces. Continue?", would.user);
        if !prompt::agree(output, &question, false, "--yes")? {
            return Err(Failure::usage("nothing was changed"));
        }
    }
    let code = if args.no_confirm {
        None
    } else {
        prompt::must_ask("Code:", "--no-confirm enrolls without a code")?;
        eprint!("{}", shown(&factor, &uri)?);
        Some(prompt::line("Code:", "Code that the app shows: ", "--no-confirm")?)
    };
    if args.no_confirm && output.is_text() {
        output.text(&shown(&factor, &uri)?)?;
    }
    let code = code.map(|code| Password::new(code.replace(' ', "")));
    Ok((ask(&args.name, action(code), false, service)?, uri.to_string()))
}

fn remove(name: &str, output: &Output, service: &Service<'_>) -> Result<Option<FactorState>, Failure> {
    let would = ask(name, FactorAction::Remove, true, service)?;
    if output.dry_run || !would.changed {
        return Ok(Some(would));
    }
    let question = format!("Remove the second factor of {}?", would.user);
    if !prompt::agree(output, &question, false, "--yes")? {
        return Ok(None);
    }
    ask(name, FactorAction::Remove, false, service).map(Some)
}

fn generate() -> Result<Factor, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| Failure::new(Exit::Problem, format!("no random numbers: {error}")))?;
    Ok(Factor::generate(&mut Rng::from_seed(seed)))
}

/// The secret, as QR code and as text.
fn shown(factor: &Factor, uri: &str) -> Result<String, Failure> {
    // A name of any length is enrolled: without a QR code if it does not fit.
    let qr = qr_text(uri).unwrap_or_default();
    Ok(format!("{qr}\nsecret   {}      shown once\nuri      {uri}\n", factor.secret_text().as_str()))
}

fn text(action: &str, state: &FactorState, output: &Output) -> Result<(), Failure> {
    let user = &state.user;
    let line = match (action, state.changed, output.dry_run) {
        ("enrolled", _, true) => format!("would enroll {user}"),
        ("enrolled", _, false) => format!("enrolled {user}   the code follows the password at every login"),
        ("recovery-codes", _, true) => format!("would replace the recovery codes of {user}"),
        ("recovery-codes", _, false) => format!("changed  {user}   new recovery codes"),
        ("removed", false, _) => format!("unchanged {user}   has no second factor"),
        ("removed", true, true) => format!("would remove the second factor of {user}"),
        ("removed", true, false) => format!("removed  the second factor of {user}"),
        _ => match &state.enrolled {
            None => format!("{user}   no second factor"),
            Some(enrolled) => format!(
                "{user}   enrolled {} by {}   {} recovery codes left",
                output.clock.minute(enrolled.at.0),
                crate::table::printable(&enrolled.by),
                enrolled.recovery_left
            ),
        },
    };
    output.line(&line)?;
    for code in state.recovery.iter().flat_map(|codes| codes.expose().split(' ')) {
        output.line(&format!("recovery {code}      shown once"))?;
    }
    Ok(())
}

fn document(
    action: &'static str,
    state: &FactorState,
    uri: Option<String>,
    output: &Output,
) -> Result<(), Failure> {
    let enrolled = state.enrolled.as_ref();
    let codes = state.recovery.iter().flat_map(|codes| codes.expose().split(' '));
    output.document(&FactorDocument {
        action,
        user: state.user.clone(),
        changed: state.changed && action != "status",
        dry_run: output.dry_run,
        enrolled: enrolled.is_some(),
        enrolled_at: enrolled.map(|enrolled| format!("{:.0}", enrolled.at.0)),
        enrolled_by: enrolled.map(|enrolled| enrolled.by.clone()),
        recovery_left: enrolled.map_or(0, |enrolled| enrolled.recovery_left),
        uri,
        recovery_codes: codes.map(str::to_owned).collect(),
    })
}
