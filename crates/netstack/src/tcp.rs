//! TCP, as smoltcp does it, over a queue of packets.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::time::Instant as Time;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

/// Packets that wait on either side, at most; more are lost, as on a wire.
const QUEUE_MAX: usize = 64;
/// Octets of each buffer of a connection: it is opened to see whether it opens.
const BUFFER: usize = 2048;

/// All connections.
pub(crate) struct Tcp {
    interface: Interface,
    sockets: SocketSet<'static>,
    wire: Wire,
    began: Instant,
    local: Ipv4Addr,
}

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The SYN is out.
    Waiting,
    /// The other side has accepted.
    Open,
    /// It is closed: the other side has refused, or broken it off.
    Closed,
}

impl Tcp {
    pub(crate) fn new(local: Ipv4Addr, mtu: u16, seed: u64, now: Instant) -> Tcp {
        let mut wire = Wire { mtu: usize::from(mtu), arrived: VecDeque::new(), leaving: VecDeque::new() };
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut wire, Time::ZERO);
        interface.update_ip_addrs(|addresses| {
            // Everything is a neighbour at the other end of the pipe. There is space: it is the only address.
            let _ = addresses.push(IpCidr::new(IpAddress::Ipv4(local), 0));
        });
        Tcp { interface, sockets: SocketSet::new(Vec::new()), wire, began: now, local }
    }

    /// Begins a connection; `None` for an address that no host can have.
    pub(crate) fn dial(&mut self, now: Instant, to: SocketAddrV4, from_port: u16) -> Option<SocketHandle> {
        let buffer = || SocketBuffer::new(vec![0; BUFFER]);
        let mut socket = Socket::new(buffer(), buffer());
        let remote = (IpAddress::Ipv4(*to.ip()), to.port());
        let local = (IpAddress::Ipv4(self.local), from_port);
        socket.connect(self.interface.context(), remote, local).ok()?;
        let handle = self.sockets.add(socket);
        self.turn(now);
        Some(handle)
    }

    pub(crate) fn progress(&self, handle: SocketHandle) -> Progress {
        match self.sockets.get::<Socket<'_>>(handle).state() {
            State::SynSent | State::SynReceived | State::Listen => Progress::Waiting,
            State::Closed => Progress::Closed,
            _ => Progress::Open,
        }
    }

    /// Closes the connection: its result has been reported.
    pub(crate) fn close(&mut self, now: Instant, handle: SocketHandle) {
        self.sockets.get_mut::<Socket<'_>>(handle).close();
        self.turn(now);
    }

    /// Forgets a connection; one that is not closed is reset.
    pub(crate) fn forget(&mut self, now: Instant, handle: SocketHandle) {
        self.sockets.get_mut::<Socket<'_>>(handle).abort();
        self.turn(now);
        self.sockets.remove(handle);
    }

    pub(crate) fn handle_input(&mut self, now: Instant, packet: &[u8]) {
        if self.wire.arrived.len() < QUEUE_MAX {
            self.wire.arrived.push_back(packet.to_vec());
        }
        self.turn(now);
    }

    pub(crate) fn turn(&mut self, now: Instant) {
        let time = self.time(now);
        self.interface.poll(time, &mut self.wire, &mut self.sockets);
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.wire.leaving.pop_front()
    }

    pub(crate) fn poll_timeout(&mut self, now: Instant) -> Option<Instant> {
        let time = self.time(now);
        let delay = self.interface.poll_delay(time, &self.sockets)?;
        Some(now + Duration::from_micros(delay.total_micros()))
    }

    fn time(&self, now: Instant) -> Time {
        let micros = now.saturating_duration_since(self.began).as_micros();
        Time::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

/// The pipe as smoltcp sees it.
struct Wire {
    mtu: usize,
    arrived: VecDeque<Vec<u8>>,
    leaving: VecDeque<Vec<u8>>,
}

impl Device for Wire {
    type RxToken<'a> = Arrived;
    type TxToken<'a> = Leaving<'a>;

    fn receive(&mut self, _: Time) -> Option<(Arrived, Leaving<'_>)> {
        let packet = self.arrived.pop_front()?;
        Some((Arrived(packet), Leaving(&mut self.leaving)))
    }

    fn transmit(&mut self, _: Time) -> Option<Leaving<'_>> {
        Some(Leaving(&mut self.leaving))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        capabilities
    }
}

struct Arrived(Vec<u8>);

impl RxToken for Arrived {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

struct Leaving<'a>(&'a mut VecDeque<Vec<u8>>);

impl TxToken for Leaving<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut packet = vec![0; len];
        let result = f(&mut packet);
        if self.0.len() < QUEUE_MAX {
            self.0.push_back(packet);
        }
        result
    }
}
