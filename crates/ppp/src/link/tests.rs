//! Tests of whole links: two links with each other, and one link with a simulated peer.

mod dead;
mod ending;
mod forged;
mod gate;
mod lcp;
mod network;
mod random;
mod setup;
