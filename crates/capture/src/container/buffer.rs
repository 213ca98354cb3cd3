//! The buffer for the part of the file that is being read.

/// The most octets that are held: twice the longest record, so that a damaged place can be skipped.
pub(crate) const CAPACITY: usize = 1 << 20;

/// A sliding window over the file.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    octets: Vec<u8>,
    /// The octets at the front that were consumed.
    used: usize,
    /// The offset of the unconsumed octets in the file, after decompression.
    offset: u64,
}

impl Buffer {
    /// The number of octets that may be added.
    pub(crate) fn space(&self) -> usize {
        CAPACITY - (self.octets.len() - self.used)
    }

    /// Adds octets, at most as many as there is space for.
    pub(crate) fn push(&mut self, octets: &[u8]) -> usize {
        let taken = octets.len().min(self.space());
        if self.octets.len() + taken > CAPACITY || self.used == self.octets.len() {
            self.octets.drain(..self.used);
            self.used = 0;
        }
        self.octets.extend_from_slice(octets.get(..taken).unwrap_or_default());
        taken
    }

    /// The octets that were added and not consumed yet.
    pub(crate) fn octets(&self) -> &[u8] {
        self.octets.get(self.used..).unwrap_or_default()
    }

    /// Skips `len` octets, or all that are there; returns how many.
    pub(crate) fn skip(&mut self, len: usize) -> usize {
        let len = len.min(self.octets.len() - self.used);
        self.used += len;
        self.offset += len as u64;
        len
    }

    /// The offset of [`Buffer::octets`] in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }
}
