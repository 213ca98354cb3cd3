//! How each fault is made, layer by layer.

mod address;
mod auth;
mod control;
mod encrypt;
mod gre;
mod healthy;
mod host;
mod lcp;
mod mtu;
mod name;
mod route;

/// The files above.
const SOURCES: [&str; 11] = [
    include_str!("address.rs"),
    include_str!("auth.rs"),
    include_str!("control.rs"),
    include_str!("encrypt.rs"),
    include_str!("gre.rs"),
    include_str!("healthy.rs"),
    include_str!("host.rs"),
    include_str!("lcp.rs"),
    include_str!("mtu.rs"),
    include_str!("name.rs"),
    include_str!("route.rs"),
];

/// A row that no test makes would be missing from the table without a notice.
#[test]
fn every_row_of_the_matrix_is_made() {
    for row in crate::matrix::MATRIX {
        let number = format!("\"{}\"", row.number);
        assert!(SOURCES.iter().any(|source| source.contains(&number)), "no test makes row {number}");
    }
}
