//! A login that is open.

use core::net::SocketAddr;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::proof::Proof;

use super::config::Retransmission;
use super::event::{Evidence, ServerFailure, ServerId};
use super::sockets::Slot;
use crate::check::Dropped;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::reply::Reply;
use crate::request::AccessRequest;

/// A login.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) request: Box<AccessRequest>,
    /// Whether only one server may be asked.
    pub(super) is_pinned: bool,
    /// Servers that were asked in vain.
    pub(super) failures: Vec<ServerFailure>,
    pub(super) attempt: Attempt,
}

/// The attempt to get an answer of one server.
#[derive(Debug)]
pub(super) enum Attempt {
    /// Waits for an identifier.
    Waiting { server: ServerId },
    /// Sent.
    Sent(Sent),
}

/// A request that was sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) server: ServerId,
    pub(super) slot: Slot,
    pub(super) authenticator: [u8; 16],
    /// The octets, which are the same each time they are sent.
    pub(super) packet: Vec<u8>,
    pub(super) begun: Instant,
    pub(super) last_sent: Instant,
    /// How often it was sent.
    pub(super) times: u8,
    interval: Duration,
    /// When it is sent again; `None` when it was sent as often as it may be.
    again: Option<Instant>,
    until: Instant,
    /// The last reply that did not count.
    pub(super) dropped: Option<Dropped>,
}

/// What is due for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    SendAgain,
    GiveUp,
}

fn after(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or(now)
}

/// An interval that is up to 10 % shorter or longer, so that requests do not stay in step.
fn vary(rng: &mut Rng, interval: Duration) -> Duration {
    let fifth = u64::try_from(interval.as_micros() / 5).unwrap_or(u64::MAX);
    let shorter = interval.saturating_sub(interval / 10);
    shorter.saturating_add(Duration::from_micros(rng.below(fifth)))
}

impl Sent {
    pub(super) fn new(
        now: Instant,
        (server, slot): (ServerId, Slot),
        authenticator: [u8; 16],
        packet: Vec<u8>,
        timing: &Retransmission,
        rng: &mut Rng,
    ) -> Sent {
        let again = (timing.retries > 0).then(|| after(now, vary(rng, timing.first)));
        Sent {
            server,
            slot,
            authenticator,
            packet,
            begun: now,
            last_sent: now,
            times: 1,
            interval: timing.first,
            again,
            until: after(now, timing.total),
            dropped: None,
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.again.map_or(self.until, |again| again.min(self.until))
    }

    /// What is due; if it is to be sent again, that counts as done.
    pub(super) fn handle_timeout(&mut self, now: Instant, timing: &Retransmission, rng: &mut Rng) -> Due {
        if now >= self.until {
            return Due::GiveUp;
        }
        if self.again.is_none_or(|again| again > now) {
            return Due::Nothing;
        }
        self.times = self.times.saturating_add(1);
        self.last_sent = now;
        self.interval = (self.interval * 2).min(timing.longest);
        self.again = (self.times <= timing.retries).then(|| after(now, vary(rng, self.interval)));
        Due::SendAgain
    }

    /// The record of a server that was asked in vain.
    pub(super) fn failure(&self, address: SocketAddr, unreachable: Option<Instant>) -> ServerFailure {
        let evidence = match self.dropped {
            Some(why) => Evidence::Dropped(why),
            None if unreachable >= Some(self.begun) => Evidence::Unreachable,
            None => Evidence::Silence,
        };
        ServerFailure { server: self.server, address, sent: self.times, evidence }
    }
}

impl Pending {
    /// Whether a reply has what the method needs: with MS-CHAPv2 a client disconnects without the server's proof (RFC
    /// 2759 section 5), so that an Accept without it is none.
    pub(super) fn check(&self, reply: &Reply) -> Result<(), Error> {
        let needs_proof = matches!(
            self.request.credentials,
            Credentials::Proof(Proof::MsChapV2 { .. } | Proof::ChangePassword(_))
        );
        match reply {
            Reply::Accept(accept) if needs_proof && accept.mschap2_success.is_none() => {
                Err(Error::new("MS-CHAP2-Success", 0, "the attribute in an Access-Accept for MS-CHAPv2", 0))
            }
            _ => Ok(()),
        }
    }
}
