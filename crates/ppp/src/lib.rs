//! PPP (RFC 1661) as state machines without I/O: one automaton, and on top of it LCP, authentication,
//! CCP/MPPE, IPCP and IPV6CP. [`link::Link`] combines them into one end of a PPP link.
#![forbid(unsafe_code)]

pub mod auth;
pub mod automaton;
pub mod ccp;
pub mod fsm;
pub mod ipcp;
pub mod ipv6cp;
pub mod lcp;
pub mod link;
pub mod mppe;
mod negotiate;
mod output;
