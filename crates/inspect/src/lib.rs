//! Inspection of how this host handles PPTP, without changing anything on it.
//!
//! [`read`] parses the output of the host's own tools and /proc; [`filter`] evaluates the rules for a packet.
//! Both are pure functions from text to facts, with limits as constants. [`look`] runs the tools, reads
//! /proc, probes a few hosts, and returns the doctor's facts. [`bypass`] decides whether GRE may bypass the IP
//! stack (AF_XDP) without a difference.

#![forbid(unsafe_code)]

pub mod bypass;
pub mod filter;
pub mod look;
pub mod read;
