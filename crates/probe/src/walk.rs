//! The test of one call, layer by layer, as far as the call gets.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_diag::Layer;
use adit_doctor::facts::{Facts, Hop, Inside, Mtu};
use adit_tunnel::events::Up;

use crate::bounds::{self, Bounds};
use crate::call::{Call, CallRecord};
use crate::options::Options;
use crate::progress::Reporter;
use crate::sizes::{self, Quality};
use crate::{inside, path};

/// If a login gets no result for this long, LCP echoes test whether the path is alive.
const PATIENCE: Duration = Duration::from_secs(3);
/// GRE without an answer for this long is considered dead.
const DEAD: Duration = Duration::from_secs(10);

/// The results of a call.
#[derive(Debug, Default)]
pub(crate) struct Left {
    pub(crate) record: CallRecord,
    pub(crate) hops: Vec<Hop>,
    pub(crate) self_test: Option<bool>,
    pub(crate) inside: Inside,
    pub(crate) mtu: Mtu,
    pub(crate) quality: Quality,
    /// The layers that did not come up in time, with the time waited.
    pub(crate) waited: Vec<(Layer, Duration)>,
    /// Whether LCP echoes were answered while the login was not.
    pub(crate) path_lives: Option<bool>,
}

/// The test of one call.
pub(crate) struct Walk<'a, 't> {
    pub(crate) call: Call<'a>,
    pub(crate) options: &'a Options,
    /// The layer that the test ends with.
    pub(crate) last: Option<Layer>,
    /// Local address.
    pub(crate) source: Option<Ipv4Addr>,
    pub(crate) seed: u64,
    pub(crate) bounds: &'a mut Bounds,
    pub(crate) report: &'a mut Reporter<'t>,
    pub(crate) facts: &'a mut Facts,
    pub(crate) left: Left,
}

impl Walk<'_, '_> {
    /// Runs the steps as far as the call gets, then ends the call in order.
    pub(crate) fn go(&mut self) {
        let granted = self.control();
        if granted && self.call.gre.is_some() && self.goes_beyond(Layer::Control) {
            self.link();
        }
        if self.options.account.is_some() && self.call.has(Layer::Lcp) && self.goes_beyond(Layer::Lcp) {
            let accepted = self.login();
            if accepted && self.goes_beyond(Layer::Auth) {
                self.network();
            }
        }
        if let Some(up) = self.call.record.up.clone() {
            self.facts.address.overlaps = inside::overlaps(&up, self.call.server, &[], &self.facts.name);
            if self.goes_beyond(Layer::Address) {
                self.behind(&up);
            }
            if self.goes_beyond(Layer::Route) {
                self.sizes(&up);
            }
            if let Some(idle) = self.options.idle {
                self.silence(idle);
            }
        }
        self.report.note(Layer::Control, "shutting down the call");
        self.call.goodbye();
        self.left.record = std::mem::take(&mut self.call.record);
    }

    /// Whether the call is usable, and the test does not end with this layer.
    fn goes_beyond(&self, layer: Layer) -> bool {
        self.call.lives() && !self.ends_with(layer)
    }

    fn ends_with(&self, layer: Layer) -> bool {
        self.last.is_some_and(|last| last <= layer)
    }

    /// Records a timeout, if the call was usable.
    fn waited(&mut self, layer: Layer, since: Instant) {
        if self.call.lives() {
            self.left.waited.push((layer, since.elapsed()));
        }
    }

    /// Tests the control connection and the call. Returns whether the call was granted.
    fn control(&mut self) -> bool {
        let began = Instant::now();
        let until = self.bounds.until(bounds::CONTROL);
        if !self.call.work(until, |call| call.record.established.is_some()) {
            self.waited(Layer::Control, began);
        } else if let Some((host, vendor)) = &self.call.record.established {
            let who = if vendor.is_empty() { host } else { vendor };
            self.report.note(Layer::Control, format!("PPTP, \"{who}\""));
            let asked = Instant::now();
            let until = self.bounds.until(bounds::CALL);
            if !self.call.work(until, |call| call.record.granted.is_some() || !call.lives()) {
                self.waited(Layer::Control, asked);
            }
        }
        *self.facts.took.entry(Layer::Control).or_default() += began.elapsed();
        let granted = self.call.record.granted.is_some();
        self.report.end(Layer::Control, if granted { "call granted" } else { "no call" });
        granted
    }

    /// Tests GRE, and LCP over it.
    fn link(&mut self) {
        let began = Instant::now();
        self.report.begin(Layer::Gre, "waiting for the server's GRE");
        let until = self.bounds.until(bounds::LINK);
        let is_denied = |call: &Call<'_>| call.record.denied.is_some();
        self.call.work(until, |call| call.record.heard || is_denied(call) || !call.lives());
        self.facts.took.insert(Layer::Gre, began.elapsed());
        let heard = self.call.record.heard;
        self.report.end(Layer::Gre, if heard { "the server's GRE arrives" } else { "nothing came back" });
        if self.ends_with(Layer::Gre) && heard {
            return;
        }
        if heard {
            let began = Instant::now();
            self.report.begin(Layer::Lcp, "negotiating");
            self.call.work(until, |call| call.has(Layer::Lcp) || !call.lives());
            self.facts.took.insert(Layer::Lcp, began.elapsed());
            self.report.end(Layer::Lcp, if self.call.has(Layer::Lcp) { "up" } else { "not up" });
        }
        if self.call.has(Layer::Lcp) {
            return;
        }
        self.waited(Layer::Lcp, began);
        if self.goes_beyond(Layer::Gre) && !self.call.is_stopped() && !is_denied(&self.call) {
            self.report.begin(Layer::Gre, "how far protocol 47 gets");
            self.left.self_test = path::self_test(call_id_for_self(self.call.server));
            let until = self.bounds.until(bounds::HOPS);
            self.left.hops = path::hops(&mut self.call, self.source, until);
            self.report.end(Layer::Gre, hops_text(&self.left.hops));
        }
    }

    /// Logs in, once. Returns whether the login was accepted.
    fn login(&mut self) -> bool {
        let began = Instant::now();
        self.report.begin(Layer::Auth, "logging in, once");
        let until = self.bounds.until(bounds::AUTH);
        let is_accepted = |call: &Call<'_>| call.has(Layer::Auth) || call.record.up.is_some();
        let is_done = |call: &mut Call<'_>| is_accepted(call) || !call.lives();
        let patience = until.min(Instant::now() + PATIENCE);
        if !self.call.work(patience, is_done) {
            // Distinguishes a dead path from a silent authentication backend.
            self.left.path_lives = sizes::answers(&mut self.call, until);
            if !self.call.work(until, is_done) {
                self.waited(Layer::Auth, began);
            }
        }
        self.facts.took.insert(Layer::Auth, began.elapsed());
        let accepted = is_accepted(&self.call);
        self.report.end(Layer::Auth, if accepted { "accepted" } else { "not accepted" });
        accepted
    }

    /// Tests CCP and IPCP.
    fn network(&mut self) {
        let began = Instant::now();
        self.report.begin(Layer::Address, "encryption and address");
        let until = self.bounds.until(bounds::NETWORK);
        let encryption_is_all = self.ends_with(Layer::Encrypt);
        let done = self.call.work(until, |call| {
            call.record.up.is_some() || encryption_is_all && call.has(Layer::Encrypt) || !call.lives()
        });
        self.facts.took.insert(Layer::Address, began.elapsed());
        if !done {
            let layer = if self.call.has(Layer::Encrypt) { Layer::Address } else { Layer::Encrypt };
            self.waited(layer, began);
        }
        self.report.end(Layer::Address, if self.call.record.up.is_some() { "up" } else { "not up" });
    }

    /// Sends all requests through the tunnel; `salt` gives each round its own numbers.
    fn ask(&mut self, up: &Up, salt: u64) -> Inside {
        let until = self.bounds.until(bounds::INSIDE);
        inside::test(&mut self.call, up, self.options, self.seed ^ salt, until)
    }

    fn behind(&mut self, up: &Up) {
        let began = Instant::now();
        self.report.begin(Layer::Route, "what lies behind the tunnel");
        self.left.inside = self.ask(up, 0);
        if inside::is_dead(&self.left.inside) && self.call.lives() && !self.call.is_stopped() {
            // The last packet of the negotiation may be lost. The server then retransmits after three seconds, and
            // forwards nothing before.
            self.report.note(Layer::Route, "nothing answers; once more");
            self.left.inside = self.ask(up, 1);
        }
        let targets = &self.left.inside.targets;
        self.facts.address.overlaps = inside::overlaps(up, self.call.server, targets, &self.facts.name);
        self.facts.took.insert(Layer::Route, began.elapsed());
        self.report.end(Layer::Route, format!("{} targets", targets.len()));
    }

    fn sizes(&mut self, up: &Up) {
        let began = Instant::now();
        self.report.begin(Layer::Mtu, "loss, round trip and packet size");
        let until = self.bounds.until(bounds::INSIDE);
        let quality = sizes::quality(&mut self.call, 0, until);
        if quality.lost > 0 && inside::has_silence(&self.left.inside) && self.call.lives() {
            self.report.note(Layer::Route, "the line loses packets; once more");
            let again = self.ask(up, 2);
            self.left.inside = inside::better(std::mem::take(&mut self.left.inside), again);
        }
        let until = self.bounds.until(bounds::INSIDE);
        self.left.mtu = sizes::measure(&mut self.call, quality, up.mtu, until);
        self.left.quality = quality;
        self.facts.took.insert(Layer::Mtu, began.elapsed());
        self.report.end(Layer::Mtu, format!("{} of {} lost", quality.lost, quality.sent));
    }

    /// Stays idle for a while, then tests whether the tunnel still works.
    fn silence(&mut self, idle: Duration) {
        if !self.call.lives() {
            return;
        }
        self.report.begin(Layer::Gre, format!("silent for {} s", idle.as_secs()));
        self.bounds.extend(idle);
        self.call.work(Instant::now() + idle, |call| !call.lives());
        let until = self.bounds.until(bounds::INSIDE);
        let lives = self.call.lives() && sizes::answers(&mut self.call, until) == Some(true);
        if !lives {
            // Long enough to rule out a coincidence, and to observe TCP meanwhile.
            self.bounds.extend(DEAD);
            let until = Instant::now() + DEAD;
            while self.call.lives() && Instant::now() < until && !self.call.is_stopped() {
                sizes::answers(&mut self.call, until);
            }
        }
        self.report.end(Layer::Gre, if lives { "still works" } else { "does not work any more" });
    }
}

/// Any Call ID other than the call's will do.
fn call_id_for_self(server: Ipv4Addr) -> u16 {
    server.octets().iter().fold(0x4711, |id: u16, octet| id.rotate_left(3) ^ u16::from(*octet))
}

fn hops_text(hops: &[Hop]) -> String {
    match hops.iter().rev().find_map(|hop| hop.from.map(|from| (hop.ttl, from))) {
        Some((ttl, from)) => format!("as far as {from}, router {ttl}"),
        None => "no router answers".to_owned(),
    }
}
