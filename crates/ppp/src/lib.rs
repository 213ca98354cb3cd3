//! PPP (RFC 1661) as state machines without I/O: the automaton once, and on it LCP, authentication, CCP/MPPE, IPCP
//! and IPV6CP; [`link::Link`] puts them together into one end of a PPP link.
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
