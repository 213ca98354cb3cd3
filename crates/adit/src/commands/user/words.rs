//! Conversion of account properties to and from text.

use adit_admin::accounts::last_day;
use adit_api::accounts::Account;

use crate::failure::Failure;
use crate::output::Output;
use crate::table::printable;

/// The end of an account's validity, as text.
pub(super) fn expires_text(account: &Account, output: &Output) -> String {
    account.expires.map_or_else(|| "never".into(), |end| last_day(end, output.clock.zone()))
}

/// Parses `--expires`: the last valid day of the account, a duration from now, or never.
pub(super) fn expires(text: &str, output: &Output) -> Result<Option<jiff::Timestamp>, Failure> {
    let wrong = || {
        Failure::usage(format!("--expires: \"{}\" is no day", printable(text)))
            .fix("the last day on which it works (2027-03-31), a span from now (90d), or never")
    };
    if text == "never" {
        return Ok(None);
    }
    if let Ok(span) = crate::when::span(text) {
        let span = jiff::SignedDuration::try_from(span).map_err(|_| wrong())?;
        return output.clock.now().checked_add(span).map(Some).map_err(|_| wrong());
    }
    let day: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
    let end = output.clock.end_of(day).ok_or_else(wrong)?;
    if end <= output.clock.now() {
        let fix = "adit user disable, to end an account now";
        return Err(Failure::usage(format!("--expires: {day} is over already")).fix(fix));
    }
    Ok(Some(end))
}
