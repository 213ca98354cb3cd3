//! UDP loads of our own: a flood of small packets, and requests that are answered.

use std::io::{self, ErrorKind, IoSlice};
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, sendmmsg, sockopt};

use crate::pair::Pair;
use crate::taken::Taken;
use adit_bench::stats::quantile;

/// Octets in a datagram: with UDP and IPv4 header, 64.
const SIZE: usize = 36;
/// Datagrams of the flood in flight, at most: enough for full batches at every stage, too few to fill any queue.
const WINDOW: u64 = 512;
/// Datagrams for each system call of the sender.
const BURST: u64 = 32;
/// The receiver reports its progress after this many datagrams.
const REPORT: u64 = 32;
/// Silence after which what is in flight counts as lost.
const STALL: Duration = Duration::from_millis(50);
/// An answer that takes longer is none.
const ANSWER: Duration = Duration::from_millis(500);

/// Sends small datagrams, never more than [`WINDOW`] ahead of the receiver, and counts what arrives.
///
/// Without the window the sender would take the CPU that the tunnel needs, and what is counted would depend on where
/// the surplus is dropped.
pub(crate) fn flood(pair: &Pair, time: Duration) -> anyhow::Result<Taken> {
    with_server(pair, count, |socket| {
        let start = Instant::now();
        let (mut sent, mut known, mut arrived) = (0, 0, 0);
        socket.set_read_timeout(Some(STALL))?;
        let mut report = [0; 16];
        while start.elapsed() < time {
            while sent + BURST <= known + WINDOW {
                sent += burst(socket, sent)?;
            }
            match socket.recv(&mut report) {
                Ok(16) => {
                    known = known.max(number(&report, 0));
                    arrived = arrived.max(number(&report, 8));
                }
                Ok(_) => {}
                Err(e) if is_timeout(&e) => known = sent,
                Err(e) => return Err(e.into()),
            }
        }
        anyhow::ensure!(arrived > 0, "no datagram arrived; {}", pair.logs());
        Ok(Taken {
            value: arrived as f64 / start.elapsed().as_secs_f64() / 1e3,
            amount: arrived as f64 / 1e6,
            lost: Some(1.0 - arrived as f64 / (sent.max(arrived)) as f64),
            ..Taken::default()
        })
    })
}

/// Sends `times` requests, each once the last was answered and a pause has passed.
pub(crate) fn exchange(pair: &Pair, times: usize, pause: Duration) -> anyhow::Result<Taken> {
    with_server(pair, answer, |socket| {
        socket.set_read_timeout(Some(ANSWER))?;
        let mut trips = Vec::with_capacity(times);
        for n in 0..times as u64 {
            let asked = Instant::now();
            socket.send(&datagram(n))?;
            if answered(socket, n)? {
                trips.push(asked.elapsed().as_secs_f64() * 1e6);
            }
            sleep(pause);
        }
        trips.sort_by(f64::total_cmp);
        Ok(Taken {
            value: quantile(&trips, 0.5).context("no request was answered")?,
            p99: quantile(&trips, 0.99),
            lost: Some(1.0 - trips.len() as f64 / times as f64),
            ..Taken::default()
        })
    })
}

/// Whether the answer to request `n` arrives; late answers to other requests are ignored.
fn answered(socket: &UdpSocket, n: u64) -> io::Result<bool> {
    let mut answer = [0; SIZE];
    loop {
        match socket.recv(&mut answer) {
            Ok(_) if number(&answer, 0) == n => return Ok(true),
            Ok(_) => {}
            Err(e) if is_timeout(&e) => return Ok(false),
            Err(e) => return Err(e),
        }
    }
}

/// Runs `serve` on the server's host while `work` runs on the client's, with a socket connected to it.
fn with_server(
    pair: &Pair,
    serve: fn(&UdpSocket, &AtomicBool) -> io::Result<()>,
    work: impl FnOnce(&UdpSocket) -> anyhow::Result<Taken>,
) -> anyhow::Result<Taken> {
    let server = pair.server.run(|| UdpSocket::bind((pair.target, 0)))?;
    let client = pair.client.run(|| {
        let socket = UdpSocket::bind(("0.0.0.0", 0))?;
        socket.connect(server.local_addr()?).map(|()| socket)
    })?;
    for socket in [&server, &client] {
        sockopt::set_socket_recv_buffer_size_force(socket, 4 << 20)?;
    }
    server.set_read_timeout(Some(Duration::from_millis(20)))?;
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let serving = scope.spawn(|| serve(&server, &done));
        let result = work(&client);
        done.store(true, Ordering::Relaxed);
        serving.join().map_err(|_| anyhow::anyhow!("the receiver panicked"))??;
        result
    })
}

/// Counts datagrams; reports to the sender the highest number seen and how many arrived.
fn count(socket: &UdpSocket, done: &AtomicBool) -> io::Result<()> {
    let (mut highest, mut arrived) = (0, 0);
    let mut reported = 0;
    receive(socket, done, |datagram, from| {
        if let Some(datagram) = datagram {
            highest = highest.max(number(datagram, 0) + 1);
            arrived += 1;
        }
        // The last few before a pause are reported too.
        if arrived >= reported + REPORT || (datagram.is_none() && arrived > reported) {
            reported = arrived;
            let mut report = [0; 16];
            report[..8].copy_from_slice(&highest.to_be_bytes());
            report[8..].copy_from_slice(&u64::to_be_bytes(arrived));
            socket.send_to(&report, from)?;
        }
        Ok(())
    })
}

/// Sends every datagram back.
fn answer(socket: &UdpSocket, done: &AtomicBool) -> io::Result<()> {
    receive(socket, done, |datagram, from| {
        datagram.map_or(Ok(()), |datagram| socket.send_to(datagram, from).map(drop))
    })
}

/// Calls `each` for every datagram, and for every silence after the first one.
fn receive(
    socket: &UdpSocket,
    done: &AtomicBool,
    mut each: impl FnMut(Option<&[u8]>, std::net::SocketAddr) -> io::Result<()>,
) -> io::Result<()> {
    let mut datagram = [0; SIZE];
    let mut peer = None;
    while !done.load(Ordering::Relaxed) {
        match socket.recv_from(&mut datagram) {
            Ok((len, from)) => {
                peer = Some(from);
                each(datagram.get(..len), from)?;
            }
            Err(e) if is_timeout(&e) => peer.map_or(Ok(()), |peer| each(None, peer))?,
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Sends the datagrams from number `first` on with one system call; how many the kernel took.
fn burst(socket: &UdpSocket, first: u64) -> anyhow::Result<u64> {
    let datagrams: Vec<[u8; SIZE]> = (first..first + BURST).map(datagram).collect();
    let slices: Vec<[IoSlice<'_>; 1]> = datagrams.iter().map(|octets| [IoSlice::new(octets)]).collect();
    let mut controls: Vec<SendAncillaryBuffer<'_, '_, '_>> =
        slices.iter().map(|_| SendAncillaryBuffer::default()).collect();
    let mut messages: Vec<MMsgHdr<'_>> =
        slices.iter().zip(&mut controls).map(|(slice, control)| MMsgHdr::new(slice, control)).collect();
    Ok(sendmmsg(socket, &mut messages, SendFlags::empty())? as u64)
}

fn datagram(n: u64) -> [u8; SIZE] {
    let mut octets = [0x55; SIZE];
    octets[..8].copy_from_slice(&n.to_be_bytes());
    octets
}

/// The number at an offset; 0 of what is too short.
fn number(octets: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    if let Some(octets) = octets.get(at..at + 8) {
        number.copy_from_slice(octets);
    }
    u64::from_be_bytes(number)
}

fn is_timeout(e: &io::Error) -> bool {
    matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
