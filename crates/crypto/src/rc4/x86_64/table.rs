//! The tables of a bank, and their distances.

/// The key streams of two packets: row, then packet.
pub(super) type Rows = [[u32; 2]; 256];

/// Rows, and a cache line that keeps the tables of a bank off distances of a multiple of 1,024 octets. Zen 5 takes a
/// load for one of an earlier store if both have the same base and index register and displacements that agree in their
/// lowest ten bits; a wrong guess costs 14 to 20 cycles, for each octet. The register allocation decides how often.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Table {
    pub(super) rows: Rows,
    apart: [u32; 16],
}

impl Table {
    pub(super) const ZEROS: Table = Table { rows: [[0; 2]; 256], apart: [0; 16] };
}

/// The distance of the second table of a bank from the first, and of the third.
pub(super) const SECOND: usize = size_of::<Table>();
pub(super) const THIRD: usize = 2 * SECOND;
const _: () = {
    const fn is_apart(distance: usize) -> bool {
        matches!(distance % 1024, 64..=960)
    }
    assert!(is_apart(SECOND) && is_apart(THIRD), "these tables are reached with the same registers");
};

pub(super) const IDENTITY: Rows = {
    let mut table = [[0; 2]; 256];
    let mut n = 0_u32;
    while n < 256 {
        table[n as usize] = [n; 2];
        n += 1;
    }
    table
};
