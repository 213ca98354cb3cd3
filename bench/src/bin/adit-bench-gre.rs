//! Prints what a GRE packet costs with each way of moving it: `adit-bench-gre [ROUNDS [BURSTS]]`, as root.

use adit_bench::machine::Machine;
use adit_bench::micro::gre_io;

fn main() -> anyhow::Result<()> {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<usize>());
    let rounds = numbers.next().transpose()?.unwrap_or(9);
    let bursts = numbers.next().transpose()?.unwrap_or(200);
    println!("{}", Machine::here());
    println!("ns for each packet, bursts of 64, {rounds} rounds of {bursts}; p10 / median");
    println!("{:>6}  {:<44} {:>17} {:>17} {:>8} {:>6}", "octets", "", "out", "in", "ratio", "lost");
    for row in gre_io::run(rounds, bursts)? {
        println!(
            "{:>6}  {:<44} {:>8.0} / {:>6.0} {:>8.0} / {:>6.0} {:>8.2} {:>6}",
            row.length,
            row.variant,
            row.out_ns[0],
            row.out_ns[1],
            row.in_ns[0],
            row.in_ns[1],
            row.times_cheaper,
            row.lost
        );
    }
    Ok(())
}
