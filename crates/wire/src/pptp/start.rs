//! Start-Control-Connection-Request and -Reply (RFC 2637 sections 2.1 and 2.2).

use core::fmt;

use super::codes::{Bearer, ErrorCode, Framing, StartResult, with_error};
use super::field::{Fields, Put as _, Text};

/// Protocol Version: the major number in the high octet, the revision in the low one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub u16);

impl Version {
    /// The only defined version: 1, revision 0.
    pub const ONE: Version = Version(0x0100);

    /// The major number; versions with different ones are incompatible.
    pub const fn major(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// The revision; all are compatible.
    pub const fn revision(self) -> u8 {
        self.0 as u8
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major(), self.revision())
    }
}

/// Start-Control-Connection-Request: opens the control connection and describes the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartControlConnectionRequest {
    /// Protocol Version.
    pub version: Version,
    /// Framing Capabilities.
    pub framing: Framing,
    /// Bearer Capabilities.
    pub bearer: Bearer,
    /// Maximum Channels: the calls that a PAC supports; a PNS sends 0.
    pub maximum_channels: u16,
    /// Firmware Revision.
    pub firmware: u16,
    /// Host Name.
    pub host_name: Text<64>,
    /// Vendor Name.
    pub vendor: Text<64>,
}

impl StartControlConnectionRequest {
    /// Creates the request of an ordinary client (RFC 2637 section 2.1): version 1, any framing and bearer,
    /// no channels.
    pub fn new(host_name: &[u8], vendor: &[u8]) -> Self {
        Self {
            version: Version::ONE,
            framing: Framing::EITHER,
            bearer: Bearer::EITHER,
            maximum_channels: 0,
            firmware: 0,
            host_name: Text::new(host_name),
            vendor: Text::new(vendor),
        }
    }

    /// The positive reply of the same host, with the same description of itself (RFC 2637 section 2.2).
    pub fn into_reply(self) -> StartControlConnectionReply {
        let Self { version, framing, bearer, maximum_channels, firmware, host_name, vendor } = self;
        StartControlConnectionReply {
            version,
            result: StartResult::Success,
            error: ErrorCode::None,
            framing,
            bearer,
            maximum_channels,
            firmware,
            host_name,
            vendor,
        }
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let version = Version(fields.u16());
        fields.reserved::<2>();
        Self {
            version,
            framing: Framing(fields.u32()),
            bearer: Bearer(fields.u32()),
            maximum_channels: fields.u16(),
            firmware: fields.u16(),
            host_name: fields.text(),
            vendor: fields.text(),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.u16(self.version.0);
        out.reserved::<2>();
        out.u32(self.framing.0);
        out.u32(self.bearer.0);
        out.u16(self.maximum_channels);
        out.u16(self.firmware);
        out.text(&self.host_name);
        out.text(&self.vendor);
    }
}

impl fmt::Display for StartControlConnectionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, framing, bearer, maximum_channels, firmware, host_name, vendor } = self;
        write!(f, "version {version} framing {framing} bearer {bearer} channels {maximum_channels} ")?;
        write!(f, "firmware {firmware} host {host_name} vendor {vendor}")
    }
}

/// Start-Control-Connection-Reply: whether the control connection is established, and the description of the
/// sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartControlConnectionReply {
    /// Protocol Version.
    pub version: Version,
    /// Result Code.
    pub result: StartResult,
    /// Error Code.
    pub error: ErrorCode,
    /// Framing Capabilities.
    pub framing: Framing,
    /// Bearer Capabilities.
    pub bearer: Bearer,
    /// Maximum Channels.
    pub maximum_channels: u16,
    /// Firmware Revision.
    pub firmware: u16,
    /// Host Name.
    pub host_name: Text<64>,
    /// Vendor Name.
    pub vendor: Text<64>,
}

impl StartControlConnectionReply {
    /// Creates the positive reply of an ordinary server (RFC 2637 section 2.2); one channel and firmware 1,
    /// as in pptpd.
    pub fn new(host_name: &[u8], vendor: &[u8]) -> Self {
        let request = StartControlConnectionRequest::new(host_name, vendor);
        Self { maximum_channels: 1, firmware: 1, ..request.into_reply() }
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            version: Version(fields.u16()),
            result: fields.u8().into(),
            error: fields.u8().into(),
            framing: Framing(fields.u32()),
            bearer: Bearer(fields.u32()),
            maximum_channels: fields.u16(),
            firmware: fields.u16(),
            host_name: fields.text(),
            vendor: fields.text(),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.u16(self.version.0);
        out.u8(self.result.into());
        out.u8(self.error.into());
        out.u32(self.framing.0);
        out.u32(self.bearer.0);
        out.u16(self.maximum_channels);
        out.u16(self.firmware);
        out.text(&self.host_name);
        out.text(&self.vendor);
    }
}

impl fmt::Display for StartControlConnectionReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, framing, bearer, maximum_channels, firmware, host_name, vendor, .. } = self;
        with_error(f, self.result, self.error)?;
        write!(f, " version {version} framing {framing} bearer {bearer} channels {maximum_channels} ")?;
        write!(f, "firmware {firmware} host {host_name} vendor {vendor}")
    }
}
