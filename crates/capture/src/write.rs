//! A writer for pcap files, for support bundles and tests.

use std::time::Duration;

/// Ethernet.
pub const ETHERNET: u16 = 1;
/// IPv4 and IPv6 packets without a link header.
pub const RAW: u16 = 101;

/// The header of a pcap file with times in nanoseconds.
pub fn header(link: u16) -> [u8; 24] {
    let mut header = [0; 24];
    header[..4].copy_from_slice(&0xa1b2_3c4d_u32.to_le_bytes());
    header[4..6].copy_from_slice(&2u16.to_le_bytes());
    header[6..8].copy_from_slice(&4u16.to_le_bytes());
    header[16..20].copy_from_slice(&(crate::RECORD_MAX as u32).to_le_bytes());
    header[20..22].copy_from_slice(&link.to_le_bytes());
    header
}

/// Appends a frame that had `total` octets on the wire, at a time since 1970.
pub fn frame(out: &mut Vec<u8>, time: Duration, octets: &[u8], total: usize) {
    let octets = octets.get(..crate::RECORD_MAX).unwrap_or(octets);
    let fields = [time.as_secs() as u32, time.subsec_nanos(), octets.len() as u32, total as u32];
    for field in fields {
        out.extend_from_slice(&field.to_le_bytes());
    }
    out.extend_from_slice(octets);
}
