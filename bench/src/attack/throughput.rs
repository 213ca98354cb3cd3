//! A flood of forged MPPE frames against one session: what the sessions of others still carry.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use adit_bench::until::wait;
use adit_bench::watch::used;
use adit_crypto::Rng;
use adit_testbed::Host;
use adit_wire::gre;
use anyhow::Context as _;
use serde_json::Value;

use crate::adit::{Client, Mppe, Server};
use crate::echoes::Echoes;
use crate::figures::Figures;
use crate::forge::{Forger, Series};
use crate::frames::mppe_frame;
use crate::net::{INNER_SERVER, Net, Role};
use crate::observe::{Observer, Seen};
use crate::session::Toward;

/// Forged packets a second.
pub(crate) const RATE: u32 = 100_000;
/// The accounts of the attacked session and of the one with load.
const USERS: [&str; 2] = ["alice", "bob"];
/// Different forged frames; random data costs more than sending it.
const FRAMES: usize = 256;
/// Half of the forged packets are among this many that are due next, the other half is anywhere.
const NEAR: u32 = 64;
const PATIENCE: Duration = Duration::from_secs(10);

/// What the other session carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// One TCP stream, as fast as it goes: the machine has no idle time.
    Tcp,
    /// One TCP stream of 50 Mbit/s.
    TcpPaced,
    /// UDP of 50 Mbit/s.
    Udp,
}

impl Carried {
    pub(crate) const ALL: [Carried; 3] = [Carried::Tcp, Carried::TcpPaced, Carried::Udp];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Carried::Tcp => "tcp",
            Carried::TcpPaced => "tcp 50 mbit/s",
            Carried::Udp => "udp 50 mbit/s",
        }
    }

    const fn options(self) -> &'static [&'static str] {
        match self {
            Carried::Tcp => &[],
            Carried::TcpPaced => &["-b", "50M"],
            Carried::Udp => &["-u", "-b", "50M", "-l", "1200"],
        }
    }
}

/// What is forged meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flood {
    Nothing,
    /// The same packets with a Call ID that no session has: what the flood costs the machine alone.
    UnknownCall,
    /// Against the session.
    Session,
}

/// The flood as a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadAttack {
    pub(crate) mppe: Mppe,
    pub(crate) carried: Carried,
}

/// What was carried during one of the floods.
struct Phase {
    megabits: f64,
    forged_per_second: f64,
    cpu_percent: f64,
}

impl LoadAttack {
    /// Measures for `length` in each of the phases.
    pub(crate) fn run(&self, program: &Path, length: Duration) -> anyhow::Result<Figures> {
        let net = Net::new();
        let users = USERS.map(str::to_owned);
        let server = Server::start(program, net.host(Role::Server), self.mppe, &users)?;
        let (client_host, other_host) = (net.host(Role::Client), net.host(Role::Other));
        let (forger, port) = Toward::Server.forger(&net);
        let observer = Observer::new(&net.switch, port)?;
        let client = Client::connect(program, &client_host, USERS[0], self.mppe)?;
        let _other = Client::connect(program, &other_host, USERS[1], self.mppe)?;
        let _iperf = server.host.spawn(Command::new("iperf3").arg("-s"));
        let listens = || server.host.try_sh("ss -Hltn 'sport = 5201' | grep -q .").ok;
        anyhow::ensure!(wait(PATIENCE, listens), "iperf3 -s does not listen");
        let mut rng = Rng::from_number(12);
        let frames: Vec<Vec<u8>> = (0..FRAMES).map(|_| mppe_frame(&mut rng, true, 84)).collect();
        let phase = |flood: Flood| {
            let row = Running { server: &server, other: &other_host, forger: &forger, observer: &observer };
            row.phase(self.carried, flood, &frames, length)
        };
        // Undisturbed before and after: a machine that becomes slower in between does not look like an attack.
        let (before, unknown) = (phase(Flood::Nothing)?, phase(Flood::UnknownCall)?);
        let echoes = Echoes::start(&client_host, INNER_SERVER, length);
        let attacked = phase(Flood::Session)?;
        let echoes = echoes.finish(length, Duration::ZERO)?;
        let after = phase(Flood::Nothing)?;
        let alone = f64::midpoint(before.megabits, after.megabits);
        let mut figures = Figures::default();
        figures.set("alone Mbit/s", alone);
        figures.set("attacked Mbit/s", attacked.megabits);
        figures.set("ratio", attacked.megabits / alone.max(f64::MIN_POSITIVE));
        figures.set("unknown Mbit/s", unknown.megabits);
        figures.set("ratio to unknown", attacked.megabits / unknown.megabits.max(f64::MIN_POSITIVE));
        figures.set("forged/s", attacked.forged_per_second);
        figures.set("server cpu %", attacked.cpu_percent);
        figures.set("unknown cpu %", unknown.cpu_percent);
        figures.set("answered %", echoes.answered_percent());
        figures.set("up again", client.connections().saturating_sub(1) as f64);
        server.describe(&USERS, &mut figures);
        Ok(figures)
    }
}

/// What a phase needs.
struct Running<'a> {
    server: &'a Server,
    other: &'a Host,
    forger: &'a Forger,
    observer: &'a Observer,
}

impl Running<'_> {
    fn phase(
        &self,
        carried: Carried,
        flood: Flood,
        frames: &[Vec<u8>],
        length: Duration,
    ) -> anyhow::Result<Phase> {
        let stop = AtomicBool::new(false);
        let used_before = used(self.server.pid()).context("adit serve is gone")?;
        let started = Instant::now();
        let (megabits, forged) = thread::scope(|scope| {
            let forging = scope.spawn(|| self.forge(flood, frames, length + PATIENCE, &stop));
            let megabits = carry(self.other, carried, length);
            stop.store(true, Ordering::Relaxed);
            let forged = forging.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the forger panicked")));
            (megabits, forged)
        });
        let (seconds, forged) = (started.elapsed().as_secs_f64(), forged?);
        let spent =
            used(self.server.pid()).context("adit serve is gone")?.cpu.saturating_sub(used_before.cpu);
        Ok(Phase {
            megabits: megabits?,
            forged_per_second: forged as f64 / seconds,
            cpu_percent: 100.0 * spent.as_secs_f64() / seconds,
        })
    }

    fn forge(
        &self,
        flood: Flood,
        frames: &[Vec<u8>],
        limit: Duration,
        stop: &AtomicBool,
    ) -> anyhow::Result<u64> {
        let first = self.observer.last().context("no packet of the attacked session was seen")?;
        let number = match flood {
            Flood::Nothing => return Ok(0),
            _ => u64::from(RATE) * limit.as_secs(),
        };
        let mut turn = 0u32;
        self.forger.series(Series { rate: RATE, number }, stop, |packet| {
            // The session may have been replaced by another one.
            let Seen { call_id, seq } = self.observer.last().unwrap_or(first);
            let call_id = if flood == Flood::UnknownCall { call_id ^ 0x8000 } else { call_id };
            let seq = if turn & 1 == 0 {
                seq.wrapping_add(1 + turn / 2 % NEAR)
            } else {
                turn.wrapping_mul(0x9e37_79b9)
            };
            let frame = frames.get(turn as usize % frames.len()).map_or(&[][..], Vec::as_slice);
            packet.extend(gre::packet(call_id, Some(seq), None, frame));
            turn = turn.wrapping_add(1);
        })
    }
}

/// Carries load through the session of a host, and returns what arrived, in Mbit/s.
fn carry(host: &Host, carried: Carried, length: Duration) -> anyhow::Result<f64> {
    let seconds = length.as_secs().max(1).to_string();
    // A connection that is cut waits for the kernel's retries otherwise.
    let limit = (length.as_secs() + PATIENCE.as_secs()).to_string();
    let mut iperf = Command::new("timeout");
    iperf.args([&limit, "iperf3", "-J", "-t", &seconds, "-c", &INNER_SERVER.to_string()]);
    let output = host.command(iperf.args(carried.options()));
    let report: Value = serde_json::from_str(&output.stdout)
        .with_context(|| format!("iperf3 printed no report: {}{}", output.stdout, output.stderr))?;
    if report.get("error").is_some() && report.pointer("/intervals/0").is_some() {
        // The session was interrupted: nothing that counts as throughput arrived at the end.
        return Ok(0.0);
    }
    arrived(&report).with_context(|| format!("iperf3 reports no throughput: {report}"))
}

/// What arrived according to iperf3.
fn arrived(report: &Value) -> Option<f64> {
    let number = |path: &str| report.pointer(path).and_then(Value::as_f64);
    let bits = match number("/end/sum/lost_percent") {
        Some(lost) => number("/end/sum/bits_per_second")? * (1.0 - lost / 100.0),
        None => number("/end/sum_received/bits_per_second")?,
    };
    Some(bits / 1e6)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lost_datagrams_did_not_arrive() {
        let udp = json!({"end": {"sum": {"bits_per_second": 50e6, "lost_percent": 20.0}}});
        assert_eq!(arrived(&udp), Some(40.0));
        let tcp = json!({"end": {"sum_received": {"bits_per_second": 3e6}}});
        assert_eq!(arrived(&tcp), Some(3.0));
        assert_eq!(arrived(&json!({})), None);
    }
}
