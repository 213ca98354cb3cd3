//! RC4 and the keys of MPPE, alone: this program's two forms against the `rc4` and `sha1` crates.
//!
//! Each variant runs once a round, one after the other, so that other load on the machine affects all alike. What
//! compares them is the median of the ratios of each round.

use std::fmt;
use std::hint::black_box;
use std::time::Instant;

use ::rc4::{KeyInit as _, StreamCipher as _};
use adit_crypto::mppe::{self, KeySchedule, StartKey, Strength, Wanting};
use adit_crypto::rc4::{self, Job, Rc4, portable};
use serde::Serialize;
use sha1::{Digest as _, Sha1};

/// Packets of a batch, as a worker takes them.
const BATCH: usize = 64;
/// The distance from one packet to the next in memory.
const SLOT: usize = 2048;
/// Lengths of the packets.
const LENGTHS: [usize; 3] = [64, 576, 1400];
/// Octets of a long stream.
const LONG: usize = 16 * 1024;

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The form that this processor gets.
    pub implementation: String,
    /// How often each variant was measured.
    pub rounds: usize,
    /// Every variant of every task.
    pub rows: Vec<Row>,
}

/// One variant of one task.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The task.
    pub task: String,
    /// The implementation.
    pub variant: &'static str,
    /// Nanoseconds for one packet or one piece, the 5th percentile: an undisturbed machine.
    pub p05_ns: f64,
    /// The median.
    pub median_ns: f64,
    /// Octets for each nanosecond of the median, where the task has octets.
    pub gigabytes_per_second: Option<f64>,
    /// How much faster than the crates: the median of the ratios of each round.
    pub times_faster: f64,
}

/// What the variants work on.
struct World {
    slots: Vec<u8>,
    long: Vec<u8>,
    keys: Vec<[u8; 16]>,
    schedule: KeySchedule,
    /// The same, with keys made ahead.
    schedule_ahead: KeySchedule,
    schedule_portable: KeySchedule,
    start: [u8; 16],
    session: [u8; 16],
}

/// One variant: works once through a batch.
struct Variant {
    name: &'static str,
    run: fn(&mut World, usize),
}

/// Something that each variant does.
struct Task {
    name: &'static str,
    /// Octets of a packet or piece; `None`: the task has none.
    octets: Option<usize>,
    /// How many packets or pieces one run does.
    pieces: usize,
    /// The first one is the crates.
    variants: Vec<Variant>,
}

pub(super) const CRATES: &str = "rc4 + sha1 crates";
pub(super) const PORTABLE: &str = "portable";
pub(super) const CHOSEN: &str = "chosen form";
/// Each key is made when its packet is taken.
const NOT_AHEAD: &str = "no keys ahead";

/// Measures everything `rounds` times.
pub fn run(rounds: usize) -> Report {
    measure(rounds, tasks())
}

/// Measures whole packets only, `rounds` times: three tasks with the variants [`CRATES`], [`PORTABLE`], without keys ahead,
/// and [`CHOSEN`].
pub(super) fn run_packets(rounds: usize) -> Report {
    measure(rounds, packets())
}

fn measure(rounds: usize, tasks: Vec<Task>) -> Report {
    let rounds = rounds.max(1);
    let mut world = World::new();
    let mut times: Vec<Vec<Vec<f64>>> =
        tasks.iter().map(|task| task.variants.iter().map(|_| Vec::new()).collect()).collect();
    for _ in 0..rounds {
        for (task, times) in tasks.iter().zip(&mut times) {
            for (variant, times) in task.variants.iter().zip(times) {
                let octets = task.octets.unwrap_or_default();
                // Twice, because keys computed ahead are made by the batch before.
                (variant.run)(&mut world, octets);
                let from = Instant::now();
                (variant.run)(&mut world, octets);
                times.push(from.elapsed().as_secs_f64() * 1e9 / task.pieces as f64);
            }
        }
    }
    let rows = tasks.iter().zip(&times).flat_map(|(task, times)| rows(task, times)).collect();
    Report { implementation: rc4::Form::chosen().to_string(), rounds, rows }
}

fn rows(task: &Task, times: &[Vec<f64>]) -> Vec<Row> {
    let name = match task.octets {
        Some(octets) => format!("{}, {octets} octets", task.name),
        None => task.name.to_owned(),
    };
    let row = |(variant, own): (&Variant, &Vec<f64>)| Row {
        task: name.clone(),
        variant: variant.name,
        p05_ns: quantile(own.iter().copied(), 0.05),
        median_ns: quantile(own.iter().copied(), 0.5),
        gigabytes_per_second: task.octets.map(|n| n as f64 / quantile(own.iter().copied(), 0.5)),
        times_faster: quantile(times[0].iter().zip(own).map(|(crates, own)| crates / own), 0.5),
    };
    task.variants.iter().zip(times).map(row).collect()
}

fn quantile(values: impl Iterator<Item = f64>, share: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get((values.len() as f64 * share) as usize).copied().unwrap_or_default()
}

fn tasks() -> Vec<Task> {
    packets().into_iter().chain(pieces()).collect()
}

/// What the tunnel does with a packet.
fn packets() -> Vec<Task> {
    let task = |octets| Task {
        name: "whole packet of stateless MPPE-128",
        octets: Some(octets),
        pieces: BATCH,
        variants: vec![
            Variant { name: CRATES, run: packets_of_crates },
            Variant { name: PORTABLE, run: packets_portable },
            Variant { name: NOT_AHEAD, run: packets_not_ahead },
            Variant { name: CHOSEN, run: packets_chosen },
        ],
    };
    LENGTHS.map(task).into()
}

/// The pieces of it, and long streams.
fn pieces() -> Vec<Task> {
    let mut tasks = Vec::new();
    tasks.push(Task {
        name: "next session key",
        octets: None,
        pieces: BATCH,
        variants: vec![
            Variant { name: CRATES, run: |world, _| (0..BATCH).for_each(|_| world.advance_of_crates()) },
            Variant {
                name: PORTABLE,
                run: |world, _| (0..BATCH).for_each(|_| world.schedule.advance_portable()),
            },
            Variant { name: CHOSEN, run: |world, _| take_keys(&mut world.schedule, &mut world.keys) },
        ],
    });
    tasks.push(Task {
        name: "key schedules of a batch",
        octets: None,
        pieces: BATCH,
        variants: vec![
            Variant {
                name: CRATES,
                run: |world, _| {
                    for key in &world.keys {
                        black_box(::rc4::Rc4::new_from_slice(key).ok());
                    }
                },
            },
            Variant { name: PORTABLE, run: |world, _| world.each(1, portable::apply_each) },
            Variant { name: CHOSEN, run: |world, _| world.each(1, rc4::apply_each) },
        ],
    });
    tasks.push(Task {
        name: "a batch of one packet, key given",
        octets: Some(1400),
        pieces: BATCH,
        variants: vec![
            Variant { name: CRATES, run: |world, len| world.singly(len, |job| crates(job.key, job.data)) },
            Variant {
                name: PORTABLE,
                run: |world, len| world.singly(len, |job| portable::apply_each(&mut [job])),
            },
            Variant { name: CHOSEN, run: |world, len| world.singly(len, |job| rc4::apply_each(&mut [job])) },
        ],
    });
    tasks.push(Task {
        name: "one long stream, as stateful MPPE has",
        octets: Some(LONG),
        pieces: 4,
        variants: vec![
            Variant { name: CRATES, run: |world, _| world.long_streams(crates) },
            Variant {
                name: PORTABLE,
                run: |world, _| {
                    world.long_streams(|key, data| portable::apply_each(&mut [Job { key, data }]))
                },
            },
            Variant {
                name: CHOSEN,
                run: |world, _| world.long_streams(|key, data| Rc4::new(key).apply(data)),
            },
        ],
    });
    tasks.push(Task {
        name: "four long streams at once",
        octets: Some(LONG),
        pieces: 4,
        variants: vec![
            Variant { name: CRATES, run: |world, _| world.long_streams(crates) },
            Variant { name: PORTABLE, run: |world, _| world.four_long_streams(portable::apply_each) },
            Variant { name: CHOSEN, run: |world, _| world.four_long_streams(rc4::apply_each) },
        ],
    });
    tasks
}

/// A packet by the crates.
fn crates(key: &[u8], data: &mut [u8]) {
    if let Ok(mut cipher) = ::rc4::Rc4::new_from_slice(key) {
        cipher.apply_keystream(data);
    }
}

fn packets_of_crates(world: &mut World, len: usize) {
    for n in 0..BATCH {
        world.advance_of_crates();
        crates(&world.session, &mut world.slots[n * SLOT..n * SLOT + len]);
    }
}

fn packets_portable(world: &mut World, len: usize) {
    for key in &mut world.keys {
        world.schedule_portable.advance_portable();
        key.copy_from_slice(world.schedule_portable.session_key());
    }
    let packets = world.slots.chunks_exact_mut(SLOT).map(|slot| &mut slot[..len]);
    let mut jobs: Vec<Job<'_>> =
        world.keys.iter().zip(packets).map(|(key, data)| Job { key, data }).collect();
    mppe::apply_each_portable(&mut jobs, &mut One(&mut world.schedule_portable));
}

fn packets_not_ahead(world: &mut World, len: usize) {
    take_keys(&mut world.schedule, &mut world.keys);
    world.each(len, rc4::apply_each);
}

fn packets_chosen(world: &mut World, len: usize) {
    take_keys(&mut world.schedule_ahead, &mut world.keys);
    let packets = world.slots.chunks_exact_mut(SLOT).map(|slot| &mut slot[..len]);
    let mut jobs: Vec<Job<'_>> =
        world.keys.iter().zip(packets).map(|(key, data)| Job { key, data }).collect();
    mppe::apply_each(&mut jobs, &mut One(&mut world.schedule_ahead));
}

/// The keys of a batch.
fn take_keys(schedule: &mut KeySchedule, keys: &mut [[u8; 16]]) {
    for key in keys {
        schedule.advance();
        key.copy_from_slice(schedule.session_key());
    }
}

struct One<'a>(&'a mut KeySchedule);

impl Wanting for One<'_> {
    fn wanting(&mut self) -> Option<&mut KeySchedule> {
        self.0.has_space().then_some(&mut *self.0)
    }
}

impl World {
    fn new() -> World {
        World {
            slots: vec![0; BATCH * SLOT],
            long: vec![0; 4 * LONG],
            keys: (0..BATCH).map(|n| [n as u8; 16]).collect(),
            schedule: KeySchedule::new(&StartKey::new([7; 16]), Strength::Bits128),
            schedule_ahead: KeySchedule::new(&StartKey::new([7; 16]), Strength::Bits128),
            schedule_portable: KeySchedule::new(&StartKey::new([7; 16]), Strength::Bits128),
            start: [7; 16],
            session: [8; 16],
        }
    }

    /// The next session key, as the crates alone give it.
    fn advance_of_crates(&mut self) {
        let mut hash = Sha1::new();
        hash.update(self.start);
        hash.update([0x00; 40]);
        hash.update(self.session);
        hash.update([0xf2; 40]);
        self.session.copy_from_slice(&hash.finalize()[..16]);
        let interim = self.session;
        crates(&interim, &mut self.session);
    }

    fn each(&mut self, len: usize, each: fn(&mut [Job<'_>])) {
        let packets = self.slots.chunks_exact_mut(SLOT).map(|slot| &mut slot[..len]);
        let mut jobs: Vec<Job<'_>> =
            self.keys.iter().zip(packets).map(|(key, data)| Job { key, data }).collect();
        each(&mut jobs);
    }

    fn singly(&mut self, len: usize, each: fn(Job<'_>)) {
        for (key, slot) in self.keys.iter().zip(self.slots.chunks_exact_mut(SLOT)) {
            each(Job { key, data: &mut slot[..len] });
        }
    }

    fn long_streams(&mut self, each: fn(&[u8], &mut [u8])) {
        for (key, data) in self.keys.iter().zip(self.long.chunks_exact_mut(LONG)) {
            each(key, data);
        }
    }

    fn four_long_streams(&mut self, each: fn(&mut [Job<'_>])) {
        let long = self.long.chunks_exact_mut(LONG);
        let mut jobs: Vec<Job<'_>> =
            self.keys.iter().zip(long).map(|(key, data)| Job { key, data }).collect();
        each(&mut jobs);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "chosen form: {}; {} rounds", self.implementation, self.rounds)?;
        let mut task = "";
        for row in &self.rows {
            if row.task != task {
                task = &row.task;
                writeln!(f, "\n{task}")?;
            }
            write!(f, "  {:<18} p05 {:>8.1} ns  median {:>8.1} ns", row.variant, row.p05_ns, row.median_ns)?;
            match row.gigabytes_per_second {
                Some(speed) => write!(f, "  {speed:>5.2} GB/s")?,
                None => write!(f, "{:12}", "")?,
            }
            writeln!(f, "  {:>5.2} x", row.times_faster)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_gives_the_same_octets() {
        for task in tasks() {
            let results: Vec<(Vec<u8>, Vec<u8>)> = (task.variants.iter())
                .map(|variant| {
                    let mut world = World::new();
                    world.session.copy_from_slice(world.schedule.session_key());
                    (variant.run)(&mut world, task.octets.unwrap_or_default());
                    (world.slots, world.long)
                })
                .collect();
            if task.octets.is_some() {
                assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "{}", task.name);
            }
        }
    }
}
