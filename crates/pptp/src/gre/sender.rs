//! Numbering of sent packets.

use adit_wire::PeerCallId;

use adit_wire::gre::Repr;

use super::ahead;

/// The sending side of one call.
#[derive(Clone, Debug)]
pub struct Sender {
    peer_call_id: PeerCallId,
    next: u32,
    /// An acknowledgment is untrusted input: only numbers in `acked..next` can be acknowledged.
    acked: u32,
}

impl Sender {
    /// Creates a sender whose packets contain the peer's Call ID and begin with sequence number `first` (RFC
    /// 2637: 0).
    pub fn new(peer_call_id: PeerCallId, first: u32) -> Sender {
        Sender { peer_call_id, next: first, acked: first.wrapping_sub(1) }
    }

    /// The header of the next packet with a payload of `payload_len` octets (at least 1); consumes a number.
    pub fn data(&mut self, payload_len: u16, ack: Option<u32>) -> Repr {
        let seq = self.next;
        self.next = seq.wrapping_add(1);
        Repr { call_id: self.peer_call_id.get(), seq: Some(seq), ack, payload_len }
    }

    /// The header of a packet that only acknowledges; consumes no number.
    pub fn acknowledgment(&self, ack: u32) -> Repr {
        Repr { call_id: self.peer_call_id.get(), seq: None, ack: Some(ack), payload_len: 0 }
    }

    /// Handles an Acknowledgment Number from the peer and returns how many packets it newly acknowledges: 0
    /// if it is older than the newest one, or for a packet that was never sent.
    pub fn handle_ack(&mut self, ack: u32) -> u32 {
        let newly = ahead(ack, self.acked);
        if newly <= 0 || ahead(ack, self.next) >= 0 {
            return 0;
        }
        self.acked = ack;
        newly.unsigned_abs()
    }

    /// The number of unacknowledged packets. Many peers never acknowledge, so this does not limit sending.
    pub fn outstanding(&self) -> u32 {
        self.next.wrapping_sub(1).wrapping_sub(self.acked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c064_c072_numbers_begin_at_zero_and_rise_by_one() {
        let mut sender = Sender::new(PeerCallId::new(0xe40a), 0);
        for seq in 0..5 {
            let repr = sender.data(9, None);
            assert_eq!(repr, Repr { call_id: 0xe40a, seq: Some(seq), ack: None, payload_len: 9 });
        }
    }

    #[test]
    fn c073_an_acknowledgment_consumes_no_number() {
        let mut sender = Sender::new(PeerCallId::new(1), 0);
        assert_eq!(sender.data(1, None).seq, Some(0));
        assert_eq!(sender.acknowledgment(77), Repr { call_id: 1, seq: None, ack: Some(77), payload_len: 0 });
        assert_eq!(sender.data(1, None).seq, Some(1));
    }

    #[test]
    fn c074_sending_and_acks_wrap() {
        let mut sender = Sender::new(PeerCallId::new(1), u32::MAX - 1);
        let numbers: Vec<_> = (0..4).map(|_| sender.data(1, None).seq.unwrap()).collect();
        assert_eq!(numbers, [u32::MAX - 1, u32::MAX, 0, 1]);
        assert_eq!(sender.handle_ack(u32::MAX), 2);
        assert_eq!(sender.handle_ack(0), 1);
        assert_eq!(sender.outstanding(), 1);
    }

    #[test]
    fn c081_a_peer_that_never_acks_holds_nothing_back() {
        let mut sender = Sender::new(PeerCallId::new(1), 0);
        for seq in 0..100_000 {
            assert_eq!(sender.data(1, None).seq, Some(seq));
        }
        assert_eq!(sender.outstanding(), 100_000);
    }

    #[test]
    fn c084_acks_beyond_what_was_sent_and_old_ones_are_ignored() {
        let mut sender = Sender::new(PeerCallId::new(1), 0);
        assert_eq!(sender.handle_ack(0), 0, "nothing was sent yet");
        assert_eq!(
            sender.handle_ack(u32::MAX),
            0,
            "the filler some peers send before they received anything"
        );
        for _ in 0..3 {
            sender.data(1, None);
        }
        assert_eq!(sender.handle_ack(3), 0);
        assert_eq!(sender.handle_ack(0x8000_0000), 0);
        assert_eq!(sender.outstanding(), 3);
        assert_eq!(sender.handle_ack(1), 2);
        assert_eq!(sender.handle_ack(0), 0);
        assert_eq!(sender.handle_ack(1), 0);
        assert_eq!(sender.outstanding(), 1);
    }
}
