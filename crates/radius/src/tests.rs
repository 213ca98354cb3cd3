//! Tests of the codec: layouts, strictness, and values for which any octets are tried.

mod accept;
mod checks;
mod requests;
mod round_trip;

use crate::{Builder, Code, Packet, SharedSecret, Signing};

const REQUEST_AUTHENTICATOR: [u8; 16] = [0x42; 16];

fn secret() -> SharedSecret {
    SharedSecret::new(b"a secret of 24 octets...").unwrap()
}

/// An authentic reply to a request with [`REQUEST_AUTHENTICATOR`].
fn reply(code: Code, fill: impl FnOnce(&mut Builder)) -> Vec<u8> {
    let mut builder = Builder::new(code, 7, [0; 16]);
    fill(&mut builder);
    builder.finish(Signing::Reply(REQUEST_AUTHENTICATOR), &secret()).unwrap()
}

/// Attributes as (vendor, number, value).
fn attributes(packet: &[u8]) -> Vec<(Option<u32>, u8, Vec<u8>)> {
    let packet = Packet::new_checked(packet).unwrap();
    packet.flattened().map(|a| (a.vendor, a.number, a.value.to_vec())).collect()
}
