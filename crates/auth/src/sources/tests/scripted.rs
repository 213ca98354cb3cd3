//! A source that plays a script, a step for each round.

use std::sync::{Arc, Mutex};

use adit_diag::{LoginRefusal, SourceFault};
use adit_ppp::auth::AuthRequest;

use crate::{AccountSource, BoxFuture, Caller, ChallengeState, Grant, Outcome, Rejection};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    NotMine,
    Grant,
    Reject,
    Challenge,
    Fail,
}

/// Which source was asked for which round, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Vec<(usize, usize)>>>);

impl Log {
    pub(super) fn take(&self) -> Vec<(usize, usize)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

pub(super) struct Scripted {
    number: usize,
    name: String,
    script: Vec<Step>,
    log: Log,
    pub(super) is_optional: bool,
}

impl Scripted {
    pub(super) fn new(number: usize, script: Vec<Step>, log: Log) -> Scripted {
        Scripted { number, name: format!("source {number}"), script, log, is_optional: false }
    }
}

impl AccountSource for Scripted {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_optional(&self) -> bool {
        self.is_optional
    }

    fn authenticate<'a>(
        &'a self,
        _request: &'a AuthRequest,
        _caller: &'a Caller,
        state: Option<ChallengeState>,
    ) -> BoxFuture<'a, Result<Outcome, SourceFault>> {
        Box::pin(async move {
            let round = match state {
                Some(state) => state.into_value::<usize>().expect("the state of this source"),
                None => 0,
            };
            self.log.0.lock().unwrap().push((self.number, round));
            // After its end, the script grants.
            Ok(match self.script.get(round).unwrap_or(&Step::Grant) {
                Step::NotMine => Outcome::NotMine(LoginRefusal::UnknownUser { name: self.name.clone() }),
                Step::Grant => {
                    Outcome::Grant(Box::new(Grant { account: self.name.clone(), ..Grant::default() }))
                }
                Step::Reject => {
                    let account = Some(self.name.clone());
                    Outcome::Reject(Rejection { account, reason: LoginRefusal::WrongPassword })
                }
                Step::Challenge => Outcome::Challenge {
                    state: ChallengeState::new(round + 1),
                    message: format!("round {round}"),
                },
                Step::Fail => return Err(SourceFault::Failed { error: "no route".into() }),
            })
        })
    }
}
