//! Texts for the numbers of the RFCs.

/// ICMP codes that a filter sends (RFC 1812, 5.2.7.1).
pub(super) const fn is_filter(code: u8) -> bool {
    matches!(code, 9 | 10 | 13)
}

/// ICMP codes that the destination itself sends.
pub(super) const fn is_port(code: u8) -> bool {
    matches!(code, 2 | 3)
}

/// ICMP destination unreachable (RFC 792, RFC 1812).
pub(super) const fn unreachable(code: u8) -> &'static str {
    match code {
        0 => "network unreachable",
        1 => "host unreachable",
        2 => "protocol unreachable",
        3 => "port unreachable",
        4 => "fragmentation needed",
        5 => "source route failed",
        6 => "network unknown",
        7 => "host unknown",
        9 => "network prohibited by its administrator",
        10 => "host prohibited by its administrator",
        13 => "prohibited by a filter",
        _ => "unreachable",
    }
}

/// Result of a Start-Control-Connection-Reply (RFC 2637, 2.2).
pub(super) const fn start_result(result: u8) -> &'static str {
    match result {
        1 => "success",
        2 => "general error",
        3 => "a control connection of this client exists already",
        4 => "the client is not authorised",
        5 => "the protocol version is not supported",
        _ => "unknown result",
    }
}

/// Result of an Outgoing-Call-Reply (RFC 2637, 2.8).
pub(super) const fn call_result(result: u8) -> &'static str {
    match result {
        1 => "connected",
        2 => "general error",
        3 => "no carrier",
        4 => "busy",
        5 => "no dial tone",
        6 => "time-out",
        7 => "not accepted",
        _ => "unknown result",
    }
}

/// General error codes (RFC 2637, 2.16).
pub(super) const fn error(error: u8) -> &'static str {
    match error {
        1 => "not connected",
        2 => "bad format",
        3 => "bad value",
        4 => "no resources left",
        5 => "bad Call ID",
        6 => "error of the server itself",
        _ => "",
    }
}

/// Reason of a Stop-Control-Connection-Request (RFC 2637, 2.3).
pub(super) const fn stop_reason(reason: u8) -> &'static str {
    match reason {
        1 => "no reason given",
        2 => "the protocol version is not supported",
        3 => "it is being shut down",
        _ => "unknown reason",
    }
}

/// `2.0 s`.
pub(super) fn seconds(time: std::time::Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
