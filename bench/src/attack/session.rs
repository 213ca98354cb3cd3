//! One attack against one encrypted session that carries pings: what is answered, and whether the session survives.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::thread::sleep;
use std::time::{Duration, Instant};

use adit_bench::until::wait;
use adit_crypto::Rng;
use adit_wire::gre;
use anyhow::Context as _;

use crate::adit::{Client, Mppe, Server};
use crate::echoes::Echoes;
use crate::figures::Figures;
use crate::forge::{Forger, Series};
use crate::frames::mppe_frame;
use crate::net::{CLIENT, INNER_SERVER, Net, Role, SERVER};
use crate::observe::{Observer, Seen};

/// The account of the attacked session.
pub(crate) const USER: &str = "alice";
/// Pings before the first forged packet.
const BEFORE: Duration = Duration::from_secs(1);
/// Pings at the end of an attack on an idle session.
const AFTER: Duration = Duration::from_secs(5);
/// The pause between two looks at the client.
const LOOK: Duration = Duration::from_millis(100);
/// The first Sequence Number of packets from far away, as a distance to the genuine one.
const FAR: u32 = 0x1000_0000;
/// Packets a second of the spray over all Call IDs: 131,072 in 1.2 s.
const SPRAY_RATE: u32 = 110_000;

/// The end of the session that receives the forged packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toward {
    Server,
    Client,
}

impl Toward {
    pub(crate) const ALL: [Toward; 2] = [Toward::Server, Toward::Client];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Toward::Server => "to server",
            Toward::Client => "to client",
        }
    }

    /// The forger, and the port of the switch where the genuine packets arrive.
    pub(crate) fn forger(self, net: &Net) -> (Forger, &'static str) {
        let (from, to, port) = match self {
            Toward::Server => (CLIENT, SERVER, Role::Client),
            Toward::Client => (SERVER, CLIENT, Role::Server),
        };
        (Forger::new(net.host(Role::Forger(from)), from, to), port.name())
    }
}

/// What is sent each time.
#[derive(Clone, Debug)]
pub(crate) enum Shot {
    /// No packet: what a session keeps without an attack.
    Nothing,
    /// These frames with the Sequence Numbers that are due next.
    Next(Vec<Vec<u8>>),
    /// These frames with Sequence Numbers far away, one after the other.
    Far(Vec<Vec<u8>>),
    /// Two frames far away for every Call ID.
    Spray,
    /// MPPE frames with this many of the numbers that are due next.
    Window(u32),
    /// An acknowledgment of a packet that was never sent.
    Acknowledgment,
}

/// What the session carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// Pings all the time.
    Pings,
    /// Nothing, so that no genuine frame proves that the peer is alive; pings only at the end.
    Idle,
}

impl Traffic {
    pub(crate) const ALL: [Traffic; 2] = [Traffic::Pings, Traffic::Idle];

    /// For the name of a row.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Traffic::Pings => "",
            Traffic::Idle => " - idle",
        }
    }
}

/// An attack.
#[derive(Clone, Debug)]
pub(crate) struct SessionAttack {
    pub(crate) toward: Toward,
    pub(crate) mppe: Mppe,
    pub(crate) shot: Shot,
    pub(crate) traffic: Traffic,
    /// How often it is repeated, and after which time.
    pub(crate) times: u32,
    pub(crate) every: Duration,
}

impl SessionAttack {
    /// Attacks a session for `length`.
    pub(crate) fn run(&self, program: &Path, length: Duration) -> anyhow::Result<Figures> {
        let net = Net::new();
        let server = Server::start(program, net.host(Role::Server), self.mppe, &[USER.to_owned()])?;
        let client_host = net.host(Role::Client);
        let (forger, port) = self.toward.forger(&net);
        let observer = Observer::new(&net.switch, port)?;
        let mut client = Client::connect(program, &client_host, USER, self.mppe)?;
        let is_idle = self.traffic == Traffic::Idle;
        let mut echoes = (!is_idle).then(|| Echoes::start(&client_host, INNER_SERVER, BEFORE + length));
        anyhow::ensure!(
            wait(BEFORE * 5, || observer.last().is_some()),
            "no packet of the session was seen on the network"
        );
        sleep(BEFORE);
        let (started, mut ended_after, mut shots) = (Instant::now(), None, 0);
        let mut look = |client: &mut Client| {
            if ended_after.is_none() && (!client.failures().is_empty() || client.has_ended()) {
                ended_after = Some(started.elapsed());
            }
        };
        let mut rng = Rng::from_number(11);
        let mut sent = 0;
        while started.elapsed() < length {
            if shots < self.times && started.elapsed() >= self.every * shots {
                // A session that has just been replaced has no packets yet: the next look finds them.
                if let Some(seen) = observer.last() {
                    sent += self.fire(&forger, seen, &mut rng)?;
                }
                shots += 1;
            }
            if is_idle && echoes.is_none() && started.elapsed() + AFTER >= length {
                echoes = Some(Echoes::start(&client_host, INNER_SERVER, AFTER));
            }
            sleep(LOOK);
            look(&mut client);
        }
        let before = if is_idle { Duration::ZERO } else { BEFORE };
        let echoes = echoes.context("the attack is too short for pings")?.finish(length, before)?;
        look(&mut client);
        let mut figures = Figures::default();
        figures.set("answered %", echoes.answered_percent());
        figures.set("silent s", echoes.longest_silence().as_secs_f64());
        figures.set("forged", sent as f64);
        if let Some(after) = ended_after {
            figures.set("ended s", after.as_secs_f64());
        }
        figures.set("up again", client.connections().saturating_sub(1) as f64);
        for code in client.failures() {
            figures.note(format!("client: {code}"));
        }
        if client.has_ended() {
            figures.note("client: exited for good");
        }
        server.describe(&[USER], &mut figures);
        Ok(figures)
    }

    fn fire(&self, forger: &Forger, seen: Seen, rng: &mut Rng) -> anyhow::Result<u64> {
        let numbered = |frames: &[Vec<u8>], first: u32| -> Vec<Vec<u8>> {
            let packet = |(n, frame): (u32, &Vec<u8>)| {
                gre::packet(seen.call_id, Some(first.wrapping_add(n)), None, frame)
            };
            (0..).zip(frames).map(packet).collect()
        };
        match &self.shot {
            Shot::Nothing => Ok(0),
            Shot::Next(frames) => forger.send(&numbered(frames, seen.seq.wrapping_add(1))),
            Shot::Far(frames) => forger.send(&numbered(frames, seen.seq.wrapping_add(FAR))),
            Shot::Window(number) => {
                let frames: Vec<Vec<u8>> = (0..*number).map(|_| mppe_frame(rng, true, 84)).collect();
                forger.send(&numbered(&frames, seen.seq.wrapping_add(1)))
            }
            Shot::Acknowledgment => {
                forger.send(&[gre::packet(seen.call_id, None, Some(seen.seq.wrapping_add(FAR)), &[])])
            }
            Shot::Spray => {
                let frame = mppe_frame(rng, true, 24);
                let mut turn = 0u32;
                let series = Series { rate: SPRAY_RATE, number: 2 << 16 };
                forger.series(series, &AtomicBool::new(false), |packet| {
                    let number = FAR + (turn & 1);
                    packet.extend(gre::packet((turn >> 1) as u16, Some(number), None, &frame));
                    turn += 1;
                })
            }
        }
    }
}
