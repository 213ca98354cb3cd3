//! Work to measure a form of RC4 with.

use crate::rc4::{self, Form, Job};

use super::{KeySchedule, StartKey, Strength};

/// Packets that are encrypted together.
const PACKETS: usize = 4;
/// Octets of each: a full packet of the tunnel.
const OCTETS: usize = 1400;

/// What a worker does with four full packets of one call, stateless and with 128 bits: it takes their keys, encrypts
/// them, and computes the keys of the next four beside that.
#[derive(Debug)]
pub struct Trial {
    schedule: KeySchedule,
    keys: [[u8; 16]; PACKETS],
    packets: Vec<u8>,
}

impl Trial {
    /// The number of packets of a [`Trial::run`].
    pub const PACKETS: usize = PACKETS;

    /// Creates the packets and a key schedule. No key of a tunnel is involved.
    pub fn new() -> Trial {
        Trial {
            schedule: KeySchedule::new(&StartKey::new([7; 16]), Strength::Bits128),
            keys: [[0; 16]; PACKETS],
            packets: vec![0; PACKETS * OCTETS],
        }
    }

    /// Encrypts the packets once, in this form of RC4.
    pub fn run(&mut self, form: Form) {
        for key in &mut self.keys {
            self.schedule.advance();
            key.copy_from_slice(self.schedule.session_key());
        }
        let packets = self.packets.chunks_exact_mut(OCTETS);
        let mut jobs = self.keys.iter().zip(packets).map(|(key, data)| Job { key, data });
        let mut jobs: [Job<'_>; PACKETS] = core::array::from_fn(|_| jobs.next().unwrap_or_default());
        let schedule = &mut self.schedule;
        rc4::apply_each_in(form, &mut jobs, &mut |encrypt| {
            let wanted = schedule.ahead() < PACKETS;
            if wanted {
                schedule.make_ahead(encrypt);
            }
            wanted
        });
    }
}

impl Default for Trial {
    fn default() -> Trial {
        Trial::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_do_the_same_work() {
        let mut trials = [Form::Assembly, Form::Portable].map(|form| (form, Trial::new()));
        for _ in 0..3 {
            let done = trials.each_mut().map(|(form, trial)| {
                trial.run(*form);
                (trial.packets.clone(), trial.schedule.ahead())
            });
            assert_eq!(done[0], done[1]);
            assert_eq!(done[0].1, PACKETS, "the next keys are made beside the packets");
        }
    }
}
