//! (being written)

pub use crate::mppe::Mppe;
