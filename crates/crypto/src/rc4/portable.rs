//! RC4 in safe Rust, for every processor.
//!
//! As in the form for x86-64, entries have 32 bits and two streams share each row of a table. Rows are found by
//! octets, so that no index needs a check.

use zeroize::Zeroize as _;

use super::Job;
use super::batch::{self, BLOCK, Beside, Block, Lanes, QUARTER, QUARTERS, TURN, repeat, repeat_quarter};

/// The key streams of two packets: row, then packet.
type Table = [[u32; 2]; 256];

/// [`super::apply_each`] in this form, whatever the processor: for tests and measurements.
#[doc(hidden)]
pub fn apply_each(jobs: &mut [Job<'_>]) {
    apply_each_beside(jobs, &mut |_| false);
}

/// [`super::apply_each_beside`] in this form.
pub(crate) fn apply_each_beside(jobs: &mut [Job<'_>], beside: &mut Beside<'_>) {
    batch::apply_each(&mut Bank::<3>::new(), jobs, beside);
}

/// [`super::of_itself`] in this form.
pub(crate) fn of_itself(key: &mut [u8; 16], len: usize) {
    let mut bank = Bank::<1>::new();
    bank.schedule_one(&key[..len]);
    bank.xor_one(0, core::slice::from_mut(key));
    key[len..].fill(0);
}

/// `2 * PAIRS` streams.
#[derive(Clone)]
pub(super) struct Bank<const PAIRS: usize> {
    tables: [Table; PAIRS],
    i: [[u8; 2]; PAIRS],
    j: [[u8; 2]; PAIRS],
}

impl<const PAIRS: usize> Bank<PAIRS> {
    pub(super) const fn new() -> Bank<PAIRS> {
        Bank { tables: [[[0; 2]; 256]; PAIRS], i: [[0; 2]; PAIRS], j: [[0; 2]; PAIRS] }
    }
}

/// `a = S[i]; j += a; b = S[j]; swap`, and the row of the octet of key stream: `a + b`.
#[inline(always)]
fn swap(table: &mut Table, column: usize, i: u8, j: &mut u8, key: u8) -> u8 {
    let a = table[usize::from(i)][column];
    *j = j.wrapping_add(key).wrapping_add(a as u8);
    let b = table[usize::from(*j)][column];
    table[usize::from(i)][column] = b;
    table[usize::from(*j)][column] = a;
    (a as u8).wrapping_add(b as u8)
}

/// [`swap`] for both streams of each pair, their writes at `i` side by side.
#[inline(always)]
fn swap_pairs<const PAIRS: usize>(
    tables: &mut [Table; PAIRS],
    i: u8,
    j: &mut [[u8; 2]; PAIRS],
    key: [[u8; 2]; PAIRS],
) -> [[u8; 2]; PAIRS] {
    let mut sums = [[0; 2]; PAIRS];
    for (((table, [j0, j1]), [k0, k1]), sums) in tables.iter_mut().zip(j).zip(key).zip(&mut sums) {
        let [a0, a1] = table[usize::from(i)];
        *j0 = j0.wrapping_add(k0).wrapping_add(a0 as u8);
        *j1 = j1.wrapping_add(k1).wrapping_add(a1 as u8);
        let b0 = table[usize::from(*j0)][0];
        let b1 = table[usize::from(*j1)][1];
        table[usize::from(i)] = [b0, b1];
        table[usize::from(*j0)][0] = a0;
        table[usize::from(*j1)][1] = a1;
        *sums = [(a0 as u8).wrapping_add(b0 as u8), (a1 as u8).wrapping_add(b1 as u8)];
    }
    sums
}

impl<const PAIRS: usize> Bank<PAIRS> {
    /// Sets up the first stream.
    pub(super) fn schedule_one(&mut self, key: &[u8]) {
        let mut repeated = [0; 256];
        repeat(key, &mut repeated);
        let table = &mut self.tables[0];
        set_table(table);
        let mut j = 0;
        for (i, key) in (0..=255).zip(repeated) {
            swap(table, 0, i, &mut j, key);
        }
        self.i[0][0] = 0;
        self.j[0][0] = 0;
        repeated.zeroize();
    }

    /// Goes on with one stream.
    pub(super) fn xor_one(&mut self, lane: usize, data: &mut [Block]) {
        let (pair, column) = (lane / 2, lane % 2);
        let table = &mut self.tables[pair];
        let (mut i, mut j) = (self.i[pair][column], self.j[pair][column]);
        for half in data.as_flattened_mut().as_chunks_mut::<HALF>().0 {
            let mut stream = 0_u64;
            for n in 0..HALF {
                i = i.wrapping_add(1);
                let sum = swap(table, column, i, &mut j, 0);
                stream |= u64::from(table[usize::from(sum)][column]) << (8 * n);
            }
            *half = (u64::from_le_bytes(*half) ^ stream).to_le_bytes();
        }
        self.i[pair][column] = i;
        self.j[pair][column] = j;
    }
}

/// Octets of key stream that are gathered in a register.
const HALF: usize = 8;

/// Sets up `PAIRS` pairs from the beginning of this quarter to its end. `beside` is done before each step.
#[inline(always)]
fn schedule_quarter<const PAIRS: usize>(
    tables: &mut [Table; PAIRS],
    quarter: usize,
    j: &mut [[u8; 2]; PAIRS],
    keys: [[&[u8]; 2]; PAIRS],
    mut beside: impl FnMut(),
) {
    let mut repeated = [[[0; QUARTER]; 2]; PAIRS];
    for (key, repeated) in keys.as_flattened().iter().zip(repeated.as_flattened_mut()) {
        repeat_quarter(key, quarter, repeated);
    }
    // A copy, which stays in registers.
    let mut sums = *j;
    for n in 0..QUARTER {
        beside();
        let key = repeated.each_ref().map(|pair| pair.each_ref().map(|key| key[n]));
        swap_pairs(tables, (quarter * QUARTER + n) as u8, &mut sums, key);
    }
    *j = sums;
    repeated.as_flattened_mut().as_flattened_mut().zeroize();
}

fn set_table(table: &mut Table) {
    (0..).zip(table.iter_mut()).for_each(|(n, row)| *row = [n; 2]);
}

/// Goes on with `PAIRS` pairs, over the shortest. `beside` is done before each step.
#[inline(always)]
fn xor<const PAIRS: usize>(
    tables: &mut [Table; PAIRS],
    mut i: u8,
    j: &mut [[u8; 2]; PAIRS],
    data: [[&mut [Block]; 2]; PAIRS],
    mut beside: impl FnMut(),
) -> u8 {
    let blocks = data.as_flattened().iter().map(|lane| lane.len()).min().unwrap_or_default();
    let mut data =
        data.map(|pair| pair.map(|lane| lane[..blocks].as_flattened_mut().as_chunks_mut::<HALF>().0));
    for at in 0..blocks * (BLOCK / HALF) {
        let mut streams = [[0_u64; 2]; PAIRS];
        for n in 0..HALF {
            beside();
            i = i.wrapping_add(1);
            let sums = swap_pairs(tables, i, j, [[0; 2]; PAIRS]);
            for ((table, sums), streams) in tables.iter().zip(sums).zip(&mut streams) {
                streams[0] |= u64::from(table[usize::from(sums[0])][0]) << (8 * n);
                streams[1] |= u64::from(table[usize::from(sums[1])][1]) << (8 * n);
            }
        }
        for (pair, streams) in data.iter_mut().zip(streams) {
            for (lane, stream) in pair.iter_mut().zip(streams) {
                if let Some(half) = lane.get_mut(at) {
                    *half = (u64::from_le_bytes(*half) ^ stream).to_le_bytes();
                }
            }
        }
    }
    i
}

/// The pair whose first stream runs beside the other four.
const BESIDE: usize = 2;

impl Bank<3> {
    /// Sets up a quarter of four streams. `beside` is done before each step, with the table of the stream beside them.
    #[inline(always)]
    fn schedule_quarter(
        &mut self,
        [a, b, c, d]: [&[u8]; 4],
        quarter: usize,
        mut beside: impl FnMut(&mut Table),
    ) {
        let ([tables @ .., table], [j @ .., _]) = (&mut self.tables, &mut self.j);
        if quarter == 0 {
            tables.iter_mut().for_each(set_table);
            *j = [[0; 2]; 2];
        }
        schedule_quarter(tables, quarter, j, [[a, b], [c, d]], || beside(table));
    }
}

/// Four streams, and one beside them.
impl Lanes for Bank<3> {
    fn schedule_one(&mut self, key: &[u8]) {
        self.schedule_one(key);
    }

    fn schedule_two(&mut self, keys: [&[u8]; 2]) {
        let [table, ..] = &mut self.tables;
        set_table(table);
        let mut j = [[0; 2]];
        for quarter in 0..QUARTERS {
            schedule_quarter(core::array::from_mut(table), quarter, &mut j, [keys], || {});
        }
        (self.i[0], self.j[0]) = ([0; 2], [0; 2]);
    }

    fn schedule_four(&mut self, keys: [&[u8]; 4], done: usize) {
        for quarter in done..QUARTERS {
            self.schedule_quarter(keys, quarter, |_| {});
        }
        (self.i, self.j) = ([[0; 2]; 3], [[0; 2]; 3]);
    }

    fn schedule_quarter_beside(&mut self, keys: [&[u8]; 4], done: usize, key: &mut Block) {
        set_table(&mut self.tables[BESIDE]);
        let (mut row, mut jb) = (0_u8, 0);
        self.schedule_quarter(keys, done, |beside| {
            for _ in 0..QUARTERS {
                swap(beside, 0, row, &mut jb, key[usize::from(row) % BLOCK]);
                row = row.wrapping_add(1);
            }
        });
        (self.i[BESIDE], self.j[BESIDE]) = ([0; 2], [0; 2]);
        self.xor_one(2 * BESIDE, core::slice::from_mut(key));
    }

    fn xor_one(&mut self, lane: usize, data: &mut [Block]) {
        self.xor_one(lane, data);
    }

    fn xor_two(&mut self, data: [&mut [Block]; 2]) {
        let ([table, ..], [j, ..]) = (&mut self.tables, &mut self.j);
        let i = xor(core::array::from_mut(table), self.i[0][0], core::array::from_mut(j), [data], || {});
        self.i[0] = [i; 2];
    }

    fn xor_four(&mut self, [a, b, c, d]: [&mut [Block]; 4]) {
        let ([tables @ .., _], [j @ .., _]) = (&mut self.tables, &mut self.j);
        let i = xor(tables, self.i[0][0], j, [[a, b], [c, d]], || {});
        self.i = [[i; 2]; 3];
    }

    fn xor_four_beside(&mut self, data: [&mut [Block; TURN]; 4], key: &mut Block) {
        let i = self.i[0][0];
        let [a, b, c, d] = data.map(|lane| lane.as_mut_slice());
        let ([tables @ .., beside], [j @ .., _]) = (&mut self.tables, &mut self.j);
        set_table(beside);
        // A turn has every row once; the key schedule begins with the first, wherever the streams are.
        let mut row = 0;
        let mut jb = 0;
        xor(tables, i, j, [[a, b], [c, d]], || {
            swap(beside, 0, row, &mut jb, key[usize::from(row) % BLOCK]);
            row = row.wrapping_add(1);
        });
        (self.i[BESIDE], self.j[BESIDE]) = ([0; 2], [0; 2]);
        self.xor_one(2 * BESIDE, core::slice::from_mut(key));
    }
}

impl<const PAIRS: usize> Drop for Bank<PAIRS> {
    fn drop(&mut self) {
        self.tables.as_flattened_mut().as_flattened_mut().zeroize();
        self.i.as_flattened_mut().zeroize();
        self.j.as_flattened_mut().zeroize();
    }
}
