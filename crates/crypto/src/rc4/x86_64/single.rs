//! One key encrypted with itself, with nothing beside it.
//!
//! The table has entries of 8 bits, unlike those of a bank: such a stream waits for itself at every step, whatever the
//! size of an entry, and 256 octets are set up and wiped in less time than 2,048. On Zen 4 a key takes 320 ns, with a
//! bank of one pair 430.

use core::arch::asm;

use zeroize::Zeroize as _;

use super::Avx;
use crate::rc4::batch::Block;

/// The entries of a table, eight in each element so that a wipe takes 32 writes.
#[repr(C, align(64))]
struct Octets([u64; 32]);

impl Octets {
    const IDENTITY: Octets = {
        let mut octets = [0x0706_0504_0302_0100; 32];
        let mut n = 1;
        while n < octets.len() {
            octets[n] = octets[n - 1] + 0x0808_0808_0808_0808;
            n += 1;
        }
        Octets(octets)
    };
}

impl Drop for Octets {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// As `swap_one`, for entries of 8 bits: `j += a; b = S[j]; swap`, with the rows read two ahead of that and put right
/// if `j` is one of them.
#[rustfmt::skip]
macro_rules! swap_octets {
    ($add:expr, $i0:literal, $i1:literal, $i2:literal, $a0:literal, $a1:literal, $a2:literal) => {
        concat!(
            "movzx {", $a2, ":e}, byte ptr [{t} + {", $i2, "}]\n",
            $add,
            "add {j:l}, {", $a0, ":l}\n",
            "movzx {b:e}, byte ptr [{t} + {j}]\n",
            "mov byte ptr [{t} + {", $i0, "}], {b:l}\n",
            "mov byte ptr [{t} + {j}], {", $a0, ":l}\n",
            "cmp {j:e}, {", $i1, ":e}\n",
            "cmove {", $a1, ":e}, {", $a0, ":e}\n",
            "cmp {j:e}, {", $i2, ":e}\n",
            "cmove {", $a2, ":e}, {", $a0, ":e}\n",
            "add {", $i0, ":l}, 4\n",
        )
    };
}

/// One step of the key schedule, with octet `$k` of the key. It is added to `j` before `a` is, which is known later, and
/// read from memory: from a vector register, as for four streams, a key takes 5 % longer on Zen 4. It is read ahead of
/// the addition, so that no processor waits for `j` with that; on Zen 4 both take the same time.
#[rustfmt::skip]
macro_rules! key_octet {
    ($k:literal, $i0:literal, $i1:literal, $i2:literal, $a0:literal, $a1:literal, $a2:literal) => {
        swap_octets!(
            concat!("movzx {b:e}, byte ptr [{k} + ", $k, "]\n", "add {j:l}, {b:l}\n"),
            $i0, $i1, $i2, $a0, $a1, $a2
        )
    };
}

/// One octet of the key stream into octet `$k` of `xmm0`.
#[rustfmt::skip]
macro_rules! stream_octet {
    ($k:literal, $i0:literal, $i1:literal, $i2:literal, $a0:literal, $a1:literal, $a2:literal) => {
        concat!(
            swap_octets!("", $i0, $i1, $i2, $a0, $a1, $a2),
            "add {b:l}, {", $a0, ":l}\n",
            "vpinsrb xmm0, xmm0, byte ptr [{t} + {b}], ", $k, "\n",
        )
    };
}

/// Encrypts a key, 16 octets or twice the same 8, with the beginning of its own stream.
pub(crate) fn of_itself(_: Avx, key: &mut Block) {
    let mut table = Octets::IDENTITY;
    // SAFETY: `t + x` for `x` below 256 is an entry of the table, which is borrowed mutably. `x` is `j`, the sum of two
    // entries modulo 256, or one of the rows, which all are 8-bit values in registers. The key is touched from `k` for
    // 16 octets. The processor has AVX.
    unsafe {
        asm!(
            "movzx {a0:e}, byte ptr [{t}]",
            "movzx {a1:e}, byte ptr [{t} + 1]",
            "2:",
            four_of_one!(key_octet, "0", "1", "2", "3"),
            four_of_one!(key_octet, "4", "5", "6", "7"),
            four_of_one!(key_octet, "8", "9", "10", "11"),
            four_of_one!(key_octet, "12", "13", "14", "15"),
            "test {i0:e}, {i0:e}",
            "jnz 2b",
            // The rows are 0, 1, 2 and 3 again, and `a0` and `a1` what is in the first two. The stream begins with row 1.
            "xor {j:e}, {j:e}",
            "mov {i0:e}, 1",
            "mov {i1:e}, 2",
            "mov {i2:e}, 3",
            "mov {i3:e}, 4",
            "mov {a0:e}, {a1:e}",
            "movzx {a1:e}, byte ptr [{t} + 2]",
            four_of_one!(stream_octet, "0", "1", "2", "3"),
            four_of_one!(stream_octet, "4", "5", "6", "7"),
            four_of_one!(stream_octet, "8", "9", "10", "11"),
            four_of_one!(stream_octet, "12", "13", "14", "15"),
            "vpxor xmm0, xmm0, [{k}]",
            "vmovdqu [{k}], xmm0",
            t = in(reg) table.0.as_mut_ptr(),
            k = in(reg) key.as_mut_ptr(),
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
            out("xmm0") _,
            options(nostack),
        );
    }
}
