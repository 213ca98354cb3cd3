//! One raw GRE socket for all clients, and the way from a Call ID to its client.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::Arc;

use adit_sys::gre::{GreOptions, GreSocket, MAX_BATCH, RecvBatch, SendBatch};
use adit_sys::poll::{Interest, Poller};
use adit_wire::gre;
use tokio::sync::mpsc;

/// Packets that wait for one client at the most; what comes beyond is dropped, as a router would.
const QUEUE: usize = 256;
/// The largest GRE packet, in octets.
const SLOT: usize = 2048;

/// The socket and its clients.
pub(crate) struct Gre {
    socket: Arc<GreSocket>,
    outgoing: RefCell<SendBatch>,
    clients: RefCell<BTreeMap<u16, mpsc::Sender<Vec<u8>>>>,
}

/// Packets with their Call IDs, as the reading thread found them together.
type Packets = Vec<(u16, Vec<u8>)>;

impl Gre {
    /// Opens the socket and starts the thread that reads it; give its receiver to [`Gre::run`].
    pub(crate) fn open() -> anyhow::Result<(Rc<Gre>, mpsc::Receiver<Packets>)> {
        let socket = Arc::new(GreSocket::open(&GreOptions::default())?);
        let (sender, receiver) = mpsc::channel(QUEUE);
        let reading = Arc::clone(&socket);
        std::thread::Builder::new().name("gre".to_owned()).spawn(move || {
            if let Err(error) = read(&reading, &sender) {
                eprintln!("the GRE socket cannot be read: {error}");
            }
        })?;
        let outgoing = RefCell::new(SendBatch::new(MAX_BATCH, SLOT));
        Ok((Rc::new(Gre { socket, outgoing, clients: RefCell::default() }), receiver))
    }

    /// The packets of this Call ID from now on.
    pub(crate) fn listen(&self, call_id: u16) -> mpsc::Receiver<Vec<u8>> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        self.clients.borrow_mut().insert(call_id, sender);
        receiver
    }

    pub(crate) fn forget(&self, call_id: u16) {
        self.clients.borrow_mut().remove(&call_id);
    }

    /// Sends one GRE packet.
    pub(crate) fn send(&self, to: Ipv4Addr, packet: &[u8]) {
        let mut batch = self.outgoing.borrow_mut();
        if batch.push(to, None, packet) {
            self.socket.send(&mut batch);
        }
    }

    /// Hands packets to their clients, for ever.
    pub(crate) async fn run(self: Rc<Gre>, mut incoming: mpsc::Receiver<Packets>) {
        while let Some(packets) = incoming.recv().await {
            let clients = self.clients.borrow();
            for (call_id, packet) in packets {
                if let Some(client) = clients.get(&call_id) {
                    let _ = client.try_send(packet);
                }
            }
        }
    }
}

fn read(socket: &GreSocket, sender: &mpsc::Sender<Packets>) -> anyhow::Result<()> {
    let poller = Poller::new()?;
    poller.add(socket, 0, Interest::Read)?;
    let mut batch = RecvBatch::new(MAX_BATCH, SLOT);
    loop {
        poller.wait(None, |_| {})?;
        while socket.receive(&mut batch)? > 0 {
            let packets = batch.packets().filter_map(|packet| {
                let call_id = gre::Packet::new_checked(packet.gre).ok()?.call_id();
                Some((call_id, packet.gre.to_vec()))
            });
            if sender.blocking_send(packets.collect()).is_err() {
                return Ok(());
            }
        }
    }
}
