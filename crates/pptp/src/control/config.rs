//! The configuration of a control connection.

use std::time::Duration;

use adit_diag::Side;
use adit_wire::pptp::{Bearer, Framing, OutgoingCallRequest};

/// The configuration of one control connection. A duration of zero disables its timer unless noted otherwise.
#[derive(Clone, Debug)]
pub struct ControlConfig {
    /// Which end this is.
    pub role: Side,
    /// Host Name to send; at most 64 octets are sent.
    pub host_name: Vec<u8>,
    /// Vendor Name to send; at most 64 octets are sent.
    pub vendor: Vec<u8>,
    /// Firmware Revision to send.
    pub firmware: u16,
    /// Maximum Channels to send; a PNS sends 0.
    pub maximum_channels: u16,
    /// Whether the peer's address may open a control connection; if not, the reply has result 4.
    pub authorised: bool,
    /// The time limit from the TCP connection to the established control connection; cannot be disabled.
    pub setup_timeout: Duration,
    /// The time limit of each transitional state of a call; cannot be disabled.
    pub call_timeout: Duration,
    /// How long an established control connection may be without any call before it is stopped.
    pub callless_timeout: Duration,
    /// How long to wait for Call-Disconnect-Notify after Call-Clear-Request.
    pub disconnect_timeout: Duration,
    /// How long to wait for Stop-Control-Connection-Reply.
    pub stop_timeout: Duration,
    /// Idle time without any control message from the peer after which an Echo-Request is sent.
    pub echo_every: Option<Duration>,
    /// How long to wait for an Echo-Reply before the connection is closed; zero means forever.
    pub echo_timeout: Duration,
    /// The most concurrent calls.
    pub max_calls: usize,
    /// Whether Incoming-Call-Requests are passed to the caller; otherwise they are refused with result 3.
    pub accept_incoming: bool,
    /// The parameters in requests and replies about calls.
    pub call: CallParameters,
}

impl ControlConfig {
    /// Returns the defaults of a server.
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

    /// Returns the defaults of a client.
    pub fn client() -> ControlConfig {
        ControlConfig { role: Side::Client, callless_timeout: Duration::ZERO, ..ControlConfig::server() }
    }
}

/// Fields of call messages that no VPN depends on. The defaults are those of Windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallParameters {
    /// Minimum BPS to request.
    pub minimum_bps: u32,
    /// Maximum BPS to request, and the highest Connect Speed to report.
    pub maximum_bps: u32,
    /// Bearer capabilities and type.
    pub bearer: Bearer,
    /// Framing capabilities and type.
    pub framing: Framing,
    /// Packet Receive Window Size in packets.
    pub window: u16,
    /// Phone Number to send; some concentrators use it for routing.
    pub phone_number: Vec<u8>,
    /// Subaddress to send.
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
