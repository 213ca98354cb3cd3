//! Many clients, at once or one after the other, and what became of them.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::rc::Rc;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};

use crate::client::{self, Outcome};
use crate::io::Gre;

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whom to dial.
    pub server: SocketAddrV4,
    /// The account; `%n` stands for its number, from 0.
    pub user: String,
    /// How many accounts share the calls, at least 1.
    pub users: u32,
    /// The password of all accounts.
    pub password: String,
    /// Calls to make.
    pub sessions: u32,
    /// Calls that are being set up or up at once; 1: one after the other.
    pub at_once: u32,
    /// Echo requests through each tunnel, each sent when the one before was answered.
    pub pings: u32,
    /// Octets of data in each.
    pub size: u16,
    /// How long to stay up after the last echo request.
    pub hold: Duration,
}

impl Plan {
    /// The account of call `number`.
    pub(crate) fn user_of(&self, number: u32) -> String {
        self.user.replace("%n", &(number % self.users.max(1)).to_string())
    }
}

/// What became of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Calls made.
    pub calls: u32,
    /// Calls that came up.
    pub up: u32,
    /// What failed, and how often.
    pub failed: BTreeMap<String, u32>,
    /// From the start of the TCP connection to addresses: the median, in milliseconds.
    pub setup_ms_median: f64,
    /// All but one in a hundred were faster.
    pub setup_ms_p99: f64,
    /// The slowest.
    pub setup_ms_max: f64,
    /// Echo requests sent.
    pub pings_sent: u64,
    /// Echo requests answered with the data that was sent.
    pub pings_answered: u64,
    /// Answers with other data.
    pub pings_damaged: u64,
    /// Different inner addresses.
    pub addresses: usize,
    /// From the first call to the end of the last.
    pub seconds: f64,
    /// Every call, in the order in which they ended.
    #[serde(skip)]
    pub each: Vec<Outcome>,
}

impl Report {
    /// Whether every call came up and ended well, and every echo request was answered.
    pub fn is_clean(&self) -> bool {
        self.failed.is_empty()
            && self.up == self.calls
            && self.pings_answered == self.pings_sent
            && self.pings_damaged == 0
    }
}

/// Runs the plan to its end, in the network namespace of the calling thread.
///
/// # Errors
/// When there is no raw socket or no thread. What goes wrong with a call is in the report.
pub fn run(plan: Plan) -> anyhow::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, carry_out(plan))
}

async fn carry_out(plan: Plan) -> anyhow::Result<Report> {
    let mut seed = [0u8; 32];
    getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    let mut rng = Rng::from_seed(seed);
    let (gre, packets) = Gre::open()?;
    let reader = tokio::task::spawn_local(Rc::clone(&gre).run(packets));
    let plan = Rc::new(plan);
    let slots = std::sync::Arc::new(Semaphore::new(plan.at_once as usize));
    let started = Instant::now();
    let mut clients = JoinSet::new();
    for number in 0..plan.sessions {
        let (plan, gre, slots, rng) =
            (Rc::clone(&plan), Rc::clone(&gre), std::sync::Arc::clone(&slots), rng.fork());
        clients.spawn_local(async move {
            let _slot = slots.acquire_owned().await;
            client::run(&plan, number, gre, rng).await
        });
    }
    let outcomes = clients.join_all().await;
    reader.abort();
    Ok(report(outcomes, started.elapsed()))
}

fn report(outcomes: Vec<Outcome>, took: Duration) -> Report {
    let mut setups: Vec<f64> =
        outcomes.iter().filter_map(|outcome| outcome.setup).map(|setup| setup.as_secs_f64() * 1e3).collect();
    setups.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let last = setups.len().saturating_sub(1);
        setups.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
    };
    let mut failed: BTreeMap<String, u32> = BTreeMap::new();
    for why in outcomes.iter().filter_map(|outcome| outcome.failed.as_ref()) {
        *failed.entry(why.clone()).or_default() += 1;
    }
    let addresses: std::collections::BTreeSet<_> =
        outcomes.iter().filter_map(|outcome| outcome.address).collect();
    Report {
        calls: u32::try_from(outcomes.len()).unwrap_or(u32::MAX),
        up: u32::try_from(setups.len()).unwrap_or(u32::MAX),
        failed,
        setup_ms_median: at(0.5),
        setup_ms_p99: at(0.99),
        setup_ms_max: at(1.0),
        pings_sent: outcomes.iter().map(|outcome| outcome.pings.sent).sum(),
        pings_answered: outcomes.iter().map(|outcome| outcome.pings.answered).sum(),
        pings_damaged: outcomes.iter().map(|outcome| outcome.pings.damaged).sum(),
        addresses: addresses.len(),
        seconds: took.as_secs_f64(),
        each: outcomes,
    }
}
