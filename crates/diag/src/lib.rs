//! The catalogue of everything that can go wrong: one Markdown file per code.
//!
//! Log line, exit code, doctor line and page are all made from it, so they cannot disagree.

#![forbid(unsafe_code)]

mod code;
mod diagnostic;
mod layer;
mod near;

pub use code::{Code, UnknownCode};
pub use diagnostic::Diagnostic;
pub use layer::Layer;
pub use near::nearest;
