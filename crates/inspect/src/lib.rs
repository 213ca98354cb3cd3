//! What a host does to PPTP, found without changing anything on it.
//!
//! [`read`] turns what the host's own tools and /proc print into types; [`filter`] takes a packet through the rules.
//! Both are pure: text in, facts out, every bound named.

#![forbid(unsafe_code)]

pub mod filter;
pub mod read;
