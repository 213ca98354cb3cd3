//! A receiver of MPPE among frames that are lost, late, damaged, forged.

use std::time::{Duration, Instant};

use adit_crypto::mppe::{Strength, start_keys_v2};
use adit_crypto::secret::Password;
use adit_diag::Side;
use adit_ppp::mppe::{Decryptor, Encryptor};

use crate::input::Input;

/// Key changes that may be spent in one run: a forged count must not buy unbounded work.
const BUDGET: u32 = 20_000;

/// The first octet chooses strength and mode, each further one what happens to the next frame.
pub(crate) fn mppe_decrypt(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.u8();
    let strength = [Strength::Bits40, Strength::Bits56, Strength::Bits128][usize::from(choice % 3)];
    let is_stateless = choice & 0x80 == 0;
    let keys = start_keys_v2(&Password::new("clientPass").nt_hash(), &[7; 24], Side::Server);
    let mut encryptor = Encryptor::new(&keys.send, strength, is_stateless);
    let mut decryptor = Decryptor::new(&keys.send, strength, is_stateless);
    let mut now = Instant::now();
    let mut sequence = 0_u32;
    let mut spent = 0_u32;
    let mut asked_for_reset = false;
    while !input.is_empty() {
        let step = input.u8();
        now += Duration::from_millis(u64::from(step));
        let plain = [0x21, 0x45, 0, 0, 21, 0, 0, 0, 0, 64, 17, 0x66, 0xd6, 10, 0, 0, 1, 10, 0, 0, 2, step];
        let mut body = plain.to_vec();
        let header = encryptor.encrypt(&mut body);
        let mut frame = header.emit().to_vec();
        frame.extend_from_slice(&body);
        sequence = sequence.wrapping_add(1);
        let mut is_whole = true;
        match step & 7 {
            0 => continue,
            1 => {
                is_whole = false;
                let at = usize::from(input.u8()) % frame.len();
                frame[at] ^= input.u8();
            }
            2 => {
                is_whole = false;
                frame = input.chunk().to_vec();
            }
            3 if asked_for_reset => {
                asked_for_reset = false;
                encryptor.handle_reset_request();
                continue;
            }
            4 => {
                // A gap of some frames, or of nearly all counts.
                let gap = input.u8();
                for _ in 0..if gap == u8::MAX { 4094 } else { u32::from(gap) } {
                    encryptor.encrypt(&mut plain.to_vec());
                    sequence = sequence.wrapping_add(1);
                }
                continue;
            }
            _ => {}
        }
        let mut may_spend = |changes: u32| {
            spent = spent.saturating_add(changes);
            spent <= BUDGET
        };
        if let Ok(packet) = decryptor.decrypt(now, sequence, &mut frame, &mut may_spend)
            && is_whole
        {
            assert_eq!(packet, plain, "a whole frame decrypted to something else");
        }
        asked_for_reset |= decryptor.poll_reset_request(now);
        let _ = (decryptor.awaits_reset(), decryptor.poll_timeout());
    }
}
