//! Packets in two halves, so that the cipher work of many, of whatever call, can be done side by side.
//!
//! To the peer: [`Path::prepare`] for each packet, then the [`Cipher`] of each, then they are sent. From the peer:
//! [`Path::begin`] for each packet, then the ciphers, then [`Path::finish`] for each in the same order. A packet that is
//! not the plain next of its call is no candidate: first what was begun is finished, then it takes the ordinary way.

use std::ops::Range;
use std::time::Instant;

use adit_crypto::mppe::SessionKey;
use adit_crypto::rc4::{Job, Rc4};
use adit_ppp::mppe::Begun;
use adit_wire::{gre, ppp};

use super::{Path, Sink};

/// Cipher work on one packet: RC4 from the beginning of the stream of a key.
#[derive(Clone, Debug)]
pub struct Cipher {
    key: SessionKey,
    range: Range<usize>,
}

/// What became of an IP packet for the peer.
#[derive(Debug)]
pub enum Prepared {
    /// A GRE packet at `range` of the buffer, once the cipher has been applied to the buffer.
    Packet {
        /// From the GRE header on.
        range: Range<usize>,
        /// `None`: it is ready.
        cipher: Option<Cipher>,
    },
    /// Nothing was done: it is larger than the tunnel takes, and [`Path::handle_ip`] knows what to do.
    TooBig,
    /// It was dropped, and counted.
    Dropped,
}

/// A packet from the peer that was begun.
#[derive(Debug)]
pub struct Pending {
    /// To be applied to the packet before it is finished.
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

    /// Does the work alone.
    pub fn apply(&self, buffer: &mut [u8]) {
        Rc4::new(self.key.octets()).apply(buffer.get_mut(self.range.clone()).unwrap_or_default());
    }

    /// The work as one of many; `buffer` is what was given to the first half.
    pub fn job<'a>(&'a self, buffer: &'a mut [u8]) -> Job<'a> {
        Job { key: self.key.octets(), data: buffer.get_mut(self.range.clone()).unwrap_or_default() }
    }
}

impl Path {
    /// The first half of [`Path::handle_gre`] for an encrypted packet that is the next of the call. `None` changes
    /// nothing: finish what was begun, then give this packet to [`Path::handle_gre`].
    pub fn begin(&mut self, now: Instant, packet: &[u8]) -> Option<Pending> {
        let header = gre::Repr::parse(packet).ok().filter(|it| it.call_id == self.config.local_call_id)?;
        let seq = header.seq?;
        let frame = packet.get(header.payload_range())?;
        let (ppp::COMPRESSED, information) = ppp::frame(frame).ok()? else { return None };
        let end = header.payload_range().end;
        let information = end - information.len()..end;
        let decryptor = &mut self.encryption.as_mut()?.decryptor;
        if !decryptor.is_next(seq, packet.get(information.clone())?) || !self.receiver.receive_next(seq) {
            return None;
        }
        let begun = decryptor.begin();
        if let Some(ack) = header.ack {
            self.acknowledged |= self.sender.handle_ack(ack) > 0;
        }
        self.acks.received(now, seq);
        let range = information.start + adit_wire::mppe::HEADER..end;
        let cipher = Cipher::new(begun.key().clone(), range);
        Some(Pending { cipher, begun, seq, information, epoch: self.epoch })
    }

    /// The second half, once the cipher was applied. Returns where in `packet` the IP packet lies that is to go to the
    /// host; whatever else comes of it goes to the sink.
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
            let (protocol, start) = match ppp::frame(opened) {
                Ok((protocol, inner)) => (protocol, opened.len() - inner.len()),
                Err(_) => (0, 0),
            };
            let len = self.handle_inner(protocol, opened.get_mut(start..).unwrap_or_default(), sink);
            len.map(|len| cipher.range.start + start..cipher.range.start + start + len)
        } else {
            // The key was wrong, or would have been for this frame's predecessors: as it came, one after the other.
            if epoch == self.epoch {
                self.epoch = self.epoch.wrapping_add(1);
            }
            cipher.apply(packet);
            self.handle_encrypted(now, seq, packet.get_mut(information).unwrap_or_default(), sink);
            None
        };
        self.send_due(now, sink);
        delivered
    }
}
