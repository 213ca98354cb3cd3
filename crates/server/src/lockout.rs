//! The lockout in the server: the machine of [`adit_policy::lockout`] with a clock, a lock and the event log.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use adit_admin::{LockoutState, refused, to_ms};
use adit_api::status::{LockoutStatus, Warning};
use adit_diag::event::{Banned, EventFacts};
use adit_diag::{Code, LoginRefusal, printable};
use adit_policy::lockout::{Change as Row, Consequences, Refusal, Rules, Ticket, Verdict};
use adit_store::{Change, NewEvent};
use jiff::Timestamp;
use tokio::sync::Notify;

use crate::event_writer::{Entry, EventWriter};

/// How long a login waits while as many of its account are being checked as may fail.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How often changes are stored: so much of the counters can be lost when the server is killed.
const STORED_EVERY: Duration = Duration::from_secs(2);
/// How often entries are removed that are of no more use.
const EXPIRED_EVERY: u32 = 30;
/// Rows that are stored in one transaction.
const STORED_TOGETHER: usize = 1_000;
/// Locked accounts that the status names.
const NAMED: usize = 3;

/// Locks and bans of a running server.
pub(crate) struct Lockout {
    machine: Mutex<adit_policy::Lockout>,
    /// The two clocks at the start: the machine's time does not follow a clock that is set.
    started: (Instant, u64),
    /// Signals the end of a check to logins that wait.
    ended: Notify,
    turned_away: AtomicU64,
    event_writer: EventWriter,
}

impl Lockout {
    /// Starts with what is on record.
    pub(crate) fn new(rules: Rules, stored: Vec<Row>, event_writer: EventWriter) -> Lockout {
        let now = to_ms(Timestamp::now());
        let mut machine = adit_policy::Lockout::new(rules);
        for row in stored {
            machine.restore(now, row);
        }
        Lockout {
            machine: Mutex::new(machine),
            started: (Instant::now(), now),
            ended: Notify::new(),
            turned_away: AtomicU64::new(0),
            event_writer,
        }
    }

    fn machine(&self) -> MutexGuard<'_, adit_policy::Lockout> {
        self.machine.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn now(&self) -> u64 {
        let (instant, at) = self.started;
        at.saturating_add(u64::try_from(instant.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Applies the rules of another configuration.
    pub(crate) fn set_rules(&self, rules: &Rules) {
        self.machine().set_rules(rules.clone());
    }

    /// Whether connections from an address are refused; counts them.
    pub(crate) fn turns_away(&self, from: Ipv4Addr) -> bool {
        let is_banned = self.machine().ban_of(self.now(), from).is_some();
        self.turned_away.fetch_add(u64::from(is_banned), Ordering::Relaxed);
        is_banned
    }

    /// Asks whether a login may be checked; waits while too many of the same account are being checked. `user` is the
    /// account in the form in which accounts are compared.
    ///
    /// # Errors
    /// Why it is refused.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        user: &str,
        from: Ipv4Addr,
    ) -> Result<Checking, LoginRefusal> {
        let deadline = tokio::time::Instant::now() + LONGEST_WAIT;
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            // From here on no end is missed.
            ended.as_mut().enable();
            let now = self.now();
            let begun = self.machine().begin(now, user, from);
            let refusal = match begun {
                Ok(ticket) => {
                    return Ok(Checking { lockout: Arc::clone(self), ticket: Some(ticket), from });
                }
                Err(refusal) => refusal,
            };
            let user = || user.trim_start().to_owned();
            let left = |until: u64| until.saturating_sub(now).div_ceil(1_000);
            return Err(match refusal {
                Refusal::Locked { until } => LoginRefusal::Locked { user: user(), left: left(until) },
                Refusal::HourlyLimit { until } => {
                    LoginRefusal::HourlyLimit { user: user(), left: left(until) }
                }
                Refusal::Banned { until } => {
                    LoginRefusal::AddressBanned { from: from.into(), left: left(until) }
                }
                Refusal::Busy => {
                    if tokio::time::timeout_at(deadline, ended).await.is_ok() {
                        continue;
                    }
                    LoginRefusal::TooManyAtOnce { user: user() }
                }
            });
        }
    }

    fn end(&self, ticket: Ticket, verdict: Verdict) -> Consequences {
        let consequences = self.machine().end(self.now(), ticket, verdict);
        self.ended.notify_waiters();
        consequences
    }

    /// Stores what changed, every two seconds, until it is cancelled.
    pub(crate) async fn keep_stored(&self) {
        let mut every = tokio::time::interval(STORED_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut ticks = 0u32;
        loop {
            every.tick().await;
            if ticks.is_multiple_of(EXPIRED_EVERY) {
                self.machine().expire(self.now());
            }
            ticks = ticks.wrapping_add(1);
            self.store_changes();
        }
    }

    /// Enqueues what changed for the event writer.
    pub(crate) fn store_changes(&self) {
        let changes = self.machine().take_changes();
        for some in changes.chunks(STORED_TOGETHER) {
            self.event_writer.enqueue(Entry::Change(Change::Lockout(some.to_vec())));
        }
    }

    /// The numbers of the status, and its warnings.
    pub(crate) fn status(&self) -> (LockoutStatus, Vec<Warning>) {
        let now = self.now();
        let machine = self.machine();
        let (locked, numbers) = machine.numbers(now, NAMED);
        let guesses_per_hour = machine.rules().guesses_per_hour();
        drop(machine);
        let mut warnings = Vec::new();
        if locked > 0 {
            let names = numbers.locked.iter().map(|(name, until)| {
                let minutes = until.saturating_sub(now).div_ceil(60_000);
                format!("{} ({minutes} min)", printable(name))
            });
            let names = names.collect::<Vec<_>>().join(", ");
            let more = if locked > NAMED { format!(" and {} more", locked - NAMED) } else { String::new() };
            let text = format!("accounts locked after failed logins: {names}{more}");
            warnings.push(Warning { code: Code::A04, text });
        }
        if numbers.banned > 0 {
            let banned = match numbers.banned {
                1 => "1 address or network is banned".to_owned(),
                banned => format!("{banned} addresses or networks are banned"),
            };
            let text = format!("{banned}: see adit ban list");
            warnings.push(Warning { code: Code::Q22, text });
        }
        let status = LockoutStatus {
            locked: locked as u64,
            banned: numbers.banned as u64,
            guesses: numbers.guesses,
            refused: numbers.refused,
            turned_away: self.turned_away.load(Ordering::Relaxed),
            guesses_per_hour,
            entries: numbers.entries as u64,
        };
        (status, warnings)
    }
}

impl LockoutState for Lockout {
    fn with(&self, work: &mut dyn FnMut(u64, &mut adit_policy::Lockout)) -> adit_api::Result<()> {
        if let Some(error) = self.event_writer.blocked() {
            return Err(refused(error));
        }
        work(self.now(), &mut self.machine());
        self.store_changes();
        self.event_writer.flush();
        Ok(())
    }
}

/// A login that is being checked. Without a result it counts for nothing.
pub(crate) struct Checking {
    lockout: Arc<Lockout>,
    ticket: Option<Ticket>,
    from: Ipv4Addr,
}

impl Checking {
    /// Reports the result, and records what begins with it. `account` is the name as its source spells it.
    pub(crate) fn end(mut self, verdict: Verdict, account: Option<&str>) {
        let Some(ticket) = self.ticket.take() else { return };
        let Consequences { locked, banned } = self.lockout.end(ticket, verdict);
        let now = self.lockout.now();
        let lasts_s = |until: u64| until.saturating_sub(now).div_ceil(1_000);
        let event = |code: Code, facts| {
            let from = Some(self.from.into());
            NewEvent { from, code: Some(code), ..NewEvent::new(Timestamp::now(), facts) }
        };
        if let Some(until) = locked {
            let event = event(Code::A04, EventFacts::AccountLocked { lasts_s: lasts_s(until) });
            let user = account.map(str::to_owned);
            self.lockout.event_writer.enqueue_event(NewEvent { user, ..event });
        }
        for (network, until) in banned {
            let facts = Banned { network, lasts_s: lasts_s(until), by: None, reason: String::new() };
            self.lockout.event_writer.enqueue_event(event(Code::Q22, EventFacts::AddressBanned(facts)));
        }
    }
}

impl Drop for Checking {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            drop(self.lockout.end(ticket, Verdict::None));
        }
    }
}

#[cfg(test)]
mod tests;
