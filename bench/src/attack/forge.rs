//! GRE packets with the address of another host as their source.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use adit_sys::gre::{CallFilter, GreOptions, GreSocket, MAX_BATCH, SendBatch};
use adit_testbed::Host;

/// The largest forged packet, in octets.
const SLOT: usize = 2048;
/// The pause when the packets that are due have been sent.
const PAUSE: Duration = Duration::from_micros(500);

/// Sends packets to one host in the name of another.
pub(crate) struct Forger {
    host: Host,
    from: Ipv4Addr,
    to: Ipv4Addr,
}

/// The bounds of a series of packets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Series {
    /// Packets a second.
    pub(crate) rate: u32,
    /// Packets at the most.
    pub(crate) number: u64,
}

impl Forger {
    /// `host` is a [`crate::net::Role::Forger`] with the address `from`.
    pub(crate) fn new(host: Host, from: Ipv4Addr, to: Ipv4Addr) -> Forger {
        Forger { host, from, to }
    }

    /// Sends these packets at once.
    pub(crate) fn send(&self, packets: &[Vec<u8>]) -> anyhow::Result<u64> {
        let mut packets = packets.iter();
        let series = Series { rate: u32::MAX, number: packets.len() as u64 };
        self.series(series, &AtomicBool::new(false), |packet| {
            packet.extend_from_slice(packets.next().map_or(&[], Vec::as_slice));
        })
    }

    /// Sends packets that `make` writes, until all are sent or `stop` is set. Returns the number that the kernel accepted.
    pub(crate) fn series(
        &self,
        series: Series,
        stop: &AtomicBool,
        mut make: impl FnMut(&mut Vec<u8>) + Send,
    ) -> anyhow::Result<u64> {
        self.host.run(|| {
            let options = GreOptions { filter: Some(CallFilter::none()), ..GreOptions::default() };
            let socket = GreSocket::open(&options)?;
            let mut batch = SendBatch::new(MAX_BATCH, SLOT);
            let (mut packet, started) = (Vec::new(), Instant::now());
            let (mut made, mut sent) = (0, 0);
            while made < series.number && !stop.load(Ordering::Relaxed) {
                let due = (started.elapsed().as_secs_f64() * f64::from(series.rate)) as u64 + 1;
                let now = due.min(series.number).saturating_sub(made);
                if now == 0 {
                    sleep(PAUSE);
                }
                for _ in 0..now.min(MAX_BATCH as u64) {
                    packet.clear();
                    make(&mut packet);
                    // A packet that does not fit is not sent, and so not counted.
                    let _ = batch.push(self.to, Some(self.from), &packet);
                    made += 1;
                }
                let result = socket.send(&mut batch);
                sent += result.sent as u64;
                if let Some(error) = result.error {
                    anyhow::bail!("cannot send as {} to {}: {error}", self.from, self.to);
                }
            }
            Ok(sent)
        })
    }
}
