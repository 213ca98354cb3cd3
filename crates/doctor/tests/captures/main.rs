//! Every pattern of the wire as a capture, and the verdict on it.

#![cfg(test)]

mod case;
mod findings;
mod healthy;
mod inside;
mod patterns;
mod twice;
mod world;
