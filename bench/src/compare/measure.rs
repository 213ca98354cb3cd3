//! What is measured, and one measurement.

use std::thread::sleep;
use std::time::Duration;

use adit_bench::cpu;
use clap::ValueEnum;
use serde::Serialize;

use crate::datagram;
use crate::iperf::Run;
use crate::pair::Pair;
use crate::taken::Taken;

/// One kind of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Measure {
    /// One TCP stream from client to server.
    Tcp1,
    /// One TCP stream from server to client.
    Tcp1Back,
    /// Four TCP streams from client to server.
    Tcp4,
    /// Four TCP streams from server to client.
    Tcp4Back,
    /// One TCP stream each way at once; the sum.
    Bidir,
    /// UDP in IP packets of 64 octets, as many as arrive.
    Small,
    /// 2,000 UDP requests, each sent when the last was answered.
    Request,
    /// 100 UDP requests with pauses: the latency of an idle path.
    Ping,
}

/// What a value of a measure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Unit {
    #[serde(rename = "Gbit/s")]
    Gigabit,
    #[serde(rename = "kpackets/s")]
    Kilopackets,
    #[serde(rename = "µs")]
    Microseconds,
}

impl Unit {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Unit::Gigabit => "Gbit/s",
            Unit::Kilopackets => "kpackets/s",
            Unit::Microseconds => "µs",
        }
    }
}

impl Measure {
    pub(crate) const ALL: [Measure; 8] = [
        Measure::Tcp1,
        Measure::Tcp1Back,
        Measure::Tcp4,
        Measure::Tcp4Back,
        Measure::Bidir,
        Measure::Small,
        Measure::Request,
        Measure::Ping,
    ];

    pub(crate) const fn unit(self) -> Unit {
        match self {
            Measure::Small => Unit::Kilopackets,
            Measure::Request | Measure::Ping => Unit::Microseconds,
            _ => Unit::Gigabit,
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Measure::Tcp1 => "TCP, one stream, client to server",
            Measure::Tcp1Back => "TCP, one stream, server to client",
            Measure::Tcp4 => "TCP, four streams, client to server",
            Measure::Tcp4Back => "TCP, four streams, server to client",
            Measure::Bidir => "TCP, one stream each way at once, sum",
            Measure::Small => "UDP, IP packets of 64 octets, delivered",
            Measure::Request => "2,000 UDP requests one after the other, p50",
            Measure::Ping => "100 UDP requests on an idle line, p50",
        }
    }

    const fn run(self) -> Option<Run> {
        let (streams, options): (u32, &[&str]) = match self {
            Measure::Tcp1 => (1, &[]),
            Measure::Tcp1Back => (1, &["-R"]),
            Measure::Tcp4 => (4, &[]),
            Measure::Tcp4Back => (4, &["-R"]),
            Measure::Bidir => (1, &["--bidir"]),
            Measure::Small | Measure::Request | Measure::Ping => return None,
        };
        Some(Run { streams, options })
    }

    /// Applies the load once.
    ///
    /// # Errors
    /// When the path does not carry it.
    pub(crate) fn take(self, pair: &Pair, seconds: u32) -> anyhow::Result<Taken> {
        // Packets that the previous run left in queues are sent first.
        sleep(Duration::from_millis(150));
        let pids = pair.pids();
        let (tunnel, (machine, _)) = (cpu::of_processes(&pids)?, cpu::of_machine()?);
        let mut taken = match self.run() {
            Some(run) => {
                let moved = run.start(pair, seconds)?;
                Taken {
                    value: moved.bits_per_second / 1e9,
                    amount: moved.octets / f64::from(1 << 30),
                    retransmits: Some(moved.retransmits),
                    ..Taken::default()
                }
            }
            None => match self {
                Measure::Small => datagram::flood(pair, Duration::from_secs(seconds.into()))?,
                Measure::Request => datagram::exchange(pair, 2000, Duration::ZERO)?,
                _ => datagram::exchange(pair, 100, Duration::from_millis(5))?,
            },
        };
        if taken.amount > 0.0 {
            taken.tunnel_cpu = Some((cpu::of_processes(&pids)? - tunnel) / taken.amount);
            taken.system_cpu = Some((cpu::of_machine()?.0 - machine) / taken.amount);
        }
        Ok(taken)
    }
}
