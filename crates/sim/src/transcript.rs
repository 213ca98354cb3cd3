//! The transcript of events: always as a hash, and as lines on request.

use std::time::{Duration, Instant};

use crate::packet::{Body, Kind, Packet, Segment, Unreachable};

/// The most lines that are kept; a longer conversation is a loop.
const LINES_MAX: usize = 200_000;

/// The transcript of a world.
#[derive(Debug)]
pub struct Transcript {
    epoch: Instant,
    hash: u64,
    entries: u64,
    lines: Option<Vec<String>>,
}

impl Transcript {
    /// Creates an empty transcript that begins at `epoch`; keeps lines if `wanted`.
    pub fn new(epoch: Instant, wanted: bool) -> Transcript {
        Transcript { epoch, hash: 0xcbf2_9ce4_8422_2325, entries: 0, lines: wanted.then(Vec::new) }
    }

    /// The hash, equal for equal transcripts (FNV-1a).
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The number of entries.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// The lines, if they are kept.
    pub fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }

    /// Adds an action or message of `who`.
    pub fn note(&mut self, now: Instant, who: &str, text: &str) {
        self.octets(who.as_bytes());
        self.octets(text.as_bytes());
        self.line(now, || format!("{who}: {text}"));
    }

    /// Adds a packet seen at some point of its path.
    pub fn packet(&mut self, now: Instant, what: &str, packet: &Packet) {
        self.octets(what.as_bytes());
        self.octets(&packet.src.octets());
        self.octets(&packet.dst.octets());
        match &packet.body {
            Body::Gre(octets) => self.octets(octets),
            Body::Unreachable(Unreachable { code, quoted, .. }) => {
                self.octets(&[*code]);
                self.octets(quoted);
            }
            Body::Tcp(Segment { src_port, dst_port, kind }) => {
                self.octets(&src_port.to_be_bytes());
                self.octets(&dst_port.to_be_bytes());
                match kind {
                    Kind::Syn => self.octets(b"syn"),
                    Kind::SynAck => self.octets(b"syn-ack"),
                    Kind::Rst => self.octets(b"rst"),
                    Kind::Fin { offset } => self.octets(&offset.to_be_bytes()),
                    Kind::Data { octets, .. } => self.octets(octets),
                }
            }
        }
        self.line(now, || format!("{what:8} {packet}"));
    }

    fn line(&mut self, now: Instant, text: impl FnOnce() -> String) {
        let at = now.saturating_duration_since(self.epoch);
        self.octets(&at.as_nanos().to_be_bytes());
        self.entries += 1;
        if let Some(lines) = self.lines.as_mut().filter(|lines| lines.len() < LINES_MAX) {
            lines.push(format!("{} {}", clock(at), text()));
        }
    }

    fn octets(&mut self, octets: &[u8]) {
        for octet in octets {
            self.hash = (self.hash ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        // Ends the field, so that "ab" "c" is not "a" "bc".
        self.hash = (self.hash ^ 0xff).wrapping_mul(0x0000_0100_0000_01b3);
    }
}

fn clock(at: Duration) -> String {
    format!("{:>9.4}", at.as_secs_f64())
}
