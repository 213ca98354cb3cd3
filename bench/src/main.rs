//! Dials a PPTP server many times and reports the results.

use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use adit_bench::machine::Machine;
use adit_bench::{Load, Plan, Report, Traffic};
use anyhow::Context as _;
use clap::Parser;
use serde::Serialize;

/// Dial a PPTP server many times, send pings through every tunnel, and print one JSON document.
#[derive(Debug, Parser)]
#[command(after_help = FIELDS)]
struct Args {
    /// Address of the server.
    server: Ipv4Addr,
    /// TCP port of the server.
    #[arg(long, default_value_t = 1723)]
    port: u16,
    /// Account name; `%n` is replaced by the number of the account, from 0.
    #[arg(short, long, default_value = "load%n")]
    user: String,
    /// Accounts that share the calls [default: as many as calls].
    #[arg(long)]
    users: Option<u32>,
    /// Calls to make.
    #[arg(short = 'n', long, default_value_t = 200)]
    sessions: u32,
    /// Calls being set up or up at once [default: all].
    #[arg(long)]
    at_once: Option<u32>,
    /// Echo requests to send through each tunnel.
    #[arg(long, default_value_t = 50)]
    pings: u32,
    /// Octets of data in each echo request.
    #[arg(long, default_value_t = 1200)]
    size: u16,
    /// Seconds to stay up after the pings.
    #[arg(long, default_value_t = 0.0)]
    hold: f64,
    /// Keep all calls until the last is up; then --hold and --traffic begin. --at-once limits set-ups only.
    #[arg(long)]
    together: bool,
    /// Send no keep-alive from the clients: only the server's is measured.
    #[arg(long)]
    patient: bool,
    /// Addresses of this host to call from, in turn: all hosts of a network.
    #[arg(long)]
    sources: Option<ipnet::Ipv4Net>,
    /// With --together: seconds of echo requests over all sessions in turn.
    #[arg(long, default_value_t = 0.0)]
    traffic: f64,
    /// Packets a second in --traffic, of all sessions together; 0: as many as are answered.
    #[arg(long, default_value_t = 0)]
    rate: u32,
    /// Packets in flight at once in --traffic, without --rate.
    #[arg(long, default_value_t = 128)]
    window: u32,
    /// Process of the server on this machine, to measure its time and memory.
    #[arg(long)]
    server_pid: Option<u32>,
    /// Read the password of all accounts from standard input, one line.
    #[arg(long)]
    password_stdin: bool,
}

/// The fields of the document.
const FIELDS: &str = "\
The document: machine {cpu, vendor, microcode, cores, kernel, hypervisor, mitigations};
calls, up, failed {why: number}; setup_ms_median, _p99, _max (from the start of the TCP connection to IPCP);
last_up_seconds, setups_per_second (of the calls after the first hundred, where those are made first); pings_sent, _answered,
_damaged; addresses; seconds (to the end of the last call).
With --server-pid: server_rss_kib_before, _at_100, _after; bytes_per_session (beyond the first hundred);
server_cpu_us_per_setup; idle_server_cpu_percent (of one core, during --hold with --together).
With --traffic: traffic_sent, traffic_answered, traffic_packets_per_second, server_cpu_us_per_packet,
client_cpu_us_per_packet (a request and a reply are two packets).";

/// What is printed.
#[derive(Serialize)]
struct Document {
    machine: Machine,
    #[serde(flatten)]
    report: Report,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    anyhow::ensure!(args.password_stdin, "give the password on standard input, with --password-stdin");
    anyhow::ensure!(args.size <= 1300, "--size is at most 1300: an echo request must fit the tunnel");
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password).context("reading the password")?;
    let plan = Plan {
        server: SocketAddrV4::new(args.server, args.port),
        user: args.user,
        users: args.users.unwrap_or(args.sessions).max(1),
        password: password.trim_end_matches('\n').to_owned(),
        sessions: args.sessions,
        at_once: args.at_once.unwrap_or(args.sessions).max(1),
        pings: args.pings,
        size: args.size,
        hold: Duration::try_from_secs_f64(args.hold).context("--hold")?,
        together: args.together || args.traffic > 0.0,
        patient: args.patient,
        sources: args.sources.iter().flat_map(ipnet::Ipv4Net::hosts).collect(),
        traffic: match Duration::try_from_secs_f64(args.traffic).context("--traffic")? {
            Duration::ZERO => None,
            time => Some(Traffic { load: Load::Ping, time, rate: args.rate, window: args.window.max(1) }),
        },
        server_pid: args.server_pid,
        ..Plan::new(SocketAddrV4::new(args.server, args.port), "")
    };
    let report = adit_bench::run(plan)?;
    let document = Document { machine: Machine::here(), report };
    println!("{}", serde_json::to_string_pretty(&document)?);
    anyhow::ensure!(document.report.is_clean(), "some calls failed: see above");
    Ok(())
}
