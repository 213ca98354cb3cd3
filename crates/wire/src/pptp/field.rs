//! The fields of a message: fixed-size texts, and sequential reading and writing.

use core::fmt;

use crate::text::escape;

/// A name or number of fixed size, zero padded; it may fill its field without a NUL at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<const N: usize>([u8; N]);

impl<const N: usize> Text<N> {
    /// Creates a field that begins with `octets`, truncated to its size.
    pub fn new(octets: &[u8]) -> Text<N> {
        let mut field = [0; N];
        for (to, from) in field.iter_mut().zip(octets) {
            *to = *from;
        }
        Text(field)
    }

    /// The octets up to the first NUL.
    pub fn name(&self) -> &[u8] {
        self.0.split(|octet| *octet == 0).next().unwrap_or_default()
    }

    /// The whole field.
    pub fn octets(&self) -> &[u8; N] {
        &self.0
    }

    /// Whether the field is all zero.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|octet| *octet == 0)
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Text<N> {
        Text([0; N])
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", escape(self.name()))
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A reader for consecutive fields. Beyond the end it returns zeros; the size of a message is checked before
/// its fields are read.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Fields<'a> {
        Fields(octets)
    }

    pub(super) fn octets<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk() {
            Some((field, rest)) => {
                self.0 = rest;
                *field
            }
            None => {
                self.0 = &[];
                [0; N]
            }
        }
    }

    pub(super) fn u8(&mut self) -> u8 {
        u8::from_be_bytes(self.octets())
    }

    pub(super) fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.octets())
    }

    pub(super) fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.octets())
    }

    pub(super) fn text<const N: usize>(&mut self) -> Text<N> {
        Text(self.octets())
    }

    pub(super) fn reserved<const N: usize>(&mut self) {
        let _: [u8; N] = self.octets();
    }
}

/// Writing of consecutive fields.
pub(super) trait Put {
    fn u8(&mut self, value: u8);
    fn u16(&mut self, value: u16);
    fn u32(&mut self, value: u32);
    fn text<const N: usize>(&mut self, value: &Text<N>);
    fn reserved<const N: usize>(&mut self);
}

impl Put for Vec<u8> {
    fn u8(&mut self, value: u8) {
        self.push(value);
    }

    fn u16(&mut self, value: u16) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn text<const N: usize>(&mut self, value: &Text<N>) {
        self.extend_from_slice(value.octets());
    }

    fn reserved<const N: usize>(&mut self) {
        self.extend_from_slice(&[0; N]);
    }
}
