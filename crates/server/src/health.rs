//! The faults of the host that the server has found, for the status, for events and for new calls.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use adit_api::status::{Fault as FaultStatus, Warning};
use adit_diag::event::{EventFacts, HostFault, HostPart};
use adit_diag::{Code, printable};
use adit_store::NewEvent;
use jiff::Timestamp;

/// How long the status shows a fault that the server has repaired.
const SHOWN_AFTER: Duration = Duration::from_secs(600);

/// A fault of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The code.
    pub(crate) code: Code,
    /// What was observed, in one line.
    pub(crate) text: String,
    /// Whether new calls could not work.
    pub(crate) refuses_calls: bool,
    /// Whether the server repairs it by itself: it may come back, so it is shown for some time after its end.
    pub(crate) is_put_back: bool,
}

/// The faults by part; every part has at most one.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<BTreeMap<HostPart, Known>>);

/// A fault that lasts or is over.
#[derive(Debug)]
struct Known {
    fault: Fault,
    since: Instant,
    ended: Option<Instant>,
}

impl Health {
    fn known(&self) -> MutexGuard<'_, BTreeMap<HostPart, Known>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Records the fault that a part has now, or that it has none. Returns the event of a change.
    pub(crate) fn set(&self, now: Instant, part: HostPart, fault: Option<Fault>) -> Option<NewEvent> {
        let mut known = self.known();
        let lasting = known.get_mut(&part).filter(|known| known.ended.is_none());
        match (lasting, fault) {
            (None, None) => None,
            (Some(lasting), Some(fault)) if lasting.fault.code == fault.code => {
                lasting.fault = fault;
                None
            }
            (_, Some(fault)) => {
                let (code, detail) = (Some(fault.code), fault.text.clone());
                known.insert(part, Known { fault, since: now, ended: None });
                let facts = EventFacts::ServerFault(HostFault { part, detail, lasted_s: None });
                Some(NewEvent { code, ..NewEvent::new(Timestamp::now(), facts) })
            }
            (Some(lasting), None) => {
                lasting.ended = Some(now);
                let lasted_s = Some(now.saturating_duration_since(lasting.since).as_secs());
                let detail = lasting.fault.text.clone();
                let facts = EventFacts::ServerRepair(HostFault { part, detail, lasted_s });
                Some(NewEvent::new(Timestamp::now(), facts))
            }
        }
    }

    /// Why new calls are refused, if they are. The store is not considered: every call asks it anyway.
    pub(crate) fn refusal(&self) -> Option<(Code, String)> {
        let known = self.known();
        let others = known.iter().filter(|(part, _)| **part != HostPart::Database);
        let mut lasting = others.map(|(_, known)| known).filter(|known| known.ended.is_none());
        let known = lasting.find(|known| known.fault.refuses_calls)?;
        Some((known.fault.code, known.fault.text.clone()))
    }

    /// Since when a part has its fault.
    pub(crate) fn since(&self, part: HostPart) -> Option<Instant> {
        self.known().get(&part).filter(|known| known.ended.is_none()).map(|known| known.since)
    }

    /// The faults that last, then those that were repaired a short time ago.
    pub(crate) fn faults(&self, now: Instant) -> Vec<FaultStatus> {
        let seconds = |at: Instant| now.saturating_duration_since(at).as_secs();
        let known = self.known();
        let shown = known.iter().filter(|(_, Known { fault, ended, .. })| {
            ended.is_none_or(|ended| fault.is_put_back && now.saturating_duration_since(ended) < SHOWN_AFTER)
        });
        let mut faults: Vec<FaultStatus> = shown
            .map(|(part, Known { fault, since, ended })| FaultStatus {
                part: *part,
                code: fault.code,
                text: fault.text.clone(),
                refuses_calls: fault.refuses_calls && ended.is_none(),
                since_s: seconds(*since),
                repaired_s: ended.map(seconds),
            })
            .collect();
        faults.sort_by_key(|fault| fault.repaired_s.is_some());
        faults
    }
}

/// The line of a fault among the warnings.
pub(crate) fn warning(fault: &FaultStatus) -> Warning {
    let text = printable(&fault.text);
    let text = match fault.repaired_s {
        Some(ago) => format!("{text}; repaired {ago} s ago"),
        None if fault.refuses_calls => format!("new calls are refused: {text}"),
        None => text,
    };
    Warning { code: fault.code, text }
}

/// How often something may be put back: adit must not contend with another program that keeps removing it.
#[derive(Debug)]
pub(crate) struct RepairLimit {
    left: u32,
    /// When one more is allowed.
    next: Instant,
}

impl RepairLimit {
    /// The most repairs in quick succession.
    const MOST: u32 = 3;
    /// After these, one is allowed in this time.
    const EVERY: Duration = Duration::from_secs(60);

    /// Allows all of them.
    pub(crate) fn new(now: Instant) -> RepairLimit {
        RepairLimit { left: RepairLimit::MOST, next: now }
    }

    /// Whether a repair may be made now; if so, it counts.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        while self.left < RepairLimit::MOST && now >= self.next {
            self.left += 1;
            self.next += RepairLimit::EVERY;
        }
        if self.left == RepairLimit::MOST {
            self.next = now + RepairLimit::EVERY;
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

#[cfg(test)]
mod tests {
    use adit_diag::EventKind;

    use super::*;

    fn fault(code: Code, refuses_calls: bool) -> Option<Fault> {
        let is_put_back = code == Code::S10;
        Some(Fault { code, text: format!("{code} it is"), refuses_calls, is_put_back })
    }

    fn kind(event: Option<NewEvent>) -> Option<EventKind> {
        event.map(|event| event.facts.kind())
    }

    #[test]
    fn a_fault_is_an_event_once_and_its_end_another() {
        let (health, begin) = (Health::default(), Instant::now());
        let after = |s| begin + Duration::from_secs(s);
        let part = HostPart::Interface;
        assert_eq!(kind(health.set(begin, part, None)), None);
        let event = health.set(begin, part, fault(Code::S07, true)).unwrap();
        assert_eq!((event.facts.kind(), event.code), (EventKind::ServerFault, Some(Code::S07)));
        assert_eq!(health.set(after(2), part, fault(Code::S07, true)), None);
        assert_eq!(health.refusal(), Some((Code::S07, "S07 it is".to_owned())));
        assert_eq!(kind(health.set(after(4), part, fault(Code::S08, true))), Some(EventKind::ServerFault));
        let event = health.set(after(9), part, None).unwrap();
        assert_eq!((event.facts.kind(), event.code), (EventKind::ServerRepair, None));
        assert!(matches!(event.facts, EventFacts::ServerRepair(HostFault { lasted_s: Some(5), .. })));
        assert_eq!(health.set(after(11), part, None), None);
        assert_eq!(health.refusal(), None);
    }

    #[test]
    fn what_lasts_is_shown_first_and_what_is_over_for_some_time() {
        let (health, begin) = (Health::default(), Instant::now());
        health.set(begin, HostPart::Address, fault(Code::S10, true));
        health.set(begin, HostPart::Address, None);
        health.set(begin, HostPart::Clock, fault(Code::S05, false));
        health.set(begin, HostPart::Database, fault(Code::S09, true));
        health.set(begin, HostPart::Database, None);
        let texts = |after| -> Vec<String> {
            let faults = health.faults(begin + Duration::from_secs(after));
            faults.iter().map(|fault| warning(fault).text).collect()
        };
        assert_eq!(texts(7), ["S05 it is", "S10 it is; repaired 7 s ago"]);
        assert_eq!(texts(601), ["S05 it is"]);
        assert_eq!(health.refusal(), None, "the clock keeps no client out");
        health.set(begin, HostPart::Address, fault(Code::S10, true));
        assert_eq!(texts(0), ["new calls are refused: S10 it is", "S05 it is"]);
    }

    #[test]
    fn repairs_are_few_when_they_do_not_last() {
        let begin = Instant::now();
        let mut limit = RepairLimit::new(begin);
        let made: Vec<u64> =
            (0..300).step_by(2).filter(|s| limit.take(begin + Duration::from_secs(*s))).collect();
        assert_eq!(made, [0, 2, 4, 60, 120, 180, 240]);
        let later = begin + Duration::from_secs(3_000);
        let made = (0..10).filter(|s| limit.take(later + Duration::from_secs(*s))).count();
        assert_eq!(made, 3, "after a quiet time");
    }
}
