//! One run: sessions come up, others come and go, the fault happens, and everything is accounted for.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use adit_bench::until::wait;
use adit_bench::{Outcome, Plan};
use adit_testbed::{Host, bridge, wire};
use anyhow::Context as _;
use serde::Serialize;

use crate::fault::{Fault, Shown};
use crate::server::{CONFIG, INNER, PASSWORD, Server, Status, Template, USERS};

const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// How long something may take that has no target of its own.
const SOON: Duration = Duration::from_secs(20);
/// The target: a fault is reported within this time.
const TARGET: Duration = Duration::from_secs(5);
/// How long a session that was kept may have been without an answer at its end.
const FRESH: Duration = Duration::from_secs(1);

/// What one run has shown.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Record {
    pub(crate) number: u32,
    /// Milliseconds after the last session was up.
    pub(crate) injected_ms: u64,
    pub(crate) reported_s: Option<f64>,
    /// How a new call was refused while the fault lasted.
    pub(crate) refused: Option<String>,
    pub(crate) exit: Option<i32>,
    /// Of the sessions that stay: how many there were, and how many were kept.
    pub(crate) stayed: u32,
    pub(crate) kept: u32,
    /// Calls that came and went meanwhile, and those that failed.
    pub(crate) passing: u32,
    pub(crate) passing_failed: u32,
    /// Until a new login succeeded, after the fault was over.
    pub(crate) login_s: Option<f64>,
    /// Sessions that were up according to the clients, and rows of the store.
    pub(crate) sessions: u32,
    pub(crate) rows: u32,
    /// Sessions without a row, rows without an end, rows without an event of their end.
    pub(crate) lost: u32,
    pub(crate) open: u32,
    pub(crate) without_event: u32,
    /// What was not as it has to be.
    pub(crate) failed: Vec<String>,
}

/// The hosts of a run. Clients of one host share its GRE socket, so those that must not meet have hosts of their own.
struct Net {
    _switch: Host,
    server: Option<Host>,
    staying: Host,
    passing: Host,
    probe: Host,
}

impl Net {
    fn new() -> Net {
        let switch = Host::new("switch");
        bridge(&switch, "br0", &[]);
        let host = |name: &str, number: u8| {
            let host = Host::new(name);
            wire((&switch, name, ""), (&host, "eth0", &format!("203.0.113.{number}/24")));
            switch.ip(&format!("link set dev {name} master br0"));
            host.sysctl("net.ipv6.conf.all.disable_ipv6", "1");
            host
        };
        let server = Some(host("server", 1));
        let (staying, passing, probe) = (host("staying", 2), host("passing", 3), host("probe", 4));
        Net { _switch: switch, server, staying, passing, probe }
    }
}

fn plan() -> Plan {
    let server = SocketAddrV4::new(SERVER, adit_wire::pptp::PORT);
    Plan { users: USERS, patience: SOON, ..Plan::new(server, PASSWORD) }
}

/// Runs a fault once. `delay` is the time from the last set-up to the fault.
pub(crate) fn run(
    program: &Path,
    template: &Template,
    fault: Fault,
    sessions: u32,
    delay: Duration,
) -> anyhow::Result<Record> {
    let mut net = Net::new();
    let mut server = Server::start(program, template, net.server.take().context("a server's host")?)?;
    let stop = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let [stop_passing, stop_staying] = &stop;
    let mut record = Record { injected_ms: delay.as_millis() as u64, ..Record::default() };
    let mut outcomes = thread::scope(|scope| -> anyhow::Result<_> {
        let net = &net;
        // Every way out of this scope ends the clients.
        let _end = Stop(&stop);
        let staying = scope.spawn(move || {
            let until = Some(Arc::clone(stop_staying));
            let plan = Plan { sessions, at_once: 16, together: true, until, ..plan() };
            net.staying.run(|| adit_bench::run(plan))
        });
        let up = wait(SOON, || server.status().is_ok_and(|status| status.sessions_up >= sessions));
        anyhow::ensure!(up, "{sessions} sessions did not come up");
        let passing = scope.spawn(move || pass_by(&net.passing, stop_passing));
        sleep(delay);
        if fault.loses_the_last_moment() {
            stop_passing.store(true, Ordering::Relaxed);
            anyhow::ensure!(wait(SOON, || passing.is_finished()), "the passing calls do not end");
        }
        happen(fault, &mut server, &net.probe, &mut record)?;
        stop_passing.store(true, Ordering::Relaxed);
        let mut outcomes = passing.join().map_err(|_| anyhow::anyhow!("the passing clients panicked"))??;
        record.passing = outcomes.len() as u32;
        record.passing_failed = outcomes.iter().filter(|outcome| outcome.failed.is_some()).count() as u32;
        // Pings go on for a while, so that a session that is only still open does not count as kept.
        sleep(FRESH + FRESH / 2);
        let stopped_at = Instant::now();
        stop_staying.store(true, Ordering::Relaxed);
        let staying = staying.join().map_err(|_| anyhow::anyhow!("the staying clients panicked"))??;
        record.stayed = staying.each.iter().filter(|outcome| outcome.setup.is_some()).count() as u32;
        record.kept = staying.each.iter().filter(|outcome| is_kept(outcome, stopped_at)).count() as u32;
        outcomes.extend(staying.each);
        Ok(outcomes)
    })?;
    outcomes.retain(|outcome| outcome.setup.is_some());
    if server.running.status().is_none() {
        server.running.signal("TERM");
        anyhow::ensure!(wait(SOON, || server.running.status().is_some()), "SIGTERM does not end the server");
    }
    account(&server, &outcomes, &mut record)?;
    judge(fault, sessions, &mut record);
    Ok(record)
}

struct Stop<'a>(&'a [Arc<AtomicBool>]);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.iter().for_each(|flag| flag.store(true, Ordering::Relaxed));
    }
}

fn is_kept(outcome: &Outcome, at: Instant) -> bool {
    outcome.failed.is_none() && outcome.pings.last.is_some_and(|last| last + FRESH > at)
}

/// Short calls, a few at once, until the flag is set.
fn pass_by(host: &Host, stop: &AtomicBool) -> anyhow::Result<Vec<Outcome>> {
    let mut all = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let hold = Duration::from_millis(150);
        let plan = Plan { sessions: 4, at_once: 4, pings: 2, hold, ..plan() };
        all.extend(host.run(|| adit_bench::run(plan))?.each);
        sleep(Duration::from_millis(50));
    }
    Ok(all)
}

/// One login, which is closed at once. The error of a refused one is the reason.
fn log_in(host: &Host, record: &mut Record) -> anyhow::Result<Result<(), String>> {
    let report = host.run(|| adit_bench::run(plan()))?;
    record.sessions += report.up;
    Ok(match report.failed.into_keys().next() {
        None => Ok(()),
        Some(why) => Err(why),
    })
}

/// The fault, its report, its end, and a login after it.
fn happen(fault: Fault, server: &mut Server, probe: &Host, record: &mut Record) -> anyhow::Result<()> {
    inject(fault, server)?;
    let begun = Instant::now();
    let mut last = String::new();
    let is_shown = wait(SOON, || {
        let (is_shown, why) = shown(fault, server);
        last = why;
        is_shown
    });
    if is_shown {
        record.reported_s = Some(begun.elapsed().as_secs_f64());
    } else {
        record.failed.push(format!("not reported: {last}"));
    }
    if fault.lasts() {
        match log_in(probe, record)? {
            Ok(()) => record.failed.push("a new call is accepted while the fault lasts".to_owned()),
            Err(why) => record.refused = Some(why),
        }
        if let Shown::Fault(_, code) = fault.shown() {
            let is_refusal = |line: &str| line.contains("call.fail") && line.contains(code);
            if !wait(TARGET, || server.printed().lines().any(is_refusal)) {
                record.failed.push(format!("no call.fail with {code}"));
            }
        }
        take_away(fault, server)?;
    }
    let over = Instant::now();
    if let Some(expected) = fault.exit() {
        let ended = wait(SOON, || server.running.status().is_some());
        record.exit = server.running.status().and_then(|status| status.code());
        if !ended || record.exit != Some(expected) {
            record.failed.push(format!("exit status {:?}, expected {expected}", record.exit));
        }
    }
    if server.running.status().is_some() {
        server.restart()?;
    }
    if let Shown::Fault(part, code) = fault.shown()
        && !fault.stays()
    {
        let lasts = |status: Status| {
            status.faults.iter().any(|f| f.part == part && f.code == code && f.repaired_s.is_none())
        };
        if !wait(SOON, || server.status().is_ok_and(|status| !lasts(status))) {
            record.failed.push("the fault is not over".to_owned());
        }
    }
    let mut why = String::new();
    while record.login_s.is_none() && over.elapsed() < SOON {
        match log_in(probe, record)? {
            Ok(()) => record.login_s = Some(over.elapsed().as_secs_f64()),
            Err(reason) => why = reason,
        }
    }
    if record.login_s.is_none() {
        record.failed.push(format!("no login afterwards: {why}"));
    }
    Ok(())
}

fn inject(fault: Fault, server: &mut Server) -> anyhow::Result<()> {
    let link = |server: &Server, arguments: &str| {
        server.host.ip(arguments);
    };
    let database = server.file("state/adit.db");
    match fault {
        Fault::PoolChange => server.configure(&CONFIG.replace("10.77.", "10.78."))?,
        Fault::HarmlessChange => {
            server.configure(&CONFIG.replace("[access]", "range = \"10.77.0.2-10.77.200.1\"\n[access]"))?;
        }
        Fault::InterfaceDeleted => link(server, "link del adit0"),
        Fault::InterfaceDown => link(server, "link set adit0 down"),
        Fault::AddressDeleted => link(server, &format!("address del {INNER} dev adit0")),
        Fault::RouteDeleted => link(server, "route del 10.77.0.0/16 dev adit0"),
        Fault::DatabaseDeleted => std::fs::remove_file(database)?,
        Fault::DatabaseMoved => std::fs::rename(database, server.file("away.db"))?,
        Fault::DatabaseReplaced => {
            // A copy of the file alone would lack what is in the write-ahead log.
            server.database("VACUUM INTO 'DISK/copy.db'")?;
            std::fs::rename(server.file("copy.db"), database)?;
        }
        Fault::StateDeleted => std::fs::remove_dir_all(server.file("state"))?,
        Fault::ReadOnly => server.inside("mount --bind DISK DISK; mount -o remount,bind,ro DISK")?,
        Fault::DiskFull => {
            let _ = std::fs::write(server.file("fill"), vec![0; 32 << 20]);
        }
        Fault::ClockAhead => {
            server.running.signal("TERM");
            anyhow::ensure!(wait(SOON, || server.running.status().is_some()), "SIGTERM does not end it");
            // As if all of this had been written 400 days ago, and the clock had jumped since.
            let days = 400_i64 * 86_400_000;
            server.database(&format!(
                "UPDATE events SET at = at - {days};
                 UPDATE sessions SET started = started - {days}, seen = seen - {days}, ended = ended - {days};
                 DELETE FROM meta WHERE key = 'clock';"
            ))?;
            server.restart()?;
        }
        Fault::Killed => server.running.kill(),
        Fault::Terminated => server.running.signal("TERM"),
    }
    Ok(())
}

fn take_away(fault: Fault, server: &Server) -> anyhow::Result<()> {
    match fault {
        Fault::DatabaseMoved => std::fs::rename(server.file("away.db"), server.file("state/adit.db"))?,
        Fault::ReadOnly => server.inside("umount DISK")?,
        Fault::DiskFull => std::fs::remove_file(server.file("fill"))?,
        _ => {}
    }
    Ok(())
}

/// Whether the fault is reported in every place, and otherwise where it is not.
fn shown(fault: Fault, server: &mut Server) -> (bool, String) {
    match fault.shown() {
        Shown::End => (server.running.status().is_some(), "the server runs".to_owned()),
        Shown::Line(line, event) => {
            let has_event = event.is_none_or(|event| server.printed().contains(event));
            (has_event && server.printed().contains(line), format!("no {line:?} in the log"))
        }
        Shown::Fault(part, code) => {
            let log = server.printed();
            if !log.lines().any(|l| l.contains("server.fault") && l.contains(&format!("what={part}"))) {
                return (false, "no event".to_owned());
            }
            let Ok(status) = server.status() else { return (false, "no status".to_owned()) };
            if !status.faults.iter().any(|f| f.part == part && f.code == code)
                || !status.warnings.iter().any(|warning| warning.code == code)
            {
                return (false, "no warning in the status".to_owned());
            }
            let doctor = server.adit(&["doctor", "--server"]).stdout;
            let is_named = doctor.contains("the server reports") && doctor.contains(code);
            (is_named, "no line of doctor --server".to_owned())
        }
    }
}

/// Compares what the clients have seen with what is on record.
fn account(server: &Server, outcomes: &[Outcome], record: &mut Record) -> anyhow::Result<()> {
    let rows = server.rows()?;
    let mut on_record: BTreeMap<(String, String), u32> = BTreeMap::new();
    for row in &rows {
        let key = (row.user.clone().unwrap_or_default(), row.address.clone().unwrap_or_default());
        *on_record.entry(key).or_default() += 1;
    }
    let ended = server.ended()?;
    for outcome in outcomes {
        let address = outcome.address.map(|address| address.to_string()).unwrap_or_default();
        match on_record.get_mut(&(outcome.user.clone(), address)) {
            Some(left) if *left > 0 => *left -= 1,
            _ => record.lost += 1,
        }
    }
    record.sessions += outcomes.len() as u32;
    record.rows = rows.len() as u32;
    record.open = rows.iter().filter(|row| row.ended.is_none() || row.end.is_none()).count() as u32;
    let up = rows.iter().filter(|row| row.address.is_some());
    record.without_event = up.filter(|row| !ended.contains(&row.id)).count() as u32;
    Ok(())
}

fn judge(fault: Fault, sessions: u32, record: &mut Record) {
    let mut failed = Vec::new();
    if record.reported_s.is_some_and(|seconds| seconds > TARGET.as_secs_f64()) {
        failed.push("reported too late".to_owned());
    }
    if record.stayed != sessions {
        failed.push(format!("{} of {sessions} sessions came up", record.stayed));
    }
    if fault.keeps_sessions() && record.kept != record.stayed {
        failed.push(format!("{} of {} sessions kept", record.kept, record.stayed));
    }
    for (number, what) in [
        (record.lost, "sessions without a row"),
        (record.open, "rows without an end"),
        (record.without_event, "rows without an event"),
    ] {
        if number > 0 {
            failed.push(format!("{number} {what}"));
        }
    }
    record.failed.extend(failed);
}
