//! The piece of the file that is being read.

/// Octets held at most: the longest record twice over, so that a damaged place can be looked past.
pub(crate) const CAPACITY: usize = 1 << 20;

/// A window on the file that moves forward only.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    octets: Vec<u8>,
    /// Octets at the front that were used.
    used: usize,
    /// Where in the file the unused octets begin; behind decompression.
    offset: u64,
}

impl Buffer {
    /// Octets that may be added.
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

    /// The octets that were added and not used yet.
    pub(crate) fn octets(&self) -> &[u8] {
        self.octets.get(self.used..).unwrap_or_default()
    }

    /// Goes forward by `len` octets, or to the end of what is there; returns by how many.
    pub(crate) fn skip(&mut self, len: usize) -> usize {
        let len = len.min(self.octets.len() - self.used);
        self.used += len;
        self.offset += len as u64;
        len
    }

    /// Where in the file [`Buffer::octets`] begins.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }
}
