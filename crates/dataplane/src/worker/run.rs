//! A worker's thread.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_sys::poll::{Interest, Poller, Waker};
use adit_sys::tun::Tun;

use super::{Turn, Worker};
use crate::io::{Ask, GreIn, GreOut, TunIo};

const WAKER: u64 = 0;
const GRE: u64 = 1;
const TUN: u64 = 2;
const XDP: u64 = 3;
/// A busy worker polls its sources directly, and once in this many turns checks what they do not report:
/// orders, ICMP errors, removed interfaces.
const LOOK_EVERY: u32 = 32;

/// The sources on which a worker waits.
pub(crate) struct Sources {
    poller: Poller,
    waker: Waker,
}

impl Sources {
    /// Creates the sources: its orders, its GRE socket, AF_XDP and the TUN interface if it uses them.
    pub(crate) fn new(
        waker: Waker,
        gre: impl AsFd,
        xdp: Option<impl AsFd>,
        tun: Option<impl AsFd>,
    ) -> adit_sys::Result<Sources> {
        let poller = Poller::new()?;
        poller.add(&waker, WAKER, Interest::Read)?;
        poller.add(gre, GRE, Interest::Read)?;
        if let Some(xdp) = xdp {
            poller.add(xdp, XDP, Interest::Read)?;
        }
        if let Some(tun) = tun {
            poller.add(tun, TUN, Interest::Read)?;
        }
        Ok(Sources { poller, waker })
    }

    /// Does not wait on interfaces any more that were removed or replaced.
    fn forget(&self, first: Option<impl AsFd>, later: Option<Arc<Tun>>) {
        // An error means that the kernel has forgotten it already.
        if let Some(tun) = first {
            let _ = self.poller.remove(tun);
        }
        if let Some(tun) = later {
            let _ = self.poller.remove(&*tun);
        }
    }
}

/// Works until it is stopped. `tun` is the one passed to [`Sources::new`].
pub(crate) fn run<I: GreIn, O: GreOut, T: TunIo>(
    mut worker: Worker<I, O, T>,
    sources: &Sources,
    tun: Option<impl AsFd>,
) {
    let mut tun = tun;
    let mut replaced: Option<Arc<Tun>> = None;
    let mut timeout = Some(Duration::ZERO);
    let mut busy = 0u32;
    loop {
        let (mut woken, mut tun_gone) = (false, false);
        let mut ask = Ask { reports: false, ..Ask::ALL };
        if busy.is_multiple_of(LOOK_EVERY) {
            let mut ready = Ask::default();
            let waited = sources.poller.wait(timeout, |seen| match seen.token {
                WAKER => woken = true,
                GRE => (ready.gre, ready.reports) = (true, seen.error),
                TUN => (ready.tun, tun_gone) = (true, seen.error),
                _ => {}
            });
            if waited.is_err() {
                // This should not happen with a valid set; if it does, the worker must not spin.
                std::thread::sleep(Duration::from_millis(10));
            }
            // Poll only the sources that are ready, so that a packet on an idle line does not wait for
            // others.
            ask = if busy == 0 && waited.is_ok() { ready } else { Ask { reports: ready.reports, ..ask } };
        }
        if woken {
            sources.waker.clear();
        }
        // A removed interface would be reported as ready forever.
        if tun_gone {
            sources.forget(tun.take(), replaced.take());
        }
        let now = Instant::now();
        (busy, timeout) = match worker.turn(now, ask) {
            Turn::Busy => (busy.wrapping_add(1), Some(Duration::ZERO)),
            Turn::Idle(next) => (0, next.map(|at| at.saturating_duration_since(now))),
            Turn::Stop => return,
        };
        if let Some(new) = worker.take_new_tun() {
            sources.forget(tun.take(), replaced.take());
            if sources.poller.add(&*new, TUN, Interest::Read).is_ok() {
                replaced = Some(new);
            }
        }
    }
}
