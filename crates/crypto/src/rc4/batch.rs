//! Many packets: which are worked on side by side, and what is done where one is longer than its neighbours.

use super::Job;

/// Octets of key stream that are made at a time.
pub(super) const BLOCK: usize = 16;
/// A piece of a packet.
pub(super) type Block = [u8; BLOCK];

/// Blocks in which each row of a table has its turn once.
pub(super) const TURN: usize = 256 / BLOCK;

/// Rows of a quarter of a key schedule.
pub(super) const QUARTER: usize = 64;
/// Quarters of the key schedules of four packets. Beside each of them is time for one key to be encrypted with itself, at
/// four steps for each of theirs.
pub(super) const QUARTERS: usize = 256 / QUARTER;

/// Called for a key while packets are processed: it may pass one to be encrypted with itself, 16 octets, which costs
/// less beside the packets than alone. Returns false when there is none.
pub(crate) type Beside<'a> = dyn FnMut(&mut dyn FnMut(&mut Block)) -> bool + 'a;

/// Packets that are put in order of their lengths at a time, so that neighbours end together.
const SORTED: usize = 64;

/// Up to four streams, in pairs (0, 1) and (2, 3). Streams that are worked on together stand at the same place.
pub(super) trait Lanes {
    /// Sets up the first stream.
    fn schedule_one(&mut self, key: &[u8]);
    /// Sets up the streams of the first pair.
    fn schedule_two(&mut self, keys: [&[u8]; 2]);
    /// Sets up all streams. Their first `done` quarters, at most [`QUARTERS`], were set up by
    /// [`Lanes::schedule_quarter_beside`].
    fn schedule_four(&mut self, keys: [&[u8]; 4], done: usize);
    /// Sets up the next quarter of all streams, the first if `done` is 0, and encrypts `key` with itself beside them.
    fn schedule_quarter_beside(&mut self, keys: [&[u8]; 4], done: usize, key: &mut Block);
    /// Goes on with one stream.
    fn xor_one(&mut self, lane: usize, data: &mut [Block]);
    /// Goes on with the first pair, over the shorter of both.
    fn xor_two(&mut self, data: [&mut [Block]; 2]);
    /// Goes on with all streams, over the shortest.
    fn xor_four(&mut self, data: [&mut [Block]; 4]);
    /// Goes on with all streams for a turn, and encrypts `key` with itself beside them.
    fn xor_four_beside(&mut self, data: [&mut [Block; TURN]; 4], key: &mut Block);
}

/// Fills `repeated` with a key of 1 to 256 octets; with zeros, if it is none.
pub(super) fn repeat(key: &[u8], repeated: &mut [u8; 256]) {
    for (quarter, repeated) in repeated.as_chunks_mut().0.iter_mut().enumerate() {
        repeat_quarter(key, quarter, repeated);
    }
}

/// What [`repeat`] has in this quarter.
pub(super) fn repeat_quarter(key: &[u8], quarter: usize, repeated: &mut [u8; QUARTER]) {
    if let Ok(key) = <[u8; 16]>::try_from(key) {
        repeated.as_chunks_mut().0.fill(key);
    } else if let Ok(key) = <[u8; 8]>::try_from(key) {
        repeated.as_chunks_mut().0.fill(key);
    } else if key.is_empty() || key.len() > 256 {
        repeated.fill(0);
    } else {
        let octets = key.iter().cycle().skip(quarter * QUARTER % key.len());
        repeated.iter_mut().zip(octets).for_each(|(repeated, octet)| *repeated = *octet);
    }
}

/// Every job from the beginning of the stream of its key.
pub(super) fn apply_each(lanes: &mut impl Lanes, jobs: &mut [Job<'_>], beside: &mut Beside<'_>) {
    for jobs in jobs.chunks_mut(SORTED) {
        // The longest first; equal ones in order.
        let mut order = [(0, 0); SORTED];
        let order = &mut order[..jobs.len()];
        for ((n, job), place) in jobs.iter().enumerate().zip(order.iter_mut()) {
            *place = (usize::MAX - job.data.len(), n);
        }
        if !order.is_sorted() {
            order.sort_unstable();
        }
        let (fours, rest) = order.as_chunks::<4>();
        for four in fours {
            if let Ok(jobs) = jobs.get_disjoint_mut(four.map(|(_, n)| n)) {
                apply_four(lanes, jobs, beside);
            }
        }
        let (twos, rest) = rest.as_chunks::<2>();
        for two in twos {
            if let Ok(jobs) = jobs.get_disjoint_mut(two.map(|(_, n)| n)) {
                apply_two(lanes, jobs);
            }
        }
        for &(_, n) in rest {
            let Job { key, data } = &mut jobs[n];
            lanes.schedule_one(key);
            one(lanes, 0, data.as_chunks_mut());
        }
    }
}

/// The blocks of a packet, and what is left after the last whole one.
type Parts<'a> = (&'a mut [Block], &'a mut [u8]);

/// Four packets, the longest first.
fn apply_four(lanes: &mut impl Lanes, jobs: [&mut Job<'_>; 4], beside: &mut Beside<'_>) {
    let keys = jobs.each_ref().map(|job| job.key);
    let mut parts: [Parts<'_>; 4] = jobs.map(|job| job.data.as_chunks_mut());
    let common = parts[3].0.len();
    // Four packets need four keys. Those that find no time beside the payload are made beside the key schedules.
    let most = QUARTERS.saturating_sub(common / TURN);
    let mut set_up = 0;
    while set_up < most && beside(&mut |key| lanes.schedule_quarter_beside(keys, set_up, key)) {
        set_up += 1;
    }
    lanes.schedule_four(keys, set_up);
    let mut done = 0;
    while let Some(mut turn) = turns(&mut parts, done)
        && beside(&mut |key| lanes.xor_four_beside(turn.each_mut().map(|lane| &mut **lane), key))
    {
        done += TURN;
    }
    lanes.xor_four(parts.each_mut().map(|(blocks, _)| blocks.get_mut(done..).unwrap_or_default()));
    if parts.iter().all(|(blocks, _)| blocks.len() == common) {
        if parts.iter().all(|(_, rest)| rest.is_empty()) {
            return;
        }
        let mut last = parts.each_ref().map(|(_, rest)| padded(rest));
        lanes.xor_four(last.each_mut().map(core::slice::from_mut));
        for ((_, rest), last) in parts.iter_mut().zip(last) {
            rest.copy_from_slice(&last[..rest.len()]);
        }
        return;
    }
    let [a, b, c, d] = parts.map(|(blocks, rest)| (&mut blocks[common..], rest));
    two(lanes, [a, b]);
    one(lanes, 2, c);
    one(lanes, 3, d);
}

/// The next turn of all four, if the shortest has that much left.
fn turns<'a>(parts: &'a mut [Parts<'_>; 4], done: usize) -> Option<[&'a mut [Block; TURN]; 4]> {
    let [a, b, c, d] = parts.each_mut().map(|(blocks, _)| blocks.get_mut(done..)?.first_chunk_mut());
    Some([a?, b?, c?, d?])
}

/// Two packets, the longer first.
fn apply_two(lanes: &mut impl Lanes, jobs: [&mut Job<'_>; 2]) {
    lanes.schedule_two(jobs.each_ref().map(|job| job.key));
    two(lanes, jobs.map(|job| job.data.as_chunks_mut()));
}

fn two(lanes: &mut impl Lanes, mut parts: [Parts<'_>; 2]) {
    lanes.xor_two(parts.each_mut().map(|(blocks, _)| &mut **blocks));
    let common = parts[1].0.len();
    let [a, b] = parts;
    one(lanes, 0, (&mut a.0[common..], a.1));
    one(lanes, 1, (&mut [], b.1));
}

fn one(lanes: &mut impl Lanes, lane: usize, (blocks, rest): Parts<'_>) {
    lanes.xor_one(lane, blocks);
    if !rest.is_empty() {
        let mut last = padded(rest);
        lanes.xor_one(lane, core::slice::from_mut(&mut last));
        rest.copy_from_slice(&last[..rest.len()]);
    }
}

/// A piece at the end of a packet as a whole block.
fn padded(rest: &[u8]) -> Block {
    let mut block = [0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    block
}
