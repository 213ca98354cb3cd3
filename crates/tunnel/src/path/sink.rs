//! The output of a path.

/// Takes what a path puts out. Nothing may be kept beyond the call but by copying.
pub trait Sink {
    /// A GRE packet for the peer, from the GRE header on.
    fn gre(&mut self, packet: &[u8]);
    /// An IP packet from the peer, or an ICMP error for a sender on our side: for the host.
    fn ip(&mut self, packet: &mut [u8]);
    /// A PPP control frame from the peer, for [`adit_ppp::link::Link`].
    fn frame(&mut self, frame: &[u8]);
    /// An IP packet with a DHCPINFORM from the peer.
    fn dhcp(&mut self, packet: &[u8]);
    /// Something the call's owner must know.
    fn event(&mut self, event: PathEvent) {
        let _ = event;
    }
    /// Whether `changes` MPPE key changes more than the packet itself needs may be spent on this call now. A path has
    /// limits of its own; this is for one limit over many paths.
    fn may_spend(&mut self, changes: u32) -> bool {
        let _ = changes;
        true
    }
}

/// What the owner of a call must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathEvent {
    /// The peer keeps sending frames that are not MPPE as agreed (A or D bit clear): the call is of no use any more.
    EncryptionBroken,
}
