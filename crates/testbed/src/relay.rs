//! A wire that drops, delays and repeats frames: two packet sockets and a thread between them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use adit_sys::packet::PacketSocket;
use adit_sys::poll::{Interest, Poller, Waker};
use adit_sys::tun::VnetHeader;

use crate::host::Host;
use crate::rule::{Fate, Frame, Rule};
use crate::wires::{End, wire};

/// What happened to the GRE frames of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Arrived at the relay.
    pub seen: u64,
    /// Lost by the rule.
    pub dropped: u64,
    /// Held back by the rule.
    pub delayed: u64,
    /// Repeated by the rule.
    pub duplicated: u64,
    /// Lost because the relay held too many frames, or the far interface took no more: a busy machine, not the rule.
    pub overflowed: u64,
}

/// The wire. Both directions have their own rule; the first is from the first end to the second.
#[derive(Debug)]
pub struct Relay {
    shared: Arc<Mutex<[Direction; 2]>>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
    // Its namespace and interfaces live as long as the relay.
    _host: Host,
}

struct Direction {
    rule: Box<dyn Rule>,
    counts: Counts,
}

impl std::fmt::Debug for Direction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.counts.fmt(f)
    }
}

impl Relay {
    /// Creates the wire between `a` and `b`.
    ///
    /// # Panics
    /// Without the rights that namespaces need.
    #[track_caller]
    pub fn between(
        a: End<'_>,
        b: End<'_>,
        a_to_b: impl Rule + 'static,
        b_to_a: impl Rule + 'static,
    ) -> Relay {
        let host = Host::new("relay");
        // The relay must not answer for itself.
        host.sysctl("net.ipv6.conf.default.disable_ipv6", "1");
        wire(a, (&host, "a", ""));
        wire(b, (&host, "b", ""));
        let direction = |rule| Direction { rule, counts: Counts::default() };
        let shared = Arc::new(Mutex::new([direction(Box::new(a_to_b)), direction(Box::new(b_to_a))]));
        let open = |name| PacketSocket::open(name).unwrap_or_else(|e| panic!("{e}"));
        let sockets = host.run(|| [open("a"), open("b")]);
        let waker = Waker::new().unwrap_or_else(|e| panic!("{e}"));
        let mut bridge = Bridge::new(sockets, waker.clone(), Arc::clone(&shared));
        let thread = host.thread(move || bridge.work().unwrap_or_else(|e| panic!("the relay stopped: {e}")));
        Relay { shared, waker, thread: Some(thread), _host: host }
    }

    /// What happened so far: from the first end to the second, and back.
    pub fn counts(&self) -> [Counts; 2] {
        lock(&self.shared).each_ref().map(|d| d.counts)
    }

    /// Puts new rules in place; frames that are held stay so.
    pub fn set(&self, a_to_b: impl Rule + 'static, b_to_a: impl Rule + 'static) {
        let mut shared = lock(&self.shared);
        let [there, back] = &mut *shared;
        there.rule = Box::new(a_to_b);
        back.rule = Box::new(b_to_a);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the relay's thread panicked");
        }
    }
}

/// A frame that waits for its time. The number keeps the order of frames of the same time.
type Held = Reverse<(Instant, u64, usize, [u8; VnetHeader::LEN], Vec<u8>)>;

struct Bridge {
    sockets: [PacketSocket; 2],
    waker: Waker,
    shared: Arc<Mutex<[Direction; 2]>>,
    held: BinaryHeap<Held>,
    number: u64,
}

/// Frames held at once, at most.
const HELD_MAX: usize = 8192;
/// Frames taken from one side before the other has its turn.
const TURN: usize = 64;
/// The largest super-packet and its Ethernet header.
const FRAME_MAX: usize = 65_536 + 64;

impl Bridge {
    fn new(sockets: [PacketSocket; 2], waker: Waker, shared: Arc<Mutex<[Direction; 2]>>) -> Bridge {
        Bridge { sockets, waker, shared, held: BinaryHeap::new(), number: 0 }
    }

    fn work(&mut self) -> io::Result<()> {
        let poller = Poller::new().map_err(io::Error::other)?;
        for (token, socket) in (0u64..).zip(&self.sockets) {
            poller.add(socket, token, Interest::Read).map_err(io::Error::other)?;
        }
        poller.add(&self.waker, 2, Interest::Read).map_err(io::Error::other)?;
        let mut frame = vec![0; FRAME_MAX];
        loop {
            let timeout =
                self.held.peek().map(|Reverse((at, ..))| at.saturating_duration_since(Instant::now()));
            let mut stop = false;
            poller.wait(timeout, |ready| stop |= ready.token == 2)?;
            if stop {
                return Ok(());
            }
            for side in [0, 1] {
                self.take(side, &mut frame)?;
            }
            self.release();
        }
    }

    fn take(&mut self, side: usize, frame: &mut [u8]) -> io::Result<()> {
        for _ in 0..TURN {
            let (header, len) = match self.sockets[side].receive(frame) {
                Ok(Some(received)) => received,
                Ok(None) => return Ok(()),
                // The far interface went down with its namespace: the test is over.
                Err(e) if e.raw_os_error() == Some(100) => return Ok(()),
                Err(e) => return Err(e),
            };
            let octets = frame.get(..len).unwrap_or_default();
            self.carry(side, header, octets);
        }
        Ok(())
    }

    fn carry(&mut self, side: usize, header: VnetHeader, octets: &[u8]) {
        let Some(gre) = gre_of(octets) else {
            self.send(side, header, octets);
            return;
        };
        let fate = {
            let mut shared = lock(&self.shared);
            let direction = &mut shared[side];
            let frame = Frame { octets, gre: Some(gre), index: direction.counts.seen };
            let fate = direction.rule.judge(&frame);
            direction.counts.seen += 1;
            match fate {
                Fate::Pass => {}
                Fate::Drop => direction.counts.dropped += 1,
                Fate::Delay(_) => direction.counts.delayed += 1,
                Fate::Duplicate(_) => direction.counts.duplicated += 1,
            }
            fate
        };
        match fate {
            Fate::Drop => {}
            Fate::Pass => self.send(side, header, octets),
            Fate::Delay(by) => self.hold(side, by, header, octets),
            Fate::Duplicate(by) => {
                self.send(side, header, octets);
                self.hold(side, by, header, octets);
            }
        }
    }

    fn hold(&mut self, side: usize, by: Duration, header: VnetHeader, octets: &[u8]) {
        if self.held.len() >= HELD_MAX {
            lock(&self.shared)[side].counts.overflowed += 1;
            return;
        }
        self.number += 1;
        let at = Instant::now() + by;
        self.held.push(Reverse((at, self.number, side, header.to_octets(), octets.to_vec())));
    }

    fn release(&mut self) {
        let now = Instant::now();
        while self.held.peek().is_some_and(|Reverse((at, ..))| *at <= now) {
            if let Some(Reverse((_, _, side, header, octets))) = self.held.pop() {
                self.send(side, VnetHeader::from_octets(header), &octets);
            }
        }
    }

    fn send(&mut self, from: usize, header: VnetHeader, octets: &[u8]) {
        if self.sockets[1 - from].send(header, octets).is_err() {
            lock(&self.shared)[from].counts.overflowed += 1;
        }
    }
}

/// The GRE packet in an Ethernet frame with IPv4 in it.
fn gre_of(octets: &[u8]) -> Option<&[u8]> {
    let (ethernet, ip) = octets.split_at_checked(14)?;
    let first = *ip.first()?;
    let is_gre = ethernet[12..14] == [0x08, 0x00] && first >> 4 == 4 && *ip.get(9)? == 47;
    if is_gre { ip.get(usize::from(first & 0x0f) * 4..) } else { None }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
