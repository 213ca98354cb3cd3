//! Result, error and reason codes, which preserve unknown values, and capability masks.

use core::fmt;

macro_rules! codes {
    ($(
        $(#[$doc:meta])*
        $name:ident { $($(#[$item_doc:meta])* $item:ident = $value:literal $text:literal,)+ }
    )+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$item_doc])* $item,)+
            /// Any other value.
            Other(u8),
        }

        impl From<u8> for $name {
            fn from(value: u8) -> $name {
                match value {
                    $($value => $name::$item,)+
                    other => $name::Other(other),
                }
            }
        }

        impl From<$name> for u8 {
            fn from(code: $name) -> u8 {
                match code {
                    $($name::$item => $value,)+
                    $name::Other(other) => other,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $($name::$item => f.write_str($text),)+
                    $name::Other(other) => write!(f, "code {other}"),
                }
            }
        }
    )+};
}

codes! {
    /// Result Code of Start-Control-Connection-Reply (RFC 2637 section 2.2).
    StartResult {
        /// The control connection is established.
        Success = 1 "success",
        /// See the error code.
        GeneralError = 2 "general error",
        /// A control connection between the two exists already.
        ChannelExists = 3 "control connection already exists",
        /// The requester may not open a control connection.
        NotAuthorised = 4 "not authorised",
        /// The requester's protocol version is not supported.
        VersionUnsupported = 5 "protocol version not supported",
    }

    /// Reason of Stop-Control-Connection-Request (RFC 2637 section 2.3).
    StopReason {
        /// General request to clear the control connection.
        General = 1 "general request",
        /// The peer's version of the protocol cannot be supported.
        Protocol = 2 "cannot support the peer's version",
        /// The requester is being shut down.
        LocalShutdown = 3 "local shutdown",
    }

    /// Result of Stop-Control-Connection-Reply and Echo-Reply (RFC 2637 sections 2.4 and 2.6).
    PlainResult {
        /// Success.
        Ok = 1 "ok",
        /// See the error code.
        GeneralError = 2 "general error",
    }

    /// Result Code of Outgoing-Call-Reply (RFC 2637 section 2.8).
    OutgoingResult {
        /// The call is connected.
        Connected = 1 "connected",
        /// See the error code.
        GeneralError = 2 "general error",
        /// No carrier.
        NoCarrier = 3 "no carrier",
        /// Busy.
        Busy = 4 "busy",
        /// No dial tone.
        NoDialTone = 5 "no dial tone",
        /// The call was not connected within the time limit of the PAC.
        TimedOut = 6 "timed out",
        /// Administratively prohibited.
        DoNotAccept = 7 "do not accept",
    }

    /// Result Code of Incoming-Call-Reply (RFC 2637 section 2.10).
    IncomingResult {
        /// The PAC should answer the call.
        Connect = 1 "connect",
        /// See the error code.
        GeneralError = 2 "general error",
        /// The PAC should not accept the call.
        DoNotAccept = 3 "do not accept",
    }

    /// Result Code of Call-Disconnect-Notify (RFC 2637 section 2.13).
    DisconnectResult {
        /// Not in the RFC; Windows sends it.
        Unspecified = 0 "unspecified",
        /// Lost carrier.
        LostCarrier = 1 "lost carrier",
        /// See the error code.
        GeneralError = 2 "general error",
        /// Administrative shutdown.
        AdminShutdown = 3 "administrative shutdown",
        /// A Call-Clear-Request was received.
        Request = 4 "on request",
    }

    /// General Error Code (RFC 2637 section 2.16).
    ErrorCode {
        /// No error.
        None = 0 "none",
        /// There is no control connection yet.
        NotConnected = 1 "not connected",
        /// Length or Magic Cookie is wrong.
        BadFormat = 2 "bad format",
        /// A field is out of range.
        BadValue = 3 "bad value",
        /// Not enough resources.
        NoResource = 4 "no resource",
        /// The Call ID is wrong in this context.
        BadCallId = 5 "bad call ID",
        /// A vendor-specific error of the PAC.
        PacError = 6 "PAC error",
    }
}

/// Formats a result code with its error code, which is defined for "general error" only.
pub(super) fn with_error(
    f: &mut fmt::Formatter<'_>,
    result: impl fmt::Display,
    error: ErrorCode,
) -> fmt::Result {
    match error {
        ErrorCode::None => write!(f, "result {result}"),
        error => write!(f, "result {result}, error {error}"),
    }
}

macro_rules! masks {
    ($($(#[$doc:meta])* $name:ident { $first:ident = $first_text:literal, $second:ident = $second_text:literal })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name(pub u32);

        impl $name {
            #[doc = concat!("Bit mask of ", $first_text, ".")]
            pub const $first: $name = $name(1);
            #[doc = concat!("Bit mask of ", $second_text, ".")]
            pub const $second: $name = $name(2);
            /// Both bits.
            pub const EITHER: $name = $name(3);
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0 {
                    0 => f.write_str("none"),
                    1 => f.write_str($first_text),
                    2 => f.write_str($second_text),
                    3 => f.write_str("either"),
                    other => write!(f, "{other:#x}"),
                }
            }
        }
    )+};
}

masks! {
    /// Framing Capabilities or Framing Type. Has no effect in a VPN.
    Framing { ASYNC = "async", SYNC = "sync" }
    /// Bearer Capabilities or Bearer Type. Has no effect in a VPN.
    Bearer { ANALOG = "analog", DIGITAL = "digital" }
}
