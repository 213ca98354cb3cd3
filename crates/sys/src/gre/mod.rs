//! The raw socket for enhanced GRE (IP protocol 47), with many packets per system call.
//!
//! The kernel writes the IP header and fragments packets that exceed the MTU. Writing the header here
//! (IP_HDRINCL) was measured to save 4 to 7 % for each packet sent, about 1 % of a tunnel's cost, and would
//! require fragmentation here.

mod batch;
mod filter;
mod icmp;
mod message;

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use adit_diag::Code;

pub use batch::{Packet, RecvBatch, SendBatch, Sent};
pub use filter::CallFilter;
pub use icmp::{IcmpKind, IcmpReport};

use crate::error::{Error, Kind, Result};
use crate::socket;

/// The most packets per system call.
pub const MAX_BATCH: usize = 64;

/// The options of a [`GreSocket`].
#[derive(Clone, Debug)]
pub struct GreOptions {
    /// The only local address to receive on, and the source of sent packets.
    pub local: Option<Ipv4Addr>,
    /// The only interface to receive on and send from.
    pub interface: Option<String>,
    /// The filter in the kernel; `None` accepts every GRE packet.
    pub filter: Option<CallFilter>,
    /// The size of the receive buffer in octets; beyond net.core.rmem_max with CAP_NET_ADMIN.
    pub receive_buffer: usize,
    /// The size of the send buffer in octets.
    pub send_buffer: usize,
    /// Sets Don't Fragment, and makes packets larger than the known path MTU an error.
    pub dont_fragment: bool,
}

impl Default for GreOptions {
    fn default() -> GreOptions {
        GreOptions {
            local: None,
            interface: None,
            filter: Some(CallFilter::all()),
            receive_buffer: 8 << 20,
            send_buffer: 4 << 20,
            dont_fragment: false,
        }
    }
}

/// A non-blocking raw socket for IP protocol 47. Sending and receiving need only `&self`, so two threads may share it.
#[derive(Debug)]
pub struct GreSocket {
    fd: OwnedFd,
    receive_buffer: usize,
}

impl GreSocket {
    /// Opens the socket.
    ///
    /// # Errors
    /// S08 without CAP_NET_RAW; S02 if the kernel rejects the socket, the address or the interface.
    pub fn open(options: &GreOptions) -> Result<GreSocket> {
        let fd = socket::open(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_GRE).map_err(|e| refused(&e))?;
        if let Some(filter) = options.filter {
            socket::attach_filter(&fd, &mut filter.program()).map_err(|e| {
                Error::io("cannot attach a packet filter to the GRE socket", &e).with_code(Code::S02)
            })?;
        }
        let one = 1i32;
        socket::set(&fd, libc::IPPROTO_IP, libc::IP_RECVERR, &one)
            .map_err(|e| Error::io("cannot enable ICMP errors on the GRE socket", &e))?;
        let discover = if options.dont_fragment { libc::IP_PMTUDISC_DO } else { libc::IP_PMTUDISC_DONT };
        socket::set(&fd, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, &discover)
            .map_err(|e| Error::io("cannot set the path MTU discovery of the GRE socket", &e))?;
        let receive_buffer =
            socket::set_buffer(&fd, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, options.receive_buffer)
                .map_err(|e| Error::io("cannot set the receive buffer size of the GRE socket", &e))?;
        socket::set_buffer(&fd, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF, options.send_buffer)
            .map_err(|e| Error::io("cannot set the send buffer size of the GRE socket", &e))?;
        if let Some(name) = &options.interface {
            socket::set_str(&fd, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, name).map_err(|e| {
                Error::io(format!("cannot bind the GRE socket to interface {name:?}"), &e)
                    .with_code(Code::S02)
                    .with_fix("name an interface that `ip link` lists")
            })?;
        }
        if let Some(local) = options.local {
            socket::bind(&fd, &socket::address(local)).map_err(|e| {
                Error::io(format!("cannot bind the GRE socket to {local}"), &e)
                    .with_code(Code::S02)
                    .with_fix("use an address that `ip address` lists on this host")
            })?;
        }
        Ok(GreSocket { fd, receive_buffer })
    }

    /// Receives packets, up to the batch's capacity; 0 if there are none now.
    ///
    /// Packets that are not IPv4 or do not fit a slot are left out of the batch and counted in
    /// [`RecvBatch::damaged`].
    ///
    /// # Errors
    /// A pending error of the socket itself. ICMP errors are not reported here: see [`GreSocket::icmp`].
    pub fn receive(&self, batch: &mut RecvBatch) -> io::Result<usize> {
        for _ in 0..MAX_PENDING_ERRORS {
            match message::receive(self.as_fd(), batch) {
                Err(e) if is_icmp(&e) || e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(0),
                other => return other,
            }
        }
        Ok(0)
    }

    /// Sends the batch and empties it. It never waits: a packet is dropped and counted if the queue is full,
    /// as in a router; a packet that the kernel rejects is dropped, and the error returned.
    pub fn send(&self, batch: &mut SendBatch) -> Sent {
        let mut report = Sent::default();
        let mut retried = false;
        while batch.pending() > 0 {
            let error = match message::send(self.as_fd(), batch) {
                Ok(n) => {
                    report.sent += n;
                    batch.advance(n);
                    retried = false;
                    continue;
                }
                Err(e) => e,
            };
            match error.raw_os_error() {
                Some(libc::EINTR) => continue,
                // An ICMP error about an earlier packet is reported once, on the next call.
                _ if is_icmp(&error) && !retried => {
                    retried = true;
                    continue;
                }
                Some(libc::ENOBUFS | libc::EAGAIN) => report.congested += 1,
                _ => {
                    report.refused += 1;
                    report.error = Some(error);
                }
            }
            batch.advance(1);
            retried = false;
        }
        report
    }

    /// The next ICMP error (or local path MTU error) about a packet that we sent; `None` if there is none.
    pub fn icmp(&self) -> Option<IcmpReport> {
        message::error_queue(self.as_fd())
    }

    /// The number of packets that the kernel has dropped since the socket was opened because the receive
    /// buffer was full.
    pub fn dropped(&self) -> u32 {
        const SK_MEMINFO_DROPS: usize = 8;
        socket::get::<9>(&self.fd, libc::SOL_SOCKET, libc::SO_MEMINFO).map_or(0, |m| m[SK_MEMINFO_DROPS])
    }

    /// The size of the receive buffer that the kernel granted, in octets.
    pub fn receive_buffer(&self) -> usize {
        self.receive_buffer
    }

    /// Changes the filter, for a worker whose share of the calls changes.
    ///
    /// # Errors
    /// The error of the kernel.
    pub fn set_filter(&self, filter: CallFilter) -> Result<()> {
        socket::attach_filter(&self.fd, &mut filter.program()).map_err(|e| {
            Error::io("cannot attach a packet filter to the GRE socket", &e).with_code(Code::S02)
        })
    }

    /// Sets the time to live of packets sent from now on (1 to 255), to find the router at which GRE ends.
    ///
    /// # Errors
    /// The error of the kernel.
    pub fn set_ttl(&self, ttl: u8) -> Result<()> {
        socket::set(&self.fd, libc::IPPROTO_IP, libc::IP_TTL, &i32::from(ttl))
            .map_err(|e| Error::io(format!("cannot set the time to live of the GRE socket to {ttl}"), &e))
    }
}

impl AsFd for GreSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The most pending errors to clear: the kernel reports one for each call, and a flood of ICMP errors must
/// not block here.
const MAX_PENDING_ERRORS: usize = 8;

/// Whether an error is one that ICMP messages, or the state of a route, leave on the socket.
fn is_icmp(e: &io::Error) -> bool {
    matches!(
        e.raw_os_error(),
        Some(
            libc::ECONNREFUSED
                | libc::EHOSTUNREACH
                | libc::ENETUNREACH
                | libc::EHOSTDOWN
                | libc::ENONET
                | libc::ENOPROTOOPT
                | libc::EPROTO
                | libc::EOPNOTSUPP
                | libc::EMSGSIZE
                | libc::EACCES
        )
    )
}

fn refused(e: &io::Error) -> Error {
    let error = Error::io("cannot open a raw GRE socket (IP protocol 47)", e)
        .with_code(Code::S02)
        .needs("CAP_NET_RAW");
    match error.kind() {
        Kind::Unsupported => error.with_fix(
            "allow AF_INET raw sockets here (RestrictAddressFamilies=, seccomp, or the kernel's CONFIG_INET)",
        ),
        _ => error,
    }
}
