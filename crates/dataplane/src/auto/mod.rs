//! AF_XDP where it changes nothing (`link.io = "auto"`).
//!
//! At start, AF_XDP is opened in the driver if this host would treat GRE in the same way without its IP stack
//! ([`adit_inspect::bypass`]). After that a thread follows the changes of the host: a rule that concerns GRE puts the packets
//! back on the socket within a second. The program stays attached and passes them, because some drivers reset the link when
//! a program is attached or detached.

mod carrier;
mod switch;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use adit_inspect::bypass::{self, Asked, Watch};
use adit_sys::gre::GreSocket;
use adit_sys::xdp::{self, About, CallSet, Mode, Xdp, XdpOptions};

use self::carrier::Remembered;
use self::switch::{Switch, list};
use crate::config::DataplaneConfig;

/// How long the host may take to show its rules at start.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long after attaching a loss of carrier counts as its result.
const SETTLED: Duration = Duration::from_secs(5);

/// Opens AF_XDP for these sockets where it is safe.
///
/// # Errors
/// Why the socket is used.
pub(crate) fn open(config: &DataplaneConfig, sockets: &[Arc<GreSocket>]) -> Result<Vec<Xdp>, String> {
    let failed = |error: adit_sys::Error| format!("{} ({}); {}", error.tried(), error.answer(), error.fix());
    let interface = match &config.interface {
        Some(interface) => interface.clone(),
        None => xdp::interface_for(config.near.or(config.local)).map_err(failed)?,
    };
    if let Some(remembered) = remembered(config).filter(|remembered| remembered.contains(&interface)) {
        return Err(remembers_lost_carrier(&interface, &remembered));
    }
    let asked = asked(&interface, config)?;
    let obstacles = bypass::look(&asked, None, PATIENCE);
    if !obstacles.is_empty() {
        return Err(at_start(&texts(&obstacles)));
    }
    let options = XdpOptions {
        interface,
        local: config.local,
        dont_fragment: config.dont_fragment,
        mode: Some(Mode::Native),
    };
    xdp::open(&options, sockets).map_err(failed)
}

fn asked(interface: &str, config: &DataplaneConfig) -> Result<Asked, String> {
    let addresses = xdp::addresses(config.local).map_err(|error| error.to_string())?;
    Ok(Asked { interface: interface.to_owned(), addresses })
}

/// AF_XDP is opened at the start only, so that later changes do not change this reason.
fn at_start(obstacles: &[String]) -> String {
    format!("at the start, {}; restart to check again", list(obstacles))
}

fn texts(obstacles: &[bypass::Obstacle]) -> Vec<String> {
    obstacles.iter().map(ToString::to_string).collect()
}

fn remembered(config: &DataplaneConfig) -> Option<Remembered> {
    config.remember.clone().map(Remembered)
}

fn lost_carrier(interface: &str) -> String {
    format!("{interface} lost its carrier within {} s after an XDP program was attached", SETTLED.as_secs())
}

fn remembers_lost_carrier(interface: &str, remembered: &Remembered) -> String {
    format!("{}; to try again, remove it from {}", lost_carrier(interface), remembered.path().display())
}

/// Follows the host for as long as AF_XDP is open.
#[derive(Debug)]
pub(crate) struct Follower {
    reason: Arc<Mutex<String>>,
    /// `None` once it is being dropped.
    news: Option<Sender<Vec<String>>>,
    /// Dropped before the thread is joined.
    watch: Option<Watch>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Starts to follow the host; `calls` belong to the AF_XDP sockets that [`open`] opened.
    ///
    /// # Errors
    /// If the host cannot be followed; AF_XDP must not be used then.
    pub(crate) fn start(
        config: &DataplaneConfig,
        about: &About,
        calls: Arc<CallSet>,
    ) -> Result<Follower, String> {
        let (news, receiver) = channel();
        let reason = Arc::new(Mutex::new(String::new()));
        let mut follow = Follow {
            switch: Switch::new(),
            calls,
            reason: Arc::clone(&reason),
            interface: about.interface.clone(),
            losses_before: about.carrier_losses,
            settled: Instant::now() + SETTLED,
            remembered: remembered(config),
        };
        let asked = asked(&about.interface, config)?;
        let report = news.clone();
        let (watch, first) = Watch::start(asked, Some(about.program), move |obstacles| {
            // If the receiver has ended, so has AF_XDP.
            let _ = report.send(texts(&obstacles));
        })
        .map_err(|error| format!("the rules of this host cannot be followed: {error}"))?;
        follow.judge(texts(&first));
        let thread = std::thread::Builder::new()
            .name("adit-xdp-watch".to_owned())
            .spawn(move || follow.run(&receiver))
            .map_err(|error| format!("cannot start a thread ({error})"))?;
        Ok(Follower { reason, news: Some(news), watch: Some(watch), thread: Some(thread) })
    }

    /// Why AF_XDP is not used at the moment; empty if it is.
    pub(crate) fn reason(&self) -> String {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        drop(self.watch.take());
        drop(self.news.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The state of the thread.
struct Follow {
    switch: Switch,
    calls: Arc<CallSet>,
    reason: Arc<Mutex<String>>,
    interface: String,
    losses_before: Option<u32>,
    /// When the carrier is not looked at any more.
    settled: Instant,
    remembered: Option<Remembered>,
}

impl Follow {
    fn run(mut self, news: &Receiver<Vec<String>>) {
        loop {
            let now = Instant::now();
            let carrier = Some(self.settled)
                .filter(|settled| *settled > now)
                .map(|settled| settled.min(now + SETTLED / 10));
            let wake = self.switch.next().into_iter().chain(carrier).min();
            let received = match wake {
                Some(at) => news.recv_timeout(at.saturating_duration_since(now)),
                None => news.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match received {
                Ok(obstacles) => self.judge(obstacles),
                Err(RecvTimeoutError::Timeout) => self.apply(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn judge(&mut self, obstacles: Vec<String>) {
        self.switch.judge(Instant::now(), obstacles);
        self.apply();
    }

    fn apply(&mut self) {
        let now = Instant::now();
        if now < self.settled && self.has_lost_carrier() {
            self.settled = now;
            let why = match &self.remembered {
                Some(remembered) => match remembered.add(&self.interface) {
                    Ok(()) => remembers_lost_carrier(&self.interface, remembered),
                    Err(error) => format!(
                        "{}, and {} cannot be written ({error}); set link.io = \"socket\"",
                        lost_carrier(&self.interface),
                        remembered.path().display()
                    ),
                },
                None => lost_carrier(&self.interface),
            };
            self.switch.end(now, why);
        }
        self.calls.use_xdp(self.switch.decide(now));
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = self.switch.reason(now);
    }

    fn has_lost_carrier(&self) -> bool {
        let Some(before) = self.losses_before else { return false };
        // An interface that was removed delivers nothing to AF_XDP either.
        xdp::carrier_losses(&self.interface).is_ok_and(|losses| losses.is_some_and(|losses| losses != before))
    }
}

/// Where the interfaces are remembered that must not get an XDP program, in this directory.
pub fn remembered_in(directory: &std::path::Path) -> PathBuf {
    directory.join("xdp-carrier-lost")
}
