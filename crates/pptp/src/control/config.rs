//! How a control connection behaves.

use std::time::Duration;

use adit_diag::Side;
use adit_wire::pptp::{Bearer, Framing, OutgoingCallRequest};

/// The configuration of one control connection. A duration of zero switches its timer off, where nothing else is said.
#[derive(Clone, Debug)]
pub struct ControlConfig {
    /// Which end this is.
    pub role: Side,
    /// Host Name to give; at most 64 octets are sent.
    pub host_name: Vec<u8>,
    /// Vendor Name to give; at most 64 octets are sent.
    pub vendor: Vec<u8>,
    /// Firmware Revision to give.
    pub firmware: u16,
    /// Maximum Channels to give; a PNS gives 0.
    pub maximum_channels: u16,
    /// Whether the peer's address may open a control connection; if not, it is answered with result 4.
    pub authorised: bool,
    /// The control connection must be established this long after TCP is; never off.
    pub setup_timeout: Duration,
    /// A call must leave each passing state after this long; never off.
    pub call_timeout: Duration,
    /// An established control connection without any call is stopped after this long.
    pub callless_timeout: Duration,
    /// How long to wait for Call-Disconnect-Notify after Call-Clear-Request.
    pub disconnect_timeout: Duration,
    /// How long to wait for Stop-Control-Connection-Reply.
    pub stop_timeout: Duration,
    /// Send an Echo-Request after this long without any control message from the peer.
    pub echo_every: Option<Duration>,
    /// Close when no Echo-Reply has come after this long; zero means wait for ever.
    pub echo_timeout: Duration,
    /// Calls at a time.
    pub max_calls: usize,
    /// Whether the shell is asked about Incoming-Call-Requests; otherwise they are refused with result 3.
    pub accept_incoming: bool,
    /// What to say in requests and replies about calls.
    pub call: CallParameters,
}

impl ControlConfig {
    /// The defaults of a server.
    pub fn server() -> ControlConfig {
        ControlConfig {
            role: Side::Server,
            host_name: Vec::new(),
            vendor: b"adit".to_vec(),
            firmware: 1,
            maximum_channels: 0,
            authorised: true,
            setup_timeout: Duration::from_secs(30),
            call_timeout: Duration::from_secs(60),
            callless_timeout: Duration::from_secs(30),
            disconnect_timeout: Duration::from_secs(3),
            stop_timeout: Duration::from_secs(5),
            echo_every: Some(Duration::from_secs(60)),
            echo_timeout: Duration::from_secs(60),
            max_calls: 8,
            accept_incoming: false,
            call: CallParameters::default(),
        }
    }

    /// The defaults of a client.
    pub fn client() -> ControlConfig {
        ControlConfig { role: Side::Client, callless_timeout: Duration::ZERO, ..ControlConfig::server() }
    }
}

/// Fields of call messages that no VPN depends on. The defaults are those of Windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallParameters {
    /// Minimum BPS to ask for.
    pub minimum_bps: u32,
    /// Maximum BPS to ask for, and the highest Connect Speed to give.
    pub maximum_bps: u32,
    /// Bearer capabilities and type.
    pub bearer: Bearer,
    /// Framing capabilities and type.
    pub framing: Framing,
    /// Packet Receive Window Size in packets.
    pub window: u16,
    /// Phone Number to ask for; some concentrators route on it.
    pub phone_number: Vec<u8>,
    /// Subaddress to ask for.
    pub subaddress: Vec<u8>,
}

impl Default for CallParameters {
    fn default() -> CallParameters {
        let OutgoingCallRequest { minimum_bps, maximum_bps, bearer, framing, window, .. } =
            OutgoingCallRequest::new(0);
        CallParameters {
            minimum_bps,
            maximum_bps,
            bearer,
            framing,
            window,
            phone_number: Vec::new(),
            subaddress: Vec::new(),
        }
    }
}
