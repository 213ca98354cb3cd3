//! Name resolution, with the resolver that every program of this host uses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use adit_doctor::Seen;
use adit_doctor::facts::{Name, Resolved};
use adit_sys::host::nameservers;
use adit_sys::resolver::{LookupError, lookup};

use crate::options::Options;
use crate::record::v4;
use crate::stop::Stop;

/// Interval at which stop requests are checked.
const TICK: Duration = Duration::from_millis(50);
/// Timeout of a second name server; the comparison is not worth more.
const COMPARE: Duration = Duration::from_millis(400);
/// Maximum number of name servers compared.
const COMPARED: usize = 2;

/// Fills in the facts about the name; returns the IPv4 addresses to try, in the resolver's order.
pub(crate) fn resolve(options: &Options, until: Instant, stop: &Stop, name: &mut Name) -> Vec<Ipv4Addr> {
    if let Ok(address) = options.host.parse::<Ipv4Addr>() {
        return vec![address];
    }
    name.asked = Some(options.host.clone());
    if options.host.parse::<Ipv6Addr>().is_ok() {
        name.resolved = Some(Seen::new(Resolved::OnlyV6));
        return Vec::new();
    }
    let (sender, receiver) = mpsc::channel();
    let host = options.host.clone();
    // The resolver cannot be interrupted: if it takes too long, its thread is abandoned.
    let spawned =
        std::thread::Builder::new().name("adit-name".to_owned()).spawn(move || sender.send(lookup(&host)));
    let answer = match spawned {
        Ok(_) => wait(&receiver, until, stop),
        Err(error) => Some(Err(LookupError::Other(format!("no thread: {error}")))),
    };
    let resolved = match answer {
        Some(Ok(all)) => of(&all),
        Some(Err(LookupError::NoSuchName | LookupError::NoAddress)) => Resolved::NoSuchName,
        Some(Err(LookupError::NoAnswer)) | None => Resolved::NoAnswer,
        Some(Err(LookupError::Other(words))) => Resolved::Failed(words),
    };
    let found = match &resolved {
        Resolved::Addresses { v4, .. } => v4.clone(),
        _ => Vec::new(),
    };
    name.resolved = Some(Seen::new(resolved));
    if !found.is_empty() {
        name.differs = other_answer(&options.host, &found, until);
    }
    found
}

fn wait<T>(receiver: &mpsc::Receiver<T>, until: Instant, stop: &Stop) -> Option<T> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || stop.is_requested() {
            return None;
        }
        match receiver.recv_timeout(left.min(TICK)) {
            Ok(answer) => return Some(answer),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return None,
        }
    }
}

fn of(all: &[IpAddr]) -> Resolved {
    let found: Vec<Ipv4Addr> = all.iter().copied().filter_map(v4).collect();
    let v6 = all.len() - found.len();
    if found.is_empty() { Resolved::OnlyV6 } else { Resolved::Addresses { v4: found, v6 } }
}

/// Queries the configured name servers one by one: one with other addresses for the name indicates split-horizon DNS,
/// which only some of this host's programs see.
fn other_answer(host: &str, found: &[Ipv4Addr], until: Instant) -> Option<(IpAddr, Vec<Ipv4Addr>)> {
    let servers = nameservers().servers;
    // With a single server there is nothing to compare; a local stub is the resolver itself.
    let servers: Vec<IpAddr> = servers.into_iter().filter(|server| !server.is_loopback()).collect();
    if servers.len() < 2 || !host.contains('.') {
        return None;
    }
    let query = adit_netstack::query(0x6164, host)?;
    for server in servers.into_iter().take(COMPARED) {
        let wait = COMPARE.min(until.saturating_duration_since(Instant::now()));
        if wait.is_zero() {
            return None;
        }
        let Some(answer) = ask(server, &query, wait) else { continue };
        if !answer.is_empty() && !answer.iter().any(|address| found.contains(address)) {
            return Some((server, answer));
        }
    }
    None
}

fn ask(server: IpAddr, query: &[u8], wait: Duration) -> Option<Vec<Ipv4Addr>> {
    let any: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((server, 53)).ok()?;
    socket.set_read_timeout(Some(wait)).ok()?;
    socket.send(query).ok()?;
    let mut buffer = [0; 1500];
    let len = socket.recv(&mut buffer).ok()?;
    let answer = adit_capture::Dns::read(buffer.get(..len)?)?;
    (answer.is_response && answer.rcode == 0).then(|| answer.addresses().filter_map(v4).collect())
}
