//! ICMP echo (RFC 792) of any size: checks whether a host answers, and whether a packet of that size fits the
//! path.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use adit_wire::icmp::{self, ECHO_REPLY, ECHO_REQUEST};

use crate::error::{Error, Result};
use crate::gre::IcmpKind;
use crate::socket;

/// An echo request to send.
#[derive(Clone, Debug)]
pub struct Request {
    /// The destination.
    pub destination: Ipv4Addr,
    /// The source address; `None` for that of the route.
    pub source: Option<Ipv4Addr>,
    /// The interface to send from, regardless of the routes.
    pub interface: Option<String>,
    /// The length of the whole IP packet in octets, at least 36.
    pub size: u16,
    /// Sets Don't Fragment, and ignores a cached path MTU.
    pub dont_fragment: bool,
    /// The time to live; `None` for the default of the system.
    pub ttl: Option<u8>,
    /// How long to wait for an answer.
    pub timeout: Duration,
}

impl Request {
    /// Creates an ordinary request of 84 octets with a timeout of one second.
    pub fn new(destination: Ipv4Addr) -> Request {
        Request {
            destination,
            source: None,
            interface: None,
            size: 84,
            dont_fragment: false,
            ttl: None,
            timeout: Duration::from_secs(1),
        }
    }
}

/// The answer to an echo request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The echo reply, with the round-trip time.
    Reply(Duration),
    /// A router, or this host, answered with an ICMP error.
    Error {
        /// Its sender; `None` for this host.
        from: Option<Ipv4Addr>,
        /// The error.
        kind: IcmpKind,
    },
    /// No answer in time.
    Silent,
}

/// IP header, ICMP header, and eight octets that distinguish our echo from those of other processes.
const SMALLEST: u16 = 20 + 8 + 8;

/// Sends one echo request and waits for the answer.
///
/// # Errors
/// S08 without CAP_NET_RAW; otherwise the error of the kernel, such as no route (`Kind::NotFound`:
/// ENETUNREACH).
pub fn ping(request: &Request) -> Result<Answer> {
    let tried = || format!("cannot ping {}", request.destination);
    let socket = open(request).map_err(|e| Error::io(tried(), &e).needs("CAP_NET_RAW"))?;
    let sequence = SEQUENCE.fetch_add(1, Ordering::Relaxed);
    let echo = echo(request.size.max(SMALLEST), process::id() as u16, sequence);
    let start = Instant::now();
    match socket.send_to(&echo, SocketAddrV4::new(request.destination, 0)) {
        Ok(_) => {}
        Err(e) if e.raw_os_error() == Some(libc::EMSGSIZE) => {
            return Ok(Answer::Error { from: None, kind: IcmpKind::FragmentationNeeded { mtu: 0 } });
        }
        Err(e) => return Err(Error::io(tried(), &e)),
    }
    let mut octets = [0; 2048];
    loop {
        let left = request.timeout.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Ok(Answer::Silent);
        }
        socket.set_read_timeout(Some(left)).map_err(|e| Error::io(tried(), &e))?;
        let (len, from) = match socket.recv_from(&mut octets) {
            Ok((len, from)) => (len, from),
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => continue,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(Error::io(tried(), &e)),
        };
        let from = match from {
            std::net::SocketAddr::V4(v4) => *v4.ip(),
            std::net::SocketAddr::V6(_) => continue,
        };
        let ours = echo.get(4..16).unwrap_or_default();
        match octets.get(..len).and_then(|ip| read(ip, ours, request.destination)) {
            Some(None) => return Ok(Answer::Reply(start.elapsed())),
            Some(Some(kind)) => return Ok(Answer::Error { from: Some(from), kind }),
            None => {}
        }
    }
}

static SEQUENCE: AtomicU16 = AtomicU16::new(1);

fn open(request: &Request) -> io::Result<UdpSocket> {
    let fd = socket::open(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP)?;
    let discover = if request.dont_fragment { libc::IP_PMTUDISC_PROBE } else { libc::IP_PMTUDISC_DONT };
    socket::set(&fd, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, &discover)?;
    if let Some(ttl) = request.ttl {
        socket::set(&fd, libc::IPPROTO_IP, libc::IP_TTL, &i32::from(ttl))?;
    }
    if let Some(name) = &request.interface {
        socket::set_str(&fd, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, name)?;
    }
    if let Some(source) = request.source {
        socket::bind(&fd, &socket::address(source))?;
    }
    // The calls that send and receive a datagram with its address are the same for all kinds of sockets.
    let socket = UdpSocket::from(fd);
    socket.set_nonblocking(false)?;
    Ok(socket)
}

fn echo(size: u16, identifier: u16, sequence: u16) -> Vec<u8> {
    let mut data = b"adit".to_vec();
    data.extend_from_slice(&process::id().to_be_bytes());
    data.resize(usize::from(size) - 28, 0x55);
    icmp::echo_request(identifier, sequence, &data)
}

/// Parses an answer: `Some(None)` for the reply to the echo whose octets from the identifier on begin with
/// `ours`, `Some(kind)` for an error about it, `None` for anything else.
fn read(ip: &[u8], ours: &[u8], destination: Ipv4Addr) -> Option<Option<IcmpKind>> {
    let icmp = payload(ip)?;
    let (head, rest) = icmp.split_first_chunk::<8>()?;
    if head[0] == ECHO_REPLY {
        return (icmp.get(4..)?.starts_with(ours)).then_some(None);
    }
    // An error quotes our IP header and at least the first eight octets after it.
    let inner = payload(rest)?;
    let about = Ipv4Addr::from(*rest.get(16..)?.first_chunk::<4>()?);
    let same =
        about == destination && inner.first() == Some(&ECHO_REQUEST) && inner.get(4..8)? == ours.get(..4)?;
    let info = u32::from(u16::from_be_bytes([head[6], head[7]]));
    same.then(|| Some(IcmpKind::new(head[0], head[1], info)))
}

fn payload(ip: &[u8]) -> Option<&[u8]> {
    ip.get(usize::from(ip.first()? & 0x0f) * 4..)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TO: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);

    fn ip(payload: &[u8]) -> Vec<u8> {
        let mut octets = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 1, 0, 0, 192, 0, 2, 1, 192, 0, 2, 9];
        octets.extend_from_slice(payload);
        octets
    }

    #[test]
    fn the_packet_has_the_requested_size_and_a_valid_checksum() {
        for size in [36, 84, 1400, 1401] {
            let echo = echo(size, 1, 2);
            assert_eq!(echo.len() + 20, usize::from(size));
            assert_eq!(adit_wire::checksum::of(&echo), 0);
        }
    }

    #[test]
    fn our_reply_is_distinguished_from_others() {
        let sent = echo(84, 7, 9);
        let mut reply = sent.clone();
        reply[0] = ECHO_REPLY;
        assert_eq!(read(&ip(&reply), &sent[4..16], TO), Some(None));
        reply[7] = 8;
        assert_eq!(read(&ip(&reply), &sent[4..16], TO), None);
        assert_eq!(read(&ip(&sent), &sent[4..16], TO), None, "our own request, seen on the loopback");
    }

    #[test]
    fn an_error_about_our_echo_contains_its_reason() {
        let sent = echo(84, 7, 9);
        let mut error = vec![3, 4, 0, 0, 0, 0, 0x05, 0x14];
        error.extend_from_slice(&ip(&sent)[..28]);
        let read = |octets: &[u8]| read(&ip(octets), &sent[4..16], TO);
        assert_eq!(read(&error), Some(Some(IcmpKind::FragmentationNeeded { mtu: 1300 })));
        error[0] = 11;
        error[1] = 0;
        assert_eq!(read(&error), Some(Some(IcmpKind::TimeExceeded)));
        for cut in 0..error.len() {
            assert_eq!(read(&error[..cut]), None);
        }
    }
}
