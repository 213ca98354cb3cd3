//! Reads lines of limited length from a connection, and wipes them: a request may contain a password.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use zeroize::{Zeroize as _, Zeroizing};

/// The maximum length of a request line in bytes.
pub(super) const MAX_REQUEST: usize = 64 << 10;

/// Reads lines into one buffer of fixed size.
pub(super) struct Lines<R> {
    from: R,
    buffer: Zeroizing<Box<[u8]>>,
    /// The number of bytes in the buffer.
    filled: usize,
    /// The number of bytes of the line that was returned last.
    used: usize,
}

/// The result of a read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// A line without its terminator, which the last line may lack.
    Text(&'a [u8]),
    /// The line is longer than [`MAX_REQUEST`]; the position of the next one is unknown.
    TooLong,
    /// The peer has closed the connection.
    End,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(from: R) -> Lines<R> {
        let buffer = Zeroizing::new(vec![0; MAX_REQUEST].into_boxed_slice());
        Lines { from, buffer, filled: 0, used: 0 }
    }

    /// Reads the next line. Cancel safe.
    pub(super) async fn next(&mut self) -> io::Result<Line<'_>> {
        self.forget_last();
        let mut searched = 0;
        loop {
            let filled = self.buffer.get(..self.filled).unwrap_or_default();
            let end = filled.iter().skip(searched).position(|octet| *octet == b'\n');
            if let Some(end) = end.map(|end| end + searched) {
                self.used = end + 1;
                return Ok(Line::Text(self.buffer.get(..end).unwrap_or_default()));
            }
            searched = self.filled;
            let Some(free) = self.buffer.get_mut(self.filled..).filter(|free| !free.is_empty()) else {
                return Ok(Line::TooLong);
            };
            match self.from.read(free).await? {
                0 if self.filled == 0 => return Ok(Line::End),
                0 => {
                    self.used = self.filled;
                    return Ok(Line::Text(self.buffer.get(..self.filled).unwrap_or_default()));
                }
                read => self.filled += read,
            }
        }
    }

    /// Wipes the line that was returned last, and moves the rest to the front.
    fn forget_last(&mut self) {
        if self.used == 0 {
            return;
        }
        self.buffer.copy_within(self.used..self.filled, 0);
        let left = self.filled - self.used;
        if let Some(stale) = self.buffer.get_mut(left..self.filled) {
            stale.zeroize();
        }
        (self.filled, self.used) = (left, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_one_by_one_and_the_rest() {
        let mut lines = Lines::new(&b"one\n\ntwo\nrest"[..]);
        for expected in [&b"one"[..], b"", b"two", b"rest"] {
            assert_eq!(lines.next().await.unwrap(), Line::Text(expected));
        }
        assert_eq!(lines.next().await.unwrap(), Line::End);
    }

    #[tokio::test]
    async fn what_was_read_does_not_stay() {
        let mut lines = Lines::new(&b"secret\nx\n"[..]);
        lines.next().await.unwrap();
        lines.next().await.unwrap();
        assert!(!lines.buffer.windows(3).any(|octets| octets == b"ret"));
    }

    #[tokio::test]
    async fn a_line_may_be_so_long_and_no_longer() {
        let mut longest = vec![b'x'; MAX_REQUEST - 1];
        longest.push(b'\n');
        let mut lines = Lines::new(&longest[..]);
        assert_eq!(lines.next().await.unwrap(), Line::Text(&longest[..MAX_REQUEST - 1]));
        let long = vec![b'x'; MAX_REQUEST + 1];
        assert_eq!(Lines::new(&long[..]).next().await.unwrap(), Line::TooLong);
    }
}
