//! The TUN device: IP packets to and from this host's kernel, up to 64 KiB at a time with offload.

mod header;
mod open;

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};

pub use header::{Gso, VnetHeader};

use crate::error::Result;

/// What the kernel may hand over uncut and unsummed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Offload {
    /// Nothing: every packet is whole and fits the MTU.
    None,
    /// TCP segments of up to 64 KiB, and packets without checksum.
    Tcp,
    /// UDP as well (Linux 6.2).
    TcpUdp,
}

/// How to open a [`Tun`].
#[derive(Clone, Debug)]
pub struct TunOptions {
    /// The interface's name, up to 15 octets; `%d` in it becomes the first free number.
    pub name: String,
    /// The most to request; an older kernel supports less ([`Tun::offload`]).
    pub offload: Offload,
    /// Several queues on the same interface ([`Tun::another_queue`]).
    pub multi_queue: bool,
}

impl Default for TunOptions {
    fn default() -> TunOptions {
        TunOptions { name: "adit%d".to_owned(), offload: Offload::Tcp, multi_queue: false }
    }
}

/// One queue of a TUN interface, non-blocking. The interface is removed with its last queue.
#[derive(Debug)]
pub struct Tun {
    file: File,
    name: String,
    offload: Offload,
    multi_queue: bool,
}

/// Slices of one packet that [`Tun::write`] takes, at most.
pub const MAX_SLICES: usize = 64;

impl Tun {
    /// Makes the interface. It is down and has no address yet.
    ///
    /// # Errors
    /// S07 when /dev/net/tun is missing or may not be opened, S08 without CAP_NET_ADMIN, `Kind::Busy` when the name is taken.
    pub fn open(options: &TunOptions) -> Result<Tun> {
        open::open(options)
    }

    /// Another queue of the same interface, which must have been opened with `multi_queue`.
    ///
    /// # Errors
    /// As for [`Tun::open`].
    pub fn another_queue(&self) -> Result<Tun> {
        open::open(&TunOptions {
            name: self.name.clone(),
            offload: self.offload,
            multi_queue: self.multi_queue,
        })
    }

    /// The interface's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The offload that the kernel granted.
    pub fn offload(&self) -> Offload {
        self.offload
    }

    /// Takes one packet into `packet` (64 KiB with offload, else the MTU); `None` when there is nothing now.
    /// Returns its length and what the kernel left to do.
    ///
    /// # Errors
    /// What the kernel answers: EIO while the interface is down, EBADFD once it is gone.
    pub fn read(&self, packet: &mut [u8]) -> io::Result<Option<(VnetHeader, usize)>> {
        let mut header = [0; VnetHeader::LEN];
        let n = match (&self.file).read_vectored(&mut [IoSliceMut::new(&mut header), IoSliceMut::new(packet)])
        {
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock || e.kind() == io::ErrorKind::Interrupted => {
                return Ok(None);
            }
            Err(e) => return Err(e),
        };
        let len = n.checked_sub(VnetHeader::LEN).ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(Some((VnetHeader::from_octets(header), len)))
    }

    /// Hands one packet, given in up to [`MAX_SLICES`] slices, to the kernel.
    ///
    /// # Errors
    /// `WouldBlock` when the kernel has no space now; EIO while the interface is down; EINVAL for what is no IP packet
    /// or contradicts its header; `InvalidInput` for too many slices.
    pub fn write(&self, header: VnetHeader, packet: &[&[u8]]) -> io::Result<()> {
        let header = header.to_octets();
        let mut slices = [IoSlice::new(&[]); MAX_SLICES + 1];
        let Some(used) = slices.get_mut(..=packet.len()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        for (slot, octets) in used.iter_mut().zip(std::iter::once(&header[..]).chain(packet.iter().copied()))
        {
            *slot = IoSlice::new(octets);
        }
        loop {
            match (&self.file).write_vectored(used) {
                Ok(_) => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
