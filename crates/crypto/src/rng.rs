//! Randomness that is given, never taken: a shell seeds it from the operating system, a test from a number.

use core::fmt;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// A cryptographic generator (ChaCha20) that depends on its seed alone.
///
/// Every state machine of every session has one and uses it a dozen times. So it buffers no blocks, only its position
/// in the sequence: 40 octets instead of 320. A clone gives the same numbers: it is for the copy of a whole state machine.
#[derive(Clone)]
pub struct Rng {
    seed: [u8; 32],
    /// Words taken.
    position: u64,
}

impl Rng {
    /// A generator from 32 octets; the shell takes them from the operating system.
    pub fn from_seed(seed: [u8; 32]) -> Rng {
        Rng { seed, position: 0 }
    }

    /// A generator for tests and simulations: same number, same sequence.
    pub fn from_number(seed: u64) -> Rng {
        Rng::from_seed(ChaCha20Rng::seed_from_u64(seed).get_seed())
    }

    fn take<T>(&mut self, take: impl FnOnce(&mut ChaCha20Rng) -> T) -> T {
        let mut generator = ChaCha20Rng::from_seed(self.seed);
        generator.set_word_pos(u128::from(self.position));
        let taken = take(&mut generator);
        self.position = generator.get_word_pos() as u64;
        taken
    }

    /// A generator of its own for a machine inside this one.
    pub fn fork(&mut self) -> Rng {
        let mut seed = [0; 32];
        self.fill(&mut seed);
        Rng::from_seed(seed)
    }

    /// Fills `buf` with random octets.
    pub fn fill(&mut self, buf: &mut [u8]) {
        self.take(|generator| generator.fill_bytes(buf));
    }

    /// Sixteen random octets, the size of a CHAP challenge.
    pub fn challenge(&mut self) -> [u8; 16] {
        let mut challenge = [0; 16];
        self.fill(&mut challenge);
        challenge
    }

    /// A random 32-bit number.
    pub fn u32(&mut self) -> u32 {
        self.take(|generator| generator.next_u32())
    }

    /// A random number that is not zero, as a Magic-Number must be (RFC 1661 section 6.4).
    pub fn nonzero_u32(&mut self) -> u32 {
        loop {
            let n = self.u32();
            if n != 0 {
                return n;
            }
        }
    }

    /// A random 64-bit number.
    pub fn u64(&mut self) -> u64 {
        self.take(|generator| generator.next_u64())
    }

    /// A random number below `bound`; 0 when `bound` is 0. The bias is below 2^-32 for any bound under 2^32.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.u64()) * u128::from(bound)) >> 64) as u64
    }
}

impl fmt::Debug for Rng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rng")
    }
}
