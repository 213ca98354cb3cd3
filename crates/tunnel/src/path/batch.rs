//! Packets in two halves, so that the cipher work of many, of whatever call, can be done side by side.
//!
//! To the peer: [`Path::prepare`] for each packet, then the [`Cipher`] of each, then they are sent. From the peer:
//! [`Path::begin`] for each packet, then the ciphers, then [`Path::finish`] for each in the same order. A packet that is
//! not the plain next of its call is no candidate: first what was begun is finished, then it takes the ordinary way.

use std::ops::Range;
use std::time::Instant;

use adit_crypto::mppe::{KeySchedule, SessionKey};
use adit_crypto::rc4::{Job, Rc4};
use adit_ppp::mppe::Begun;
use adit_wire::{gre, ppp};

use super::{Encryption, Path, Sink};

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
    /// It leaves later, when the peer's window has room: through the sink of whatever makes that.
    Held,
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

/// What became of a packet from the peer.
#[derive(Debug)]
pub enum Begin {
    /// Apply the cipher, then call [`Path::finish`].
    Later(Pending),
    /// Here in the packet lies an IP packet for the host.
    Ip(Range<usize>),
    /// It is done with.
    Done,
    /// Nothing was done: finish what was begun, then give this packet to [`Path::handle_gre`].
    NotNow,
}

impl Path {
    /// The first half of [`Path::handle_gre`] for a packet that is the next of the call, as nearly all are.
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

    /// The second half, once the cipher was applied. Returns where in `packet` the IP packet lies that is to go to the
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
            // The key was wrong, or would have been for this frame's predecessors: as it came, one after the other.
            if epoch == self.epoch {
                self.epoch = self.epoch.wrapping_add(1);
            }
            cipher.apply(packet);
            self.decrypt_and_judge(now, seq, packet, information, sink)
        };
        self.send_due(now, sink);
        delivered
    }

    /// The keys of one direction, if some of them may be made ahead: those of the direction that has fewer.
    pub fn wanting_keys(&mut self) -> Option<&mut KeySchedule> {
        let Encryption { encryptor, decryptor, .. } = self.encryption.as_mut()?;
        let (sent, received) = (encryptor.keys()?, decryptor.keys()?);
        let fewer = if sent.ahead() <= received.ahead() { sent } else { received };
        fewer.has_space().then_some(fewer)
    }

    /// Decrypts the information field of a 00FD frame at `information` in `packet`. Returns where the IP packet in it
    /// lies, if it may go to the host.
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

    /// Where the IP packet at the beginning of `inner` lies in `packet`, if it may go to the host.
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
