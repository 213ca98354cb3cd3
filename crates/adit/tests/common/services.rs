//! What hosts offer: a name server, and a TCP port that takes connections.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use adit_testbed::Host;

/// How often a service looks whether it shall stop.
const LOOK: Duration = Duration::from_millis(50);

/// A thread that ends with this value.
#[derive(Debug)]
pub struct Service {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    /// Runs `work` on `host`; it must look at what it is given and end when that is true.
    pub fn start(host: &Host, work: impl FnOnce(&AtomicBool) + Send + 'static) -> Service {
        let stop = Arc::new(AtomicBool::new(false));
        let reported = Arc::clone(&stop);
        Service { stop, thread: Some(host.thread(move || work(&reported))) }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "a service panicked");
        }
    }
}

/// What a name server knows; can be changed while it runs.
#[derive(Clone, Debug)]
pub struct Answers(Arc<Mutex<BTreeMap<String, Ipv4Addr>>>);

impl Answers {
    pub fn new(names: &[(&str, Ipv4Addr)]) -> Answers {
        Answers(Arc::new(Mutex::new(names.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect())))
    }

    pub fn set(&self, name: &str, address: Option<Ipv4Addr>) {
        let mut names = self.0.lock().unwrap();
        match address {
            Some(address) => names.insert(name.to_owned(), address),
            None => names.remove(name),
        };
    }

    /// The answer to a query (RFC 1035), if it is one.
    fn answer(&self, query: &[u8]) -> Option<Vec<u8>> {
        let mut name = String::new();
        let mut at = 12;
        loop {
            let len = usize::from(*query.get(at)?);
            at += 1;
            if len == 0 {
                break;
            }
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(&String::from_utf8_lossy(query.get(at..at + len)?).to_lowercase());
            at += len;
        }
        let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
        let question = query.get(12..at + 4)?;
        let found = self.0.lock().unwrap().get(&name).copied();
        let address = found.filter(|_| kind == 1);
        let code = if found.is_none() { 3 } else { 0 };
        let mut out = query.get(..2)?.to_vec();
        out.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]);
        out.extend(question);
        if let Some(address) = address {
            out.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
            out.extend(address.octets());
        }
        Some(out)
    }
}

/// A name server.
#[derive(Debug)]
pub struct Dns {
    _service: Service,
}

impl Dns {
    pub fn start(host: &Host, address: Ipv4Addr, answers: Answers) -> Dns {
        let socket = host.run(|| UdpSocket::bind((address, 53)).unwrap());
        socket.set_read_timeout(Some(LOOK)).unwrap();
        let _service = Service::start(host, move |stop| {
            let mut query = [0; 1500];
            while !stop.load(Ordering::Relaxed) {
                if let Ok((len, from)) = socket.recv_from(&mut query)
                    && let Some(answer) = answers.answer(&query[..len])
                {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Dns { _service }
    }
}

/// A port that takes connections and says nothing, as HTTPS does before the client speaks.
#[derive(Debug)]
pub struct Tcp {
    _service: Service,
}

impl Tcp {
    pub fn start(host: &Host, address: SocketAddrV4) -> Tcp {
        let listener = host.run(|| TcpListener::bind(address).unwrap());
        listener.set_nonblocking(true).unwrap();
        let _service = Service::start(host, move |stop| {
            let mut open = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => open.push(stream),
                    Err(_) => std::thread::sleep(LOOK / 5),
                }
            }
        });
        Tcp { _service }
    }
}
