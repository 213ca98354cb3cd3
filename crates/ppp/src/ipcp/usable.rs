//! The addresses that an end of a link can have.

use core::net::Ipv4Addr;

/// Whether a host can have this address: not in 0/8, 127/8 or 224/3.
pub(super) fn is_usable(address: Ipv4Addr) -> bool {
    !matches!(address.octets(), [0 | 127 | 224.., ..])
}
