//! Echo and DNS requests to hosts behind the server: which of them answer this host, and which answer an
//! address of the pool.

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use adit_doctor::facts::host::{Asked, Back, Check, DnsServer, Host};
use adit_sys::ping::{Answer, Request, ping};

use super::network::{Network, dropped};
use super::{Purpose, not_tested};

/// The most hosts that are probed.
const HOSTS_MAX: usize = 6;
/// The most DNS servers that are queried.
const SERVERS_MAX: usize = 8;
/// How long to wait for one answer, and how many requests to send.
const PATIENCE: Duration = Duration::from_millis(700);
const TRIES: u32 = 2;

pub(super) fn look(purpose: &Purpose, network: &Network, host: &mut Host) {
    let pool = purpose.pools.iter().map(|(_, ours)| *ours).find(|ours| network.interface_of(*ours).is_some());
    if pool.is_none() {
        not_tested(host, Check::Return, "no server runs on this host");
    }
    let servers: Vec<Ipv4Addr> = purpose.dns.iter().copied().take(SERVERS_MAX).collect();
    let hosts = network.hosts_behind(purpose, HOSTS_MAX);
    let before = dropped();
    // In parallel: several time-outs take no longer than one.
    let (dns, asked) = thread::scope(|scope| {
        let dns: Vec<_> =
            servers.iter().map(|server| scope.spawn(move || ask_names(*server, pool))).collect();
        let asked: Vec<_> = hosts.iter().map(|who| scope.spawn(move || ask_host(*who, pool))).collect();
        let dns: Vec<DnsServer> = dns.into_iter().filter_map(|asking| asking.join().ok()).collect();
        let asked: Vec<Result<Asked, String>> =
            asked.into_iter().filter_map(|asking| asking.join().ok()).collect();
        (dns, asked)
    });
    if let (Some(before), Some(after), Some(filter)) = (before, dropped(), host.reverse_path.as_mut()) {
        let silent = |asked: &&Result<Asked, String>| {
            asked.as_ref().is_ok_and(|asked| asked.answers_us && asked.answers_pool == Some(false))
        };
        // Other packets may have been dropped meanwhile, so it counts only if an answer is missing.
        if asked.iter().any(|asked| silent(&asked)) {
            filter.grew = Some(after.saturating_sub(before)).filter(|grew| *grew > 0);
        }
        filter.dropped = Some(after);
    }
    host.dns = dns;
    let error = asked.iter().find_map(|asked| asked.as_ref().err().cloned());
    let mut asked: Vec<Asked> = asked.into_iter().filter_map(Result::ok).collect();
    for one in &mut asked {
        one.seen = network.neighbours.iter().any(|neighbour| neighbour.known && neighbour.address == one.who);
    }
    if asked.is_empty() {
        let why = error.unwrap_or_else(|| "no host behind this one is known".to_owned());
        not_tested(host, Check::Return, why);
    } else if !asked.iter().any(|asked| asked.answers_us) {
        not_tested(host, Check::Return, "no host behind this one answers an echo request of this host");
    }
    if pool.is_some() {
        let ours =
            asked.iter().find(|asked| asked.answers_us).and_then(|asked| network.own_towards(asked.who));
        host.back = Some(Back { from: pool, ours, asked });
    }
}

fn ask_host(who: Ipv4Addr, pool: Option<Ipv4Addr>) -> Result<Asked, String> {
    let echo = |source| {
        let request = Request { source, timeout: PATIENCE, ..Request::new(who) };
        let mut last = Ok(false);
        for _ in 0..TRIES {
            last = ping(&request).map(|answer| matches!(answer, Answer::Reply(_)));
            if last.as_ref().is_ok_and(|answered| *answered) {
                break;
            }
        }
        last
    };
    let answers_us = echo(None).map_err(|error| error.to_string())?;
    let answers_pool = match pool.filter(|_| answers_us) {
        Some(pool) => echo(Some(pool)).ok(),
        None => None,
    };
    Ok(Asked { who, seen: false, answers_us, answers_pool })
}

fn ask_names(server: Ipv4Addr, pool: Option<Ipv4Addr>) -> DnsServer {
    let answered = ask(server, Ipv4Addr::UNSPECIFIED);
    let answers_pool = pool.filter(|_| answered.is_some()).map(|pool| ask(server, pool).is_some());
    DnsServer { server, answered, answers_pool }
}

/// A query for the name servers of the root: every DNS server answers it.
const QUESTION: [u8; 17] = [0xad, 0x17, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1];

fn ask(server: Ipv4Addr, from: Ipv4Addr) -> Option<Duration> {
    let socket = UdpSocket::bind(SocketAddrV4::new(from, 0)).ok()?;
    socket.connect(SocketAddrV4::new(server, 53)).ok()?;
    for _ in 0..TRIES {
        let begin = Instant::now();
        socket.send(&QUESTION).ok()?;
        while let Some(rest) = PATIENCE.checked_sub(begin.elapsed()).filter(|rest| !rest.is_zero()) {
            socket.set_read_timeout(Some(rest)).ok()?;
            let mut answer = [0; 512];
            match socket.recv(&mut answer) {
                // Any answer to this query counts.
                Ok(len) if len >= 12 && answer.first_chunk::<2>() == QUESTION.first_chunk::<2>() => {
                    return Some(begin.elapsed());
                }
                Ok(_) => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    ) =>
                {
                    break;
                }
                // Connection refused: no server listens there.
                Err(_) => return None,
            }
        }
    }
    None
}
