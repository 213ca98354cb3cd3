//! A sink that collects output.

use super::{Origin, PathEvent, Sink};

/// A sink that copies all output of a path, in order, for a caller that processes it later and can afford the
/// copies. The path never empties it: create a new one for each input, or remove what was processed.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// GRE packets for the peer, starting with the GRE header.
    pub gre: Vec<Vec<u8>>,
    /// IP packets for the host.
    pub ip: Vec<Vec<u8>>,
    /// PPP control frames from the peer.
    pub frames: Vec<(Vec<u8>, Origin)>,
    /// IP packets with a DHCPINFORM from the peer.
    pub dhcp: Vec<Vec<u8>>,
    /// Events for the owner of the call.
    pub events: Vec<PathEvent>,
}

impl Sink for Collected {
    fn gre(&mut self, packet: &[u8]) {
        self.gre.push(packet.to_vec());
    }

    fn ip(&mut self, packet: &mut [u8]) {
        self.ip.push(packet.to_vec());
    }

    fn frame(&mut self, frame: &[u8], origin: Origin) {
        self.frames.push((frame.to_vec(), origin));
    }

    fn dhcp(&mut self, packet: &[u8]) {
        self.dhcp.push(packet.to_vec());
    }

    fn event(&mut self, event: PathEvent) {
        self.events.push(event);
    }
}
