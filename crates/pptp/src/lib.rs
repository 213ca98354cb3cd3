//! PPTP (RFC 2637) as state machines without I/O: [`control`] is a control connection with its calls, both roles;
//! [`gre`] numbers, acknowledges and reorders the data packets of one call.
#![forbid(unsafe_code)]

pub mod control;
pub mod gre;
