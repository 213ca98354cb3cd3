//! Dials a PPTP server many times and says how that went.

use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddrV4};

use adit_bench::Plan;
use anyhow::Context as _;
use clap::Parser;

/// Dials a PPTP server many times, sends pings through every tunnel, and prints one JSON document.
#[derive(Debug, Parser)]
struct Args {
    /// Address of the server.
    server: Ipv4Addr,
    /// TCP port of the server.
    #[arg(long, default_value_t = 1723)]
    port: u16,
    /// Account; `%n` is replaced by the number of the account, from 0.
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
    /// Reads the password of all accounts from standard input, one line.
    #[arg(long)]
    password_stdin: bool,
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
        hold: std::time::Duration::try_from_secs_f64(args.hold).context("--hold")?,
    };
    let report = adit_bench::run(plan)?;
    println!("{}", serde_json::to_string_pretty(&report)?);
    anyhow::ensure!(report.is_clean(), "not every call did what it was to do: see above");
    Ok(())
}
