//! Connects, reconnects, and undoes the changes to the host.

use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_diag::Layer;
use adit_sys::tun::{Tun, TunOptions};
use tokio::sync::watch;

use crate::attempt::{Attempt, Report, host_failure};
use crate::dial;
use crate::failure::Failure;
use crate::options::{ConnectOptions, Routes};
use crate::progress::{Milestone, Progress, Stage};
use crate::setup::{self, Setup};

/// First delay before a reconnect; doubles up to [`LONGEST_WAIT`].
pub const FIRST_WAIT: Duration = Duration::from_secs(2);
/// Longest delay before a reconnect.
pub const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// Longest delay while the network is not ready: an attempt then costs no server anything.
const NETWORK_WAIT: Duration = Duration::from_secs(15);
/// A tunnel that was up for this long resets the delay.
const STABLE_UPTIME: Duration = Duration::from_secs(60);

/// Connects and reconnects until `stop` is set, the user has to act or, with `once`, the first connection ends.
///
/// `on_progress` receives every progress line. All changes to the host are undone when this returns.
///
/// # Errors
/// The failure that ended the last attempt. An orderly end is not an error.
pub async fn run(
    options: &ConnectOptions,
    mut stop: watch::Receiver<bool>,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<(), Failure> {
    let seed = adit_sys::host::random_seed().map_err(host_failure)?;
    let mut rng = Rng::from_seed(seed);
    let mut wait = FIRST_WAIT;
    let mut attempts = 0u64;
    loop {
        attempts += 1;
        let began = Instant::now();
        let mut was_up = None;
        let failure = attempt(options, &mut stop, on_progress, rng.fork(), &mut was_up).await;
        if *stop.borrow() {
            on_progress(Progress::note(Milestone::Ended, "disconnected", began.elapsed()));
            return Ok(());
        }
        let uptime = was_up.map_or(Duration::ZERO, |at: Instant| at.elapsed());
        let try_again = is_worth_another(options, &failure, was_up.is_some(), attempts == 1);
        if failure.code.is_some() {
            on_progress(Progress::fail(stage_of(&failure), &failure, began.elapsed()));
        } else {
            on_progress(Progress::note(Milestone::Ended, failure.detail.clone(), began.elapsed()));
        }
        if !try_again {
            return if failure.code.is_some() { Err(failure) } else { Ok(()) };
        }
        if uptime >= STABLE_UPTIME {
            wait = FIRST_WAIT;
        }
        if failure.is_of_network() {
            wait = wait.min(NETWORK_WAIT);
        }
        on_progress(Progress::note(
            Milestone::Retry,
            format!("retry in {} s", wait.as_secs()),
            began.elapsed(),
        ));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stop.changed() => {
                on_progress(Progress::note(Milestone::Ended, "disconnected", began.elapsed()));
                return Ok(());
            }
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Whether another attempt follows. If the first attempt fails, the waiting user is informed, unless waiting was requested
/// or the server refuses only for now; a tunnel that was up is worth a retry.
fn is_worth_another(options: &ConnectOptions, failure: &Failure, was_up: bool, is_first: bool) -> bool {
    if options.once {
        return false;
    }
    if failure.code.is_none() {
        return was_up;
    }
    failure.may_retry(was_up) && (was_up || !is_first || options.wait || failure.is_temporary_refusal())
}

/// The stage that a failure belongs to.
fn stage_of(failure: &Failure) -> Stage {
    failure.code.map_or(Milestone::Ended.into(), |code| code.layer().into())
}

async fn attempt(
    options: &ConnectOptions,
    stop: &mut watch::Receiver<bool>,
    on_progress: &mut dyn FnMut(Progress),
    rng: Rng,
    was_up: &mut Option<Instant>,
) -> Failure {
    let began = Instant::now();
    let dialled = tokio::select! {
        dialled = dial_any(options, began, on_progress) => dialled,
        _ = stop.changed() => return Failure { code: None, detail: "disconnected".to_owned() },
    };
    let (server, stream) = match dialled {
        Ok(dialled) => dialled,
        Err(failure) => return failure,
    };
    match talk(options, server, stream, stop.clone(), on_progress, rng, began, was_up).await {
        Ok(failure) | Err(failure) => failure,
    }
}

/// Tries every address of the server in turn.
async fn dial_any(
    options: &ConnectOptions,
    began: Instant,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<(SocketAddrV4, tokio::net::TcpStream), Failure> {
    let addresses = dial::resolve(&options.server, options.port).await?;
    let text: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    on_progress(Progress::ok(Layer::Name, text.join(", "), began.elapsed()));
    let mut last = Failure { code: None, detail: String::new() };
    for address in &addresses {
        match dial::open(*address).await {
            Ok(stream) => return Ok((*address, stream)),
            Err(failure) => {
                if addresses.len() > 1 {
                    on_progress(Progress::note(Layer::Control, failure.detail.clone(), began.elapsed()));
                }
                last = failure;
            }
        }
    }
    Err(last)
}

#[allow(clippy::too_many_arguments)]
async fn talk(
    options: &ConnectOptions,
    server: SocketAddrV4,
    stream: tokio::net::TcpStream,
    stop: watch::Receiver<bool>,
    on_progress: &mut dyn FnMut(Progress),
    rng: Rng,
    began: Instant,
    was_up: &mut Option<Instant>,
) -> Result<Failure, Failure> {
    let tun = Tun::open(&TunOptions { name: options.interface.clone(), ..TunOptions::default() })
        .map_err(host_failure)?;
    let interface = tun.name().to_owned();
    let mut setup = Setup::open(&options.state_dir).await.map_err(host_failure)?;
    let attempt = Attempt::new(options, server, stream, tun, rng, began)?;
    if let Some(why) = attempt.xdp_refused() {
        on_progress(Progress::note(Milestone::Warning, why, began.elapsed()));
    }
    let mut report = async |report: Report| -> Result<(), Failure> {
        match report {
            Report::Progress(progress) => on_progress(progress),
            Report::Up(up) => {
                let plan = setup::Plan {
                    interface: interface.clone(),
                    server: *server.ip(),
                    local: up.local,
                    peer: up.peer,
                    mtu: up.mtu,
                    routes: match &options.routes {
                        Routes::All => None,
                        Routes::Split(routes) => Some(routes.clone()),
                    },
                    dns: if options.dns { up.dns.clone() } else { Vec::new() },
                    domains: options.domains.clone(),
                };
                let done = setup.apply(&plan).await.map_err(host_failure)?;
                let since = began.elapsed();
                on_progress(Progress::ok(Layer::Address, format!("{}  peer {}", up.local, up.peer), since));
                if !plan.dns.is_empty() {
                    on_progress(Progress::note(Milestone::Dns, done.dns, since));
                }
                on_progress(Progress::note(Milestone::Routes, done.routes, since));
                on_progress(Progress::note(Layer::Mtu, up.mtu.to_string(), since));
                was_up.get_or_insert_with(Instant::now);
                let text = format!("in {:.2} s on {interface}", since.as_secs_f64());
                on_progress(Progress::note(Milestone::Connected, text, since));
            }
        }
        Ok(())
    };
    let failure = attempt.run(stop, &mut report).await;
    for remark in setup.undo().await {
        on_progress(Progress::note(Milestone::Warning, remark, began.elapsed()));
    }
    Ok(failure)
}

#[cfg(test)]
mod tests {
    use adit_crypto::secret::Password;
    use adit_diag::Code;

    use super::*;

    fn options() -> ConnectOptions {
        ConnectOptions::new("vpn.example.org", "alice", Password::new("x"))
    }

    fn again(options: &ConnectOptions, code: Option<Code>, was_up: bool, is_first: bool) -> bool {
        let failure = Failure { code, detail: String::new() };
        is_worth_another(options, &failure, was_up, is_first)
    }

    #[test]
    fn a_first_attempt_is_repeated_only_on_request_or_if_the_refusal_is_temporary() {
        let (usual, patient) = (options(), ConnectOptions { wait: true, ..options() });
        for code in [Code::N01, Code::N02, Code::C01, Code::C02, Code::G01] {
            assert!(!again(&usual, Some(code), false, true), "{code}");
            assert!(again(&patient, Some(code), false, true), "{code}");
            assert!(again(&usual, Some(code), false, false), "{code}");
        }
        for code in [Code::A06, Code::A07, Code::A08] {
            assert!(again(&usual, Some(code), false, true), "{code}");
        }
        for code in [Code::A01, Code::A02, Code::A03, Code::A04, Code::A05] {
            for (was_up, is_first) in [(false, true), (false, false), (true, false)] {
                assert!(!again(&patient, Some(code), was_up, is_first), "{code}");
            }
        }
    }

    #[test]
    fn an_orderly_end_is_followed_by_another_attempt_and_once_is_once() {
        assert!(again(&options(), None, true, true) && !again(&options(), None, false, false));
        let once = ConnectOptions { once: true, wait: true, ..options() };
        for code in [None, Some(Code::C06), Some(Code::A07)] {
            assert!(!again(&once, code, true, true), "{code:?}");
        }
    }
}
