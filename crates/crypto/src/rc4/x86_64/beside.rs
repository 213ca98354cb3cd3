//! The next session keys beside four packets: a fifth stream, whose steps fill the time in which the four wait.
//!
//! Four packets of 1,024 octets and more have time for four keys beside their payload, one in each turn of the rows. For
//! shorter ones, keys are made beside their key schedules: one beside each quarter, at four steps for each of theirs.

use core::arch::asm;
use core::mem::offset_of;

use super::table::{IDENTITY, SECOND, THIRD};
use super::{Bank, of_itself, twice_8};
use crate::rc4::batch::{BLOCK, Block, Lanes as _, QUARTER, QUARTERS, TURN};

/// The pair whose first stream runs beside the other four.
pub(super) const BESIDE: usize = 2;

/// One step of the key schedule of the stream beside the others, whose key is in `xmm4`. The row is `$i + $k`.
#[rustfmt::skip]
macro_rules! key_beside {
    ($i:literal, $k:literal) => {
        concat!(
            "mov {a0:e}, [{t} + 8*{", $i, "} + {third} + 8*", $k, "]\n",
            "vpextrb {b0:e}, xmm4, ", $k, "\n",
            "add {b0:l}, {a0:l}\n",
            "add {jb:l}, {b0:l}\n",
            "mov {b0:e}, [{t} + 8*{jb} + {third}]\n",
            "mov [{t} + 8*{", $i, "} + {third} + 8*", $k, "], {b0:e}\n",
            "mov [{t} + 8*{jb} + {third}], {a0:e}\n",
        )
    };
}

/// [`key_four`] after four steps of the key schedule beside it, which is at row `ib`. On Zen 4, two of them before each
/// pair take 6 % longer, and eight before two of [`key_four`] 24 %: a core does not look that far ahead.
#[rustfmt::skip]
macro_rules! key_four_and_four {
    ($k:literal, $b0:literal, $b1:literal, $b2:literal, $b3:literal) => {
        concat!(
            key_beside!("ib", $b0), key_beside!("ib", $b1), key_beside!("ib", $b2), key_beside!("ib", $b3),
            key_four!($k, ""),
        )
    };
}

/// Four steps of the key schedules of two pairs, in which that beside them gets on by sixteen rows.
#[rustfmt::skip]
macro_rules! four_and_sixteen {
    ($k0:literal, $k1:literal, $k2:literal, $k3:literal) => {
        concat!(
            key_four_and_four!($k0, "0", "1", "2", "3"),
            key_four_and_four!($k1, "4", "5", "6", "7"),
            key_four_and_four!($k2, "8", "9", "10", "11"),
            key_four_and_four!($k3, "12", "13", "14", "15"),
            "add {ib:e}, 16\n",
        )
    };
}

/// [`octet_four`] after a step of the key schedule beside it, whose rows are one behind. Its last step has to come
/// before `i` goes on.
#[rustfmt::skip]
macro_rules! octet_four_and_key {
    ("15", $row:literal) => { octet_four!("15", $row) };
    ($k:literal, $row:literal) => { concat!(key_beside!("i", $k), octet_four!($k, $row)) };
}

impl Bank<3> {
    /// Begins to set up four streams, unless quarters are `done`. Returns whether the assembly is to do it: keys of
    /// lengths that MPPE has not are set up here.
    pub(super) fn begin_four(&mut self, keys: [&[u8]; 4], done: usize) -> bool {
        let [Some(a), Some(b), Some(c), Some(d)] = keys.map(twice_8) else {
            if done == 0 {
                self.schedule_plain(&keys);
            }
            return false;
        };
        if done == 0 {
            self.keys = [[a, b], [c, d], [[0; 16]; 2]];
            self.j = [[0; 2]; 3];
            self.set_tables(BESIDE);
        }
        true
    }

    /// Sets up the next quarter of four streams, and encrypts `key` with itself beside them.
    ///
    /// All four keys that four packets of 64 octets need are made so: a packet takes 480 ns on Zen 4, 570 with one key
    /// beside the whole key schedules and three alone, 590 with all alone.
    pub(super) fn schedule_quarter_beside(&mut self, keys: [&[u8]; 4], done: usize, key: &mut Block) {
        if !self.begin_four(keys, done) || done >= QUARTERS {
            return of_itself(self.avx, key);
        }
        self.keys[BESIDE][0] = *key;
        self.tables[BESIDE].rows = IDENTITY;
        let [[mut j0, mut j1], [mut j2, mut j3], _] = self.j.map(|pair| pair.map(|j| j as usize));
        // SAFETY: as in `schedule_four`, over the quarter of the rows that begins with `i`. The table beside them is at
        // `THIRD`, whose rows are `ib + n`, at most 240 + 15, and `jb`; `t + key` is the first of the keys, and is read
        // for 80 octets.
        unsafe {
            asm!(
                "vmovdqu xmm0, [{t} + {key}]",
                "vmovdqu xmm1, [{t} + {key} + 16]",
                "vmovdqu xmm2, [{t} + {key} + 32]",
                "vmovdqu xmm3, [{t} + {key} + 48]",
                "vmovdqu xmm4, [{t} + {key} + 64]",
                "2:",
                four_and_sixteen!("0", "1", "2", "3"),
                four_and_sixteen!("4", "5", "6", "7"),
                four_and_sixteen!("8", "9", "10", "11"),
                four_and_sixteen!("12", "13", "14", "15"),
                "add {i:e}, 16",
                "cmp {ib:e}, 256",
                "jne 2b",
                t = in(reg) self.tables.as_mut_ptr(),
                second = const SECOND,
                third = const THIRD,
                key = const offset_of!(Bank<3>, keys),
                i = inout(reg) done * QUARTER => _,
                ib = inout(reg) 0_usize => _,
                j0 = inout(reg) j0,
                j1 = inout(reg) j1,
                j2 = inout(reg) j2,
                j3 = inout(reg) j3,
                jb = inout(reg) 0_usize => _,
                a0 = out(reg) _,
                b0 = out(reg) _,
                a1 = out(reg) _,
                b1 = out(reg) _,
                out("xmm0") _,
                out("xmm1") _,
                out("xmm2") _,
                out("xmm3") _,
                out("xmm4") _,
                options(nostack),
            );
        }
        self.j = [[j0, j1], [j2, j3], [0; 2]].map(|pair| pair.map(|j| j as u32));
        self.i[BESIDE] = [0; 2];
        self.xor_one(2 * BESIDE, core::slice::from_mut(key));
    }

    /// Goes on with four streams for a turn, and encrypts `key` with itself beside them.
    pub(super) fn xor_four_beside(&mut self, mut data: [&mut [Block; TURN]; 4], key: &mut Block) {
        if self.i[0][0] != 0 {
            // The rows of the key schedule are those of the four only from the beginning of a turn.
            self.xor_four(data.map(|lane| lane.as_mut_slice()));
            return of_itself(self.avx, key);
        }
        self.keys[BESIDE][0] = *key;
        self.tables[BESIDE].rows = IDENTITY;
        let ends = data.each_mut().map(|lane| lane.as_mut_ptr_range().end);
        let [[mut j0, mut j1], [mut j2, mut j3], _] = self.j.map(|pair| pair.map(|j| j as usize));
        // SAFETY: as in `xor_four`, over `TURN` blocks; `i` is 0 before and after. The table beside them is at `THIRD`,
        // whose rows are `i + n`, at most 240 + 15, and `jb`; `k` is read for 16 octets.
        unsafe {
            asm!(
                "vmovdqu xmm4, [{t} + {key}]",
                "2:",
                sixteen!(octet_four_and_key, concat!(key_beside!("i", "15"), "add {i:l}, 16\n")),
                lay!("xmm0", "0"),
                lay!("xmm1", "1"),
                lay!("xmm2", "2"),
                lay!("xmm3", "3"),
                "add {at}, 16",
                "jnz 2b",
                t = in(reg) self.tables.as_mut_ptr(),
                second = const SECOND,
                third = const THIRD,
                p = in(reg) ends.as_ptr(),
                at = inout(reg) 0_usize.wrapping_sub(TURN * BLOCK) => _,
                key = const offset_of!(Bank<3>, keys) + 64,
                i = inout(reg) 0_usize => _,
                j0 = inout(reg) j0,
                j1 = inout(reg) j1,
                j2 = inout(reg) j2,
                j3 = inout(reg) j3,
                jb = inout(reg) 0_usize => _,
                a0 = out(reg) _,
                b0 = out(reg) _,
                a1 = out(reg) _,
                b1 = out(reg) _,
                out("xmm0") _,
                out("xmm1") _,
                out("xmm2") _,
                out("xmm3") _,
                out("xmm4") _,
                options(nostack),
            );
        }
        self.j = [[j0, j1], [j2, j3], [0; 2]].map(|pair| pair.map(|j| j as u32));
        self.i[BESIDE] = [0; 2];
        self.xor_one(2 * BESIDE, core::slice::from_mut(key));
    }
}
