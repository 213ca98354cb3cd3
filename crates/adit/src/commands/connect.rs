//! `adit connect`

use std::io::Write as _;
use std::time::Duration;

use adit_client::Io;
use adit_client::running::Mark;
use adit_client::{ConnectOptions, ECHO_EVERY, ECHO_LOST, Failure as ClientFailure, Progress, Routes};
use clap::ValueEnum;
use ipnet::Ipv4Net;

use super::background::BackgroundLog;
use super::link_flags::LinkFlags;
use crate::document::{self, Document};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::prompt::PasswordSource;
use crate::signal::{wait_for_hangup, wait_for_signal};

/// Connect this host to a PPTP server
///
/// Prints one line per layer. Ctrl-C disconnects; so do `adit disconnect` and closing the terminal, except with
/// `--background`. Changes to this host (interface, routes, DNS) are undone at the end, or after a crash at the next start
/// or by `adit undo`. In a network namespace without a resolv.conf of its own, DNS is not changed.
///
/// A tunnel that is lost is set up again, after 2 s at first and 2 min at most. A login that the server refuses for now
/// (A06, A07, A08) is repeated in the same way; A01 to A05 and A12 end the command for good.
///
/// Exit status: 0 after an orderly end, 4 without the privilege to change this host, else 10 to 19 for the layer that
/// failed, as for `adit doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  adit connect vpn.example.org -u alice --routes 192.168.10.0/24
  adit connect 203.0.113.10 -u 'CORP\\bob' --all --password-file /root/bob.password")]
pub(crate) struct Args {
    /// Connect to this name or address, with :PORT if it is not 1723
    #[arg(value_name = "HOST")]
    host: String,
    /// Log in as NAME or DOMAIN\NAME
    #[arg(short, long, value_name = "USER")]
    user: String,
    #[command(flatten)]
    password: PasswordSource,
    /// Send only these networks through the tunnel
    #[arg(long, value_name = "NET", value_delimiter = ',', conflicts_with = "all")]
    routes: Vec<Ipv4Net>,
    /// Send all traffic through the tunnel
    #[arg(long)]
    all: bool,
    /// Do not change DNS
    #[arg(long)]
    no_dns: bool,
    /// Use the tunnel's DNS servers only for names below these domains (needs systemd-resolved)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    domains: Vec<String>,
    /// Do not reconnect when the tunnel is lost
    #[arg(long)]
    once: bool,
    /// Wait for the network: also repeat a first attempt that does not reach the server
    #[arg(long, conflicts_with = "once")]
    wait: bool,
    /// Send an LCP Echo-Request after this many seconds without traffic; 0 never does
    #[arg(long, value_name = "SECONDS", default_value_t = ECHO_EVERY.as_secs() as u16, value_parser = clap::value_parser!(u16).range(0..=3600))]
    echo: u16,
    /// Reconnect after this many Echo-Requests without an answer, and at least as many round trips
    #[arg(long, value_name = "N", default_value_t = ECHO_LOST, value_parser = clap::value_parser!(u32).range(1..=100))]
    echo_lost: u32,
    /// Continue in the background once the tunnel is up
    #[arg(long)]
    background: bool,
    /// Print progress as JSON in any format, for the parent process of `--background`
    #[arg(long, hide = true)]
    watched: bool,
    /// Set the largest packet inside the tunnel, in bytes
    #[arg(long, value_name = "N", default_value_t = 1400, value_parser = clap::value_parser!(u16).range(576..=1500))]
    mtu: u16,
    #[command(flatten)]
    link: LinkFlags,
    /// Set the name of the tunnel interface; %d becomes a number
    #[arg(long, value_name = "NAME", default_value = "adit%d")]
    interface: String,
    /// Send no faster than the server acknowledges, within its window: for servers that drop bursts
    #[arg(long)]
    windowing: bool,
    /// Select the GRE packet I/O; xdp is faster and bypasses this host's firewall; auto: xdp where that changes nothing
    #[arg(long, value_name = "HOW", value_enum, default_value_t = IoWord::Auto)]
    io: IoWord,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum IoWord {
    Auto,
    Socket,
    Xdp,
}

/// One line of `adit connect --jsonl`.
impl Document for Progress {
    const NAME: &'static str = "adit.connect/1";
}

pub(crate) fn run(args: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    output.refuse_dry_run("connect", "adit doctor HOST")?;
    let options = options(args, places)?;
    if args.background {
        return super::background::run(&options, output);
    }
    // The password is in the memory of this process.
    if let Err(error) = adit_sys::host::forbid_inspection() {
        output.remark("warning", &error.to_string());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Problem, format!("no threads: {error}")))?;
    let mut mark = Mark::new(&options.run_dir, &options.server, &options.user)
        .map_err(|error| Failure::io("writing in", &options.run_dir, &error))?;
    let form = match (args.watched, output.is_text()) {
        (true, _) => Form::Watched(BackgroundLog::open(&options)),
        (false, true) => Form::Text,
        (false, false) => Form::Json,
    };
    let ended = runtime.block_on(connect(&options, form, &mut mark));
    drop(mark);
    runtime.shutdown_timeout(Duration::from_millis(200));
    ended.map(|()| Exit::Done).map_err(|failure| failure_of(&failure))
}

fn options(args: &Args, places: &Places) -> Result<ConnectOptions, Failure> {
    let (server, port) = match args.host.rsplit_once(':') {
        Some((server, port)) if !server.contains(':') => {
            let port = port.parse().map_err(|_| Failure::usage(format!("{port:?} is no TCP port")))?;
            (server, port)
        }
        _ => (args.host.as_str(), adit_wire::pptp::PORT),
    };
    let password = args.password.read_once("Password: ")?;
    let mut options = ConnectOptions::new(server, &args.user, password);
    options.port = port;
    (options.methods, options.mppe) = args.link.read()?;
    options.routes = if args.all { Routes::All } else { Routes::Split(args.routes.clone()) };
    options.dns = !args.no_dns;
    options.domains.clone_from(&args.domains);
    options.mtu = args.mtu;
    options.once = args.once;
    options.wait = args.wait;
    options.echo = (args.echo > 0).then(|| (Duration::from_secs(args.echo.into()), args.echo_lost));
    options.windowing = args.windowing;
    options.io = match args.io {
        IoWord::Auto => Io::Auto,
        IoWord::Socket => Io::Socket,
        IoWord::Xdp => Io::Xdp,
    };
    options.interface.clone_from(&args.interface);
    options.state_dir = places.client_state();
    options.run_dir = places.client_run();
    Ok(options)
}

/// Where progress is printed.
enum Form {
    Text,
    Json,
    /// As JSON for the parent process of `--background`, and as text in a file for later.
    Watched(Option<BackgroundLog>),
}

async fn connect(options: &ConnectOptions, mut form: Form, mark: &mut Mark) -> Result<(), ClientFailure> {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let is_background = matches!(form, Form::Watched(_));
    tokio::spawn(async move {
        let hangup = async {
            // In the background the terminal does not matter.
            loop {
                wait_for_hangup().await;
                if !is_background {
                    return;
                }
            }
        };
        tokio::select! {
            () = wait_for_signal() => {}
            () = hangup => {}
        }
        let _ = stop.send(true);
        // A second signal does not wait for an orderly end; the changes to the host are undone at the next start.
        wait_for_signal().await;
        std::process::exit(130);
    });
    let mut on_progress = |progress: Progress| {
        mark.note(&progress);
        if let Form::Watched(Some(log)) = &mut form {
            log.write(&progress);
        }
        let line = if matches!(form, Form::Text) {
            progress.to_string()
        } else {
            serde_json::to_string(&document::envelope(&progress, jiff::Timestamp::now())).unwrap_or_default()
        };
        // If our output is closed, the tunnel is still wanted.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    };
    adit_client::run(options, stopped, &mut on_progress).await
}

/// The final error: what the code means and what to do.
fn failure_of(failure: &ClientFailure) -> Failure {
    let Some(code) = failure.code else { return Failure::new(Exit::Done, failure.detail.clone()) };
    let exit = if code == adit_diag::Code::S08 { Exit::Denied } else { Exit::Layer(code.layer()) };
    let titled = Failure::new(exit, code.title()).code(code);
    match code.entry().fix.into_iter().next() {
        Some(fix) => titled.fix(fix),
        None => titled,
    }
}
