//! `adit doctor HOST --bundle FILE`: all findings in one archive to send to support.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use adit_doctor::{Facts, Verdict, text};
use adit_probe::Report;

use crate::failure::Failure;
use crate::output::Output;

/// Size of a tar block in bytes (POSIX.1-1988, ustar).
const BLOCK: usize = 512;
const LEVEL: u8 = 6;

/// Writes the archive; prints its contents first.
pub(super) fn write(
    path: &Path,
    report: &Report,
    verdict: &Verdict,
    json: &str,
    proofs: bool,
    output: &Output,
) -> Result<(), Failure> {
    let mut capture = report.capture.clone();
    if !proofs {
        adit_probe::redact(&mut capture);
    }
    let words = format!("{verdict}\n{}", text::why(verdict));
    let files: [(&str, Vec<u8>); 4] = [
        ("verdict.txt", words.into_bytes()),
        ("verdict.json", json.as_bytes().to_vec()),
        ("host.txt", host(&report.facts).into_bytes()),
        ("capture.pcap", capture),
    ];
    for (name, octets) in &files {
        output.remark("bundle", &format!("{name}, {} octets", octets.len()));
    }
    let left_out = if proofs {
        "it holds what proves the password: keep it"
    } else {
        "passwords and proofs are left out"
    };
    output.remark("bundle", left_out);
    let seconds = u64::try_from(output.clock.now().as_second()).unwrap_or_default();
    let mut tar = Vec::new();
    for (name, octets) in &files {
        tar.extend_from_slice(&header(name, octets.len(), seconds));
        tar.extend_from_slice(octets);
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    tar.resize(tar.len() + 2 * BLOCK, 0);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| Failure::io("writing", path, &error))?;
    file.write_all(&gzip(&tar)).map_err(|error| Failure::io("writing", path, &error))?;
    output.remark("bundle", &format!("written to {}", path.display()));
    Ok(())
}

/// Information about this host.
fn host(facts: &Facts) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "{name:<10} {value}");
    };
    let system = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "unknown".to_owned());
    line("adit", env!("CARGO_PKG_VERSION").to_owned());
    line("system", format!("{} {} {}", std::env::consts::OS, system.trim(), std::env::consts::ARCH));
    line("server", or_none(facts.tcp.server.map(|server| server.to_string())));
    line("source", or_none(facts.name.source.map(|address| address.to_string())));
    line("gateway", facts.name.gateway.map_or("none".to_owned(), |address| address.to_string()));
    line("interface", or_none(facts.name.interface.clone()));
    for local in &facts.name.local {
        line("network", format!("{} on {}", local.net, local.interface));
    }
    for hop in &facts.gre.hops {
        let from = hop.from.map_or("no answer".to_owned(), |from| from.to_string());
        line("gre hop", format!("{} {from}", hop.ttl));
    }
    for (layer, reason) in &facts.left_out {
        line("not tested", format!("{}: {reason}", layer.word()));
    }
    out
}

/// The tar header of a file.
fn header(name: &str, size: usize, time: u64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &str| {
        block.iter_mut().skip(at).zip(text.bytes()).for_each(|(to, from)| *to = from);
    };
    put(0, name);
    put(100, "0000600");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{size:011o}"));
    put(136, &format!("{time:011o}"));
    // The checksum is computed with blanks in its own field.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = block.iter().map(|octet| u32::from(*octet)).sum();
    let sum = format!("{sum:06o}\0 ");
    block.iter_mut().skip(148).zip(sum.bytes()).for_each(|(to, from)| *to = from);
    block
}

/// Compresses data as gzip (RFC 1952).
fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    out.extend(miniz_oxide::deflate::compress_to_vec(octets, LEVEL));
    out.extend_from_slice(&crc32(octets).to_le_bytes());
    out.extend_from_slice(&(octets.len() as u32).to_le_bytes());
    out
}

fn crc32(octets: &[u8]) -> u32 {
    let step = |crc: u32, octet: &u8| {
        (0..8).fold(
            crc ^ u32::from(*octet),
            |crc, _| {
                if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
            },
        )
    };
    !octets.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_check_sequence_matches_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_header_has_its_sum() {
        let block = header("verdict.txt", 1234, 0);
        let own = std::str::from_utf8(&block[148..154]).unwrap();
        let mut blank = block;
        blank[148..156].fill(b' ');
        let sum: u32 = blank.iter().map(|octet| u32::from(*octet)).sum();
        assert_eq!(u32::from_str_radix(own, 8), Ok(sum));
        assert_eq!(&block[124..135], b"00000002322");
    }
}
