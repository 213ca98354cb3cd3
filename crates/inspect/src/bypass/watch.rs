//! Repeated evaluation: after every change that the kernel reports, and of settings that it does not report.
//!
//! One thread waits for notifications and decides when to evaluate; a second one runs the tools, so that the
//! first can report in time that a change is not evaluated yet.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use adit_sys::changes::{Change, Changes};
use adit_sys::poll::{Interest, Poller, Waker};

use super::asked::Asked;
use super::host::{PARTS, Part, look_at, silent_settings};
use super::interface;
use super::obstacle::Obstacle;
use crate::look::run::Limits;

/// The time from the first change to its evaluation: several changes are often made together.
const DEBOUNCE: Duration = Duration::from_millis(50);
/// The shortest time between the beginnings of two evaluations.
const INTERVAL: Duration = Duration::from_millis(200);
/// How long after a change its evaluation may take until the bypass is forbidden.
const OVERDUE: Duration = Duration::from_millis(700);
/// The interval at which settings are read whose changes are not reported.
const TICK: Duration = Duration::from_millis(500);
/// The interval at which what could not be read is tried again.
const RETRY: Duration = Duration::from_secs(30);
/// How long all tools of one evaluation may take together.
const EVALUATION: Duration = Duration::from_secs(5);

/// Obstacles by the part of the host that they were found in.
type Parts = BTreeMap<Part, Vec<Obstacle>>;

/// A running evaluation, until it is dropped.
#[derive(Debug)]
pub struct Watch {
    canceled: Arc<AtomicBool>,
    waker: Waker,
    threads: Vec<JoinHandle<()>>,
}

impl Watch {
    /// Evaluates the network namespace of the calling thread, and again after every change. Returns the first
    /// result; `on_verdict` is called with each different one, by a thread of the watch. It must not block.
    ///
    /// If a change removes the permission, `on_verdict` is called within a second. `own_program` is the id of
    /// the XDP program of this process, which must be attached before.
    ///
    /// # Errors
    /// If the process may not subscribe to changes (CAP_NET_ADMIN), or is out of descriptors or threads.
    pub fn start(
        asked: Asked,
        own_program: Option<u32>,
        on_verdict: impl FnMut(Vec<Obstacle>) + Send + 'static,
    ) -> io::Result<(Watch, Vec<Obstacle>)> {
        // Subscribed first, so that no change is missed.
        let changes = Changes::open().map_err(io::Error::other)?;
        let waker = Waker::new().map_err(io::Error::other)?;
        let (idle, busy) = pollers(&changes, &waker).map_err(io::Error::other)?;
        let canceled = Arc::new(AtomicBool::new(false));
        let begin = Instant::now();
        let limits = Limits::all_within(EVALUATION, Arc::clone(&canceled));
        let parts: Parts =
            PARTS.into_iter().map(|part| (part, look_at(part, &asked, own_program, &limits))).collect();
        let silent = silent_settings(&asked);
        let (jobs, to_do) = channel();
        let (results, done) = channel();
        let evaluator = Evaluator {
            asked: asked.clone(),
            own_program,
            to_do,
            results,
            waker: waker.clone(),
            canceled: Arc::clone(&canceled),
        };
        let mut watcher = Watcher {
            changes,
            idle,
            busy,
            waker: waker.clone(),
            jobs,
            done,
            index: interface::index(&asked.interface),
            asked,
            parts,
            silent,
            reported: Vec::new(),
            pending: None,
            running: None,
            last_begin: begin,
            last_tick: begin,
            on_verdict,
        };
        watcher.reported = watcher.current();
        let first = watcher.reported.clone();
        let mut watch = Watch { canceled: Arc::clone(&canceled), waker, threads: Vec::new() };
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        watch.threads.push(named("bypass-watch").spawn(move || watcher.run(&canceled))?);
        watch.threads.push(named("bypass-rules").spawn(move || evaluator.run())?);
        Ok((watch, first))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.canceled.store(true, Ordering::Relaxed);
        self.waker.wake();
        for thread in self.threads.drain(..) {
            // A panic was already reported by its thread.
            let _ = thread.join();
        }
    }
}

/// A set with all descriptors, and one with the waker only.
fn pollers(changes: &Changes, waker: &Waker) -> adit_sys::Result<(Poller, Poller)> {
    let (idle, busy) = (Poller::new()?, Poller::new()?);
    for descriptor in changes.descriptors() {
        idle.add(descriptor, 0, Interest::Read)?;
    }
    idle.add(waker, 1, Interest::Read)?;
    busy.add(waker, 1, Interest::Read)?;
    Ok((idle, busy))
}

/// The thread that runs the tools.
struct Evaluator {
    asked: Asked,
    own_program: Option<u32>,
    to_do: Receiver<Vec<Part>>,
    results: Sender<Parts>,
    waker: Waker,
    canceled: Arc<AtomicBool>,
}

impl Evaluator {
    fn run(self) {
        for parts in self.to_do {
            let limits = Limits::all_within(EVALUATION, Arc::clone(&self.canceled));
            let look = |part| (part, look_at(part, &self.asked, self.own_program, &limits));
            let evaluated = parts.into_iter().map(look).collect();
            if self.results.send(evaluated).is_err() {
                return;
            }
            self.waker.wake();
        }
    }
}

/// Changes that are not evaluated.
struct Pending {
    /// The time of the first one, or an earlier one.
    since: Instant,
    parts: Vec<Part>,
}

/// The thread that waits for changes.
struct Watcher<F> {
    changes: Changes,
    /// Waits for changes. While a change is known that is not evaluated, others need not wake this thread.
    idle: Poller,
    busy: Poller,
    waker: Waker,
    jobs: Sender<Vec<Part>>,
    done: Receiver<Parts>,
    asked: Asked,
    index: Option<u32>,
    parts: Parts,
    silent: Vec<Obstacle>,
    reported: Vec<Obstacle>,
    pending: Option<Pending>,
    /// The time of the first change that the running evaluation covers.
    running: Option<Instant>,
    last_begin: Instant,
    last_tick: Instant,
    on_verdict: F,
}

impl<F: FnMut(Vec<Obstacle>)> Watcher<F> {
    fn run(&mut self, canceled: &AtomicBool) {
        // Changes during the first evaluation.
        self.drain(self.last_begin);
        loop {
            let poller =
                if self.pending.is_none() && self.running.is_none() { &self.idle } else { &self.busy };
            let waited = poller.wait(Some(self.next_event()), |_| {});
            self.waker.clear();
            if canceled.load(Ordering::Relaxed) {
                return;
            }
            if let Err(error) = waited {
                self.fail(&error.to_string());
                return;
            }
            if self.step().is_none() {
                self.fail("its thread has ended");
                return;
            }
        }
    }

    /// The time until something is to be done if nothing happens.
    fn next_event(&self) -> Duration {
        let begin = self.begin_at();
        let overdue = self.oldest().map(|since| since + OVERDUE).filter(|_| self.reported.is_empty());
        let times = [Some(self.last_tick + TICK), begin, overdue];
        let first = times.into_iter().flatten().min().unwrap_or(self.last_tick);
        first.saturating_duration_since(Instant::now())
    }

    /// When the next evaluation begins.
    fn begin_at(&self) -> Option<Instant> {
        let pending = self.pending.as_ref().filter(|_| self.running.is_none())?;
        Some((pending.since + DEBOUNCE).max(self.last_begin + INTERVAL))
    }

    /// The time of the oldest change that is not evaluated.
    fn oldest(&self) -> Option<Instant> {
        let pending = self.pending.as_ref().map(|pending| pending.since);
        [self.running, pending].into_iter().flatten().min()
    }

    /// Does whatever is due; `None` if the evaluation is no longer possible.
    fn step(&mut self) -> Option<()> {
        match self.done.try_recv() {
            Ok(parts) => self.finish(parts),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return None,
        }
        if self.pending.is_none() && self.running.is_none() {
            self.drain(Instant::now());
        }
        if self.begin_at().is_some_and(|begin| begin <= Instant::now()) {
            self.begin()?;
        }
        if self.last_tick.elapsed() >= TICK {
            self.read_settings();
            self.retry();
        }
        if self.oldest().is_some_and(|since| since.elapsed() >= OVERDUE) {
            self.forbid();
        }
        Some(())
    }

    fn begin(&mut self) -> Option<()> {
        let now = Instant::now();
        // The evaluation covers all changes up to here.
        self.drain(now);
        let pending = self.pending.take()?;
        self.last_begin = now;
        self.running = Some(pending.since);
        self.jobs.send(pending.parts).ok()
    }

    fn finish(&mut self, parts: Parts) {
        self.running = None;
        self.parts.extend(parts);
        // Changes during the evaluation: when exactly is not known.
        self.drain(self.last_begin);
        self.report();
    }

    /// Notes all changes; `since` is a time before the first of them.
    fn drain(&mut self, since: Instant) {
        let mut parts =
            self.pending.take().map_or((since, Vec::new()), |pending| (pending.since, pending.parts));
        let (index, name) = (&mut self.index, self.asked.interface.as_str());
        let mut is_lost = false;
        let mut is_setting = false;
        self.changes.drain(|change| {
            let changed: &[Part] = match change {
                Change::Filter => &[Part::Filter],
                Change::RoutingRule => &[Part::Routing],
                Change::Ipsec => &[Part::Ipsec],
                Change::Configuration => {
                    is_setting = true;
                    &[]
                }
                Change::Link(of) | Change::Traffic(of) => {
                    let before = std::mem::replace(index, interface::index(name));
                    let is_ours = of == u32::MAX || Some(of) == before || *index != before;
                    if is_ours { &[Part::Interface] } else { &[] }
                }
                Change::Lost => {
                    is_lost = true;
                    &PARTS
                }
            };
            for part in changed {
                if !parts.1.contains(part) {
                    parts.1.push(*part);
                }
            }
        });
        self.pending = (!parts.1.is_empty()).then_some(Pending { since: parts.0, parts: parts.1 });
        if is_setting {
            self.read_settings();
        }
        if is_lost {
            self.forbid();
        }
    }

    fn read_settings(&mut self) {
        self.last_tick = Instant::now();
        let silent = silent_settings(&self.asked);
        if silent != self.silent {
            self.silent = silent;
            self.report();
        }
    }

    /// Notes the parts that could not be read as changed.
    fn retry(&mut self) {
        if self.last_begin.elapsed() < RETRY || self.pending.is_some() || self.running.is_some() {
            return;
        }
        let failed = |obstacle: &Obstacle| matches!(obstacle, Obstacle::NotRead { .. });
        let parts = self.parts.iter().filter(|(_, obstacles)| obstacles.iter().any(failed));
        let parts: Vec<Part> = parts.map(|(part, _)| *part).collect();
        self.pending = (!parts.is_empty()).then(|| Pending { since: Instant::now(), parts });
    }

    fn current(&self) -> Vec<Obstacle> {
        self.parts.values().flatten().chain(&self.silent).cloned().collect()
    }

    /// Reports the result if it is another one. A permission is reported only if no change is pending.
    fn report(&mut self) {
        let current = self.current();
        let is_outdated = current.is_empty() && (self.pending.is_some() || self.running.is_some());
        if current != self.reported && !is_outdated {
            self.reported.clone_from(&current);
            (self.on_verdict)(current);
        }
    }

    /// Forbids the bypass until the result is known.
    fn forbid(&mut self) {
        if self.reported.is_empty() {
            self.reported = vec![Obstacle::Reading];
            (self.on_verdict)(self.reported.clone());
        }
    }

    /// Reports that there will be no more results.
    fn fail(&mut self, why: &str) {
        let why = format!("the observation of changes has failed: {why}");
        (self.on_verdict)(vec![Obstacle::NotRead { what: "the rules of this host", why }]);
    }
}
