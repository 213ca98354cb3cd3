//! Tests of the chain against a simple model, and of its limits.

mod model;
mod scripted;

use std::future::pending;
use std::time::Duration;

use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, LoginRefusal};
use proptest::prelude::*;

use super::*;
use crate::BoxFuture;
use model::{End, model};
use scripted::{Scripted, Step};

pub(super) fn caller() -> Caller {
    let config = adit_config::Checked::built_in().into_config().unwrap();
    Caller { from: [203, 0, 113, 7].into(), config: Arc::new(config) }
}

pub(super) fn request(name: &str, continues: bool) -> AuthRequest {
    AuthRequest {
        name: name.as_bytes().to_vec(),
        method: AuthMethod::Pap,
        proof: proof::Proof::Pap { password: Password::new("x") },
        continues,
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Plays a login of `alice` to its end, with all required rounds.
async fn play(sources: &Sources) -> End {
    let (mut pending, mut continues) = (None, false);
    loop {
        match sources.authenticate(&request("alice", continues), &caller(), pending).await {
            LoginOutcome::Challenge { pending: next, .. } => (pending, continues) = (Some(next), true),
            LoginOutcome::Grant(grant) => return End::Granted(grant.account),
            LoginOutcome::Reject(rejection) => return End::Rejected(rejection.account),
            LoginOutcome::Unavailable { why, .. } => return End::Unavailable(why.source, why.fault),
        }
    }
}

fn scripts() -> impl Strategy<Value = Vec<(Vec<Step>, bool)>> {
    let first = prop_oneof![
        4 => Just(Step::NotMine),
        2 => Just(Step::Fail),
        1 => Just(Step::Grant),
        1 => Just(Step::Reject),
        3 => Just(Step::Challenge),
    ];
    let later = prop_oneof![
        6 => Just(Step::Challenge),
        1 => Just(Step::Grant),
        1 => Just(Step::Reject),
        1 => Just(Step::Fail),
        1 => Just(Step::NotMine),
    ];
    let script = (first, prop::collection::vec(later, 0..6)).prop_map(|(first, later)| {
        let mut script = vec![first];
        script.extend(later);
        script
    });
    prop::collection::vec((script, any::<bool>()), 0..5)
}

proptest! {
    #[test]
    fn the_chain_does_what_the_model_does(scripts in scripts(), rounds in 0u8..5) {
        let log = scripted::Log::default();
        let scripted = scripts.iter().enumerate().map(|(number, (script, is_optional))| {
            let mut source = Scripted::new(number, script.clone(), log.clone());
            source.is_optional = *is_optional;
            Arc::new(source) as Arc<dyn AccountSource>
        });
        let limits = Limits { rounds, ..Limits::default() };
        let end = run(play(&Sources::with_limits(scripted.collect(), limits)));
        let (expected, asked) = model(&scripts, rounds);
        prop_assert_eq!(end, expected);
        prop_assert_eq!(log.take(), asked);
    }
}

/// Sources that play these scripts, and what they are asked.
fn scripted<const N: usize>(scripts: [&[Step]; N], limits: Limits) -> (Sources, scripted::Log) {
    let log = scripted::Log::default();
    let sources = scripts.iter().enumerate().map(|(number, script)| {
        Arc::new(Scripted::new(number, script.to_vec(), log.clone())) as Arc<dyn AccountSource>
    });
    (Sources::with_limits(sources.collect(), limits), log)
}

async fn challenged(sources: &Sources) -> Box<Pending> {
    match sources.authenticate(&request("alice", false), &caller(), None).await {
        LoginOutcome::Challenge { pending, message } => {
            assert_eq!(message, "round 0");
            pending
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_name_or_another_beginning_asks_every_source_anew() {
    for (name, continues) in [("bob", true), ("alice", false)] {
        let (sources, log) = scripted([&[Step::NotMine], &[Step::Challenge, Step::Grant]], Limits::default());
        run(async {
            let pending = challenged(&sources).await;
            log.take();
            let again = sources.authenticate(&request(name, continues), &caller(), Some(pending)).await;
            assert!(matches!(again, LoginOutcome::Challenge { .. }), "{again:?}");
        });
        assert_eq!(log.take(), [(0, 0), (1, 0)], "{name}");
    }
}

#[test]
fn an_unknown_name_has_the_reason_of_the_first_source() {
    let (sources, _) = scripted([&[Step::NotMine], &[Step::NotMine]], Limits::default());
    let LoginOutcome::Reject(rejection) =
        run(sources.authenticate(&request("alice", false), &caller(), None))
    else {
        panic!("not rejected")
    };
    assert_eq!(rejection.reason, LoginRefusal::UnknownUser { name: "source 0".to_owned() });
    let (none, _) = scripted([], Limits::default());
    let unknown = run(none.authenticate(&request("a\nb", false), &caller(), None));
    let LoginOutcome::Reject(Rejection { account: None, reason }) = unknown else { panic!("{unknown:?}") };
    assert_eq!(reason, LoginRefusal::UnknownUser { name: "a\\x0ab".to_owned() });
}

/// A source that never answers.
struct Silent;

impl AccountSource for Silent {
    fn name(&self) -> &str {
        "silent"
    }

    fn is_optional(&self) -> bool {
        true
    }

    fn authenticate<'a>(
        &'a self,
        _request: &'a AuthRequest,
        _caller: &'a Caller,
        _state: Option<ChallengeState>,
    ) -> BoxFuture<'a, Result<Outcome, SourceFault>> {
        Box::pin(pending())
    }
}

fn behind_silent(step: Step, limits: Limits) -> Sources {
    let log = scripted::Log::default();
    Sources::with_limits(vec![Arc::new(Silent), Arc::new(Scripted::new(1, vec![step], log))], limits)
}

#[test]
fn a_silent_source_costs_the_time_of_a_login_and_no_grant() {
    let limits = Limits { time: Duration::from_millis(50), ..Limits::default() };
    let end = |step| run(play(&behind_silent(step, limits)));
    let silent = End::Unavailable("silent".to_owned(), SourceFault::TimedOut { seconds: 0 });
    // The time is up, so the next source must answer at once.
    assert_eq!(end(Step::Grant), End::Granted("source 1".to_owned()));
    assert_eq!(end(Step::Reject), silent);
    assert_eq!(end(Step::NotMine), silent);
}

#[test]
fn logins_beyond_the_bound_do_not_wait_and_a_withdrawn_one_makes_space() {
    let limits = Limits { waiting: 2, ..Limits::default() };
    let sources = behind_silent(Step::Reject, limits);
    run(async {
        let wait = |name: &'static str| {
            let sources = sources.clone();
            tokio::spawn(async move { sources.authenticate(&request(name, false), &caller(), None).await })
        };
        let (first, second) = (wait("a"), wait("b"));
        tokio::task::yield_now().await;
        let full = End::Unavailable("silent".to_owned(), SourceFault::TooManyLogins { limit: 2 });
        assert_eq!(play(&sources).await, full);
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        let third = wait("c");
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!third.is_finished(), "it waits where the withdrawn one waited");
        assert!(!second.is_finished());
    });
}
