//! The fault matrix as data: what each vantage must say of each fault. There are no alternatives: two runs of a row that
//! differ are a fault of the row or of the program.
//!
//! - `G01`: this is the first failure named.
//! - `+I04`: no failure, but this finding.
//! - `-`: it cannot be known from there. No code, and a next test.
//! - `healthy`: no failure and no finding.
//! - `up`: no failure, and every session came up.
//! - `later`: what the fault needs does not exist yet.
//! - `.`: not asked, such as a capture at a server that no packet reached.
//!
//! After `~`: what the text must contain.

/// One fault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) number: &'static str,
    pub(crate) fault: &'static str,
    /// `adit doctor HOST` at the client.
    pub(crate) doctor: &'static str,
    /// A capture at the client.
    pub(crate) near_client: &'static str,
    /// A capture at the server.
    pub(crate) near_server: &'static str,
    /// `adit doctor --server`.
    pub(crate) server: &'static str,
    /// The server's own record of the call.
    pub(crate) record: &'static str,
}

const fn row(number: &'static str, fault: &'static str, want: [&'static str; 5]) -> Row {
    let [doctor, near_client, near_server, server, record] = want;
    Row { number, fault, doctor, near_client, near_server, server, record }
}

/// The row of this number.
pub(crate) fn find(number: &str) -> &'static Row {
    let row = MATRIX.iter().find(|row| row.number == number);
    row.unwrap_or_else(|| panic!("row {number} is not in the matrix"))
}

/// In the order in which a person tests.
pub(crate) const MATRIX: &[Row] = &[
    row("1", "name does not resolve", ["N01", "N01", "-", "-", "-"]),
    row("2", "name leads to an old address", ["C01", "C01", "-", "-", "-"]),
    row("3", "no route on the client", ["N02", "-", "-", "-", "-"]),
    row("4", "transit: host unreachable", ["N02~198.51.100.1", "N02", "-", "-", "-"]),
    row("5", "server stopped", ["C02", "C02", "C02", "C02", "-"]),
    row("6", "edge drops TCP 1723", ["C01", "C01", "-", "-", "-"]),
    row("7", "server's nft drops TCP 1723", ["C01", "C01", "C01", "S03", "-"]),
    row("8", "home router rejects TCP 1723", ["C01~192.168.1.1", "C01~192.168.1.1", "-", "-", "-"]),
    row("9", "web server on 1723", ["C04", "C04", "C04", "S01", "-"]),
    row("10", "accepted, then reset", ["C03", "C03", "C03", ".", "."]),
    row("11", "accepts and never answers", ["C01", "C01", "C01", ".", "."]),
    row("12", "session limit reached", ["C05", "C05", "C05", "C05", "C05"]),
    row("13", "GRE lost client to server", ["G02", "G02", "G02", "-", "G02"]),
    row("14", "GRE lost server to client", ["G01", "G01", "G03", "-", "G03"]),
    row("15", "GRE lost both ways", ["G01", "G01", "G02", "-", "G01"]),
    row("16", "server's nft input drops 47", ["G02", "G02", "G02", "S03~gre", "G02"]),
    row("17", "server's nft output drops 47", ["G01", "G01", "G03", "S03~gre", "G03"]),
    row("18", "server opens TCP port 47", ["G02", "G02", "G02", "S03~port 47", "G02"]),
    row("19", "strict NAT without helper", ["G01", "G01", "G01", "-", "G03"]),
    row("20", "two clients, NAT without helper", ["G01~another PPTP client", "G01", "G06", "-", "G06"]),
    row("21", "NAT rewrites one Call ID", ["G04", "G04", "G04", "-", "G04"]),
    row("22", "port forward of TCP 1723 only", ["G02", "G02", "G02", "N03", "G02"]),
    row(
        "23",
        "server answers from another address",
        ["G03~203.0.113.11", "G03~203.0.113.11", "G03~203.0.113.11", "G03", "G03"],
    ),
    row("24", "idle GRE state forgotten", ["G05", "G05", "G05", "-", "G05"]),
    row(
        "25",
        "protocol unreachable from the server",
        ["G01~203.0.113.10", "G01~203.0.113.10", "G01~203.0.113.10", ".", "."],
    ),
    row("26", "server's PPP dies after the call", ["L03", "L03", "L03", ".", "."]),
    row("27", "server takes PAP alone", ["A05", "A05", "A05", "-", "A05"]),
    row("28", "LCP loops on the MRU", ["L01", "L01", "L01", "-", "L01"]),
    row("29", "looped-back link", ["L02", "L02", "L02", ".", "."]),
    row("30", "peer dies when up", ["L04", "L04", "L04", "-", "L04"]),
    row("31", "wrong password", ["A01", "A01", "A01", "-", "A01"]),
    row("32", "unknown user", ["A01", "A01", "A01", "-", "A01~unknown user"]),
    row("33", "account disabled", ["A02", "A02", "A02", "+A02", "A02"]),
    row("34", "account expired", ["A02", "A02", "A02", "+A10", "A10"]),
    row("35", "account locked by failures", ["later"; 5]),
    row("36", "outside logon hours", ["later"; 5]),
    row("37", "no VPN permission", ["A11", "A11", "A11", "+A11", "A11"]),
    row("38", "RADIUS server stopped", ["later"; 5]),
    row("39", "RADIUS secret wrong", ["later"; 5]),
    row("40", "already connected, policy refuse", ["A08", "A08", "A08", "-", "A08"]),
    row("41", "domain the server does not strip", ["A01~CORP", "A01~CORP", "A01~CORP", "-", "A01~CORP"]),
    row("42", "server requires MPPE, client refuses", ["E01", "E01", "E01", "-", "E01"]),
    row("43", "client requires MPPE, server refuses", ["E02", "E02", "E02", "-", "E02"]),
    row("44", "40-bit client, 128-bit server", ["E03", "E03", "E03", "-", "E03"]),
    row("45", "keys differ", ["E05", "E05", "E05", "-", "E05"]),
    row("46", "pool exhausted", ["I01", "I01", "I01", "I01", "I01"]),
    row("47", "address refused", ["I02", "I02", "I02", "-", "I02"]),
    row("48", "pool overlaps the client's LAN", ["I03", "+I03", "-", "P03", "-"]),
    row("49", "pool overlaps the server's LAN", ["R08~route back", "R08", "R08~route back", "P01", "R02"]),
    row("50", "DHCP server for the pool gone", ["later"; 5]),
    row("51", "no DNS handed out", ["+I04", "+I04", "+I04", "+I04", "-"]),
    row("52", "DNS server handed out is silent", ["R04", "R04", "R04", "R04", "-"]),
    row("53", "inner name does not exist", ["R05", "R05", "R05", "-", "-"]),
    row("54", "ip_forward off", ["R06", "R06", "R06", "R06", "-"]),
    row("55", "rp_filter drops replies", ["R03", "R03", "R03", "R07", "-"]),
    row("56", "no route back to the pool", ["R03", "R03", "R03", "R03", "-"]),
    row("57", "ACL denies the target", ["R01", "R08", "R08", "+R02", "R02"]),
    row("57b", "server's rules deny the target", ["R02", "R02", "R02", "R02", "-"]),
    row("58", "target silent", ["R08", "R08", "R08", "-", "-"]),
    row("58b", "target refuses", ["R09", "R09", "R09", "-", "-"]),
    row("59", "split tunnel lacks the prefix", ["R01", "R01", "R01", "+R01", "-"]),
    row("60", "path MTU 1300, ICMP suppressed", ["M01", "M01", "M01", "-", "M01"]),
    row("61", "MSS not clamped", ["+M02", "+M02", "+M02", "-", "-"]),
    row("62", "second fragments dropped", ["M03", "M03", "M03", "-", "M01"]),
    row("63", "30 % loss of GRE one way", ["+G07", "+G07", "+G07", "-", "+G07"]),
    // The call that swallowed its own way still counts as up when the vantage points are asked: it has missed no echo yet.
    row("64", "default route swallowed", ["R01~loop", "-", "-", "-", "-"]),
    row("65", "clock far off with EAP-TLS", ["later"; 5]),
    row("66", "state directory full", ["C07", "C07", "C07", "S06", "S06"]),
    // The doctor sees its own rules and hangs up before the server has waited long enough to blame GRE.
    row("67", "client's own nft drops GRE", ["S03", "-", "G02", "-", "-"]),
    row("68", "CGNAT before the server", ["healthy", "healthy", "healthy", "N03", "up"]),
    row("H1", "healthy: direct", ["healthy", "healthy", "healthy", "healthy", "up"]),
    row("H2", "healthy: NAT with helper", ["healthy", "healthy", "healthy", "healthy", "up"]),
    row("H3", "healthy: 2 % loss", ["healthy", "healthy", "healthy", "healthy", "up"]),
    row("H4", "healthy: 200 ms delay", ["healthy", "healthy", "healthy", "healthy", "up"]),
    row("H5", "healthy: two clients with helper", ["healthy", "healthy", "healthy", "healthy", "up"]),
    row("H6", "healthy: foreign server", ["healthy", "healthy", "healthy", ".", "."]),
];
