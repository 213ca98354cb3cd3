//! Prints what sums, cutting and joining cost per packet of 1,400 octets.

use adit_bench::machine::Machine;
use adit_bench::micro::tun;

/// Enough for a steady median; about two seconds.
const ROUNDS: usize = 5000;

fn main() {
    println!("{}", Machine::here());
    println!("{:18} {:>8} {:>8}  ns per packet", "", "median", "p05");
    for row in tun::run(ROUNDS) {
        println!("{:18} {:8.1} {:8.1}", row.name, row.median, row.p05);
    }
}
