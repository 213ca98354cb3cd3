//! Notifications of the kernel about everything that decides on a packet: rules of the packet filter,
//! interfaces, traffic control, routing rules, IPsec policies. Also the programs that have none (tcx).
#![expect(unsafe_code, reason = "the bpf system call")]

use std::fs::File;
use std::io::{self, Read as _};
use std::mem::size_of_val;
use std::os::fd::{AsFd as _, BorrowedFd};

use crate::error::{Error, Result};
use crate::socket;

/// A change of the network namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A table, chain, rule, set or object of nftables.
    Filter,
    /// The interface with this index: also its master, and its XDP program.
    Link(u32),
    /// A queueing discipline or filter of the interface with this index; `u32::MAX` for several interfaces.
    Traffic(u32),
    /// A routing rule.
    RoutingRule,
    /// The configuration of IPv4 on an interface, such as `rp_filter`.
    Configuration,
    /// An IPsec policy.
    Ipsec,
    /// Notifications were lost: anything may have changed.
    Lost,
}

/// The size of the receive buffers in octets: a reload of a large rule set is thousands of messages.
const QUEUE: usize = 1 << 20;
/// The largest message that is read; of longer ones the beginning.
const BUFFER: usize = 16 * 1024;
/// The most messages that are read at once from each socket.
const AT_ONCE: usize = 4096;

// Bits of the multicast groups (linux/netfilter/nfnetlink.h, linux/rtnetlink.h, linux/xfrm.h): group N is bit N - 1.
const NFTABLES: u32 = 1 << 6;
const LINK: u32 = 1;
const TRAFFIC: u32 = 1 << 3;
const IPV4_RULE: u32 = 1 << 7;
const IPV4_CONFIGURATION: u32 = 1 << 23;
const IPSEC_POLICY: u32 = 1 << 3;

/// A subscription to the changes of the network namespace of the thread that opened it.
#[derive(Debug)]
pub struct Changes {
    filter: File,
    route: File,
    /// `None` where the kernel has no IPsec.
    ipsec: Option<File>,
    buffer: Box<[u8]>,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Address {
    family: u16,
    pad: u16,
    process: u32,
    groups: u32,
}

impl Changes {
    /// Subscribes.
    ///
    /// # Errors
    /// S08 without CAP_NET_ADMIN; the error of the kernel if it has no netfilter.
    pub fn open() -> Result<Changes> {
        let explain = |e: &io::Error| {
            Error::io("cannot subscribe to changes of rules and interfaces", e).needs("CAP_NET_ADMIN")
        };
        let ipsec = match subscribe(libc::NETLINK_XFRM, IPSEC_POLICY) {
            Ok(socket) => Some(socket),
            Err(e) if e.raw_os_error() == Some(libc::EPROTONOSUPPORT) => None,
            Err(e) => return Err(explain(&e)),
        };
        let groups = LINK | TRAFFIC | IPV4_RULE | IPV4_CONFIGURATION;
        Ok(Changes {
            filter: subscribe(libc::NETLINK_NETFILTER, NFTABLES).map_err(|e| explain(&e))?,
            route: subscribe(libc::NETLINK_ROUTE, groups).map_err(|e| explain(&e))?,
            ipsec,
            buffer: vec![0; BUFFER].into_boxed_slice(),
        })
    }

    /// The descriptors that become readable with a change.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        [Some(&self.filter), Some(&self.route), self.ipsec.as_ref()]
            .into_iter()
            .flatten()
            .map(|file| file.as_fd())
    }

    /// Reports the changes since the last call, up to a limit; the rest is reported by the next call.
    pub fn drain(&mut self, mut each: impl FnMut(Change)) {
        let Changes { filter, route, ipsec, buffer } = self;
        // Lost messages are a change, too, and all messages of this socket mean the same.
        receive(filter, buffer, |_| each(Change::Filter));
        receive(route, buffer, |message| match message {
            Some(octets) => route_changes(octets, &mut each),
            None => each(Change::Lost),
        });
        if let Some(ipsec) = ipsec {
            receive(ipsec, buffer, |_| each(Change::Ipsec));
        }
    }
}

pub(crate) fn subscribe(protocol: i32, groups: u32) -> io::Result<File> {
    let fd = socket::open(libc::AF_NETLINK, libc::SOCK_RAW, protocol)?;
    socket::set_buffer(&fd, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, QUEUE)?;
    socket::bind(&fd, &Address { family: libc::AF_NETLINK as u16, pad: 0, process: 0, groups })?;
    Ok(File::from(fd))
}

/// Passes the octets of every message to `each`; `None` where messages were lost.
pub(crate) fn receive(mut file: &File, buffer: &mut [u8], mut each: impl FnMut(Option<&[u8]>)) {
    for _ in 0..AT_ONCE {
        match file.read(buffer) {
            Ok(n) => each(buffer.get(..n)),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
            Err(e) => {
                each(None);
                if e.raw_os_error() != Some(libc::ENOBUFS) {
                    return;
                }
            }
        }
    }
}

/// The changes in a datagram of rtnetlink: one or more messages.
fn route_changes(mut octets: &[u8], each: &mut impl FnMut(Change)) {
    const HEADER: usize = 16;
    // The index of the interface is the second word after the header, for links as well as for traffic control.
    const INDEX: usize = HEADER + 4;
    let word = |octets: &[u8], at: usize| {
        octets.get(at..)?.first_chunk().map(|octets: &[u8; 4]| u32::from_ne_bytes(*octets))
    };
    let kind =
        |octets: &[u8]| octets.get(4..)?.first_chunk().map(|octets: &[u8; 2]| u16::from_ne_bytes(*octets));
    while let (Some(len), Some(kind)) = (word(octets, 0), kind(octets)) {
        let index = word(octets, INDEX);
        match (kind, index) {
            (libc::RTM_NEWLINK | libc::RTM_DELLINK, Some(index)) => each(Change::Link(index)),
            (libc::RTM_NEWRULE | libc::RTM_DELRULE, _) => each(Change::RoutingRule),
            (libc::RTM_NEWQDISC..=libc::RTM_GETTFILTER, Some(index)) => each(Change::Traffic(index)),
            // Chains of filters (RTM_NEWCHAIN, RTM_DELCHAIN).
            (100 | 101, Some(index)) => each(Change::Traffic(index)),
            // RTM_NEWNETCONF, RTM_DELNETCONF.
            (80 | 81, _) => each(Change::Configuration),
            _ => each(Change::Lost),
        }
        let len = usize::try_from(len).unwrap_or(usize::MAX).max(HEADER).saturating_add(3) & !3;
        octets = octets.get(len..).unwrap_or_default();
    }
}

/// The number of BPF programs that are attached to the interface by tcx links (Linux 6.6), which `tc` does not
/// show.
///
/// # Errors
/// EPERM without CAP_NET_ADMIN; ENODEV if there is no such interface.
pub fn tcx_programs(interface: u32) -> io::Result<u32> {
    const PROG_QUERY: libc::c_long = 16;
    const TCX_INGRESS: u32 = 46;
    const TCX_EGRESS: u32 = 47;
    /// The beginning of `union bpf_attr` (linux/bpf.h) for this command, up to its last field.
    #[repr(C)]
    #[derive(Default)]
    struct Query {
        interface: u32,
        attach_type: u32,
        query_flags: u32,
        attach_flags: u32,
        prog_ids: u64,
        count: u32,
        pad: u32,
        prog_attach_flags: u64,
        link_ids: u64,
        link_attach_flags: u64,
        revision: u64,
    }
    let mut programs = 0;
    for attach_type in [TCX_INGRESS, TCX_EGRESS] {
        let mut query = Query { interface, attach_type, ..Query::default() };
        let size = size_of_val(&query);
        // SAFETY: the kernel reads and writes `size` octets of `query`. All pointers in it are null, so that it only counts.
        let answer = unsafe { libc::syscall(libc::SYS_bpf, PROG_QUERY, &raw mut query, size) };
        if answer < 0 {
            let error = io::Error::last_os_error();
            // An older kernel, or one without BPF.
            if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS)) {
                return Ok(0);
            }
            return Err(error);
        }
        programs += query.count;
    }
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of rtnetlink with this type and index.
    fn message(kind: u16, index: u32, padding: usize) -> Vec<u8> {
        let len = 24 + padding;
        let mut octets = u32::try_from(len).unwrap().to_ne_bytes().to_vec();
        octets.extend(kind.to_ne_bytes());
        octets.resize(20, 0);
        octets.extend(index.to_ne_bytes());
        octets.resize(len.next_multiple_of(4), 0);
        octets
    }

    #[test]
    fn messages_of_one_datagram_are_all_reported() {
        let datagram = [
            message(libc::RTM_NEWLINK, 7, 1),
            message(libc::RTM_NEWTFILTER, u32::MAX, 0),
            message(libc::RTM_DELQDISC, 3, 8),
            message(libc::RTM_NEWRULE, 0, 3),
            message(80, 0, 0),
            message(999, 0, 0),
        ];
        let mut seen = Vec::new();
        route_changes(&datagram.concat(), &mut |change| seen.push(change));
        let expected = [
            Change::Link(7),
            Change::Traffic(u32::MAX),
            Change::Traffic(3),
            Change::RoutingRule,
            Change::Configuration,
            Change::Lost,
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn garbage_ends() {
        let mut seen = 0;
        for octets in [&[][..], &[0; 3], &[0; 64], &[255; 64]] {
            route_changes(octets, &mut |_| seen += 1);
        }
        assert!(seen <= 8, "{seen}");
    }
}
