//! Waiting for descriptors, and waking a waiting worker.
#![expect(unsafe_code, reason = "epoll and eventfd")]

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Result};

/// The most descriptors reported by one wait; the others are reported by the next one.
pub const MAX_READY: usize = 32;

/// The events to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Readable (errors are always reported).
    Read,
    /// Writable as well.
    ReadWrite,
}

/// A descriptor that is ready, level-triggered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The number passed to [`Poller::add`].
    pub token: u64,
    /// Whether it is readable.
    pub readable: bool,
    /// Whether it is writable.
    pub writable: bool,
    /// Whether there is an error to read (for a GRE socket: [`crate::gre::GreSocket::icmp`]), or the other
    /// end has closed.
    pub error: bool,
}

/// A set of descriptors to wait for.
#[derive(Debug)]
pub struct Poller(OwnedFd);

impl Poller {
    /// Creates an empty set.
    ///
    /// # Errors
    /// If the process is out of descriptors or the kernel is out of memory.
    pub fn new() -> Result<Poller> {
        // SAFETY: epoll_create1 takes no pointers.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(Error::io("cannot create an epoll set", &io::Error::last_os_error()));
        }
        // SAFETY: the kernel has just given us this descriptor.
        Ok(Poller(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Adds a descriptor, which must stay open until it is removed or the set is dropped.
    ///
    /// # Errors
    /// The error of the kernel, such as for a descriptor that is in the set already.
    pub fn add(&self, fd: impl AsFd, token: u64, interest: Interest) -> Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd.as_fd(), token, interest, "add a descriptor to an epoll set")
    }

    /// Changes the events to wait for.
    ///
    /// # Errors
    /// The error of the kernel, such as for a descriptor that is not in the set.
    pub fn modify(&self, fd: impl AsFd, token: u64, interest: Interest) -> Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd.as_fd(), token, interest, "change a descriptor in an epoll set")
    }

    /// Removes a descriptor.
    ///
    /// # Errors
    /// The error of the kernel, such as for a descriptor that is not in the set.
    pub fn remove(&self, fd: impl AsFd) -> Result<()> {
        self.control(
            libc::EPOLL_CTL_DEL,
            fd.as_fd(),
            0,
            Interest::Read,
            "remove a descriptor from an epoll set",
        )
    }

    fn control(
        &self,
        operation: i32,
        fd: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
        tried: &str,
    ) -> Result<()> {
        let events = match interest {
            Interest::Read => libc::EPOLLIN,
            Interest::ReadWrite => libc::EPOLLIN | libc::EPOLLOUT,
        };
        let mut event = libc::epoll_event { events: events as u32, u64: token };
        // SAFETY: `event` lives through the call; the kernel copies it.
        let rc = unsafe { libc::epoll_ctl(self.0.as_raw_fd(), operation, fd.as_raw_fd(), &raw mut event) };
        if rc < 0 {
            return Err(Error::io(format!("cannot {tried}"), &io::Error::last_os_error()));
        }
        Ok(())
    }

    /// Waits until a descriptor is ready or `timeout` has elapsed (`None`: no limit), and calls `each` for
    /// every ready descriptor. A signal ends the wait early, as if nothing were ready. Waits are rounded up
    /// to milliseconds, so that a deadline has passed when the wait returns.
    ///
    /// # Errors
    /// The error of the kernel; cannot happen for a valid set.
    pub fn wait(&self, timeout: Option<Duration>, mut each: impl FnMut(Ready)) -> io::Result<()> {
        let timeout =
            timeout.map_or(-1, |t| i32::try_from(t.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX));
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; MAX_READY];
        // SAFETY: `events` has space for MAX_READY entries.
        let n =
            unsafe { libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), MAX_READY as i32, timeout) };
        let Ok(n) = usize::try_from(n) else {
            let e = io::Error::last_os_error();
            return if e.kind() == io::ErrorKind::Interrupted { Ok(()) } else { Err(e) };
        };
        for event in events.iter().take(n) {
            let bits = event.events as i32;
            each(Ready {
                token: event.u64,
                readable: bits & libc::EPOLLIN != 0,
                writable: bits & libc::EPOLLOUT != 0,
                error: bits & (libc::EPOLLERR | libc::EPOLLHUP) != 0,
            });
        }
        Ok(())
    }
}

/// A set can be in another set: it is readable if a descriptor in it is ready.
impl AsFd for Poller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Wakes the thread that waits on it; clones wake the same thread. Add it to the thread's [`Poller`].
#[derive(Clone, Debug)]
pub struct Waker(Arc<File>);

impl Waker {
    /// Creates a waker without pending wakes.
    ///
    /// # Errors
    /// If the process is out of descriptors.
    pub fn new() -> Result<Waker> {
        // SAFETY: eventfd takes no pointers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(Error::io("cannot create an eventfd", &io::Error::last_os_error()));
        }
        // SAFETY: the kernel has just given us this descriptor.
        Ok(Waker(Arc::new(unsafe { File::from_raw_fd(fd) })))
    }

    /// Makes the waker readable until [`Waker::clear`].
    pub fn wake(&self) {
        // It fails only when 2^64 - 2 wakes are pending, and then it is readable anyway.
        let _ = (&*self.0).write(&1u64.to_ne_bytes());
    }

    /// Clears the pending wakes; returns whether there were any. Clear first, then look for work.
    pub fn clear(&self) -> bool {
        matches!((&*self.0).read(&mut [0; 8]), Ok(8))
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_waker_wakes_once_until_cleared() {
        let poller = Poller::new().unwrap();
        let waker = Waker::new().unwrap();
        poller.add(&waker, 7, Interest::Read).unwrap();
        let mut seen = Vec::new();
        poller.wait(Some(Duration::ZERO), |r| seen.push(r.token)).unwrap();
        assert!(seen.is_empty());

        let other = waker.clone();
        let thread = std::thread::spawn(move || other.wake());
        poller.wait(Some(Duration::from_secs(10)), |r| seen.push(r.token)).unwrap();
        thread.join().unwrap();
        assert_eq!(seen, [7]);
        assert!(waker.clear());
        assert!(!waker.clear());
        poller.wait(Some(Duration::ZERO), |r| seen.push(r.token)).unwrap();
        assert_eq!(seen, [7]);
    }

    #[test]
    fn a_wait_never_ends_before_its_deadline() {
        let poller = Poller::new().unwrap();
        let start = Instant::now();
        poller.wait(Some(Duration::from_micros(1500)), |_| ()).unwrap();
        assert!(start.elapsed() >= Duration::from_micros(1500));
    }

    #[test]
    fn a_removed_descriptor_is_silent() {
        let poller = Poller::new().unwrap();
        let waker = Waker::new().unwrap();
        poller.add(&waker, 1, Interest::ReadWrite).unwrap();
        poller.modify(&waker, 1, Interest::Read).unwrap();
        waker.wake();
        poller.remove(&waker).unwrap();
        poller.wait(Some(Duration::ZERO), |r| panic!("{r:?}")).unwrap();
        assert!(poller.remove(&waker).is_err());
    }
}
