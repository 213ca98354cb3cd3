//! Processing of packets in two halves, so that the cipher work of many packets, of any calls, can run in
//! parallel.
//!
//! To the peer: [`Path::prepare`] for each packet, then the [`Cipher`] of each, then they are sent. From the
//! peer: [`Path::begin`] for each packet, then the ciphers, then [`Path::finish`] for each in the same order.
//! A packet that is not next in sequence cannot be processed this way: all begun packets are finished first,
//! then it takes the ordinary path.

use std::ops::Range;
use std::time::Instant;

use adit_crypto::mppe::{KeySchedule, SessionKey};
use adit_crypto::rc4::{Job, Rc4};
use adit_ppp::mppe::Begun;
use adit_wire::{gre, ppp};

use super::{Encryption, Path, Sink};

/// The cipher work for one packet: RC4 with a key, from the beginning of its stream.
#[derive(Clone, Debug)]
pub struct Cipher {
    key: SessionKey,
    range: Range<usize>,
}

/// The result of [`Path::prepare`] for an IP packet.
#[derive(Debug)]
pub enum Prepared {
    /// A GRE packet at `range` of the buffer, ready once the cipher is applied to the buffer.
    Packet {
        /// The range, starting with the GRE header.
        range: Range<usize>,
        /// The cipher; `None` if the packet is ready.
        cipher: Option<Cipher>,
    },
    /// Nothing was done: the packet is too large for the tunnel, and must go through [`Path::handle_ip`].
    TooBig,
    /// The packet is held until the peer's window has space; it leaves through the sink of the call that
    /// frees the space.
    Held,
    /// The packet was dropped and counted.
    Dropped,
}

/// A packet from the peer that was begun and not finished.
#[derive(Debug)]
pub struct Pending {
    /// The cipher to apply to the packet before it is finished.
    pub cipher: Cipher,
    begun: Begun,
    seq: u32,
    /// The information field of the PPP frame, in the packet.
    information: Range<usize>,
    epoch: u32,
}

impl Cipher {
    pub(super) fn new(key: SessionKey, range: Range<usize>) -> Cipher {
        Cipher { key, range }
    }

    /// Applies the cipher to a single packet.
    pub fn apply(&self, buffer: &mut [u8]) {
        Rc4::new(self.key.octets()).apply(buffer.get_mut(self.range.clone()).unwrap_or_default());
    }

    /// The cipher as a job of a batch; `buffer` is the buffer passed to the first half.
    pub fn job<'a>(&'a self, buffer: &'a mut [u8]) -> Job<'a> {
        Job { key: self.key.octets(), data: buffer.get_mut(self.range.clone()).unwrap_or_default() }
    }
}

/// The result of [`Path::begin`] for a packet from the peer.
#[derive(Debug)]
pub enum Begin {
    /// Apply the cipher, then call [`Path::finish`].
    Later(Pending),
    /// The packet contains an IP packet for the host at this range.
    Ip(Range<usize>),
    /// The packet needs no further processing.
    Done,
    /// Nothing was done: finish what was begun, then pass this packet to [`Path::handle_gre`].
    NotNow,
}

impl Path {
    /// Begins to process a packet that is the next in sequence, as nearly all are: the first half of
    /// [`Path::handle_gre`].
    pub fn begin(&mut self, now: Instant, packet: &mut [u8], sink: &mut dyn Sink) -> Begin {
        let header = match gre::Repr::parse(packet) {
            Ok(header) if self.is_ours(&header) => header,
            _ => return Begin::NotNow,
        };
        let Some(seq) = header.seq else {
            self.handle_ack(now, header.ack, sink);
            return Begin::Done;
        };
        let Range { end, .. } = header.payload_range();
        let Some((protocol, information)) =
            packet.get(header.payload_range()).and_then(|frame| ppp::frame(frame).ok())
        else {
            return Begin::NotNow;
        };
        let information = end - information.len()..end;
        let is_encrypted = protocol == ppp::COMPRESSED;
        let later = match &mut self.encryption {
            Some(encryption) if is_encrypted && !encryption.decryptor.is_stateful() => {
                let frame = packet.get(information.clone()).unwrap_or_default();
                if !encryption.decryptor.is_next(seq, frame) || !self.receiver.receive_next(seq) {
                    return Begin::NotNow;
                }
                Some(encryption.decryptor.begin())
            }
            Some(_) if is_encrypted && self.receiver.receive_next(seq) => None,
            None if matches!(protocol, ppp::IP | ppp::IPV6)
                && !self.never_clear
                && self.receiver.receive_next(seq) =>
            {
                None
            }
            _ => return Begin::NotNow,
        };
        self.handle_ack(now, header.ack, sink);
        self.acks.received(now, seq);
        if let Some((key, begun)) = later {
            let cipher = Cipher::new(key, information.start + adit_wire::mppe::HEADER..end);
            return Begin::Later(Pending { cipher, begun, seq, information, epoch: self.epoch });
        }
        let delivered = if is_encrypted {
            self.decrypt_and_judge(now, seq, packet, information, sink)
        } else {
            self.judge(protocol, packet, information, sink)
        };
        self.send_due(now, sink);
        delivered.map_or(Begin::Done, Begin::Ip)
    }

    /// Finishes a packet after the cipher was applied. Returns the range in `packet` of the IP packet for the
    /// host; all other results go to the sink.
    pub fn finish(
        &mut self,
        now: Instant,
        pending: Pending,
        packet: &mut [u8],
        sink: &mut dyn Sink,
    ) -> Option<Range<usize>> {
        let Pending { cipher, begun, seq, information, epoch } = pending;
        let opened = packet.get_mut(cipher.range.clone())?;
        let good = epoch == self.epoch
            && self
                .encryption
                .as_mut()
                .is_some_and(|encryption| encryption.decryptor.finish(seq, &begun, opened));
        let delivered = if good {
            let (protocol, at) = match ppp::frame(opened) {
                Ok((protocol, inner)) => (protocol, opened.len() - inner.len()),
                Err(_) => (0, 0),
            };
            self.judge(protocol, packet, cipher.range.start + at..cipher.range.end, sink)
        } else {
            // The key was wrong, or would have been for the frames before it: process them in the original
            // form, one by one.
            if epoch == self.epoch {
                self.epoch = self.epoch.wrapping_add(1);
            }
            cipher.apply(packet);
            self.decrypt_and_judge(now, seq, packet, information, sink)
        };
        self.send_due(now, sink);
        delivered
    }

    /// The key schedule of the direction with fewer precomputed keys, if keys may be precomputed.
    pub fn wanting_keys(&mut self) -> Option<&mut KeySchedule> {
        let Encryption { encryptor, decryptor, .. } = self.encryption.as_mut()?;
        let (sent, received) = (encryptor.keys()?, decryptor.keys()?);
        let fewer = if sent.ahead() <= received.ahead() { sent } else { received };
        fewer.has_space().then_some(fewer)
    }

    /// Decrypts the information field of a 00FD frame at `information` in `packet`. Returns the range of the
    /// IP packet in it, if it may pass to the host.
    fn decrypt_and_judge(
        &mut self,
        now: Instant,
        seq: u32,
        packet: &mut [u8],
        information: Range<usize>,
        sink: &mut dyn Sink,
    ) -> Option<Range<usize>> {
        let (protocol, at) = self.decrypt(now, seq, packet.get_mut(information.clone())?, sink)?;
        self.judge(protocol, packet, information.start + at..information.end, sink)
    }

    /// The range in `packet` of the IP packet at the beginning of `inner`, if it may pass to the host.
    fn judge(
        &mut self,
        protocol: u16,
        packet: &mut [u8],
        inner: Range<usize>,
        sink: &mut dyn Sink,
    ) -> Option<Range<usize>> {
        let start = inner.start;
        let len = self.handle_inner(protocol, packet.get_mut(inner).unwrap_or_default(), sink)?;
        Some(start..start + len)
    }
}
