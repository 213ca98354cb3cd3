//! RC4 for x86-64, in assembly: the only unsafe code of the core.
//!
//! Four things make it fast, each measured. Entries have 32 bits, because memory that was written octet by octet is
//! slow to read back soon. Sums are 8-bit additions, which are the modulus as well. And two streams share each row of
//! a table: what they write at `i` falls into one cache line, one write after the other, and a core takes such writes
//! together, where it otherwise takes one a cycle, of which every octet needs two. A stream alone reads two rows ahead.
//!
//! # Why it is sound
//!
//! A [`Bank`] is made and changed here and in `beside` only. Every entry of its tables and every `i` and `j` is below 256 at all
//! times: a table begins as the identity and is only ever permuted, and `i` and `j` change by 8-bit additions in
//! registers whose other bits are zero. So every address is a row of the tables at hand. Data is reached through
//! slices that the caller lent, never beyond the shortest.

#![expect(unsafe_code, reason = "assembly; see the SAFETY comments")]

mod table;

use core::arch::asm;

use zeroize::Zeroize as _;

pub(super) use self::single::of_itself;
use self::table::{IDENTITY, SECOND, Table};
use super::batch::{BLOCK, Block, Lanes, QUARTER, QUARTERS, TURN, repeat};

/// Shows that the processor has AVX, which the instructions below need.
#[derive(Clone, Copy)]
pub(super) struct Avx(());

impl Avx {
    /// `None`: this processor takes the portable form.
    pub(super) fn find() -> Option<Avx> {
        std::arch::is_x86_feature_detected!("avx").then_some(Avx(()))
    }
}

/// `2 * PAIRS` streams.
#[derive(Clone)]
#[repr(C, align(64))]
pub(super) struct Bank<const PAIRS: usize> {
    tables: [Table; PAIRS],
    /// `i` after the last whole block: a multiple of 16.
    i: [[u32; 2]; PAIRS],
    j: [[u32; 2]; PAIRS],
    /// Keys that are set up: 16 octets, or twice 8.
    keys: [[[u8; 16]; 2]; PAIRS],
    avx: Avx,
}

impl<const PAIRS: usize> Bank<PAIRS> {
    pub(super) const fn new(avx: Avx) -> Bank<PAIRS> {
        Bank {
            tables: [Table::ZEROS; PAIRS],
            i: [[0; 2]; PAIRS],
            j: [[0; 2]; PAIRS],
            keys: [[[0; 16]; 2]; PAIRS],
            avx,
        }
    }
}

/// Sixteen steps. `$step` takes its number and the distance of its row from row `i`; `$with` follows it.
/// `$last` precedes the sixteenth, whose row may be row 0: only an 8-bit addition to `i` finds it.
#[rustfmt::skip]
macro_rules! sixteen {
    ($step:ident, $last:expr $(, $with:literal)*) => {
        concat!(
            $step!("0", "8*1" $(, $with)*), $step!("1", "8*2" $(, $with)*),
            $step!("2", "8*3" $(, $with)*), $step!("3", "8*4" $(, $with)*),
            $step!("4", "8*5" $(, $with)*), $step!("5", "8*6" $(, $with)*),
            $step!("6", "8*7" $(, $with)*), $step!("7", "8*8" $(, $with)*),
            $step!("8", "8*9" $(, $with)*), $step!("9", "8*10" $(, $with)*),
            $step!("10", "8*11" $(, $with)*), $step!("11", "8*12" $(, $with)*),
            $step!("12", "8*13" $(, $with)*), $step!("13", "8*14" $(, $with)*),
            $step!("14", "8*15" $(, $with)*), $last, $step!("15", "0" $(, $with)*),
        )
    };
}

/// `j += a; b = S[j]; swap` for one stream, which has nothing beside it to fill the time until `j` is known. What was
/// read at row `i + 1` or `i + 2` ahead of that is put right if `j` is that row: a read that has to wait whether a
/// write before it goes to the same place is what slows a single stream down.
///
/// `$i0`, `$i1`, `$i2` are the rows `i`, `i + 1`, `i + 2`, and `$a0`, `$a1`, `$a2` what is there. `$add` adds to `j`.
#[rustfmt::skip]
macro_rules! swap_one {
    ($add:expr, $i0:literal, $i1:literal, $i2:literal, $a0:literal, $a1:literal, $a2:literal) => {
        concat!(
            "mov {", $a2, ":e}, [{t} + 8*{", $i2, "}]\n",
            $add,
            "mov {b:e}, [{t} + 8*{j}]\n",
            "mov [{t} + 8*{", $i0, "}], {b:e}\n",
            "mov [{t} + 8*{j}], {", $a0, ":e}\n",
            "cmp {j:e}, {", $i1, ":e}\n",
            "cmove {", $a1, ":e}, {", $a0, ":e}\n",
            "cmp {j:e}, {", $i2, ":e}\n",
            "cmove {", $a2, ":e}, {", $a0, ":e}\n",
            "add {", $i0, ":l}, 4\n",
        )
    };
}

/// One octet of one key stream into octet `$k` of `xmm0`.
#[rustfmt::skip]
macro_rules! octet_one {
    ($k:literal, $i0:literal, $i1:literal, $i2:literal, $a0:literal, $a1:literal, $a2:literal) => {
        concat!(
            swap_one!(concat!("add {j:l}, {", $a0, ":l}\n"), $i0, $i1, $i2, $a0, $a1, $a2),
            "add {b:l}, {", $a0, ":l}\n",
            "vpinsrb xmm0, xmm0, byte ptr [{t} + 8*{b}], ", $k, "\n",
        )
    };
}

/// One step of one key schedule; the octet of the key is the lowest of a register that turns.
#[rustfmt::skip]
macro_rules! key_one {
    ($k:literal, $i0:literal, $i1:literal, $i2:literal, $a0:literal, $a1:literal, $a2:literal, $key:literal) => {
        swap_one!(
            concat!(
                "mov {b:e}, {", $key, ":e}\n",
                "add {b:l}, {", $a0, ":l}\n",
                "add {j:l}, {b:l}\n",
                "ror {", $key, "}, 8\n",
            ),
            $i0, $i1, $i2, $a0, $a1, $a2
        )
    };
}

/// Four steps in the turn of the registers.
#[rustfmt::skip]
macro_rules! four_of_one {
    ($step:ident, $k0:literal, $k1:literal, $k2:literal, $k3:literal $(, $with:literal)*) => {
        concat!(
            $step!($k0, "i0", "i1", "i2", "a0", "a1", "a2" $(, $with)*),
            $step!($k1, "i1", "i2", "i3", "a1", "a2", "a3" $(, $with)*),
            $step!($k2, "i2", "i3", "i0", "a2", "a3", "a0" $(, $with)*),
            $step!($k3, "i3", "i0", "i1", "a3", "a0", "a1" $(, $with)*),
        )
    };
}

/// `a = S[i]; j += a; b = S[j]; swap` for the two streams of a pair whose table begins at `$s`, their writes at `i`
/// side by side. `$more` is placed before `$add0` and `$add1` are added to `j`.
#[rustfmt::skip]
macro_rules! swap_two {
    ($row:expr, $s:literal, $j0:literal, $j1:literal, $more:expr, $add0:literal, $add1:literal) => {
        concat!(
            "mov {a0:e}, [{t} + 8*{i} + ", $s, " + ", $row, "]\n",
            "mov {a1:e}, [{t} + 8*{i} + ", $s, " + 4 + ", $row, "]\n",
            $more,
            "add {", $j0, ":l}, {", $add0, ":l}\n",
            "add {", $j1, ":l}, {", $add1, ":l}\n",
            "mov {b0:e}, [{t} + 8*{", $j0, "} + ", $s, "]\n",
            "mov {b1:e}, [{t} + 8*{", $j1, "} + ", $s, " + 4]\n",
            "mov [{t} + 8*{i} + ", $s, " + ", $row, "], {b0:e}\n",
            "mov [{t} + 8*{i} + ", $s, " + 4 + ", $row, "], {b1:e}\n",
            "mov [{t} + 8*{", $j0, "} + ", $s, "], {a0:e}\n",
            "mov [{t} + 8*{", $j1, "} + ", $s, " + 4], {a1:e}\n",
        )
    };
}

/// One octet of both key streams of a pair.
#[rustfmt::skip]
macro_rules! octet_two {
    ($k:literal, $row:literal, $s:literal, $j0:literal, $j1:literal, $x0:literal, $x1:literal) => {
        concat!(
            swap_two!($row, $s, $j0, $j1, "", "a0", "a1"),
            "add {a0:l}, {b0:l}\n",
            "add {a1:l}, {b1:l}\n",
            "vpinsrb ", $x0, ", ", $x0, ", byte ptr [{t} + 8*{a0} + ", $s, "], ", $k, "\n",
            "vpinsrb ", $x1, ", ", $x1, ", byte ptr [{t} + 8*{a1} + ", $s, " + 4], ", $k, "\n",
        )
    };
}

/// One octet of the key streams of two pairs.
#[rustfmt::skip]
macro_rules! octet_four {
    ($k:literal, $row:literal) => {
        concat!(
            octet_two!($k, $row, "0", "j0", "j1", "xmm0", "xmm1"),
            octet_two!($k, $row, "{second}", "j2", "j3", "xmm2", "xmm3"),
        )
    };
}

/// One step of the key schedules of a pair, whose keys are in `$x0` and `$x1`. The row is `i + $k`. Key octets that
/// were read from memory one by one would wait for writes to the table.
#[rustfmt::skip]
macro_rules! key_two {
    ($k:literal, $row:literal, $s:literal, $j0:literal, $j1:literal, $x0:literal, $x1:literal) => {
        swap_two!(
            concat!("8*", $k), $s, $j0, $j1,
            concat!(
                "vpextrb {b0:e}, ", $x0, ", ", $k, "\n",
                "vpextrb {b1:e}, ", $x1, ", ", $k, "\n",
                "add {b0:l}, {a0:l}\n",
                "add {b1:l}, {a1:l}\n",
            ),
            "b0", "b1"
        )
    };
}

/// One step of the key schedules of two pairs.
#[rustfmt::skip]
macro_rules! key_four {
    ($k:literal, $row:literal) => {
        concat!(
            key_two!($k, $row, "0", "j0", "j1", "xmm0", "xmm1"),
            key_two!($k, $row, "{second}", "j2", "j3", "xmm2", "xmm3"),
        )
    };
}

/// A block of the key stream in `$x` onto the data whose end is in `{p}`'s element `$n`, at distance `{at}` from it.
#[rustfmt::skip]
macro_rules! lay {
    ($x:literal, $n:literal) => {
        concat!(
            "mov {a0}, [{p} + 8*", $n, "]\n",
            "vpxor ", $x, ", ", $x, ", [{a0} + {at}]\n",
            "vmovdqu [{a0} + {at}], ", $x, "\n",
        )
    };
}

// Here, because they use the macros above.
mod beside;
mod single;

/// A key of 16 octets, or twice one of 8: whatever MPPE has.
fn twice_8(key: &[u8]) -> Option<[u8; 16]> {
    let twice = |half: [u8; 8]| {
        let mut key = [0; 16];
        key.as_chunks_mut().0.fill(half);
        key
    };
    key.try_into().ok().or_else(|| Some(twice(key.try_into().ok()?)))
}

/// `LANES` pointers to the ends of the first `blocks` blocks of each.
fn ends<const LANES: usize>(data: &mut [&mut [Block]; LANES], blocks: usize) -> [*mut Block; LANES] {
    data.each_mut().map(|lane| lane[..blocks].as_mut_ptr_range().end)
}

impl<const PAIRS: usize> Bank<PAIRS> {
    /// Sets the first tables to the identity.
    fn set_tables(&mut self, tables: usize) {
        self.tables[..tables].iter_mut().for_each(|table| table.rows = IDENTITY);
    }

    /// Sets up the first streams, from keys of any length.
    fn schedule_plain(&mut self, keys: &[&[u8]]) {
        self.i = [[0; 2]; PAIRS];
        self.j = [[0; 2]; PAIRS];
        self.set_tables(PAIRS);
        let mut repeated = [0; 256];
        for (lane, key) in keys.iter().enumerate() {
            repeat(key, &mut repeated);
            let (table, column) = (&mut self.tables[lane / 2].rows, lane % 2);
            let mut j = 0_u8;
            for (i, key) in repeated.into_iter().enumerate() {
                let a = table[i][column];
                j = j.wrapping_add(key).wrapping_add(a as u8);
                table[i][column] = table[usize::from(j)][column];
                table[usize::from(j)][column] = a;
            }
        }
        repeated.zeroize();
    }

    /// Sets up the first stream.
    pub(super) fn schedule_one(&mut self, key: &[u8]) {
        let Some(key) = twice_8(key) else {
            return self.schedule_plain(&[key]);
        };
        self.i[0] = [0; 2];
        self.j[0] = [0; 2];
        self.set_tables(1);
        let key = u128::from_le_bytes(key);
        let (k0, k1) = (key as u64, (key >> 64) as u64);
        // SAFETY: `t + 8*x` for `x` below 256 is the entry of the first column in row `x` of the table, which is
        // borrowed mutably. `x` is `j` or one of the rows, which all are 8-bit values in registers. Nothing else is touched.
        unsafe {
            asm!(
                "mov {a0:e}, [{t}]",
                "mov {a1:e}, [{t} + 8]",
                "2:",
                four_of_one!(key_one, "", "", "", "", "k0"),
                four_of_one!(key_one, "", "", "", "", "k0"),
                four_of_one!(key_one, "", "", "", "", "k1"),
                four_of_one!(key_one, "", "", "", "", "k1"),
                "test {i0:e}, {i0:e}",
                "jnz 2b",
                t = in(reg) self.tables.as_mut_ptr(),
                k0 = inout(reg) k0 => _,
                k1 = inout(reg) k1 => _,
                i0 = inout(reg) 0_usize => _,
                i1 = inout(reg) 1_usize => _,
                i2 = inout(reg) 2_usize => _,
                i3 = inout(reg) 3_usize => _,
                j = inout(reg) 0_usize => _,
                a0 = out(reg) _,
                a1 = out(reg) _,
                a2 = out(reg) _,
                a3 = out(reg) _,
                b = out(reg) _,
                options(nostack),
            );
        }
    }

    /// Goes on with one stream.
    pub(super) fn xor_one(&mut self, lane: usize, data: &mut [Block]) {
        let (pair, column) = (lane / 2, lane % 2);
        if data.is_empty() {
            return;
        }
        let row = |n| (self.i[pair][column] as usize + n) % 256;
        let (mut i0, i1, i2, i3) = (row(1), row(2), row(3), row(4));
        let mut j = self.j[pair][column] as usize;
        let length = data.len() * BLOCK;
        // SAFETY: `t + 8*x` for `x` below 256 is the entry of this column in row `x` of the table, which is borrowed
        // mutably. `x` is `j`, the sum of two entries modulo 256, or one of the rows, which all are 8-bit values in
        // registers. Data is touched from its end less `length`, which is its beginning, up to its end.
        unsafe {
            let end = data.as_mut_ptr_range().end;
            asm!(
                "mov {a0:e}, [{t} + 8*{i0}]",
                "mov {a1:e}, [{t} + 8*{i1}]",
                "2:",
                four_of_one!(octet_one, "0", "1", "2", "3"),
                four_of_one!(octet_one, "4", "5", "6", "7"),
                four_of_one!(octet_one, "8", "9", "10", "11"),
                four_of_one!(octet_one, "12", "13", "14", "15"),
                "vpxor xmm0, xmm0, [{p} + {at}]",
                "vmovdqu [{p} + {at}], xmm0",
                "add {at}, 16",
                "jnz 2b",
                t = in(reg) self.tables[pair].rows.as_mut_ptr().cast::<u32>().add(column),
                p = in(reg) end,
                at = inout(reg) 0_usize.wrapping_sub(length) => _,
                i0 = inout(reg) i0,
                i1 = inout(reg) i1 => _,
                i2 = inout(reg) i2 => _,
                i3 = inout(reg) i3 => _,
                j = inout(reg) j,
                a0 = out(reg) _,
                a1 = out(reg) _,
                a2 = out(reg) _,
                a3 = out(reg) _,
                b = out(reg) _,
                out("xmm0") _,
                options(nostack),
            );
        }
        self.i[pair][column] = (i0 as u32).wrapping_sub(1) % 256;
        self.j[pair][column] = j as u32;
    }
}

/// Four streams, and one beside them.
impl Lanes for Bank<3> {
    fn schedule_one(&mut self, key: &[u8]) {
        self.schedule_one(key);
    }

    fn xor_one(&mut self, lane: usize, data: &mut [Block]) {
        self.xor_one(lane, data);
    }

    fn schedule_two(&mut self, keys: [&[u8]; 2]) {
        let [Some(a), Some(b)] = keys.map(twice_8) else {
            return self.schedule_plain(&keys);
        };
        self.keys[0] = [a, b];
        self.i[0] = [0; 2];
        self.j[0] = [0; 2];
        self.set_tables(1);
        // SAFETY: as in `schedule_one`, for both columns; rows are `i + n`, at most 240 + 15; `k` is read for 32 octets.
        unsafe {
            asm!(
                "vmovdqu xmm0, [{k}]",
                "vmovdqu xmm1, [{k} + 16]",
                "2:",
                sixteen!(key_two, "", "0", "j0", "j1", "xmm0", "xmm1"),
                "add {i:e}, 16",
                "cmp {i:e}, 256",
                "jne 2b",
                t = in(reg) self.tables.as_mut_ptr(),
                k = in(reg) self.keys.as_ptr(),
                i = inout(reg) 0_usize => _,
                j0 = inout(reg) 0_usize => _,
                j1 = inout(reg) 0_usize => _,
                a0 = out(reg) _,
                b0 = out(reg) _,
                a1 = out(reg) _,
                b1 = out(reg) _,
                out("xmm0") _,
                out("xmm1") _,
                options(nostack),
            );
        }
    }

    fn xor_two(&mut self, mut data: [&mut [Block]; 2]) {
        let blocks = data[0].len().min(data[1].len());
        if blocks == 0 {
            return;
        }
        let ends = ends(&mut data, blocks);
        let mut i = self.i[0][0] as usize;
        let [mut j0, mut j1] = self.j[0].map(|j| j as usize);
        // SAFETY: as in `xor_one`, for both columns and both ends. The row of a step is `i`, a multiple of 16, so at most
        // 240, and up to 15, or `i` alone after an 8-bit addition.
        unsafe {
            asm!(
                "2:",
                sixteen!(octet_two, "add {i:l}, 16\n", "0", "j0", "j1", "xmm0", "xmm1"),
                lay!("xmm0", "0"),
                lay!("xmm1", "1"),
                "add {at}, 16",
                "jnz 2b",
                t = in(reg) self.tables.as_mut_ptr(),
                p = in(reg) ends.as_ptr(),
                at = inout(reg) 0_usize.wrapping_sub(blocks * BLOCK) => _,
                i = inout(reg) i,
                j0 = inout(reg) j0,
                j1 = inout(reg) j1,
                a0 = out(reg) _,
                b0 = out(reg) _,
                a1 = out(reg) _,
                b1 = out(reg) _,
                out("xmm0") _,
                out("xmm1") _,
                options(nostack),
            );
        }
        self.i[0] = [i as u32; 2];
        self.j[0] = [j0, j1].map(|j| j as u32);
    }

    fn schedule_four(&mut self, keys: [&[u8]; 4], done: usize) {
        let assembled = self.begin_four(keys, done);
        let [[j0, j1], [j2, j3], _] = self.j.map(|pair| pair.map(|j| j as usize));
        self.i = [[0; 2]; 3];
        self.j = [[0; 2]; 3];
        if !assembled || done >= QUARTERS {
            return;
        }
        // SAFETY: as in `schedule_two`, for both tables, the second `SECOND` octets on; `i` begins with a multiple of 16
        // below 256; `k` is read for 64 octets.
        unsafe {
            asm!(
                "vmovdqu xmm0, [{k}]",
                "vmovdqu xmm1, [{k} + 16]",
                "vmovdqu xmm2, [{k} + 32]",
                "vmovdqu xmm3, [{k} + 48]",
                "2:",
                sixteen!(key_four, ""),
                "add {i:e}, 16",
                "cmp {i:e}, 256",
                "jne 2b",
                t = in(reg) self.tables.as_mut_ptr(),
                second = const SECOND,
                k = in(reg) self.keys.as_ptr(),
                i = inout(reg) done * QUARTER => _,
                j0 = inout(reg) j0 => _,
                j1 = inout(reg) j1 => _,
                j2 = inout(reg) j2 => _,
                j3 = inout(reg) j3 => _,
                a0 = out(reg) _,
                b0 = out(reg) _,
                a1 = out(reg) _,
                b1 = out(reg) _,
                out("xmm0") _,
                out("xmm1") _,
                out("xmm2") _,
                out("xmm3") _,
                options(nostack),
            );
        }
    }

    fn xor_four(&mut self, mut data: [&mut [Block]; 4]) {
        let blocks = data.iter().map(|lane| lane.len()).min().unwrap_or_default();
        if blocks == 0 {
            return;
        }
        let ends = ends(&mut data, blocks);
        let mut i = self.i[0][0] as usize;
        let [[mut j0, mut j1], [mut j2, mut j3], _] = self.j.map(|pair| pair.map(|j| j as usize));
        // SAFETY: as in `xor_two`, for both tables (`schedule_four`) and all ends.
        unsafe {
            asm!(
                "2:",
                sixteen!(octet_four, "add {i:l}, 16\n"),
                lay!("xmm0", "0"),
                lay!("xmm1", "1"),
                lay!("xmm2", "2"),
                lay!("xmm3", "3"),
                "add {at}, 16",
                "jnz 2b",
                t = in(reg) self.tables.as_mut_ptr(),
                second = const SECOND,
                p = in(reg) ends.as_ptr(),
                at = inout(reg) 0_usize.wrapping_sub(blocks * BLOCK) => _,
                i = inout(reg) i,
                j0 = inout(reg) j0,
                j1 = inout(reg) j1,
                j2 = inout(reg) j2,
                j3 = inout(reg) j3,
                a0 = out(reg) _,
                b0 = out(reg) _,
                a1 = out(reg) _,
                b1 = out(reg) _,
                out("xmm0") _,
                out("xmm1") _,
                out("xmm2") _,
                out("xmm3") _,
                options(nostack),
            );
        }
        self.i = [[i as u32; 2]; 3];
        self.j = [[j0, j1], [j2, j3], [0; 2]].map(|pair| pair.map(|j| j as u32));
    }

    fn schedule_quarter_beside(&mut self, keys: [&[u8]; 4], done: usize, key: &mut Block) {
        self.schedule_quarter_beside(keys, done, key);
    }

    fn xor_four_beside(&mut self, data: [&mut [Block; TURN]; 4], key: &mut Block) {
        self.xor_four_beside(data, key);
    }
}

/// Wipes everything, in a way that no compiler may leave out.
impl<const PAIRS: usize> Drop for Bank<PAIRS> {
    fn drop(&mut self) {
        const { assert!(size_of::<Bank<PAIRS>>().is_multiple_of(8)) }
        // SAFETY: writes the octets of `self` and no more. All zeros is a value of each of its fields.
        unsafe {
            asm!(
                "rep stosq",
                inout("rcx") size_of::<Bank<PAIRS>>() / 8 => _,
                inout("rdi") core::ptr::from_mut(self) => _,
                in("rax") 0_u64,
                options(nostack),
            );
        }
    }
}
