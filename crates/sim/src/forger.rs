//! An attacker who is not on the path: forges control frames in clear for the end of a call.
//!
//! Its frames are delivered to the machine, as if their GRE packets had passed the sequence window: whole packets are
//! forged by [`attacker`](crate::attacker).

use adit_crypto::Rng;
use adit_wire::{chap, cp, ppp};

/// A PPP frame that could end or degrade an encrypted link, or any other nearly valid control frame.
pub fn frame(rng: &mut Rng) -> Vec<u8> {
    let pick = |rng: &mut Rng, from: &[u16]| from.get(rng.below(from.len() as u64) as usize).copied();
    let protocol = pick(rng, &[ppp::LCP, ppp::LCP, ppp::CCP, ppp::IPCP, ppp::IPV6CP, ppp::CHAP]);
    let protocol = protocol.unwrap_or(ppp::LCP);
    let code = match rng.below(8) {
        0 => cp::CONFIGURE_REQUEST,
        1 => cp::TERMINATE_ACK,
        2 => cp::CODE_REJECT,
        3 if protocol == ppp::LCP => cp::PROTOCOL_REJECT,
        4 => rng.below(16) as u8,
        _ => cp::TERMINATE_REQUEST,
    };
    let code = match (protocol, rng.below(3)) {
        (ppp::CHAP, 0) => chap::CHALLENGE,
        (ppp::CHAP, 1) => chap::SUCCESS,
        (ppp::CHAP, _) => chap::FAILURE,
        _ => code,
    };
    let data = match (protocol, code) {
        (ppp::CHAP, chap::CHALLENGE) => [&[16][..], &rng.challenge()].concat(),
        (ppp::CHAP, chap::SUCCESS) => b"S=00112233445566778899AABBCCDDEEFF00112233".to_vec(),
        (ppp::CHAP, _) => b"E=691 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=no".to_vec(),
        (_, cp::CODE_REJECT) => vec![1 + rng.below(7) as u8, 1, 0, 4],
        (_, cp::PROTOCOL_REJECT) => {
            let rejected =
                pick(rng, &[ppp::LCP, ppp::CHAP, ppp::CCP, ppp::IPCP, ppp::IPV6CP, ppp::COMPRESSED]);
            let mut data = rejected.unwrap_or(ppp::CCP).to_be_bytes().to_vec();
            data.extend_from_slice(&rng.u32().to_be_bytes());
            data
        }
        (ppp::CCP, cp::CONFIGURE_REQUEST) => {
            let bits = [0u32, 0x0100_0040, 0x0100_0060, 0x40, 1];
            let bits = bits.get(rng.below(5) as usize).copied().unwrap_or(0);
            [&[18, 6][..], &bits.to_be_bytes()].concat()
        }
        (ppp::IPCP, cp::CONFIGURE_REQUEST) => [&[3, 6][..], &rng.u32().to_be_bytes()].concat(),
        (ppp::LCP, cp::CONFIGURE_REQUEST) => [&[5, 6][..], &rng.nonzero_u32().to_be_bytes()].concat(),
        _ => {
            let mut data = vec![0; rng.below(12) as usize];
            rng.fill(&mut data);
            data
        }
    };
    cp::frame(protocol, code, rng.u32() as u8, &data)
}
