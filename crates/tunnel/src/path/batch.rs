//! Processing of packets in two halves, so that the cipher work of many packets, of any calls, can run in
//! parallel.
//!
//! To the peer: [`Path::prepare`] for each packet, then the [`Cipher`] of each, then they are sent. From the
//! peer: [`Path::begin`] for each packet, then the ciphers, then [`Path::finish`] for each in the same order.
//! A packet that is not next in sequence cannot be processed this way: all begun packets are finished first,
//! then it takes the ordinary path. So does one that turns out to be noise, and those begun after it.

use std::ops::Range;
use std::time::Instant;

use adit_crypto::mppe::{KeySchedule, SessionKey};
use adit_crypto::rc4::{Job, Rc4};
use adit_ppp::mppe::Begun;
use adit_wire::{gre, ppp};

use super::{Encryption, Origin, Path, Sink};

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
    ack: Option<u32>,
    epoch: u32,
}

impl Cipher {
    pub(super) fn new(key: SessionKey, range: Range<usize>) -> Cipher {
        Cipher { key, range }
    }

    /// Applies the cipher to a single packet.
    pub fn apply(&self, buffer: &mut [u8]) {
        self.apply_to(buffer.get_mut(self.range.clone()).unwrap_or_default());
    }

    /// Applies the cipher to the beginning of its packet alone.
    pub(super) fn apply_to(&self, octets: &mut [u8]) {
        Rc4::new(self.key.octets()).apply(octets);
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

/// The result of [`Path::finish`] for a packet from the peer.
#[derive(Debug)]
pub enum Finished {
    /// The packet contains an IP packet for the host at this range.
    Ip(Range<usize>),
    /// The packet needs no further processing.
    Done,
    /// Nothing was done, and the packet is as it arrived: pass it to [`Path::handle_gre`], after what was finished before.
    Again,
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
        let delivered = match &mut self.encryption {
            Some(Encryption { decryptor, .. }) if is_encrypted && !decryptor.is_stateful() => {
                let frame = packet.get(information.clone()).unwrap_or_default();
                if !decryptor.is_next(frame) || !self.receiver.begin_next(seq) {
                    return Begin::NotNow;
                }
                let (key, begun) = decryptor.begin();
                let cipher = Cipher::new(key, information.start + adit_wire::mppe::HEADER..end);
                return Begin::Later(Pending { cipher, begun, seq, ack: header.ack, epoch: self.epoch });
            }
            Some(_) if is_encrypted => {
                let Some(inner) = self.open_next(now, (seq, header.ack), packet, information, sink) else {
                    return Begin::NotNow;
                };
                inner.and_then(|(protocol, inner)| self.judge(protocol, packet, inner, sink))
            }
            None if matches!(protocol, ppp::IP | ppp::IPV6)
                && !self.never_clear
                && self.receiver.receive_next(seq) =>
            {
                self.handle_ack(now, header.ack, sink);
                self.acks.received(now, seq);
                self.judge(protocol, packet, information, sink)
            }
            _ => return Begin::NotNow,
        };
        self.send_due(now, sink);
        delivered.map_or(Begin::Done, Begin::Ip)
    }

    /// Finishes a packet after the cipher was applied. Only now does the window move.
    pub fn finish(
        &mut self,
        now: Instant,
        pending: Pending,
        packet: &mut [u8],
        sink: &mut dyn Sink,
    ) -> Finished {
        let Pending { cipher, begun, seq, ack, epoch } = pending;
        let Some(opened) = packet.get(cipher.range.clone()) else { return Finished::Done };
        let is_current = epoch == self.epoch;
        let is_good = is_current
            && self
                .encryption
                .as_mut()
                .is_some_and(|encryption| encryption.decryptor.finish(seq, &begun, opened))
            && self.receiver.confirm(seq);
        if !is_good {
            // The key was wrong, or would have been for the frames before it: restore the original form.
            if is_current {
                self.epoch = self.epoch.wrapping_add(1);
                self.receiver.roll_back();
            }
            cipher.apply(packet);
            return Finished::Again;
        }
        let (protocol, at) = match ppp::frame(opened) {
            Ok((protocol, inner)) => (protocol, opened.len() - inner.len()),
            Err(_) => (0, 0),
        };
        self.note_proven(now, seq, ack, sink);
        let delivered = match protocol {
            ppp::IP | ppp::IPV6 => {
                self.judge(protocol, packet, cipher.range.start + at..cipher.range.end, sink)
            }
            _ => {
                self.handle_control(opened, Origin::Mppe, sink);
                None
            }
        };
        self.send_due(now, sink);
        delivered.map_or(Finished::Done, Finished::Ip)
    }

    /// The key schedule of the direction with fewer precomputed keys, if keys may be precomputed.
    pub fn wanting_keys(&mut self) -> Option<&mut KeySchedule> {
        let Encryption { encryptor, decryptor, .. } = self.encryption.as_mut()?;
        let (sent, received) = (encryptor.keys()?, decryptor.keys()?);
        let fewer = if sent.ahead() <= received.ahead() { sent } else { received };
        fewer.has_space().then_some(fewer)
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
