//! What a forger has to guess, read from the network: Call ID and Sequence Number. An attacker off the path does not have them;
//! a report that assumes he has guessed right is the worst case.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use adit_sys::packet::PacketSocket;
use adit_testbed::Host;
use adit_wire::{gre, ipv4};

/// The last packet of a session in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The Call ID that its receiver assigned.
    pub(crate) call_id: u16,
    pub(crate) seq: u32,
}

/// Reads what one host sends, until it is dropped.
pub(crate) struct Observer {
    last: Arc<Mutex<Option<Seen>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// The pause while nothing arrives; the session that is observed carries pings only.
const PAUSE: Duration = Duration::from_millis(2);
const ETHERNET: usize = 14;

impl Observer {
    /// Observes what arrives on a port of the switch: the packets of the host behind it, not those that are forged elsewhere.
    pub(crate) fn new(switch: &Host, port: &'static str) -> anyhow::Result<Observer> {
        let socket = switch.run(|| PacketSocket::open(port))?;
        let (last, stop) = (Arc::new(Mutex::new(None)), Arc::new(AtomicBool::new(false)));
        let (shared, is_over) = (Arc::clone(&last), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let mut frame = [0; 2048];
            while !is_over.load(Ordering::Relaxed) {
                match socket.receive(&mut frame) {
                    Ok(Some((_, len))) => {
                        if let Some(seen) = frame.get(..len).and_then(read) {
                            *shared.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
                        }
                    }
                    Ok(None) => thread::sleep(PAUSE),
                    Err(_) => return,
                }
            }
        });
        Ok(Observer { last, stop, thread: Some(thread) })
    }

    /// The last packet with data.
    pub(crate) fn last(&self) -> Option<Seen> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Reads the GRE header of an Ethernet frame.
fn read(frame: &[u8]) -> Option<Seen> {
    let packet = ipv4::Packet::new_checked(frame.get(ETHERNET..)?).ok()?;
    (packet.protocol() == gre::IP_PROTOCOL).then_some(())?;
    let packet = gre::Packet::new_checked(packet.payload()).ok()?;
    Some(Seen { call_id: packet.call_id(), seq: packet.seq()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_id_and_sequence_number_are_read_from_a_frame() {
        let ip = |protocol, payload: &[u8]| {
            let repr = ipv4::Repr::new([192, 0, 2, 1].into(), [192, 0, 2, 2].into(), protocol);
            [&[0; ETHERNET], repr.packet(payload).as_slice()].concat()
        };
        let data = gre::packet(7, Some(9), None, &[0xfd]);
        assert_eq!(read(&ip(gre::IP_PROTOCOL, &data)), Some(Seen { call_id: 7, seq: 9 }));
        assert_eq!(read(&ip(gre::IP_PROTOCOL, &gre::packet(7, None, Some(1), &[]))), None);
        assert_eq!(read(&ip(ipv4::UDP, &data)), None);
        assert_eq!(read(&[0; 10]), None);
    }
}
