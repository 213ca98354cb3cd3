//! The baseline of the comparison: a deliberately plain PPTP data path.
//!
//! One packet per system call, no offload on the TUN device, the `rc4` and `sha1` crates unmodified, fixed keys, no
//! control connection, no window, no reordering. It shows what the straightforward program costs; it protects nothing.

mod cipher;
mod frame;

use std::net::Ipv4Addr;
use std::thread;

use adit_sys::tun::{Offload, Tun, TunOptions, VnetHeader};
use anyhow::Context as _;
use cipher::Direction;
use clap::{Parser, ValueEnum};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrV4, SocketType, bind, connect, ipproto, recv, send,
    socket, sockopt,
};

/// A plain point-to-point tunnel: GRE and stateless MPPE-128 with fixed keys.
#[derive(Debug, Parser)]
struct Args {
    /// Name of the TUN interface to create, without addresses.
    interface: String,
    /// Our address on the wire.
    local: Ipv4Addr,
    /// The peer's address on the wire.
    peer: Ipv4Addr,
    /// Which end this is; the ends use different keys.
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum End {
    Client,
    Server,
}

/// Space for one packet and its headers.
const SPACE: usize = 2048;
/// Socket buffers, in octets: what a burst of one TCP window needs.
const BUFFER: usize = 4 << 20;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let options = TunOptions { name: args.interface.clone(), offload: Offload::None, multi_queue: false };
    let tun = Tun::open(&options)?;
    // Blocking, as in the simplest program of this kind.
    fcntl_setfl(&tun, fcntl_getfl(&tun)?.difference(OFlags::NONBLOCK))?;
    let gre = socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::GRE)).context("raw socket")?;
    sockopt::set_socket_recv_buffer_size_force(&gre, BUFFER)?;
    sockopt::set_socket_send_buffer_size_force(&gre, BUFFER)?;
    bind(&gre, &SocketAddrV4::new(args.local, 0))?;
    connect(&gre, &SocketAddrV4::new(args.peer, 0))?;
    let (ours, theirs) = match args.end {
        End::Client => (b"client to server", b"server to client"),
        End::Server => (b"server to client", b"client to server"),
    };
    println!("ready");
    thread::scope(|scope| {
        let out = scope.spawn(|| outgoing(&tun, &gre, Direction::new(ours)));
        let back = incoming(&tun, &gre, Direction::new(theirs));
        out.join().unwrap_or_else(|_| anyhow::bail!("the sending thread panicked")).and(back)
    })
}

/// TUN to GRE.
fn outgoing(tun: &Tun, gre: impl std::os::fd::AsFd, mut keys: Direction) -> anyhow::Result<()> {
    let mut packet = [0; SPACE];
    let mut sequence = 0;
    loop {
        let Some((_, len)) = tun.read(&mut packet[frame::HEADERS..])? else { continue };
        let end = frame::HEADERS + len;
        frame::write_headers(&mut packet[..end], sequence, keys.coherency());
        keys.apply(&mut packet[frame::CLEAR..end]);
        keys.advance();
        sequence += 1;
        // A full queue or an ICMP error is a lost packet, as on any line.
        let _ = send(&gre, &packet[..end], SendFlags::empty());
    }
}

/// GRE to TUN.
fn incoming(tun: &Tun, gre: impl std::os::fd::AsFd, mut keys: Direction) -> anyhow::Result<()> {
    let mut packet = [0; SPACE];
    loop {
        let Ok((_, len)) = recv(&gre, &mut packet[..], RecvFlags::empty()) else { continue };
        let Some((coherency, payload)) = frame::payload(packet.get_mut(..len).unwrap_or_default()) else {
            continue;
        };
        if !keys.advance_to(coherency) {
            continue;
        }
        keys.apply(payload);
        keys.advance();
        if let Some(inner) = frame::inner(payload) {
            let _ = tun.write(VnetHeader::default(), &[inner]);
        }
    }
}
