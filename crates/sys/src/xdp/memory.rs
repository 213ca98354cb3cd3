//! The memory that is shared with the kernel: frames, and rings of their addresses.
//!
//! At any time a frame is owned either by this process or by the kernel. A frame of this process is a
//! [`Frame`], which cannot be copied; passing it to the kernel consumes it, and only a ring through which the
//! kernel returns frames creates one again. So there is at most one [`Frame`] for a place in memory, and its
//! octets can be borrowed safely.
#![expect(unsafe_code, reason = "memory shared with the kernel")]

use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The size of a frame in octets.
pub(super) const FRAME: usize = 2048;

/// Mapped pages, unmapped on drop.
#[derive(Debug)]
struct Pages {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the pages belong to the process, not to a thread; the owners ensure exclusive access to the octets.
unsafe impl Send for Pages {}
// SAFETY: as above; `Pages` itself gives no access through a shared reference.
unsafe impl Sync for Pages {}

impl Pages {
    fn map(len: usize, flags: i32, fd: i32, offset: libc::off_t) -> io::Result<Pages> {
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe {
            libc::mmap(ptr::null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, flags, fd, offset)
        };
        match NonNull::new(start.cast::<u8>()) {
            Some(place) if start != libc::MAP_FAILED => Ok(Pages { start: place, len }),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `map`, and everything that points into it is gone with its owner.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

/// The memory of all frames of a receive queue (and, for the first queue, of the frames to send).
#[derive(Debug)]
pub(super) struct Umem {
    pages: Pages,
    frames: u32,
    /// Distinguishes frames of different memories.
    id: u32,
}

/// The right to the octets of one frame of an [`Umem`].
#[derive(Debug)]
pub(super) struct Frame {
    /// The id of the memory.
    umem: u32,
    index: u32,
}

impl Umem {
    /// Creates memory for `frames` frames, and the frames.
    pub(super) fn new(frames: u32) -> io::Result<(Arc<Umem>, Vec<Frame>)> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let len = frames as usize * FRAME;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE;
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let umem = Umem { pages: Pages::map(len, flags, -1, 0)?, frames, id };
        Ok((Arc::new(umem), (0..frames).map(|index| Frame { umem: id, index }).collect()))
    }

    /// The start address, for the kernel.
    pub(super) fn address(&self) -> u64 {
        self.pages.start.as_ptr() as u64
    }

    /// The size of all frames in octets.
    pub(super) fn size(&self) -> u64 {
        self.pages.len as u64
    }

    /// The octets of a frame; empty for a frame of another memory.
    pub(super) fn octets<'a>(&'a self, frame: &'a mut Frame) -> &'a mut [u8] {
        if frame.umem != self.id || frame.index >= self.frames {
            return &mut [];
        }
        // SAFETY: the index is below the number of frames, so the octets lie within the pages, which live as long as
        // `self`. There is no other `Frame` of this index and memory, and the kernel does not have it (see above), and
        // this one is borrowed mutably: nothing else accesses the octets.
        unsafe {
            let start = self.pages.start.as_ptr().add(frame.index as usize * FRAME);
            std::slice::from_raw_parts_mut(start, FRAME)
        }
    }

    /// The octets of a frame, read-only.
    pub(super) fn read<'a>(&'a self, frame: &'a Frame) -> &'a [u8] {
        if frame.umem != self.id || frame.index >= self.frames {
            return &[];
        }
        // SAFETY: as above; the frame is borrowed, so its octets are not borrowed mutably.
        unsafe {
            let start = self.pages.start.as_ptr().add(frame.index as usize * FRAME);
            std::slice::from_raw_parts(start, FRAME)
        }
    }

    /// Creates the frame that the kernel returns, from an address anywhere in it.
    fn taken_back(&self, address: u64) -> Option<Frame> {
        let index = u32::try_from(address / FRAME as u64).ok()?;
        (index < self.frames).then_some(Frame { umem: self.id, index })
    }
}

impl Frame {
    /// The offset in its memory.
    fn address(&self) -> u64 {
        u64::from(self.index) * FRAME as u64
    }
}

/// A descriptor of the receive and transmit rings (linux/if_xdp.h, `struct xdp_desc`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Descriptor {
    pub(super) address: u64,
    pub(super) len: u32,
    pub(super) options: u32,
}

/// The rings of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Receive,
    Transmit,
    Fill,
    Completion,
}

/// The offsets of the parts of a ring (linux/if_xdp.h, `struct xdp_ring_offset`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Offsets {
    pub(super) producer: u64,
    pub(super) consumer: u64,
    pub(super) entries: u64,
    pub(super) flags: u64,
}

/// A ring between the kernel and one thread. `E` is `u64` (addresses) or [`Descriptor`].
#[derive(Debug)]
pub(super) struct Ring<E> {
    pages: Pages,
    offsets: Offsets,
    size: u32,
    /// Our own index, which may be ahead of the published one.
    ours: u32,
    /// The kernel's index when it was last read.
    theirs: u32,
    entry: PhantomData<E>,
}

impl<E: Copy> Ring<E> {
    /// Maps a ring of `size` entries (a power of two) that was configured on the socket.
    pub(super) fn map(
        socket: BorrowedFd<'_>,
        which: Which,
        offsets: Offsets,
        size: u32,
    ) -> io::Result<Ring<E>> {
        let page = match which {
            Which::Receive => libc::XDP_PGOFF_RX_RING as libc::off_t,
            Which::Transmit => libc::XDP_PGOFF_TX_RING as libc::off_t,
            Which::Fill => libc::XDP_UMEM_PGOFF_FILL_RING as libc::off_t,
            Which::Completion => libc::XDP_UMEM_PGOFF_COMPLETION_RING as libc::off_t,
        };
        let len = offsets.entries as usize + size as usize * size_of::<E>();
        let words = [offsets.producer, offsets.consumer, offsets.flags];
        let fits = |at: u64| at.is_multiple_of(4) && at as usize + 4 <= len;
        if !size.is_power_of_two() || !offsets.entries.is_multiple_of(8) || !words.into_iter().all(fits) {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
        let pages = Pages::map(len, flags, socket.as_raw_fd(), page)?;
        Ok(Ring { pages, offsets, size, ours: 0, theirs: 0, entry: PhantomData })
    }

    fn word(&self, at: u64) -> &AtomicU32 {
        // SAFETY: `map` checked that the four octets at each of the three offsets lie within the pages and are aligned
        // (pages are); both sides access them atomically only.
        unsafe { &*self.pages.start.as_ptr().add(at as usize).cast::<AtomicU32>() }
    }

    /// The position of entry `index`, wrapped around.
    fn entry(&self, index: u32) -> *mut E {
        let at = (index & (self.size - 1)) as usize;
        // SAFETY: `at` is below `size`, and the pages reach `size` entries past the offset, which is aligned.
        unsafe { self.pages.start.as_ptr().add(self.offsets.entries as usize).cast::<E>().add(at) }
    }

    /// Whether the kernel sleeps until it is woken by a system call.
    pub(super) fn needs_wakeup(&self) -> bool {
        self.word(self.offsets.flags).load(Ordering::Relaxed) & libc::XDP_RING_NEED_WAKEUP != 0
    }

    /// Appends an entry, which the kernel sees at the next `submit`. False if there is no space.
    fn push(&mut self, entry: E) -> bool {
        if self.ours.wrapping_sub(self.theirs) >= self.size {
            self.theirs = self.word(self.offsets.consumer).load(Ordering::Acquire);
            if self.ours.wrapping_sub(self.theirs) >= self.size {
                return false;
            }
        }
        // SAFETY: the entry lies in the pages, and between the kernel's index and ours it is ours to write.
        unsafe { self.entry(self.ours).write(entry) };
        self.ours = self.ours.wrapping_add(1);
        true
    }

    /// Publishes the appended entries to the kernel.
    pub(super) fn submit(&mut self) {
        self.word(self.offsets.producer).store(self.ours, Ordering::Release);
    }

    /// The number of entries that the kernel has not consumed yet; for rings that we fill.
    pub(super) fn untaken(&mut self) -> u32 {
        self.theirs = self.word(self.offsets.consumer).load(Ordering::Acquire);
        self.ours.wrapping_sub(self.theirs)
    }

    /// Takes the next entry from the kernel.
    fn pop(&mut self) -> Option<E> {
        if self.theirs == self.ours {
            self.theirs = self.word(self.offsets.producer).load(Ordering::Acquire);
            if self.theirs == self.ours {
                return None;
            }
        }
        // SAFETY: the entry lies in the pages; below the kernel's index, read with Acquire, it is written and ours to
        // read until `release`. Any octets are a valid `E`.
        let entry = unsafe { self.entry(self.ours).read() };
        self.ours = self.ours.wrapping_add(1);
        Some(entry)
    }

    /// Returns the places of consumed entries to the kernel.
    pub(super) fn release(&mut self) {
        self.word(self.offsets.consumer).store(self.ours, Ordering::Release);
    }
}

impl Ring<u64> {
    /// Passes a frame to the kernel to be filled; the frame is returned if there is no space.
    pub(super) fn give(&mut self, frame: Frame) -> Option<Frame> {
        if self.push(frame.address()) { None } else { Some(frame) }
    }

    /// Takes back a frame that was sent.
    pub(super) fn take_back(&mut self, umem: &Umem) -> Option<Frame> {
        let address = self.pop()?;
        umem.taken_back(address)
    }
}

impl Ring<Descriptor> {
    /// Passes `len` octets of a frame, from `start` on, to the kernel to be sent; the frame is returned if
    /// there is no space.
    pub(super) fn send(&mut self, frame: Frame, start: usize, len: usize) -> Option<Frame> {
        let address = frame.address() + start as u64;
        let sent = self.push(Descriptor { address, len: len as u32, options: 0 });
        if sent { None } else { Some(frame) }
    }

    /// Takes a frame that the kernel has filled: the frame, the offset of the packet, and its length.
    pub(super) fn receive(&mut self, umem: &Umem) -> Option<(Frame, usize, usize)> {
        let descriptor = self.pop()?;
        let frame = umem.taken_back(descriptor.address)?;
        let start = (descriptor.address % FRAME as u64) as usize;
        let len = (descriptor.len as usize).min(FRAME - start);
        Some((frame, start, len))
    }
}
