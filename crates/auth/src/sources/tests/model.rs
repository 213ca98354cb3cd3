//! A simple model of the chain.

use adit_diag::SourceFault;

use super::scripted::Step;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The source, by its account of the same name.
    Granted(String),
    /// The account; `None` if no source knows the name.
    Rejected(Option<String>),
    /// The source and what is wrong with it.
    Unavailable(String, SourceFault),
}

/// The expected end of a login, and which source is asked for which round.
///
/// The first source decides that knows the name, or has no verdict and is not optional. A rejection does not count behind
/// an optional source without a verdict.
pub(super) fn model(scripts: &[(Vec<Step>, bool)], limit: u8) -> (End, Vec<(usize, usize)>) {
    let name = |number: usize| format!("source {number}");
    let failed = || SourceFault::Failed { error: "no route".into() };
    let asked_first = |last: usize| (0..=last).map(|number| (number, 0)).collect::<Vec<_>>();
    let silent = |before: usize| scripts[..before].iter().position(|(script, _)| script[0] == Step::Fail);
    let rejected = |before: usize, account: Option<String>| match silent(before) {
        Some(number) => End::Unavailable(name(number), failed()),
        None => End::Rejected(account),
    };
    let knows = scripts.iter().position(|(script, is_optional)| match script[0] {
        Step::NotMine => false,
        Step::Fail => !is_optional,
        Step::Grant | Step::Reject | Step::Challenge => true,
    });
    let Some(number) = knows else {
        let asked = (0..scripts.len()).map(|number| (number, 0)).collect();
        return (rejected(scripts.len(), None), asked);
    };
    let mut asked = asked_first(number);
    let mut round = 0;
    loop {
        let end = match scripts[number].0.get(round).unwrap_or(&Step::Grant) {
            Step::Grant => End::Granted(name(number)),
            Step::Reject => rejected(number, Some(name(number))),
            Step::Fail => End::Unavailable(name(number), failed()),
            Step::NotMine => End::Unavailable(name(number), SourceFault::LostLogin),
            Step::Challenge if round >= usize::from(limit) => {
                End::Unavailable(name(number), SourceFault::TooManyRounds { limit })
            }
            Step::Challenge => {
                round += 1;
                asked.push((number, round));
                continue;
            }
        };
        return (end, asked);
    }
}
