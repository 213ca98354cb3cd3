//! A sink that keeps its input.

use super::{PathEvent, Sink};

/// Keeps a copy of everything that a path puts out, in order of arrival, for a caller that works on it afterwards and
/// can afford to copy. It grows with each call and is never emptied by the path: make a new one for each input, or take out
/// what was worked on.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// GRE packets for the peer, from the GRE header on.
    pub gre: Vec<Vec<u8>>,
    /// IP packets for the host.
    pub ip: Vec<Vec<u8>>,
    /// PPP control frames from the peer.
    pub frames: Vec<Vec<u8>>,
    /// IP packets with a DHCPINFORM from the peer.
    pub dhcp: Vec<Vec<u8>>,
    /// What the call's owner must know.
    pub events: Vec<PathEvent>,
}

impl Sink for Collected {
    fn gre(&mut self, packet: &[u8]) {
        self.gre.push(packet.to_vec());
    }

    fn ip(&mut self, packet: &mut [u8]) {
        self.ip.push(packet.to_vec());
    }

    fn frame(&mut self, frame: &[u8]) {
        self.frames.push(frame.to_vec());
    }

    fn dhcp(&mut self, packet: &[u8]) {
        self.dhcp.push(packet.to_vec());
    }

    fn event(&mut self, event: PathEvent) {
        self.events.push(event);
    }
}
