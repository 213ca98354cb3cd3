//! Whole links: by what they do together, and by what one does to a peer that is played.

mod ending;
mod gate;
mod lcp;
mod network;
mod random;
mod setup;
