//! Flags of `adit doctor`.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use adit_diag::Layer;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::commands::link_flags::LinkFlags;
use crate::prompt::PasswordSource;

/// Find the first layer that fails, its owner, and the evidence
///
/// Tests a server from this host (HOST), analyses a capture of a call (--pcap), or checks the server on this host
/// (--server). Nothing on this host is changed: with -u, the tests inside the tunnel need no interface.
///
/// Exit status: 0 when all tests pass, 10 to 19 for the layer that failed (10 name, 11 control, 12 gre, 13 lcp,
/// 14 auth, 15 encrypt, 16 address, 17 route, 18 mtu, 19 this host), 1 when the call failed and the layer is not known,
/// 4 when a privilege is missing, 5 when a file has no PPTP; with --server, 1 when there is a finding.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  adit doctor vpn.example.org
  adit doctor vpn.example.org -u alice --reach 192.168.10.20:443
  adit doctor --pcap call.pcap
  sudo adit doctor --capture eth0 --seconds 120
  sudo adit doctor --server")]
pub(crate) struct Args {
    /// Test this name or address, with :PORT if it is not 1723
    #[arg(value_name = "HOST", required_unless_present_any = ["pcap", "capture", "server"])]
    pub(crate) host: Option<String>,
    /// Read a capture file instead; - for stdin. With HOST, only calls to that server
    #[arg(long, value_name = "FILE", conflicts_with_all = ["capture", "server"])]
    pub(crate) pcap: Option<PathBuf>,
    /// Capture on an interface instead; any for all of them
    #[arg(long, value_name = "INTERFACE", conflicts_with = "server")]
    pub(crate) capture: Option<String>,
    /// Capture for this many seconds
    #[arg(long, value_name = "N", default_value_t = 60, requires = "capture", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) seconds: u64,
    /// Show challenges and responses of the capture, or keep them in the bundle: they permit password cracking
    #[arg(long, conflicts_with = "server")]
    pub(crate) hashes: bool,
    /// Check the server on this host instead
    #[arg(long, conflicts_with = "host")]
    pub(crate) server: bool,
    /// Log in once, as NAME or DOMAIN\NAME; with --pcap, decrypt with the password of this user
    #[arg(short, long, value_name = "USER")]
    pub(crate) user: Option<String>,
    #[command(flatten)]
    pub(crate) password: PasswordSource,
    #[command(flatten)]
    pub(crate) link: LinkFlags,
    /// Test this target through the tunnel: an address or name, with :PORT for TCP; repeat for more
    #[arg(long, value_name = "TARGET", requires = "user", conflicts_with_all = ["pcap", "server"])]
    pub(crate) reach: Vec<String>,
    /// Use this local source address
    #[arg(long, value_name = "ADDR", requires = "host")]
    pub(crate) from: Option<Ipv4Addr>,
    /// Test only up to these layers: name, control, gre, lcp, auth, encrypt, address, route, mtu
    #[arg(
        long,
        value_name = "LAYER",
        value_delimiter = ',',
        value_parser = layer(),
        requires = "host",
        hide_possible_values = true
    )]
    pub(crate) layers: Vec<Layer>,
    /// Stay idle in the tunnel this long, then test whether it still works, such as 40s
    #[arg(long, value_name = "SPAN", value_parser = crate::when::span, requires = "user")]
    pub(crate) idle: Option<Duration>,
    /// Write the findings to an archive for support, without passwords and authentication proofs
    #[arg(long, value_name = "FILE", requires = "host")]
    pub(crate) bundle: Option<PathBuf>,
    /// Analyse only this call of the capture, counted from 1
    #[arg(long, value_name = "N", conflicts_with = "server")]
    pub(crate) call: Option<usize>,
    /// Analyse this session of the server
    #[arg(long, value_name = "ID", requires = "server")]
    pub(crate) session: Option<String>,
    /// Show the rules that matched, and their weights
    #[arg(long)]
    pub(crate) why: bool,
}

/// Parser of a layer name.
fn layer() -> impl TypedValueParser<Value = Layer> {
    let word = PossibleValuesParser::new(Layer::OF_A_CALL.map(Layer::word));
    word.try_map(|word| {
        let named = |layer: &Layer| layer.word() == word;
        Layer::OF_A_CALL.into_iter().find(named).ok_or("no layer of a call")
    })
}
