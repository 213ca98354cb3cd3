//! From where something was seen.

use std::fmt;

pub use adit_capture::conversation::Position;

/// One end of a PPTP call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Who calls: the PNS of RFC 2637.
    Client,
    /// Who is called: the PAC.
    Server,
}

impl Side {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Client => "client",
            Side::Server => "server",
        })
    }
}

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vantage {
    /// A live probe that dials.
    Client,
    /// A capture.
    Capture(Position),
    /// What the server itself noted of the call.
    Record,
    /// The host that a server runs on; no call.
    Host,
}

impl Vantage {
    /// The end whose packets are seen as they leave and arrive; `None` when neither's, or when it is not known.
    pub const fn near(self) -> Option<Side> {
        match self {
            Vantage::Client | Vantage::Capture(Position::NearClient) => Some(Side::Client),
            Vantage::Record | Vantage::Capture(Position::NearServer) => Some(Side::Server),
            Vantage::Capture(Position::Middle | Position::Unknown) | Vantage::Host => None,
        }
    }

    /// The word of the JSON document.
    pub const fn word(self) -> &'static str {
        match self {
            Vantage::Client => "client",
            Vantage::Capture(Position::NearClient) => "capture-near-client",
            Vantage::Capture(Position::NearServer) => "capture-near-server",
            Vantage::Capture(Position::Middle) => "capture-in-the-middle",
            Vantage::Capture(Position::Unknown) => "capture",
            Vantage::Record => "server-record",
            Vantage::Host => "server-host",
        }
    }
}
