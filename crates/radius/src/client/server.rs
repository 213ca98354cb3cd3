//! One server: its sockets, and whether it is in service.

use core::mem::{Discriminant, discriminant};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::config::{HealthConfig, ServerConfig};
use super::event::RequestId;
use super::sockets::{REST, Slot, Sockets};
use crate::check::{Dropped, RequireMessageAuthenticator};

/// The owner of an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Request(RequestId),
    Probe,
}

/// Whether a server is in service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// In service; so many requests in sequence had no usable answer.
    Alive { failures: u8 },
    /// Probed, because requests had no usable answer; so many probes had none either.
    Suspect { probes: u8 },
    /// Out of service; so many probes in sequence were answered.
    Dead { since: Instant, answers: u8 },
}

/// A change of [`Health`] that is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Down,
    Up,
}

/// The probe of a server.
#[derive(Debug)]
pub(super) enum Probe {
    /// None is planned.
    None,
    /// The next one is sent at this instant.
    Planned(Instant),
    /// One waits for its answer until this instant.
    Open { slot: Slot, authenticator: [u8; 16], packet: Vec<u8>, sent: Instant, until: Instant },
}

/// The interval at which a reason for dropping packets is reported again.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Server {
    pub(super) config: ServerConfig,
    pub(super) sockets: Sockets<Owner>,
    pub(super) health: Health,
    pub(super) probe: Probe,
    /// Whether a Status-Server was ever answered: then only an answer to a probe shows that the server is back.
    pub(super) has_answered_probe: bool,
    /// Whether a reply with a Message-Authenticator has arrived.
    has_signed: bool,
    /// When the host or a router reported last that the port cannot be reached.
    pub(super) unreachable: Option<Instant>,
    /// Requests that wait for an identifier, in order.
    pub(super) waiting: VecDeque<RequestId>,
    /// When the first of the resting identifiers is free for those that wait. It never becomes earlier.
    wake: Option<Instant>,
    /// When to look for sockets that are not needed.
    sweep: Option<Instant>,
    /// The reasons that were reported; no more than there are.
    reported: Vec<(Discriminant<Dropped>, Instant)>,
}

impl Server {
    pub(super) fn new(config: ServerConfig, sockets: u16) -> Server {
        Server {
            config,
            sockets: Sockets::new(sockets),
            health: Health::Alive { failures: 0 },
            probe: Probe::None,
            has_answered_probe: false,
            has_signed: false,
            unreachable: None,
            waiting: VecDeque::new(),
            wake: None,
            sweep: None,
            reported: Vec::new(),
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        matches!(self.health, Health::Dead { .. })
    }

    pub(super) fn is_signature_required(&self) -> bool {
        match self.config.require {
            RequireMessageAuthenticator::Yes => true,
            RequireMessageAuthenticator::No => false,
            RequireMessageAuthenticator::Auto => self.has_signed,
        }
    }

    /// Whether this reason is to be reported now.
    pub(super) fn is_report_due(&mut self, now: Instant, why: Dropped) -> bool {
        let kind = discriminant(&why);
        match self.reported.iter_mut().find(|(reported, _)| *reported == kind) {
            Some((_, at)) if now.saturating_duration_since(*at) < REPORT_INTERVAL => return false,
            Some((_, at)) => *at = now,
            None => self.reported.push((kind, now)),
        }
        true
    }

    /// A valid reply to a login: the server is in service, whatever was known before.
    pub(super) fn answered(&mut self, is_signed: bool) -> Option<Change> {
        self.has_signed |= is_signed;
        let was_dead = self.is_dead();
        self.health = Health::Alive { failures: 0 };
        if matches!(self.probe, Probe::Planned(_)) {
            self.probe = Probe::None;
        }
        was_dead.then_some(Change::Up)
    }

    /// A request had no usable answer.
    pub(super) fn failed(&mut self, now: Instant, config: &HealthConfig) -> Option<Change> {
        let Health::Alive { failures } = &mut self.health else { return None };
        *failures = failures.saturating_add(1);
        if *failures < config.failures {
            return None;
        }
        if config.has_probes {
            self.health = Health::Suspect { probes: 0 };
            if matches!(self.probe, Probe::None) {
                self.probe = Probe::Planned(now);
            }
            return None;
        }
        Some(self.die(now))
    }

    fn die(&mut self, now: Instant) -> Change {
        self.health = Health::Dead { since: now, answers: 0 };
        Change::Down
    }

    /// A probe was answered.
    pub(super) fn probe_answered(&mut self, now: Instant, config: &HealthConfig) -> Option<Change> {
        self.has_answered_probe = true;
        self.probe = Probe::None;
        match &mut self.health {
            Health::Alive { .. } => None,
            Health::Suspect { .. } => {
                self.health = Health::Alive { failures: 0 };
                None
            }
            Health::Dead { answers, .. } => {
                *answers = answers.saturating_add(1);
                if *answers >= config.confirmations {
                    self.health = Health::Alive { failures: 0 };
                    return Some(Change::Up);
                }
                self.probe = planned(now, config.confirm_interval);
                None
            }
        }
    }

    /// A probe had no answer, or could not be sent.
    pub(super) fn probe_failed(&mut self, now: Instant, config: &HealthConfig) -> Option<Change> {
        match &mut self.health {
            Health::Alive { .. } => {
                self.probe = Probe::None;
                None
            }
            Health::Suspect { probes } => {
                *probes = probes.saturating_add(1);
                if *probes < config.probes {
                    self.probe = Probe::Planned(now);
                    return None;
                }
                self.probe = planned(now, config.probe_interval);
                Some(self.die(now))
            }
            Health::Dead { answers, .. } => {
                *answers = 0;
                self.probe = planned(now, config.probe_interval);
                None
            }
        }
    }

    /// When the server is tried again without the answer to a probe.
    pub(super) fn tried_at(&self, config: &HealthConfig) -> Option<Instant> {
        match self.health {
            Health::Dead { since, .. } if !self.has_answered_probe => since.checked_add(config.dead_time),
            _ => None,
        }
    }

    /// Tries the server again if it is due: one more failure puts it out of service again.
    pub(super) fn try_again(&mut self, now: Instant, config: &HealthConfig) -> Option<Change> {
        if self.tried_at(config).is_none_or(|at| at > now) {
            return None;
        }
        self.health = Health::Alive { failures: config.failures.saturating_sub(1) };
        if matches!(self.probe, Probe::Planned(_)) {
            self.probe = Probe::None;
        }
        Some(Change::Up)
    }

    /// Forgets deadlines that have passed.
    pub(super) fn forget_passed(&mut self, now: Instant) {
        self.wake = self.wake.filter(|at| *at > now);
        self.sweep = self.sweep.filter(|at| *at > now);
    }

    /// The next deadline of the server itself.
    pub(super) fn due(&mut self, now: Instant, config: &HealthConfig) -> Option<Instant> {
        let probe = match self.probe {
            Probe::None => None,
            Probe::Planned(at) => Some(at),
            Probe::Open { until, .. } => Some(until),
        };
        if self.waiting.is_empty() {
            self.wake = None;
        } else if self.wake.is_none() {
            self.wake = self.sockets.rested_at();
        }
        if !self.sockets.has_further() {
            self.sweep = None;
        } else if self.sweep.is_none() {
            self.sweep = now.checked_add(REST);
        }
        [probe, self.wake, self.sweep, self.tried_at(config)].into_iter().flatten().min()
    }
}

fn planned(now: Instant, wait: Duration) -> Probe {
    now.checked_add(wait).map_or(Probe::None, Probe::Planned)
}
