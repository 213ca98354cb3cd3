//! The TUN device: IP packets to and from this host's kernel, up to 64 KiB at a time with offload.

mod header;
mod open;

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};

pub use header::{Gso, VnetHeader};

use crate::error::Result;

/// The offload that the kernel may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Offload {
    /// None: every packet fits the MTU and has a checksum.
    None,
    /// TCP segments of up to 64 KiB, and packets without checksum.
    Tcp,
    /// UDP as well (Linux 6.2).
    TcpUdp,
}

/// The options of a [`Tun`].
#[derive(Clone, Debug)]
pub struct TunOptions {
    /// The interface's name, up to 15 octets; `%d` in it is replaced by the first free number.
    pub name: String,
    /// The most offload to request; an older kernel supports less ([`Tun::offload`]).
    pub offload: Offload,
    /// Whether to allow several queues on the interface ([`Tun::another_queue`]).
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

/// The most slices of one packet in [`Tun::write`].
pub const MAX_SLICES: usize = 64;

impl Tun {
    /// Creates the interface. It is down and has no address yet.
    ///
    /// # Errors
    /// S07 if /dev/net/tun is missing or may not be opened, S08 without CAP_NET_ADMIN, `Kind::Busy` if the
    /// name is in use.
    pub fn open(options: &TunOptions) -> Result<Tun> {
        open::open(options)
    }

    /// Opens another queue of the same interface, which must have been opened with `multi_queue`.
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

    /// Reads one packet into `packet` (64 KiB with offload, otherwise the MTU); `None` if there is none now.
    /// Returns its offload header and its length.
    ///
    /// # Errors
    /// The error of the kernel: EIO while the interface is down, EBADFD after it was removed.
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

    /// Writes one packet, given in up to [`MAX_SLICES`] slices.
    ///
    /// # Errors
    /// `WouldBlock` if the kernel has no space now; EIO while the interface is down; EINVAL if it is not an
    /// IP packet or does not match its header; `InvalidInput` for too many slices.
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
