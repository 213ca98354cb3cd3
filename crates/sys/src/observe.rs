//! Capture of this host's own PPTP, GRE, ICMP and DNS packets in both directions (AF_PACKET), for a test that
//! checks its own packets as a capture would.
#![expect(unsafe_code, reason = "recvmsg with a timestamp and a link address")]

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::socket;

/// The size of the receive buffer in octets: a test sends little, but a busy machine may read late.
const BUFFER: usize = 4 << 20;

/// A non-blocking socket that receives the IP packets of all interfaces.
#[derive(Debug)]
pub struct Observer(OwnedFd);

/// A captured packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The octets of the packet in the buffer, starting with the IP header.
    pub len: usize,
    /// The length of the whole packet.
    pub total: usize,
    /// When the kernel captured it, since 1970.
    pub time: Duration,
    /// Whether this host sent it.
    pub outgoing: bool,
    /// The interface's index.
    pub interface: u32,
}

impl Observer {
    /// Opens a socket for GRE, ICMP, DNS, and TCP from or to `port`.
    ///
    /// # Errors
    /// S08 without CAP_NET_RAW.
    pub fn open(port: u16) -> Result<Observer> {
        let tried = "cannot observe this host's own packets";
        let fd = socket::open(libc::AF_PACKET, libc::SOCK_DGRAM, 0)
            .map_err(|e| Error::io(tried, &e).needs("CAP_NET_RAW"))?;
        let one = 1i32;
        // SAFETY: a sockaddr_ll of zeroes is a valid one: every interface.
        let mut address: libc::sockaddr_ll = unsafe { MaybeUninit::zeroed().assume_init() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        // Bound last: before that, a socket of protocol 0 receives nothing.
        socket::attach_filter(&fd, &mut program(port))
            .and_then(|()| socket::set(&fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &one))
            .and_then(|()| socket::set_buffer(&fd, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, BUFFER))
            .and_then(|_| socket::bind(&fd, &address))
            .map_err(|e| Error::io(tried, &e))?;
        Ok(Observer(fd))
    }

    /// Receives the next packet; `None` if there is none now. A packet longer than the buffer is truncated.
    ///
    /// # Errors
    /// The error of the kernel: ENETDOWN once after an interface went down.
    pub fn receive(&self, packet: &mut [u8]) -> io::Result<Option<Seen>> {
        let mut control = Control([0; CONTROL]);
        let mut vector = libc::iovec { iov_base: packet.as_mut_ptr().cast(), iov_len: packet.len() };
        let mut from = MaybeUninit::<libc::sockaddr_ll>::zeroed();
        // SAFETY: a message header of zeroes is a valid one.
        let mut message: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        message.msg_name = from.as_mut_ptr().cast();
        message.msg_namelen = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        message.msg_iov = &raw mut vector;
        message.msg_iovlen = 1;
        message.msg_control = (&raw mut control).cast();
        message.msg_controllen = CONTROL as _;
        // SAFETY: the header points to an address, a vector over `packet` and a control buffer, all alive here.
        let n = unsafe {
            libc::recvmsg(self.0.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT | libc::MSG_TRUNC)
        };
        let Ok(total) = usize::try_from(n) else {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
                _ => Err(error),
            };
        };
        // SAFETY: zeroes are a valid address, and the kernel has written one over them.
        let from = unsafe { from.assume_init() };
        Ok(Some(Seen {
            len: total.min(packet.len()),
            total,
            time: stamp(&message).unwrap_or_default(),
            outgoing: from.sll_pkttype == libc::PACKET_OUTGOING,
            interface: u32::try_from(from.sll_ifindex).unwrap_or_default(),
        }))
    }
}

impl AsFd for Observer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Space for the timestamp, with the alignment that the kernel requires.
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

// SAFETY: CMSG_SPACE is arithmetic on its argument.
const CONTROL: usize = unsafe { libc::CMSG_SPACE(size_of::<libc::timespec>() as u32) } as usize;

fn stamp(message: &libc::msghdr) -> Option<Duration> {
    // SAFETY: `message` was filled in by recvmsg and its control buffer is alive; the macros walk only what the kernel
    // says is there, and the length of the entry is checked before it is read.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(message);
        let is_stamp = !header.is_null()
            && (*header).cmsg_level == libc::SOL_SOCKET
            && (*header).cmsg_type == libc::SCM_TIMESTAMPNS
            && (*header).cmsg_len as usize >= libc::CMSG_LEN(size_of::<libc::timespec>() as u32) as usize;
        if !is_stamp {
            return None;
        }
        let time = libc::CMSG_DATA(header).cast::<libc::timespec>().read_unaligned();
        Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
    }
}

// Classic BPF operations (linux/bpf_common.h), as used below.
const LOAD_HALF: u16 = (libc::BPF_LD | libc::BPF_H | libc::BPF_ABS) as u16;
const LOAD_BYTE: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
const LOAD_HALF_X: u16 = (libc::BPF_LD | libc::BPF_H | libc::BPF_IND) as u16;
const LOAD_HEADER_LEN: u16 = (libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH) as u16;
const JUMP_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
/// The offset at which a BPF program reads the EtherType (SKF_AD_OFF + SKF_AD_PROTOCOL).
const ETHERTYPE: u32 = (-0x1000i32).cast_unsigned();
const DNS: u32 = 53;

const UDP: u32 = 17;
const TCP: u32 = 6;

/// Builds the filter, which runs on the packet from the IP header on. A load past the end drops the packet.
fn program(port: u16) -> Vec<libc::sock_filter> {
    const DROP: u8 = 24;
    const TAKE: u8 = 25;
    let load = |code, k| libc::sock_filter { code, jt: 0, jf: 0, k };
    // Jumps count from the next instruction.
    let jump = |at: u8, k, yes: u8, no: u8| libc::sock_filter {
        code: JUMP_EQUAL,
        jt: yes - at - 1,
        jf: no - at - 1,
        k,
    };
    let port = u32::from(port);
    vec![
        load(LOAD_HALF, ETHERTYPE),
        jump(1, 0x0800, 9, 2),
        jump(2, 0x86dd, 3, DROP),
        load(LOAD_BYTE, 6), // 3: IPv6, next header
        jump(4, UDP, 5, DROP),
        load(LOAD_HALF, 40),
        jump(6, DNS, TAKE, 7),
        load(LOAD_HALF, 42),
        jump(8, DNS, TAKE, DROP),
        load(LOAD_BYTE, 9), // 9: IPv4, protocol
        jump(10, 47, TAKE, 11),
        jump(11, 1, TAKE, 12),
        jump(12, TCP, 14, 13),
        jump(13, UDP, 19, DROP),
        load(LOAD_HEADER_LEN, 0), // 14: X = 4 * IHL
        load(LOAD_HALF_X, 0),
        jump(16, port, TAKE, 17),
        load(LOAD_HALF_X, 2),
        jump(18, port, TAKE, DROP),
        load(LOAD_HEADER_LEN, 0), // 19
        load(LOAD_HALF_X, 0),
        jump(21, DNS, TAKE, 22),
        load(LOAD_HALF_X, 2),
        jump(23, DNS, TAKE, DROP),
        load(RETURN, 0),
        load(RETURN, u32::MAX),
    ]
}
