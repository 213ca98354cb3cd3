//! How this host treats PPTP, found without changing anything on it.
//!
//! [`read`] turns what the host's own tools and /proc print into types; [`filter`] follows a packet through the rules.
//! Both are pure: text in, facts out, every bound named. [`look`] runs the tools, reads /proc, probes a few hosts, and
//! returns the doctor's facts.

#![forbid(unsafe_code)]

pub mod filter;
pub mod look;
pub mod read;
