//! The sending side of MPPE.

use adit_crypto::mppe::{KeySchedule, SessionKey, StartKey, Strength};
use adit_crypto::rc4::Rc4;
use adit_wire::mppe::{COUNT_MODULUS, Header};

/// Encrypts the frames of one link, in the order in which they are sent.
#[derive(Debug)]
pub struct Encryptor {
    pub(super) keys: KeySchedule,
    pub(super) count: u16,
    mode: Mode,
}

#[derive(Debug)]
enum Mode {
    Stateless,
    Stateful {
        stream: Box<Rc4>,
        /// Whether the peer has requested a reset.
        flush: bool,
    },
}

impl Encryptor {
    /// Starts at count 0 with the keys derived from a start key.
    pub fn new(start: &StartKey, strength: Strength, stateless: bool) -> Encryptor {
        let keys = KeySchedule::new(start, strength);
        let mode = if stateless {
            Mode::Stateless
        } else {
            Mode::Stateful { stream: Box::new(keys.cipher()), flush: false }
        };
        Encryptor { keys, count: 0, mode }
    }

    /// Encrypts a protocol number and its packet in place and returns the header that precedes them.
    pub fn encrypt(&mut self, data: &mut [u8]) -> Header {
        let (header, key) = self.prepare(data);
        if let Some(key) = key {
            Rc4::new(key.octets()).apply(data);
        }
        header
    }

    /// As [`Encryptor::encrypt`], but if the packet has its own key the octets are left in clear and the key
    /// is returned: the caller applies RC4 from the beginning of the stream, to many packets in parallel.
    pub fn prepare(&mut self, data: &mut [u8]) -> (Header, Option<SessionKey>) {
        let count = self.count;
        self.count = (count + 1) % COUNT_MODULUS;
        let mut flushed = true;
        let mut key = None;
        match &mut self.mode {
            Mode::Stateless => {
                self.keys.advance();
                key = Some(self.keys.key());
            }
            Mode::Stateful { stream, flush } => {
                let flag_packet = count & 0xff == 0xff;
                flushed = flag_packet || *flush;
                if flag_packet {
                    self.keys.advance();
                }
                if flushed {
                    **stream = self.keys.cipher();
                    *flush = false;
                }
                stream.apply(data);
            }
        }
        (Header { flushed, encrypted: true, count, ..Header::default() }, key)
    }

    /// The key schedule of the next frames, if each frame has its own key.
    pub fn keys(&mut self) -> Option<&mut KeySchedule> {
        matches!(self.mode, Mode::Stateless).then_some(&mut self.keys)
    }

    /// Handles a CCP Reset-Request. In stateful mode the next frame reinitializes RC4 with the current key,
    /// as RFC 3078 section 7.3 requires. Linux changes the key at this point instead, so a stateful Linux
    /// receiver does not recover; this is why stateful mode is refused by default. In stateless mode it has
    /// no effect.
    pub fn handle_reset_request(&mut self) {
        if let Mode::Stateful { flush, .. } = &mut self.mode {
            *flush = true;
        }
    }
}
