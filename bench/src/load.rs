//! Many clients, at once or one after the other, and what became of them.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::rc::Rc;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::client::{self, Outcome};
use crate::io::Gre;

/// What to do.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) server: SocketAddrV4,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) sessions: u32,
    pub(crate) at_once: u32,
    pub(crate) pings: u32,
    pub(crate) size: u16,
    pub(crate) hold: Duration,
}

/// What became of it.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) calls: u32,
    pub(crate) up: u32,
    pub(crate) failed: BTreeMap<String, u32>,
    pub(crate) setup_ms_median: f64,
    pub(crate) setup_ms_p99: f64,
    pub(crate) setup_ms_max: f64,
    pub(crate) pings_sent: u64,
    pub(crate) pings_answered: u64,
    pub(crate) pings_damaged: u64,
    pub(crate) addresses: usize,
    pub(crate) seconds: f64,
}

/// Runs the plan to its end.
pub(crate) async fn run(plan: Plan) -> anyhow::Result<Report> {
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
    Ok(report(&outcomes, started.elapsed()))
}

fn report(outcomes: &[Outcome], took: Duration) -> Report {
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
    }
}
