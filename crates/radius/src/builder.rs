//! Writes packets.

use core::net::Ipv4Addr;

use crate::attribute::MAX_VALUE;
use crate::digest::{hmac_md5, md5};
use crate::error::{Error, Result};
use crate::number::{standard, vendor_lookup};
use crate::packet::{Code, HEADER_LEN, MAX_LEN};
use crate::secret::SharedSecret;

/// A packet that is being written. The first value that does not fit makes [`finish`](Builder::finish) fail.
#[derive(Debug)]
pub struct Builder {
    octets: Vec<u8>,
    /// Where the value of the Message-Authenticator is.
    signature: Option<usize>,
    error: Option<Error>,
}

/// Which authenticators a packet gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// Access-Request and Status-Server: the authenticator is random and stays.
    Random,
    /// Accounting-Request, CoA-Request and Disconnect-Request: the authenticator is computed.
    Computed,
    /// A reply to the request with this authenticator.
    Reply([u8; 16]),
}

impl Builder {
    /// Begins a packet. `authenticator` counts only with [`Signing::Random`].
    pub fn new(code: Code, id: u8, authenticator: [u8; 16]) -> Builder {
        let mut octets = vec![code.number(), id, 0, 0];
        octets.extend_from_slice(&authenticator);
        Builder { octets, signature: None, error: None }
    }

    fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    /// Appends an attribute.
    pub fn octets(&mut self, number: u8, value: &[u8]) -> &mut Builder {
        let length = u8::try_from(value.len() + 2).ok().filter(|_| value.len() <= MAX_VALUE);
        match length {
            Some(length) => {
                self.octets.extend_from_slice(&[number, length]);
                self.octets.extend_from_slice(value);
            }
            None => {
                let (name, _) = standard::lookup(number);
                self.fail(Error::new(name, 0, "at most 253 octets", value.len() as u64));
            }
        }
        self
    }

    /// Appends a number of 32 bits.
    pub fn number(&mut self, number: u8, value: u32) -> &mut Builder {
        self.octets(number, &value.to_be_bytes())
    }

    /// Appends an IPv4 address.
    pub fn ipv4(&mut self, number: u8, value: Ipv4Addr) -> &mut Builder {
        self.octets(number, &value.octets())
    }

    /// Appends a text; nothing if it is empty, which RFC 2865 section 5 asks for.
    pub fn text(&mut self, number: u8, value: &str) -> &mut Builder {
        if value.is_empty() { self } else { self.octets(number, value.as_bytes()) }
    }

    /// Appends a Vendor-Specific attribute with one part.
    pub fn vendor(&mut self, vendor: u32, number: u8, value: &[u8]) -> &mut Builder {
        match u8::try_from(value.len() + 2).ok().filter(|_| value.len() + 6 <= MAX_VALUE) {
            Some(length) => {
                let whole = [&vendor.to_be_bytes(), [number, length].as_slice(), value].concat();
                self.octets(standard::VENDOR_SPECIFIC, &whole)
            }
            None => {
                let name = vendor_lookup(vendor, number).map_or("Vendor-Specific", |(name, _)| name);
                self.fail(Error::new(name, 0, "at most 247 octets", value.len() as u64));
                self
            }
        }
    }

    /// Appends a Message-Authenticator, whose value [`finish`](Builder::finish) computes. Only the first call counts.
    pub fn message_authenticator(&mut self) -> &mut Builder {
        if self.signature.is_none() {
            self.signature = Some(self.octets.len() + 2);
            self.octets(standard::MESSAGE_AUTHENTICATOR, &[0; 16]);
        }
        self
    }

    /// Computes lengths and authenticators, and returns the packet.
    ///
    /// # Errors
    /// The first value that was too long, or the length of the packet.
    pub fn finish(self, signing: Signing, secret: &SharedSecret) -> Result<Vec<u8>> {
        let Builder { mut octets, signature, error } = self;
        if let Some(error) = error {
            return Err(error);
        }
        let length = octets.len();
        let too_long = Error::new("Length", 2, "at most 4096", length as u64);
        let field = u16::try_from(length).ok().filter(|_| length <= MAX_LEN).ok_or(too_long)?;
        put(&mut octets, 2, &field.to_be_bytes());
        match signing {
            Signing::Random => {}
            Signing::Computed => put(&mut octets, 4, &[0; 16]),
            Signing::Reply(request_authenticator) => put(&mut octets, 4, &request_authenticator),
        }
        if let Some(at) = signature {
            let value = hmac_md5(secret.octets(), &[&octets]);
            put(&mut octets, at, &value);
        }
        if signing != Signing::Random {
            let authenticator = md5(&[&octets, secret.octets()]);
            put(&mut octets, HEADER_LEN - 16, &authenticator);
        }
        Ok(octets)
    }
}

/// Overwrites octets that exist.
fn put(octets: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = octets.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}
