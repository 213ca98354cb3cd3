//! What a host does to PPTP, found without changing anything on it.
//!
//! [`read`] turns what the host's own tools and /proc print into types; [`filter`] takes a packet through the rules.
//! Both are pure: text in, facts out, every bound named. [`look`] runs the tools, reads /proc, asks a few hosts, and makes
//! the doctor's facts of it.

#![forbid(unsafe_code)]

pub mod filter;
pub mod look;
pub mod read;
