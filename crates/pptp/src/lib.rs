//! PPTP (RFC 2637) as state machines without I/O: [`control`] is a control connection with its calls, in both
//! roles; [`gre`] numbers, acknowledges and reorders the data packets of one call; [`call_id`] allocates Call
//! IDs.
#![forbid(unsafe_code)]

pub mod call_id;
pub mod control;
pub mod gre;
