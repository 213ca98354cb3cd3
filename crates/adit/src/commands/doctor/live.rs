//! `adit doctor HOST`

use std::time::Duration;

use adit_doctor::{Outcome, Verdict, text};
use adit_probe::{Account, Options, Progress, Reach, Report, Stop};

use super::args::Args;
use super::json::{Doctor, Judgement, Step};
use crate::document;
use crate::failure::{Exit, Failure};
use crate::output::{Form, Output};
use crate::signal::wait_for_signal;

/// Time limit of the whole test, unless --timeout is given.
const TOTAL: Duration = Duration::from_secs(30);
/// Largest packet inside the tunnel to negotiate, as in `adit connect`.
const MTU: u16 = 1400;

pub(super) fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    if let Some(path) = args.bundle.as_ref().filter(|path| path.exists()) {
        return Err(Failure::new(Exit::Conflict, format!("{} is there already", path.display()))
            .fix("name another file, or remove it"));
    }
    let options = options(args, output)?;
    let stop = Stop::new()?;
    watch_signals(stop.clone())?;
    output.remark("doctor", &format!("{}, at most {} s", options.host, options.total.as_secs()));
    let mut on_progress = |progress: Progress| print_progress(output, &progress);
    let report = adit_probe::run(&options, &stop, &mut on_progress)?;
    let mut verdict = adit_doctor::judge(&report.facts);
    if args.bundle.is_none() {
        // Frame numbers are of no use without the capture.
        without_frames(&mut verdict);
    }
    print(args, output, &report, &verdict)?;
    Ok(match (verdict.first_failure, verdict.outcome) {
        (Some(code), _) => Exit::Layer(code.layer()),
        (None, _) if report.interrupted => Exit::Passed(130),
        (None, Outcome::NotProvable) if report.not_permitted => Exit::Denied,
        (None, Outcome::NotProvable) => Exit::Problem,
        (None, _) => Exit::Done,
    })
}

fn without_frames(verdict: &mut Verdict) {
    let layers = verdict.layers.iter_mut().flat_map(|layer| &mut layer.evidence);
    let findings = verdict.findings.iter_mut().flat_map(|finding| &mut finding.evidence);
    layers.chain(findings).for_each(|evidence| evidence.at.frame = None);
}

fn options(args: &Args, output: &Output) -> Result<Options, Failure> {
    let given = args.host.as_deref().unwrap_or_default();
    let (host, port) = match given.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => {
            let port = port.parse().map_err(|_| Failure::usage(format!("{port:?} is no TCP port")))?;
            (host, port)
        }
        _ => (given, adit_wire::pptp::PORT),
    };
    let reach = args.reach.iter().map(|target| {
        let wrong =
            || Failure::usage(format!("{target:?} is no target: ADDRESS, NAME, ADDRESS:PORT or NAME:PORT"));
        Reach::parse(target).ok_or_else(wrong)
    });
    let reach = reach.collect::<Result<Vec<Reach>, Failure>>()?;
    if let Some(from) = args.from {
        is_ours(from)?;
    }
    let account = match &args.user {
        Some(user) => {
            let (methods, mppe) = args.link.read()?;
            let password = args.password.read_once("Password: ")?;
            Some(Account { user: user.clone(), password, methods, mppe })
        }
        None => None,
    };
    Ok(Options {
        host: host.to_owned(),
        port,
        account,
        reach,
        from: args.from,
        last: args.layers.iter().max().copied(),
        total: output.timeout.unwrap_or(TOTAL),
        idle: args.idle,
        mtu: MTU,
    })
}

/// Refuses a source address that this host does not have.
fn is_ours(from: std::net::Ipv4Addr) -> Result<(), Failure> {
    let addresses = adit_sys::net::Net::open()?.addresses()?;
    if addresses.iter().any(|known| known.address.addr() == from) {
        return Ok(());
    }
    Err(Failure::usage(format!("--from {from}: this host has no such address")).fix("ip address lists them"))
}

/// On Ctrl-C or a termination signal, the call is closed in order, and the findings so far are reported.
fn watch_signals(stop: Stop) -> Result<(), Failure> {
    let no_signals = |error: std::io::Error| Failure::new(Exit::Problem, format!("no signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_signals)?;
    let watch = move || {
        runtime.block_on(async {
            wait_for_signal().await;
            stop.request();
            // A second signal does not wait for the orderly shutdown.
            wait_for_signal().await;
            std::process::exit(130);
        });
    };
    std::thread::Builder::new().name("adit-signals".to_owned()).spawn(watch).map(drop).map_err(no_signals)
}

fn print_progress(output: &Output, progress: &Progress) {
    match output.form {
        Form::JsonLines => {
            let step = Step {
                layer: progress.layer.word().to_owned(),
                event: progress.stage.word().to_owned(),
                text: progress.text.clone(),
                ms: u64::try_from(progress.since.as_millis()).unwrap_or(u64::MAX),
            };
            // If our output is closed, the test continues, so that the call is closed in order.
            let _ = output.document(&step);
        }
        _ => {
            let seconds = progress.since.as_secs_f64();
            output.remark(progress.layer.word(), &format!("{:<50} {seconds:>5.1} s", progress.text));
        }
    }
}

fn print(args: &Args, output: &Output, report: &Report, verdict: &Verdict) -> Result<(), Failure> {
    let vantage = verdict.vantage.word().to_owned();
    let judgement = Judgement::of(verdict);
    let host = Some(report.facts.subject.clone());
    let document = Doctor { host, vantage, judgement, ..Doctor::default() };
    let document = document::envelope(&document, output.clock.now());
    if let Some(path) = &args.bundle {
        let json = serde_json::to_string_pretty(&document).unwrap_or_default();
        super::bundle::write(path, report, verdict, &json, args.hashes, output)?;
    }
    if output.form != Form::Text {
        return output.value(&document);
    }
    output.text(&verdict.to_string())?;
    if args.why {
        output.text(&format!("\n{}", text::why(verdict)))?;
    }
    Ok(())
}
