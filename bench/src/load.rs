//! Many clients, at once or one after the other, and their results.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use serde::Serialize;
use tokio::sync::{Notify, Semaphore};
use tokio::task::{JoinSet, LocalSet};

use crate::call;
use crate::client::{Client, Outcome};
use crate::crowd::Crowd;
use crate::io::Gre;
use crate::plan::Plan;
use crate::traffic::{self, Moved};
use crate::watch::{Used, used};

/// The report of a run.
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
    /// From the first call to the moment when the last came up.
    pub last_up_seconds: f64,
    /// Calls that came up in that time, a second.
    pub setups_per_second: f64,
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
    /// What the server's process used, where that was requested.
    #[serde(flatten)]
    pub server: Option<ServerUse>,
    /// What the traffic phase moved, where there was one.
    #[serde(flatten)]
    pub traffic: Option<TrafficReport>,
    /// Every call, in the order in which they ended.
    #[serde(skip)]
    pub each: Vec<Outcome>,
}

/// What the server's process used.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ServerUse {
    /// Memory before the first call, in KiB.
    pub server_rss_kib_before: u64,
    /// When the first hundred calls were up (they are made first); of fewer, the same as before.
    pub server_rss_kib_at_100: u64,
    /// When all were up, at the end of the hold.
    pub server_rss_kib_after: u64,
    /// Octets for each call beyond the first hundred.
    pub bytes_per_session: f64,
    /// Processor time for one set-up, in microseconds.
    pub server_cpu_us_per_setup: f64,
    /// Processor time while all were up and idle, in per cent of one core.
    pub idle_server_cpu_percent: f64,
}

/// What the traffic phase moved.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct TrafficReport {
    /// Echo requests sent.
    pub traffic_sent: u64,
    /// Echo replies that arrived.
    pub traffic_answered: u64,
    /// Packets a second, requests and replies.
    pub traffic_packets_per_second: f64,
    /// The server's processor time for one packet, request or reply, in microseconds.
    pub server_cpu_us_per_packet: f64,
    /// The same for this process.
    pub client_cpu_us_per_packet: f64,
}

impl Report {
    /// Whether every call came up and ended normally, and every echo request was answered.
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
/// When there is no raw socket. Failures of calls are in the report.
pub fn run(plan: Plan) -> anyhow::Result<Report> {
    let _ = adit_sys::host::raise_descriptor_limit();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, carry_out(plan))
}

/// How many calls are made first, to see what the ones after them cost.
const FIRST: u32 = 100;
/// How often a tunnel is pinged that stays until a flag is set.
const PING_EVERY: Duration = Duration::from_millis(100);
/// How long a server may take to settle before its memory is measured.
const SETTLE: Duration = Duration::from_millis(500);

/// Counts the calls that have come up or failed.
#[derive(Default)]
struct Progress {
    came: Cell<u32>,
    last_up: Cell<Option<Instant>>,
    moved: Notify,
}

impl Progress {
    fn came(&self, up: bool) {
        self.came.set(self.came.get() + 1);
        if up {
            self.last_up.set(Some(Instant::now()));
        }
        self.moved.notify_one();
    }

    /// Waits until so many have come up or failed.
    async fn wait_for(&self, number: u32) {
        while self.came.get() < number {
            self.moved.notified().await;
        }
    }
}

async fn carry_out(plan: Plan) -> anyhow::Result<Report> {
    let mut seed = [0u8; 32];
    getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    let crowd = Rc::new(Crowd::new(Rc::new(Gre::open()?)));
    let heard = Rc::new(Notify::new());
    let (hear, wake) = (Rc::clone(&crowd), Rc::clone(&crowd));
    let notified = Rc::clone(&heard);
    let helpers = [
        tokio::task::spawn_local(async move { hear.hear(|| notified.notify_one()).await }),
        tokio::task::spawn_local(async move { wake.wake().await }),
    ];
    let look = || plan.server_pid.and_then(used).unwrap_or_default();

    let mut load = Load::new(Rc::new(plan.clone()), Rc::clone(&crowd), Rng::from_seed(seed));
    let before = look();
    let first = if plan.together && plan.sessions > FIRST && plan.server_pid.is_some() { FIRST } else { 0 };
    load.start(0..first);
    load.progress.wait_for(first).await;
    if first > 0 {
        tokio::time::sleep(SETTLE).await;
    }
    let at_first = look();
    let started = Instant::now();
    load.start(first..plan.sessions);
    let mut report = Report::default();
    let mut server = ServerUse {
        server_rss_kib_before: before.rss_kib,
        server_rss_kib_at_100: at_first.rss_kib,
        ..ServerUse::default()
    };
    let mut last_up = None;
    if plan.together {
        load.progress.wait_for(plan.sessions).await;
        last_up = load.progress.last_up.get();
        let up = look();
        server.server_cpu_us_per_setup = per(cpu(at_first, up), u64::from(plan.sessions - first));
        report.traffic = together(&plan, &crowd, &heard, &mut server, &look).await;
        let after = look();
        server.server_rss_kib_after = after.rss_kib;
        let grown = after.rss_kib.saturating_sub(at_first.rss_kib) as f64 * 1024.0;
        server.bytes_per_session = grown / f64::from((plan.sessions - first).max(1));
        for (n, call_id) in crowd.up().into_iter().enumerate() {
            crowd.with(call_id, Client::stop);
            if n % 64 == 63 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
    let outcomes = load.clients.join_all().await;
    helpers.iter().for_each(|helper| helper.abort());
    report.last_up_seconds =
        last_up.or(load.progress.last_up.get()).map_or(0.0, |at| (at - started).as_secs_f64());
    let timed = outcomes.iter().filter(|outcome| outcome.setup.is_some()).count() as f64 - f64::from(first);
    report.setups_per_second =
        if report.last_up_seconds > 0.0 { timed / report.last_up_seconds } else { 0.0 };
    report.server = plan.server_pid.map(|_| server);
    Ok(add_up(report, outcomes, started.elapsed()))
}

/// Measures while all are up.
async fn together(
    plan: &Plan,
    crowd: &Crowd,
    heard: &Notify,
    server: &mut ServerUse,
    look: &impl Fn() -> Used,
) -> Option<TrafficReport> {
    if !plan.hold.is_zero() {
        tokio::time::sleep(SETTLE).await;
        let (from, since) = (look(), Instant::now());
        tokio::time::sleep(plan.hold).await;
        let spent = cpu(from, look()).as_secs_f64();
        server.idle_server_cpu_percent = 100.0 * spent / since.elapsed().as_secs_f64();
    }
    if let Some(until) = &plan.until {
        while !until.load(Ordering::Relaxed) {
            for call_id in crowd.up() {
                crowd.with(call_id, |client| client.ping(Instant::now()));
            }
            tokio::time::sleep(PING_EVERY).await;
        }
    }
    let ourselves = std::process::id();
    let (from, own) = (look(), used(ourselves).unwrap_or_default());
    let moved = traffic::run(crowd, plan.traffic?, plan.size, heard).await;
    let (to, own_to) = (look(), used(ourselves).unwrap_or_default());
    let Moved { sent, answered, took } = moved;
    Some(TrafficReport {
        traffic_sent: sent,
        traffic_answered: answered,
        traffic_packets_per_second: (sent + answered) as f64 / took.as_secs_f64(),
        server_cpu_us_per_packet: per(cpu(from, to), sent + answered),
        client_cpu_us_per_packet: per(cpu(own, own_to), sent + answered),
    })
}

fn cpu(from: Used, to: Used) -> Duration {
    to.cpu.saturating_sub(from.cpu)
}

/// Microseconds for each.
fn per(time: Duration, number: u64) -> f64 {
    time.as_secs_f64() * 1e6 / (number.max(1)) as f64
}

/// The calls.
struct Load {
    plan: Rc<Plan>,
    crowd: Rc<Crowd>,
    rng: Rng,
    slots: Arc<Semaphore>,
    progress: Rc<Progress>,
    clients: JoinSet<Outcome>,
}

impl Load {
    fn new(plan: Rc<Plan>, crowd: Rc<Crowd>, rng: Rng) -> Load {
        let slots = Arc::new(Semaphore::new(plan.at_once as usize));
        Load { plan, crowd, rng, slots, progress: Rc::default(), clients: JoinSet::new() }
    }

    fn start(&mut self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            let (plan, crowd, progress) =
                (Rc::clone(&self.plan), Rc::clone(&self.crowd), Rc::clone(&self.progress));
            let (slots, rng) = (Arc::clone(&self.slots), self.rng.fork());
            self.clients.spawn_local(async move {
                let mut slot = slots.acquire_owned().await.ok();
                let together = plan.together;
                let came = |up| {
                    progress.came(up);
                    if together {
                        slot.take();
                    }
                };
                call::run(&plan, number, crowd, rng, came).await
            });
        }
    }
}

fn add_up(report: Report, outcomes: Vec<Outcome>, took: Duration) -> Report {
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
    let pings = |count: fn(&Outcome) -> u64| {
        // The traffic phase has its own figures.
        if report.traffic.is_some() { 0 } else { outcomes.iter().map(count).sum() }
    };
    Report {
        calls: u32::try_from(outcomes.len()).unwrap_or(u32::MAX),
        up: u32::try_from(setups.len()).unwrap_or(u32::MAX),
        failed,
        setup_ms_median: at(0.5),
        setup_ms_p99: at(0.99),
        setup_ms_max: at(1.0),
        pings_sent: pings(|outcome| outcome.pings.sent),
        pings_answered: pings(|outcome| outcome.pings.answered),
        pings_damaged: pings(|outcome| outcome.pings.damaged),
        addresses: addresses.len(),
        seconds: took.as_secs_f64(),
        each: outcomes,
        ..report
    }
}
