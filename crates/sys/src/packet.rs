//! Frames of an interface (AF_PACKET), for captures, and for the relay of the tests.
#![expect(unsafe_code, reason = "if_nametoindex, sockaddr_ll")]

use std::ffi::CString;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};

use crate::error::{Error, Result};
use crate::socket;
use crate::tun::VnetHeader;

/// A non-blocking socket that receives every frame on an interface, and sends frames.
///
/// Super-packets and incomplete checksums of this host's own traffic are received with their virtio header;
/// if they are sent with the same header, they are forwarded unchanged.
#[derive(Debug)]
pub struct PacketSocket(File);

impl PacketSocket {
    /// Opens a socket in promiscuous mode. Frames that this host sends are not received.
    ///
    /// # Errors
    /// S08 without CAP_NET_RAW; `Kind::NotFound` if there is no such interface.
    pub fn open(interface: &str) -> Result<PacketSocket> {
        let tried = || format!("cannot open a packet socket on {interface}");
        let index = interface_index(interface).map_err(|e| Error::io(tried(), &e))?;
        let all = (libc::ETH_P_ALL as u16).to_be();
        let fd = socket::open(libc::AF_PACKET, libc::SOCK_RAW, 0)
            .map_err(|e| Error::io(tried(), &e).needs("CAP_NET_RAW"))?;
        let one = 1i32;
        // SAFETY: a packet_mreq and a sockaddr_ll of zeroes are valid ones.
        let (mut member, mut address): (libc::packet_mreq, libc::sockaddr_ll) =
            unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        member.mr_ifindex = index as i32;
        member.mr_type = libc::PACKET_MR_PROMISC as u16;
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = all;
        address.sll_ifindex = index as i32;
        // Bound last: before that, a socket of protocol 0 receives nothing, so no frame arrives before it is
        // set up.
        socket::set(&fd, libc::SOL_PACKET, libc::PACKET_VNET_HDR, &one)
            .and_then(|()| socket::set(&fd, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &one))
            .and_then(|()| socket::set(&fd, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &member))
            .and_then(|()| socket::set_buffer(&fd, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, 8 << 20))
            .and_then(|_| socket::bind(&fd, &address))
            .map_err(|e| Error::io(tried(), &e))?;
        Ok(PacketSocket(File::from(fd)))
    }

    /// Receives one frame, starting with the Ethernet header; `None` if there is none now. A frame longer
    /// than the buffer is truncated.
    ///
    /// # Errors
    /// The error of the kernel: ENETDOWN once after the interface went down.
    pub fn receive(&self, frame: &mut [u8]) -> io::Result<Option<(VnetHeader, usize)>> {
        let mut header = [0; VnetHeader::LEN];
        match (&self.0).read_vectored(&mut [IoSliceMut::new(&mut header), IoSliceMut::new(frame)]) {
            Ok(n) => Ok(n.checked_sub(VnetHeader::LEN).map(|len| (VnetHeader::from_octets(header), len))),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Sends one frame.
    ///
    /// # Errors
    /// `WouldBlock` if there is no space now, otherwise the error of the kernel.
    pub fn send(&self, header: VnetHeader, frame: &[u8]) -> io::Result<()> {
        (&self.0).write_vectored(&[IoSlice::new(&header.to_octets()), IoSlice::new(frame)]).map(drop)
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The index of an interface in this network namespace.
///
/// # Errors
/// `ENODEV` if there is none with this name.
pub fn interface_index(interface: &str) -> io::Result<u32> {
    let name = CString::new(interface).map_err(|_| io::Error::from_raw_os_error(libc::ENODEV))?;
    // SAFETY: `name` is a string that ends with a zero octet and lives through the call.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        index => Ok(index),
    }
}
