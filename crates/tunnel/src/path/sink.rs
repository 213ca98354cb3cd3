//! The output of a path.

/// Receives the output of a path. To keep data beyond the call, copy it.
pub trait Sink {
    /// A GRE packet for the peer, starting with the GRE header.
    fn gre(&mut self, packet: &[u8]);
    /// An IP packet from the peer, or an ICMP error for a sender on our side: for the host.
    fn ip(&mut self, packet: &mut [u8]);
    /// A PPP control frame from the peer, for [`adit_ppp::link::Link`].
    fn frame(&mut self, frame: &[u8], origin: Origin);
    /// An IP packet with a DHCPINFORM from the peer.
    fn dhcp(&mut self, packet: &[u8]);
    /// An event for the owner of the call.
    fn event(&mut self, event: PathEvent) {
        let _ = event;
    }
    /// Whether this call may spend `changes` MPPE key changes now, beyond the one that the packet itself
    /// needs. A path has limits of its own; this is for a common limit over many paths.
    fn may_spend(&mut self, changes: u32) -> bool {
        let _ = changes;
        true
    }
}

/// How a control frame arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In clear: any host that can send GRE packets with the peer's address may have forged it.
    Clear,
    /// Inside MPPE: it is the peer's.
    Mppe,
}

/// An event for the owner of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathEvent {
    /// The peer keeps sending frames that do not decrypt, or are not MPPE as agreed (A or D bit clear), for seconds without a
    /// good one between them: the call is unusable.
    EncryptionBroken,
    /// The peer has rejected a data packet of ours as a protocol that it does not know (Protocol-Reject of 0x00FD): MPPE is
    /// not up there. The rejected packet is one that was really sent.
    DataRejected,
}
