//! RC4 and the keys of MPPE against the `rc4` and `sha1` crates: `adit-bench-rc4 [ROUNDS]`.

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let rounds = match std::env::args().nth(1) {
        Some(rounds) => rounds.parse().context("ROUNDS is a number")?,
        None => 200,
    };
    print!("{}", adit_bench::micro::rc4::run(rounds));
    Ok(())
}
