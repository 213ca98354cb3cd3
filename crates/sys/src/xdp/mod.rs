//! AF_XDP: enhanced GRE between the network driver and this process, bypassing the IP stack of the kernel.
//!
//! A program in the driver (or, if the driver does not support that, directly after it) redirects
//! unfragmented enhanced GRE packets of our calls into the memory of this process; packets to be sent are
//! written there too, with their IP and Ethernet headers. Everything else takes the kernel's path: calls of
//! other programs, fragments, packets with IP options, VLAN tags, destinations through another interface,
//! unresolved neighbours, packets that are too long. These are handled by a [`GreSocket`].
//!
//! These packets bypass the firewall, connection tracking and IPsec policies of this host. The caller must check that a
//! call is open with the sender of a packet.
//!
//! The program is attached by a BPF link of this process, so that it is detached when the process ends for
//! any reason.

mod bpf;
mod calls;
mod header;
mod hops;
mod memory;
mod netlink;
mod program;
mod receive;
mod send;
mod socket;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

pub use calls::CallSet;
pub use receive::Receiver;
pub use send::{HEADROOM, SLOT, Sender};

use crate::error::{Error, Kind, Result};
use crate::gre::GreSocket;
use crate::net::Net;
use hops::Hops;
use netlink::{Link, Netlink};
use program::{MAX_ADDRESSES, Wanted};
use socket::Bound;

/// The most receive queues of an interface.
pub const MAX_QUEUES: u32 = 16;

/// The number of frames of all queues together: with more than four queues each has fewer.
const RECEIVE_FRAMES: u32 = 16_384;
/// The most frames of one queue.
const QUEUE_FRAMES: u32 = 4096;

/// The longest IP packet that fits a frame: the kernel reserves 256 octets before it.
const LONGEST: u16 = (memory::FRAME - 256 - header::ETHERNET) as u16;

/// The attach mode of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the driver.
    Native,
    /// After the driver, on its buffer (generic mode): works with every driver.
    Generic,
}

/// The options of AF_XDP.
#[derive(Clone, Debug)]
pub struct XdpOptions {
    /// The interface.
    pub interface: String,
    /// The only local address whose packets are redirected; `None` for all current IPv4 addresses of this
    /// host.
    pub local: Option<Ipv4Addr>,
    /// Sets Don't Fragment. The raw socket must be opened with the same option.
    pub dont_fragment: bool,
    /// The attach mode; `None` tries the driver first.
    pub mode: Option<Mode>,
}

/// The opened AF_XDP sockets.
#[derive(Debug)]
pub struct Xdp {
    /// The half for the thread that receives.
    pub receiver: Receiver,
    /// The half for the thread that sends.
    pub sender: Sender,
    /// The calls whose packets are redirected, of all workers together; initially none.
    pub calls: Arc<CallSet>,
    /// A description for messages.
    pub about: About,
}

/// The AF_XDP features that kernel and driver support.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The interface.
    pub interface: String,
    /// The attach mode.
    pub mode: Mode,
    /// Whether the driver writes packets into our memory without a copy.
    pub zero_copy: bool,
    /// The number of receive queues, of all workers together.
    pub queues: usize,
    /// The number of the program, as in `ip -details link`.
    pub program: u32,
    /// [`carrier_losses`] before the program was attached.
    pub carrier_losses: Option<u32>,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            Mode::Native => "native",
            Mode::Generic => "generic",
        };
        let copy = if self.zero_copy { "zero-copy" } else { "copy" };
        write!(f, "AF_XDP on {} ({mode}, {copy}", self.interface)?;
        match self.queues {
            1 => f.write_str(", 1 queue)"),
            n => write!(f, ", {n} queues)"),
        }
    }
}

/// Opens AF_XDP on an interface for independent workers, one for each of `sockets` (a power of two). The
/// sockets receive what AF_XDP does not: a socket's filter selects the worker's share of the calls by the low
/// bits of the Call ID.
///
/// The kernel delivers a packet only to a socket of the receive queue on which it arrived, so each queue
/// belongs to one worker, by the low bits of its number. A packet that arrives on another worker's queue is
/// left to the kernel, and reaches the right worker through its raw socket. Packets are sent on the worker's
/// first queue.
///
/// # Errors
/// The missing feature of kernel, driver or process, with the fix; fewer queues than workers are an error.
/// After an error nothing remains attached, and the sockets work without AF_XDP.
pub fn open(options: &XdpOptions, sockets: &[Arc<GreSocket>]) -> Result<Vec<Xdp>> {
    let mut netlink = Netlink::open().map_err(|e| Error::io("cannot open a netlink socket", &e))?;
    let link = find(&mut netlink, &options.interface)?;
    let addresses = addresses(options.local)?;
    let mac = link.mac.unwrap_or_default();
    let map =
        bpf::socket_map(MAX_QUEUES).map_err(|e| refused("cannot create a map of AF_XDP sockets", &e))?;
    let workers = sockets.len();
    if !workers.is_power_of_two() || workers > MAX_QUEUES as usize {
        let tried = format!("cannot use AF_XDP with {workers} workers");
        return Err(Error::new(Kind::Unsupported, tried, "the number must be 1, 2, 4, 8 or 16"));
    }
    let calls = CallSet::new().map_err(|e| refused("cannot create a map of calls", &e))?;
    let wanted = Wanted { mac, addresses: &addresses, longest: LONGEST, workers: workers as u16 };
    let program = bpf::load(&program::assemble(&wanted, calls.map(), map.as_fd()))
        .map_err(|e| refused("cannot load the XDP program", &e))?;
    let id = bpf::program_id(program.as_fd()).map_err(|e| refused("cannot find the XDP program", &e))?;
    let (attachment, mode) = attach(&program, link.index, options)?;

    let copy = mode == Mode::Generic;
    let bound = queues(&options.interface, &link, copy, &map, workers)?;
    let zero_copy = bound.iter().any(|bound| bound.zero_copy);
    let about = About {
        interface: options.interface.clone(),
        mode,
        zero_copy,
        queues: bound.len(),
        program: id,
        carrier_losses: link.carrier_losses,
    };
    let attachment = Arc::new(attachment);
    let calls = Arc::new(calls);
    let mut shares: Vec<_> = sockets.iter().map(|_| (Vec::new(), None)).collect();
    for (number, Bound { queue, outlet, .. }) in bound.into_iter().enumerate() {
        if let Some((queues, out)) = shares.get_mut(number % workers) {
            queues.push(queue);
            *out = out.take().or(outlet);
        }
    }
    let share = |(socket, (queues, outlet)): (&Arc<GreSocket>, (_, Option<_>))| {
        let outlet = outlet.ok_or_else(|| {
            Error::new(Kind::Unsupported, "cannot send with AF_XDP", "the interface has no queue")
        })?;
        let hops = Netlink::open().and_then(|netlink| Hops::new(netlink, link.clone()));
        let hops = hops.map_err(|e| Error::io("cannot read the neighbours", &e))?;
        Ok(Xdp {
            receiver: Receiver::new(Arc::clone(&attachment), queues, Arc::clone(socket))?,
            sender: Sender::new(outlet, hops, Arc::clone(socket), Arc::clone(&calls), options.dont_fragment),
            calls: Arc::clone(&calls),
            about: about.clone(),
        })
    };
    sockets.iter().zip(shares).map(share).collect()
}

/// The interface that has the address `near`, or through which packets to it leave; without an address, that
/// of the default route.
///
/// # Errors
/// If there is none.
pub fn interface_for(near: Option<Ipv4Addr>) -> Result<String> {
    let net = Net::open()?;
    let near = near.filter(|near| !near.is_unspecified()).map(IpAddr::V4);
    if let Some(own) = net.addresses()?.into_iter().find(|a| Some(a.address.addr()) == near) {
        let interfaces = net.interfaces()?;
        if let Some(interface) = interfaces.into_iter().find(|interface| interface.index == own.interface) {
            return Ok(interface.name);
        }
    }
    // Without an address, use an external one: only its route is looked up, nothing is sent.
    net.route_to(near.unwrap_or(IpAddr::V4(Ipv4Addr::new(198, 18, 0, 1)))).map(|hop| hop.name)
}

/// How often an interface has lost its carrier since it was created; `None` if the kernel does not count (before 4.16).
///
/// # Errors
/// If there is no such interface.
pub fn carrier_losses(interface: &str) -> Result<Option<u32>> {
    let mut netlink = Netlink::open().map_err(|e| Error::io("cannot open a netlink socket", &e))?;
    find(&mut netlink, interface).map(|link| link.carrier_losses)
}

fn find(netlink: &mut Netlink, name: &str) -> Result<Link> {
    let tried = || format!("cannot use interface {name:?} for AF_XDP");
    let link = netlink.link(name).map_err(|e| Error::io(tried(), &e))?;
    let link = link.ok_or_else(|| {
        Error::new(Kind::NotFound, tried(), "no such interface").with_fix("see `ip link` for the names")
    })?;
    if link.kind != libc::ARPHRD_ETHER || link.mac.is_none() {
        return Err(Error::new(Kind::Unsupported, tried(), "not an Ethernet interface")
            .with_fix("set link.io = \"socket\""));
    }
    Ok(link)
}

/// The local addresses whose packets the program redirects: only `local`, or all current IPv4 addresses of this host.
///
/// # Errors
/// If the addresses cannot be read.
pub fn addresses(local: Option<Ipv4Addr>) -> Result<Vec<Ipv4Addr>> {
    if let Some(local) = local.filter(|local| !local.is_unspecified()) {
        return Ok(vec![local]);
    }
    let mut all: Vec<Ipv4Addr> = Net::open()?
        .addresses()?
        .iter()
        .filter_map(|address| match address.address.addr() {
            IpAddr::V4(v4) if !v4.is_loopback() => Some(v4),
            _ => None,
        })
        .collect();
    all.sort_unstable();
    all.dedup();
    // Packets to the other addresses arrive on the raw socket.
    all.truncate(MAX_ADDRESSES);
    Ok(all)
}

fn attach(program: &OwnedFd, interface: u32, options: &XdpOptions) -> Result<(OwnedFd, Mode)> {
    let tried = format!("cannot attach the XDP program to {}", options.interface);
    let attach = |mode| {
        let flags = match mode {
            Mode::Native => bpf::DRV_MODE,
            Mode::Generic => bpf::SKB_MODE,
        };
        bpf::attach(program.as_fd(), interface, flags).map(|link| (link, mode))
    };
    let attached = match options.mode {
        Some(mode) => attach(mode),
        None => attach(Mode::Native).or_else(|native| {
            // If the interface is in use, it is in use in every mode.
            if native.raw_os_error() == Some(libc::EBUSY) { Err(native) } else { attach(Mode::Generic) }
        }),
    };
    attached.map_err(|e| refused(&tried, &e))
}

/// Creates a socket for each receive queue, and for each worker one for sending, on its first queue.
fn queues(name: &str, link: &Link, copy: bool, map: &OwnedFd, workers: usize) -> Result<Vec<Bound>> {
    let mut all = Vec::new();
    let counts = socket::queues(name);
    // A driver that does not report its queues gets a socket for every queue that can be bound.
    let count = counts.map_or(MAX_QUEUES, |counts| counts.receive).max(1);
    let both = counts.map_or(1, |counts| counts.receive.min(counts.transmit)).max(1) as usize;
    if workers > both {
        let tried = format!("cannot use AF_XDP on {name} with {workers} workers");
        let answer = format!("each needs a receive and a transmit queue, and the interface has {both}");
        return Err(Error::new(Kind::Unsupported, tried, answer).with_fix(format!(
            "set more queues with `ethtool -L {name} combined {workers}`, use {both} workers, or set link.io = \"socket\""
        )));
    }
    if count > MAX_QUEUES {
        let tried = format!("cannot use AF_XDP on {name}");
        let answer = format!("it has {count} receive queues; the maximum is {MAX_QUEUES}");
        return Err(Error::new(Kind::Unsupported, tried, answer).with_fix(format!(
            "set fewer queues with `ethtool -L {name} combined {MAX_QUEUES}`, or set link.io = \"socket\""
        )));
    }
    let frames = (RECEIVE_FRAMES / count.next_power_of_two()).min(QUEUE_FRAMES);
    for number in 0..count {
        let sends = (number as usize) < workers;
        let Some(bound) = socket::open(link.index, number, frames, sends, copy)? else { break };
        all.push(bound);
    }
    for (number, bound) in all.iter().enumerate() {
        bpf::set_socket(map.as_fd(), number as u32, bound.queue.fd.as_fd())
            .map_err(|e| refused("cannot put an AF_XDP socket into its map", &e))?;
    }
    Ok(all)
}

fn refused(tried: &str, e: &io::Error) -> Error {
    let error = Error::io(tried, e);
    match e.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => error.needs("CAP_NET_ADMIN and CAP_BPF"),
        Some(libc::EBUSY | libc::EEXIST) => error
            .with_fix("another XDP program is on the interface: see `ip link`, detach it, or set link.io = \"socket\""),
        Some(libc::ENOSYS | libc::EINVAL | libc::EOPNOTSUPP) => error.with_fix(
            "AF_XDP needs Linux 5.9 or newer with CONFIG_BPF_SYSCALL and CONFIG_XDP_SOCKETS; set link.io = \"socket\"",
        ),
        Some(libc::ENOMEM) => error.with_fix("allow more locked memory: LimitMEMLOCK=infinity in the unit"),
        _ => error.with_fix("set link.io = \"socket\""),
    }
}
