//! AF_XDP sockets: one for each receive queue of the interface, and one for sending.
#![expect(unsafe_code, reason = "system calls without data that wake the kernel")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::sync::Arc;

use super::memory::{Descriptor, FRAME, Frame, Offsets, Ring, Umem, Which};
use crate::error::{Error, Kind, Result};
use crate::host::{Capability, with_capability};
use crate::socket;

/// The number of frames for sending, and of ring entries for them.
pub(super) const SEND_FRAMES: u32 = 2048;

/// The socket option for the number of entries per wake-up (`XDP_MAX_TX_SKB_BUDGET`, Linux 6.17 on); the
/// default is 32.
const MAX_TX_SKB_BUDGET: i32 = 9;

/// One receive queue.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) fd: OwnedFd,
    umem: Arc<Umem>,
    receive: Ring<Descriptor>,
    fill: Ring<u64>,
}

/// The sending half.
#[derive(Debug)]
pub(super) struct Outlet {
    fd: OwnedFd,
    umem: Arc<Umem>,
    transmit: Ring<Descriptor>,
    completion: Ring<u64>,
    /// Frames that are not owned by the kernel.
    pub(super) free: Vec<Frame>,
}

/// The result of one wake-up.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wake {
    /// The kernel has accepted everything.
    Done,
    /// Another wake-up sends more.
    Again,
    /// A packet was dropped because the interface's queue is full; another wake-up sends more.
    Dropped,
    /// The interface is down or was removed.
    Down,
}

/// A queue that is being created: nothing receives before its socket is in the map.
pub(super) struct Bound {
    pub(super) queue: Queue,
    /// The sending half, if the queue has one.
    pub(super) outlet: Option<Outlet>,
    pub(super) zero_copy: bool,
}

/// Opens the socket of queue `number` with `frames` frames (a power of two); `with_outlet` adds one for
/// sending. `None` if the interface has no such queue.
pub(super) fn open(
    interface: u32,
    number: u32,
    frames: u32,
    with_outlet: bool,
    copy: bool,
) -> Result<Option<Bound>> {
    let tried = |what: &str, e: &io::Error| explain(&format!("cannot {what} of AF_XDP queue {number}"), e);
    let fd = socket::open(libc::AF_XDP, libc::SOCK_RAW, 0).map_err(|e| tried("open the socket", &e))?;
    let spare = if with_outlet { SEND_FRAMES } else { 0 };
    let (umem, mut all) = Umem::new(frames + spare).map_err(|e| tried("get the memory", &e))?;
    let about = libc::xdp_umem_reg {
        addr: umem.address(),
        len: umem.size(),
        chunk_size: FRAME as u32,
        headroom: 0,
        flags: 0,
        tx_metadata_len: 0,
    };
    raise_memory_limit();
    with_capability(Capability::IpcLock, || set(&fd, libc::XDP_UMEM_REG, &about))
        .map_err(|e| tried("lock the memory", &e))?;
    let sized = |name, size: u32| set(&fd, name, &size).map_err(|e| tried("make the rings", &e));
    sized(libc::XDP_UMEM_FILL_RING, frames)?;
    sized(libc::XDP_UMEM_COMPLETION_RING, spare.max(64))?;
    sized(libc::XDP_RX_RING, frames)?;
    let offsets = offsets(&fd).map_err(|e| tried("map the rings", &e))?;
    let mut fill =
        Ring::map(fd.as_fd(), Which::Fill, offsets.fill, frames).map_err(|e| tried("map the rings", &e))?;
    let receive = Ring::map(fd.as_fd(), Which::Receive, offsets.receive, frames)
        .map_err(|e| tried("map the rings", &e))?;
    let completion = Ring::map(fd.as_fd(), Which::Completion, offsets.completion, spare.max(64))
        .map_err(|e| tried("map the rings", &e))?;
    let free = all.split_off(frames as usize);
    for frame in all {
        fill.give(frame);
    }
    fill.submit();

    let flags = libc::XDP_USE_NEED_WAKEUP | if copy { libc::XDP_COPY } else { 0 };
    match socket::bind(&fd, &address(interface, number, flags, None)) {
        Err(e) if number > 0 && e.raw_os_error() == Some(libc::EINVAL) => return Ok(None),
        other => other.map_err(|e| tried("bind the socket", &e))?,
    }
    let zero_copy = socket::get::<1>(&fd, libc::SOL_XDP, libc::XDP_OPTIONS)
        .is_ok_and(|[flags]| flags & libc::XDP_OPTIONS_ZEROCOPY != 0);
    let outlet = with_outlet
        .then(|| outlet(interface, number, fd.as_fd(), Arc::clone(&umem), completion, free))
        .transpose()
        .map_err(|e| tried("make the sending half", &e))?;
    Ok(Some(Bound { queue: Queue { fd, umem, receive, fill }, outlet, zero_copy }))
}

/// Creates a separate socket for sending: if one socket did both, waiting for packets would make the kernel
/// send during the wait.
fn outlet(
    interface: u32,
    queue: u32,
    owner: BorrowedFd<'_>,
    umem: Arc<Umem>,
    completion: Ring<u64>,
    free: Vec<Frame>,
) -> io::Result<Outlet> {
    let fd = socket::open(libc::AF_XDP, libc::SOCK_RAW, 0)?;
    set(&fd, libc::XDP_TX_RING, &SEND_FRAMES)?;
    let transmit = Ring::map(fd.as_fd(), Which::Transmit, offsets(&fd)?.transmit, SEND_FRAMES)?;
    // In copy mode every packet in flight counts against the send buffer; make it large enough for all
    // frames.
    socket::set_buffer(&fd, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF, SEND_FRAMES as usize * 4096)?;
    socket::bind(&fd, &address(interface, queue, libc::XDP_SHARED_UMEM, Some(owner)))?;
    // An older kernel does not support this and needs more wake-ups.
    let _ = set(&fd, MAX_TX_SKB_BUDGET, &SEND_FRAMES);
    Ok(Outlet { fd, umem, transmit, completion, free })
}

impl Queue {
    /// The octets of a frame of this queue.
    pub(super) fn octets<'a>(&'a self, frame: &'a mut Frame) -> &'a mut [u8] {
        self.umem.octets(frame)
    }

    /// The octets of a frame of this queue, read-only.
    pub(super) fn read<'a>(&'a self, frame: &'a Frame) -> &'a [u8] {
        self.umem.read(frame)
    }

    /// Takes the next packet: its frame, its offset, its length.
    pub(super) fn receive(&mut self) -> Option<(Frame, usize, usize)> {
        self.receive.receive(&self.umem)
    }

    /// Returns a frame to be filled again, at the next [`Queue::turn`].
    pub(super) fn give(&mut self, frame: Frame) {
        // There is space: the ring has an entry for every frame.
        self.fill.give(frame);
    }

    /// Publishes to the kernel what was taken and returned.
    pub(super) fn turn(&mut self) {
        self.receive.release();
        self.fill.submit();
        if self.fill.needs_wakeup() {
            // SAFETY: recvfrom without a buffer touches no memory. Its error is returned by the next one as well.
            unsafe {
                let (fd, none) = (self.fd.as_raw_fd(), ptr::null_mut());
                libc::recvfrom(fd, none, 0, libc::MSG_DONTWAIT, none.cast(), ptr::null_mut());
            }
        }
    }

    /// The number of packets for which there was no frame or no space in the ring, or which were longer than
    /// a frame.
    pub(super) fn dropped(&self) -> u64 {
        let Ok(words) = socket::get::<12>(&self.fd, libc::SOL_XDP, libc::XDP_STATISTICS) else { return 0 };
        // rx_dropped and rx_ring_full.
        wide(&words, 0) + wide(&words, 3)
    }

    /// Whether its interface was removed.
    pub(super) fn gone(&self) -> bool {
        socket::get::<1>(&self.fd, libc::SOL_SOCKET, libc::SO_ERROR).is_ok_and(|[error]| error != 0)
    }
}

impl Outlet {
    /// The octets of a frame to be sent.
    pub(super) fn octets<'a>(&'a self, frame: &'a mut Frame) -> &'a mut [u8] {
        self.umem.octets(frame)
    }

    /// Takes back the frames of sent packets.
    pub(super) fn reap(&mut self) {
        let before = self.free.len();
        while let Some(frame) = self.completion.take_back(&self.umem) {
            self.free.push(frame);
        }
        if self.free.len() > before {
            self.completion.release();
        }
    }

    /// Queues `len` octets of a frame from `start` on. False, and the frame is free again, if there is no
    /// space.
    pub(super) fn push(&mut self, frame: Frame, start: usize, len: usize) -> bool {
        match self.transmit.send(frame, start, len) {
            None => true,
            Some(frame) => {
                self.free.push(frame);
                false
            }
        }
    }

    /// The number of queued frames that the kernel has not accepted yet.
    pub(super) fn backlog(&mut self) -> usize {
        self.transmit.untaken() as usize
    }

    /// Publishes the queued frames to the kernel and makes it send.
    pub(super) fn wake(&mut self) -> io::Result<Wake> {
        self.transmit.submit();
        if !self.transmit.needs_wakeup() {
            return Ok(Wake::Done);
        }
        // SAFETY: sendto without a buffer touches no memory of ours except the frames owned by the kernel.
        let sent =
            unsafe { libc::sendto(self.fd.as_raw_fd(), ptr::null(), 0, libc::MSG_DONTWAIT, ptr::null(), 0) };
        if sent >= 0 {
            return Ok(Wake::Done);
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EINTR | libc::ENOBUFS) => Ok(Wake::Again),
            Some(libc::EBUSY) => Ok(Wake::Dropped),
            Some(libc::ENETDOWN | libc::ENXIO | libc::ENODEV) => Ok(Wake::Down),
            _ => Err(error),
        }
    }
}

/// The number of queues of an interface.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queues {
    pub(super) receive: u32,
    pub(super) transmit: u32,
}

/// The number of queues as reported by the driver (`ethtool -l`); `None` if it does not report them.
pub(super) fn queues(interface: &str) -> Option<Queues> {
    /// linux/ethtool.h, `struct ethtool_channels`.
    #[repr(C)]
    struct Channels {
        command: u32,
        most: [u32; 4],
        receive: u32,
        transmit: u32,
        other: u32,
        combined: u32,
    }
    const GET_CHANNELS: u32 = 0x3c;
    const ETHTOOL: libc::c_ulong = 0x8946;
    let mut channels =
        Channels { command: GET_CHANNELS, most: [0; 4], receive: 0, transmit: 0, other: 0, combined: 0 };
    let mut name = [0; libc::IFNAMSIZ];
    let octets = interface.as_bytes();
    if octets.len() >= name.len() {
        return None;
    }
    for (place, octet) in name.iter_mut().zip(octets) {
        *place = *octet as libc::c_char;
    }
    let data = ptr::from_mut(&mut channels).cast();
    let mut request =
        libc::ifreq { ifr_name: name, ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_data: data } };
    let fd = socket::open(libc::AF_INET, libc::SOCK_DGRAM, 0).ok()?;
    // SAFETY: `request` names an interface, zero-terminated, and points to `channels`, which the kernel fills in; both
    // live through the call.
    let answer = unsafe { libc::ioctl(fd.as_raw_fd(), ETHTOOL as _, &raw mut request) };
    (answer == 0).then_some(Queues {
        receive: channels.receive + channels.combined,
        transmit: channels.transmit + channels.combined,
    })
}

fn set<T: Copy>(fd: &OwnedFd, name: i32, value: &T) -> io::Result<()> {
    socket::set(fd, libc::SOL_XDP, name, value)
}

fn address(interface: u32, queue: u32, flags: u16, shared: Option<BorrowedFd<'_>>) -> libc::sockaddr_xdp {
    libc::sockaddr_xdp {
        sxdp_family: libc::AF_XDP as u16,
        sxdp_flags: flags,
        sxdp_ifindex: interface,
        sxdp_queue_id: queue,
        sxdp_shared_umem_fd: shared.map_or(0, |fd| fd.as_raw_fd() as u32),
    }
}

struct AllOffsets {
    receive: Offsets,
    transmit: Offsets,
    fill: Offsets,
    completion: Offsets,
}

fn offsets(fd: &OwnedFd) -> io::Result<AllOffsets> {
    let words = socket::get::<32>(fd, libc::SOL_XDP, libc::XDP_MMAP_OFFSETS)?;
    let ring = |number: usize| Offsets {
        producer: wide(&words, number * 4),
        consumer: wide(&words, number * 4 + 1),
        entries: wide(&words, number * 4 + 2),
        flags: wide(&words, number * 4 + 3),
    };
    Ok(AllOffsets { receive: ring(0), transmit: ring(1), fill: ring(2), completion: ring(3) })
}

/// The 64-bit number at `index` of an array that is stored in 32-bit words.
fn wide(words: &[u32], index: usize) -> u64 {
    match words.get(index * 2..index * 2 + 2) {
        Some([first, second]) => {
            let ([a, b, c, d], [e, f, g, h]) = (first.to_ne_bytes(), second.to_ne_bytes());
            u64::from_ne_bytes([a, b, c, d, e, f, g, h])
        }
        _ => 0,
    }
}

/// Raises the limit of locked memory as far as permitted, because it applies to processes without
/// CAP_IPC_LOCK.
fn raise_memory_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid rlimit to be filled in.
    if unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) } == 0 {
        let all = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: `all` is a valid rlimit.
        if unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const all) } < 0 {
            limit.rlim_cur = limit.rlim_max;
            // SAFETY: `limit` is a valid rlimit.
            unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) };
        }
    }
}

fn explain(tried: &str, e: &io::Error) -> Error {
    let error = Error::io(tried, e);
    match e.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => error.needs("CAP_NET_RAW"),
        Some(libc::EAFNOSUPPORT) => error.with_fix(
            "use a kernel with CONFIG_XDP_SOCKETS, and allow AF_XDP (RestrictAddressFamilies=), or set link.io = \"socket\"",
        ),
        Some(libc::ENOBUFS | libc::ENOMEM) => error.with_fix(
            "allow more locked memory: LimitMEMLOCK=infinity in the unit, or give the process CAP_IPC_LOCK",
        ),
        Some(libc::EBUSY) => error.with_fix(
            "another program has AF_XDP sockets on this queue: end it, or set link.io = \"socket\"",
        ),
        _ if error.kind() == Kind::Other => error.with_fix("set link.io = \"socket\""),
        _ => error,
    }
}
