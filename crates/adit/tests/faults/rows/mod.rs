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
