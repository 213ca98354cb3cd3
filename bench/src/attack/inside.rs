//! Floods within a session, by its own client: replies a second, and what they cost the server.

use std::net::SocketAddrV4;
use std::path::Path;
use std::time::Duration;

use adit_bench::{Load, Plan, Traffic};
use anyhow::Context as _;

use crate::adit::{Mppe, PASSWORD, Server};
use crate::figures::Figures;
use crate::net::{Net, Role, SERVER};

/// Requests a second.
const RATE: u32 = 50_000;
const USER: &str = "alice";

/// The floods with their names.
pub(crate) const LOADS: [(Load, &str); 3] = [
    (Load::LcpEcho, "lcp echo-requests"),
    (Load::LcpConfigure, "lcp configure-requests"),
    (Load::DhcpInform, "dhcpinform"),
];

/// Sends requests for `length`.
pub(crate) fn run(program: &Path, load: Load, length: Duration) -> anyhow::Result<Figures> {
    let net = Net::new();
    let server = Server::start(program, net.host(Role::Server), Mppe::Stateless, &[USER.to_owned()])?;
    let client = net.host(Role::Client);
    let plan = Plan {
        user: USER.to_owned(),
        together: true,
        traffic: Some(Traffic { load, time: length, rate: RATE, window: 1 }),
        server_pid: Some(server.pid()),
        patience: Duration::from_secs(30),
        ..Plan::new(SocketAddrV4::new(SERVER, adit_wire::pptp::PORT), PASSWORD)
    };
    let report = client.run(|| adit_bench::run(plan))?;
    anyhow::ensure!(report.up == 1, "the session did not come up: {:?}", report.failed);
    let traffic = report.traffic.context("nothing was sent")?;
    let (sent, replies) = (traffic.traffic_sent as f64, traffic.traffic_answered as f64);
    let seconds = (sent + replies) / traffic.traffic_packets_per_second.max(f64::MIN_POSITIVE);
    let mut figures = Figures::default();
    figures.set("requests/s", sent / seconds);
    figures.set("replies/s", replies / seconds);
    figures.set("server cpu %", traffic.server_cpu_us_per_packet * (sent + replies) / seconds / 1e4);
    for (why, _) in report.failed {
        figures.note(why);
    }
    server.describe(&[USER], &mut figures);
    Ok(figures)
}
