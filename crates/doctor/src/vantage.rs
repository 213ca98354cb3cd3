//! The vantage points from which facts are collected.

use adit_diag::Side;

pub use adit_capture::conversation::Position;

/// The vantage point of a diagnosis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vantage {
    /// A live probe that dials.
    Client,
    /// A capture.
    Capture(Position),
    /// The server's own record of the call.
    Record,
    /// The host that a server runs on; no call.
    Host,
}

impl Vantage {
    /// The end at which packets are observed as they leave and arrive; `None` if it is neither, or unknown.
    pub const fn near(self) -> Option<Side> {
        match self {
            Vantage::Client | Vantage::Capture(Position::NearClient) => Some(Side::Client),
            Vantage::Record | Vantage::Capture(Position::NearServer) => Some(Side::Server),
            Vantage::Capture(Position::Middle | Position::Unknown) | Vantage::Host => None,
        }
    }

    /// The name in the JSON document.
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
