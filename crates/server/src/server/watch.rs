//! The watch over what the server needs of its host: the tunnel interface, its addresses and routes, the database.
//!
//! What another program has removed is put back, but not again and again. What cannot be put back ends the server, so that
//! its supervisor can start it anew.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use adit_diag::Code;
use adit_diag::event::HostPart;
use adit_store::{CLOCK_CONFIRMED_AFTER, ClockCheck, Error, ErrorKind};
use jiff::Timestamp;

use super::{Server, lock};
use crate::error::{Result, ServerError, store_error};
use crate::event_writer::Entry;
use crate::health::{Fault, RepairLimit};
use crate::host::Missing;

/// How often the host is examined.
const EVERY: Duration = Duration::from_secs(2);
/// The server ends when the interface could not be created so often.
const TRIES: u32 = 3;
/// The server ends when another file has had the place of the database for this long. A program that replaces files may
/// put the former one back.
const REPLACED_FOR: Duration = Duration::from_secs(10);

/// The state of the watch between two examinations.
struct Watch {
    repairs: RepairLimit,
    restores: RepairLimit,
    /// How often in succession the interface could not be created.
    failed: u32,
}

/// Starts the thread of the watch. It ends with the server.
pub(crate) fn start(server: &Arc<Server>) -> Result<()> {
    let server = Arc::downgrade(server);
    let spawned = std::thread::Builder::new().name("adit-watch".to_owned()).spawn(move || run(&server));
    let no_thread = |error| ServerError::new(Code::S08, format!("no thread: {error}"), "look at ulimit -u");
    spawned.map(drop).map_err(no_thread)
}

fn run(server: &Weak<Server>) {
    let now = Instant::now();
    let mut watch = Watch { repairs: RepairLimit::new(now), restores: RepairLimit::new(now), failed: 0 };
    loop {
        std::thread::sleep(EVERY);
        let Some(server) = server.upgrade() else { return };
        if server.stopping.load(Ordering::Relaxed) {
            return;
        }
        server.keep_addresses();
        server.check_interface(&mut watch);
        server.check_database(&mut watch);
    }
}

impl Server {
    /// Records the fault that a part has now, or that it has none.
    pub(super) fn report(&self, part: HostPart, fault: Option<Fault>) {
        if let Some(event) = self.health.set(Instant::now(), part, fault) {
            self.event_writer.enqueue_event(event);
        }
    }

    fn check_interface(&self, watch: &mut Watch) {
        let before = match self.host.missing() {
            Ok(missing) => missing,
            Err(error) => return self.log_rate_limited("the host could not be examined", &error),
        };
        let mut after = before.clone();
        if !before.is_empty() && watch.repairs.take(Instant::now()) {
            let done = self.host.put_back(&before);
            let is_back = done.is_ok();
            match done {
                Ok(Some(tun)) => self.dataplane.replace_tun(tun),
                Ok(None) => {}
                Err(error) => log_stderr!("error    what was removed could not be put back: {error}"),
            }
            let is_gone = before.contains(&Missing::Interface);
            watch.failed = if is_gone && !is_back { watch.failed + 1 } else { 0 };
            if let Ok(missing) = self.host.missing() {
                after = missing;
            }
        }
        for part in [HostPart::Interface, HostPart::Address, HostPart::Route] {
            // What was put back at once is reported all the same.
            for missing in [&before, &after] {
                self.report(part, fault_of(part, missing));
            }
        }
        if watch.failed >= TRIES {
            let message = "the tunnel interface was removed, and could not be created again";
            self.fail(ServerError::new(
                Code::S07,
                message,
                "find the program that removes it: ip monitor link",
            ));
        }
    }

    fn check_database(&self, watch: &mut Watch) {
        let mut checked = self.store.check_place();
        if let Err(error) = &checked
            && is_deleted(error)
            && watch.restores.take(Instant::now())
        {
            self.report(HostPart::Database, Some(database_fault(error)));
            checked = self.store.put_back().and_then(|_| self.store.check_place());
        }
        if checked.is_ok() && self.event_writer.trouble().is_some_and(|error| is_over(&error)) {
            self.event_writer.enqueue(Entry::Retry);
            self.event_writer.flush();
        }
        let error = checked.err().or_else(|| self.event_writer.trouble());
        let fault = error.as_ref().map(database_fault).or_else(|| self.check_files());
        self.report(HostPart::Database, fault);
        let is_replaced = |error: &Error| error.kind == ErrorKind::Replaced;
        if let Some(error) = error.filter(is_replaced)
            && self.health.since(HostPart::Database).is_some_and(|since| since.elapsed() >= REPLACED_FOR)
        {
            self.fail(store_error(&error));
        }
    }

    /// Writes the key of the store and the identity of the server again if they were deleted. Only the next start would miss
    /// them, and then nothing could bring them back. Returns the fault that remains.
    fn check_files(&self) -> Option<Fault> {
        let mut remaining = None;
        for checked in [self.store.put_key_back(), self.identity.put_back()] {
            match checked {
                Ok(None) => {}
                Ok(Some(file)) => {
                    let text = format!("{} was deleted while it was in use", file.display());
                    let fault = Fault { code: Code::S09, text, refuses_calls: false, is_put_back: true };
                    self.report(HostPart::Database, Some(fault));
                    self.report(HostPart::Database, None);
                }
                Err(error) => {
                    remaining.get_or_insert(Fault { refuses_calls: false, ..database_fault(&error) });
                }
            }
        }
        remaining
    }

    /// Checks the clock after the server has run for `ran` since the last check, before anything is removed for its age.
    pub(crate) fn check_clock(&self, ran: Duration) {
        match self.store.check_clock(Timestamp::now(), ran) {
            Ok(checked) => self.report_clock(checked),
            Err(error) => self.log_rate_limited("the clock could not be checked", &error),
        }
    }

    /// Reports the result of a check of the clock.
    pub(crate) fn report_clock(&self, checked: ClockCheck) {
        let now = Timestamp::now();
        let (newest, word) = match checked {
            ClockCheck::Plausible => return self.report(HostPart::Clock, None),
            ClockCheck::Ahead(newest) => (newest, "after"),
            ClockCheck::Behind(newest) => (newest, "before"),
        };
        let apart = now.duration_since(newest).unsigned_abs().as_secs() / 86_400;
        let believed = CLOCK_CONFIRMED_AFTER.as_secs() / 86_400;
        let text = format!(
            "the clock shows {now:.0}, {apart} days {word} the newest record ({newest:.0}); nothing is removed for its \
             age by this clock until it has run for {believed} days"
        );
        self.report(
            HostPart::Clock,
            Some(Fault { code: Code::S05, text, refuses_calls: false, is_put_back: false }),
        );
    }

    /// Ends the server because of a fault that only a new start can repair.
    pub(crate) fn fail(&self, error: ServerError) {
        log_stderr!("error    {error}");
        log_stderr!("         the server ends, so that its supervisor starts it again");
        lock(&self.failure).get_or_insert(error);
        self.request_shutdown();
    }

    /// Why the server ends, if not on request.
    pub(crate) fn failure(&self) -> Option<ServerError> {
        lock(&self.failure).clone()
    }
}

/// The fault of a part of the host in which something is missing.
fn fault_of(part: HostPart, missing: &[Missing]) -> Option<Fault> {
    let mut missing = missing.iter().filter(|missing| missing.part() == part);
    let first = missing.next()?;
    let text = match missing.count() {
        0 => first.to_string(),
        more => format!("{first}, and {more} more"),
    };
    Some(Fault { code: first.code(), text, refuses_calls: true, is_put_back: true })
}

fn database_fault(error: &Error) -> Fault {
    Fault {
        code: error.code().unwrap_or(Code::S09),
        text: error.to_string(),
        refuses_calls: true,
        is_put_back: is_deleted(error),
    }
}

/// Whether the last write failed because of something that a check of the place would find too.
fn is_over(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Gone { .. } | ErrorKind::Replaced | ErrorKind::ReadOnly { .. })
}

fn is_deleted(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Gone { moved: None })
}
