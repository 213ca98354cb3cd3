//! GRE in and out of two hosts joined by a veth pair: raw sockets against AF_XDP.
//!
//! One thread sends a burst of 64 packets and then takes them at the other end. As long as the burst is below what the
//! kernel does in one softirq, it arrives while it is sent: so "out" is the sender, the wire, and the receiving kernel,
//! and "in" is receiving what has arrived. Each variant runs once a round, one after the other.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_sys::gre::{GreOptions, GreSocket, MAX_BATCH, RecvBatch, SendBatch};
use adit_sys::xdp::{self, HEADROOM, Mode, Xdp, XdpOptions};
use adit_testbed::{Host, wire};
use anyhow::{Result, ensure};
use serde::Serialize;

/// The call of all packets.
const CALL_ID: u16 = 7;
const FROM: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const TO: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// Octets of the GRE packets.
const LENGTHS: [usize; 2] = [100, 1400];
/// Time limit for the arrival of a burst.
const PATIENCE: Duration = Duration::from_millis(200);

/// One variant with packets of one length.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Octets of a packet, from the GRE header on.
    pub length: usize,
    /// What moved the packets.
    pub variant: String,
    /// Nanoseconds for a packet to be sent and to arrive: 10th percentile and median of the bursts.
    pub out_ns: [f64; 2],
    /// Nanoseconds for a packet to be fetched.
    pub in_ns: [f64; 2],
    /// How much cheaper both together are than the sockets: the median of the ratios of each round.
    pub times_cheaper: f64,
    /// Packets that did not arrive.
    pub lost: u64,
}

/// A pair of ends.
enum Ends {
    Socket { out: GreSocket, batch: SendBatch, at: GreSocket, slots: RecvBatch },
    Xdp(Box<(Xdp, Xdp)>),
}

impl Ends {
    fn name(&self) -> String {
        match self {
            Ends::Socket { .. } => "raw sockets".to_owned(),
            Ends::Xdp(ends) => ends.0.about.to_string().replace(" on eth0", ""),
        }
    }

    /// Sends 64 packets; returns how many were taken.
    fn send(&mut self, packet: &[u8]) -> usize {
        match self {
            Ends::Socket { out, batch, .. } => {
                while batch.push(TO, None, packet) {}
                out.send(batch).sent
            }
            Ends::Xdp(ends) => {
                let sender = &mut ends.0.sender;
                while let Some(slot) = sender.slot() {
                    let range = HEADROOM..HEADROOM + packet.len();
                    if let Some(space) = slot.get_mut(range.clone()) {
                        space.copy_from_slice(packet);
                    }
                    if !sender.push(TO, None, range) {
                        break;
                    }
                }
                sender.flush(Instant::now()).sent
            }
        }
    }

    /// Fetches what has arrived and touches it as a worker would: source address and Call ID.
    fn fetch(&mut self) -> Result<usize> {
        let mut sum = 0u32;
        let n = match self {
            Ends::Socket { at, slots, .. } => {
                let n = at.receive(slots)?;
                for packet in slots.packets() {
                    sum = sum.wrapping_add(u32::from(packet.source) + u32::from(packet.gre[7]));
                }
                n
            }
            Ends::Xdp(ends) => {
                let receiver = &mut ends.1.receiver;
                let n = receiver.receive(true)?;
                for packet in receiver.packets() {
                    sum = sum.wrapping_add(u32::from(packet.source) + u32::from(packet.gre[7]));
                }
                n
            }
        };
        std::hint::black_box(sum);
        Ok(n)
    }
}

/// A variant with hosts of its own.
struct Lane {
    ends: Ends,
    out: Vec<f64>,
    fetch: Vec<f64>,
    lost: u64,
    _hosts: [Host; 2],
}

fn lane(mode: Option<Mode>) -> Result<Lane> {
    let hosts = [Host::new("from"), Host::new("to")];
    let [from, to] = &hosts;
    wire((from, "eth0", "192.0.2.1/24"), (to, "eth0", "192.0.2.2/24"));
    let socket = |host: &Host| host.run(|| GreSocket::open(&GreOptions::default()));
    let ends = match mode {
        None => Ends::Socket {
            out: socket(from)?,
            batch: SendBatch::new(MAX_BATCH, 2048),
            at: socket(to)?,
            slots: RecvBatch::new(MAX_BATCH, 2048),
        },
        Some(mode) => {
            let options = XdpOptions {
                interface: "eth0".to_owned(),
                local: None,
                dont_fragment: false,
                mode: Some(mode),
            };
            let open = |host: &Host, peer: Ipv4Addr| -> Result<Xdp> {
                let socket = Arc::new(socket(host)?);
                let xdp = host.run(|| xdp::open(&options, &[socket]))?.remove(0);
                xdp.calls.insert(CALL_ID, peer);
                Ok(xdp)
            };
            Ends::Xdp(Box::new((open(from, TO)?, open(to, FROM)?)))
        }
    };
    // Permanent neighbour entries: no address resolution in the middle of a measurement.
    for (host, other, address) in [(from, to, TO), (to, from, FROM)] {
        let mac = other.sh("ip -o link show dev eth0 | sed 's/.*link.ether \\([^ ]*\\).*/\\1/'");
        host.sh(&format!("ip neigh replace {address} lladdr {} dev eth0 nud permanent", mac.trim()));
    }
    std::thread::sleep(Duration::from_millis(50));
    Ok(Lane { ends, out: Vec::new(), fetch: Vec::new(), lost: 0, _hosts: hosts })
}

/// Measures every variant in `rounds` rounds of `bursts` bursts.
///
/// # Errors
/// When a host cannot be made, or AF_XDP cannot be opened.
pub fn run(rounds: usize, bursts: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for length in LENGTHS {
        let [high, low] = CALL_ID.to_be_bytes();
        let mut packet = vec![0x30, 0x01, 0x88, 0x0b, 0, 0, high, low, 0, 0, 0, 1];
        packet.resize(length, 0x5a);
        let mut lanes = vec![lane(None)?, lane(Some(Mode::Native))?, lane(Some(Mode::Generic))?];
        let mut ratios = vec![Vec::new(); lanes.len()];
        for round in 0..=rounds {
            let mut sums = Vec::new();
            for lane in &mut lanes {
                let first = lane.out.len();
                for _ in 0..bursts {
                    burst(lane, &packet)?;
                }
                let both: Vec<f64> = lane.out[first..]
                    .iter()
                    .zip(&lane.fetch[first..])
                    .map(|(out, fetch)| out + fetch)
                    .collect();
                sums.push(percentile(&both, 50));
                if round == 0 {
                    // The first round is for warming up.
                    lane.out.clear();
                    lane.fetch.clear();
                    lane.lost = 0;
                }
            }
            if round > 0 {
                for (ratios, sum) in ratios.iter_mut().zip(&sums) {
                    ratios.push(sums[0] / sum);
                }
            }
        }
        for (lane, ratios) in lanes.iter().zip(&ratios) {
            rows.push(Row {
                length,
                variant: lane.ends.name(),
                out_ns: [percentile(&lane.out, 10), percentile(&lane.out, 50)],
                in_ns: [percentile(&lane.fetch, 10), percentile(&lane.fetch, 50)],
                times_cheaper: percentile(ratios, 50),
                lost: lane.lost,
            });
        }
    }
    Ok(rows)
}

fn burst(lane: &mut Lane, packet: &[u8]) -> Result<()> {
    let began = Instant::now();
    let sent = lane.ends.send(packet);
    let out = began.elapsed();
    ensure!(sent > 0, "nothing was sent");
    // Packets that a softirq on another core still processes are awaited outside of the measured time.
    std::thread::sleep(Duration::from_micros(50));
    let (mut got, mut fetching) = (0, Duration::ZERO);
    while got < sent && began.elapsed() < PATIENCE {
        let began = Instant::now();
        let n = lane.ends.fetch()?;
        if n > 0 {
            fetching += began.elapsed();
        }
        got += n;
    }
    lane.lost += (MAX_BATCH - got.min(MAX_BATCH)) as u64;
    lane.out.push(out.as_nanos() as f64 / MAX_BATCH as f64);
    lane.fetch.push(fetching.as_nanos() as f64 / MAX_BATCH as f64);
    Ok(())
}

fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get((sorted.len().saturating_sub(1)) * percent / 100).copied().unwrap_or(0.0)
}
