//! Bindings for recvmmsg, sendmmsg and the error queue.
#![expect(unsafe_code, reason = "batched socket calls take arrays of pointers to the caller's slots")]

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::MAX_BATCH;
use super::batch::{RecvBatch, SendBatch};
use super::icmp::{IcmpKind, IcmpReport};
use crate::socket;

/// Space for one control message with an `in_pktinfo` (source address), with the alignment that the kernel
/// requires.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

// SAFETY: CMSG_SPACE is arithmetic on its argument.
const CONTROL: usize = unsafe { libc::CMSG_SPACE(size_of::<libc::in_pktinfo>() as u32) } as usize;

/// The size of a small batch: preparing the arrays of a large one takes longer than the rest of sending one
/// packet.
const FEW: usize = 4;

fn empty_message() -> libc::mmsghdr {
    // SAFETY: a message header of zeroes is a valid one: no name, no data, no control.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

/// Fills the batch with received packets.
pub(super) fn receive(socket: BorrowedFd<'_>, batch: &mut RecvBatch) -> io::Result<usize> {
    let mut vectors = [libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; MAX_BATCH];
    let mut messages = [empty_message(); MAX_BATCH];
    let mut count = 0;
    for ((slot, vector), message) in batch.slots().zip(&mut vectors).zip(&mut messages) {
        *vector = libc::iovec { iov_base: slot.as_mut_ptr().cast(), iov_len: slot.len() };
        message.msg_hdr.msg_iov = vector;
        message.msg_hdr.msg_iovlen = 1;
        count += 1;
    }
    // SAFETY: the first `count` headers each point to one vector, and it to one whole slot of `batch`, which is
    // borrowed mutably through this call; the slots are disjoint.
    let n = unsafe {
        libc::recvmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), count, libc::MSG_DONTWAIT, ptr::null_mut())
    };
    let n = usize::try_from(n).map_err(|_| io::Error::last_os_error())?;
    for (slot, message) in messages.iter().take(n).enumerate() {
        let truncated = message.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
        batch.filled(slot, message.msg_len as usize, truncated);
    }
    Ok(batch.len())
}

/// Sends the batch; returns how many packets the kernel accepted, at least one.
pub(super) fn send(socket: BorrowedFd<'_>, batch: &SendBatch) -> io::Result<usize> {
    if batch.pending() <= FEW {
        send_up_to::<FEW>(socket, batch)
    } else {
        send_up_to::<MAX_BATCH>(socket, batch)
    }
}

fn send_up_to<const N: usize>(socket: BorrowedFd<'_>, batch: &SendBatch) -> io::Result<usize> {
    let mut vectors = [libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; N];
    let mut names = [socket::address(Ipv4Addr::UNSPECIFIED); N];
    let mut controls = [Control([0; CONTROL]); N];
    let mut messages = [empty_message(); N];
    let mut count = 0;
    for ((((item, octets), vector), (name, control)), message) in
        batch.waiting().zip(&mut vectors).zip(names.iter_mut().zip(&mut controls)).zip(&mut messages)
    {
        // The kernel does not write through the vectors of a send, so casting away const is sound.
        *vector = libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: octets.len() };
        *name = socket::address(item.destination);
        message.msg_hdr.msg_name = ptr::from_mut(name).cast();
        message.msg_hdr.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        message.msg_hdr.msg_iov = vector;
        message.msg_hdr.msg_iovlen = 1;
        if let Some(source) = item.source {
            message.msg_hdr.msg_control = ptr::from_mut(control).cast();
            message.msg_hdr.msg_controllen = CONTROL as _;
            set_source(&mut message.msg_hdr, source);
        }
        count += 1;
    }
    // SAFETY: the first `count` headers point to names, vectors and control buffers of the arrays above and to the
    // slots of `batch`, all alive through this call.
    let n = unsafe { libc::sendmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), count, libc::MSG_DONTWAIT) };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// Writes the control message that selects the source address.
fn set_source(header: &mut libc::msghdr, source: Ipv4Addr) {
    let info = libc::in_pktinfo {
        ipi_ifindex: 0,
        ipi_spec_dst: libc::in_addr { s_addr: u32::from(source).to_be() },
        ipi_addr: libc::in_addr { s_addr: 0 },
    };
    // SAFETY: `header` has a control buffer of exactly CMSG_SPACE(in_pktinfo) octets, aligned for cmsghdr, so the
    // first control message and its data lie within it.
    unsafe {
        let control = libc::CMSG_FIRSTHDR(header);
        (*control).cmsg_level = libc::IPPROTO_IP;
        (*control).cmsg_type = libc::IP_PKTINFO;
        (*control).cmsg_len = libc::CMSG_LEN(size_of::<libc::in_pktinfo>() as u32) as _;
        libc::CMSG_DATA(control).cast::<libc::in_pktinfo>().write_unaligned(info);
    }
}

/// Reads one report from the error queue.
pub(super) fn error_queue(socket: BorrowedFd<'_>) -> Option<IcmpReport> {
    #[repr(C, align(8))]
    struct ErrorControl([u8; 512]);
    let mut control = ErrorControl([0; 512]);
    let mut octets = [0u8; 128];
    let mut name = socket::address(Ipv4Addr::UNSPECIFIED);
    let mut vector = libc::iovec { iov_base: octets.as_mut_ptr().cast(), iov_len: octets.len() };
    let mut header = empty_message().msg_hdr;
    header.msg_name = ptr::from_mut(&mut name).cast();
    header.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = ptr::from_mut(&mut control).cast();
    header.msg_controllen = size_of::<ErrorControl>() as _;
    // SAFETY: `header` points to locals with the lengths given.
    let n = unsafe {
        libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT)
    };
    let n = usize::try_from(n).ok()?;
    let (error, offender) = extended_error(&header)?;
    let from_icmp = error.ee_origin == libc::SO_EE_ORIGIN_ICMP;
    let kind = if from_icmp {
        IcmpKind::new(error.ee_type, error.ee_code, error.ee_info)
    } else if error.ee_errno == libc::EMSGSIZE as u32 {
        IcmpKind::FragmentationNeeded { mtu: error.ee_info }
    } else {
        IcmpKind::Other { kind: error.ee_type, code: error.ee_code }
    };
    Some(IcmpReport {
        destination: Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr)),
        from: offender.filter(|_| from_icmp),
        kind,
        call_id: octets.get(..n).and_then(call_id),
    })
}

/// The Call ID of a quoted GRE header; it is within the 8 octets that every router quotes.
fn call_id(gre: &[u8]) -> Option<u16> {
    let header = gre.first_chunk::<8>()?;
    let enhanced = header[1] & 0x07 == 1 && header[2..4] == [0x88, 0x0b];
    enhanced.then(|| u16::from_be_bytes([header[6], header[7]]))
}

/// Finds the extended error and the address after it in the control messages.
fn extended_error(header: &libc::msghdr) -> Option<(libc::sock_extended_err, Option<Ipv4Addr>)> {
    // SAFETY: the kernel has filled `header`'s control buffer with well-formed control messages and set its length, so
    // the walk stays inside; each read is unaligned and inside the length that its message states.
    unsafe {
        let mut control = libc::CMSG_FIRSTHDR(header);
        while !control.is_null() {
            let len = (*control).cmsg_len as usize;
            let need = libc::CMSG_LEN(size_of::<libc::sock_extended_err>() as u32) as usize;
            if (*control).cmsg_level == libc::IPPROTO_IP
                && (*control).cmsg_type == libc::IP_RECVERR
                && len >= need
            {
                let data = libc::CMSG_DATA(control);
                let error = data.cast::<libc::sock_extended_err>().read_unaligned();
                let both = need + size_of::<libc::sockaddr_in>();
                let offender = (len >= both).then(|| {
                    data.add(size_of::<libc::sock_extended_err>())
                        .cast::<libc::sockaddr_in>()
                        .read_unaligned()
                });
                let offender = offender
                    .filter(|o| o.sin_family == libc::AF_INET as libc::sa_family_t)
                    .map(|o| Ipv4Addr::from(u32::from_be(o.sin_addr.s_addr)));
                return Some((error, offender));
            }
            control = libc::CMSG_NXTHDR(header, control);
        }
    }
    None
}
