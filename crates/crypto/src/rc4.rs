//! RC4, one stream or many packets at once.
//!
//! [`apply_each`] is the call for a batch: every packet of stateless MPPE has a key of its own, so several can be
//! worked on side by side.

use core::fmt;

use rc4::{KeyInit as _, Rc4 as Cipher, StreamCipher as _};

/// One key stream.
pub struct Rc4(Cipher);

impl Rc4 {
    /// Sets up the stream. RC4 has keys of 1 to 256 octets, MPPE of 8 or 16; any other length is a mistake of the
    /// caller and gives the stream of the all-zero key.
    pub fn new(key: &[u8]) -> Rc4 {
        Rc4(Cipher::new_from_slice(key).unwrap_or_else(|_| Cipher::new(&[0; 32].into())))
    }

    /// Encrypts or decrypts in place; the next call goes on where this one ended.
    pub fn apply(&mut self, data: &mut [u8]) {
        self.0.apply_keystream(data);
    }
}

impl fmt::Debug for Rc4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rc4(..)")
    }
}

/// One packet and its key.
pub struct Job<'a> {
    /// The key, 8 or 16 octets for MPPE.
    pub key: &'a [u8],
    /// Encrypted or decrypted in place.
    pub data: &'a mut [u8],
}

impl fmt::Debug for Job<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job({} octets)", self.data.len())
    }
}

/// Encrypts or decrypts every packet from the beginning of the stream of its own key.
pub fn apply_each(jobs: &mut [Job<'_>]) {
    for job in jobs {
        Rc4::new(job.key).apply(job.data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_goes_on_over_calls() {
        let mut whole = [0_u8; 100];
        Rc4::new(b"key").apply(&mut whole);
        let mut parts = [0_u8; 100];
        let mut stream = Rc4::new(b"key");
        let (head, tail) = parts.split_at_mut(37);
        stream.apply(head);
        stream.apply(tail);
        assert_eq!(whole, parts);
    }

    #[test]
    fn a_batch_is_every_packet_alone() {
        let keys: Vec<[u8; 16]> = (0..9_u8).map(|n| [n + 1; 16]).collect();
        let mut packets: Vec<Vec<u8>> = (0..9_u8).map(|n| vec![n; 10 * usize::from(n)]).collect();
        let mut alone = packets.clone();
        for (key, data) in keys.iter().zip(&mut alone) {
            Rc4::new(key).apply(data);
        }
        let mut jobs: Vec<Job<'_>> =
            keys.iter().zip(&mut packets).map(|(key, data)| Job { key: &key[..], data }).collect();
        apply_each(&mut jobs);
        assert_eq!(packets, alone);
    }

    #[test]
    fn a_key_of_no_octets_is_no_panic() {
        Rc4::new(&[]).apply(&mut [0; 4]);
        Rc4::new(&[0; 257]).apply(&mut [0; 4]);
    }
}
