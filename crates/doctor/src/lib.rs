//! Diagnosis: what failed, who can fix it, and the proof.
//!
//! ```text
//! live probe, capture file, server's record, host snapshot
//!        |  each fills what it can see, and nothing else
//!      Facts          one struct a layer; None: not looked at, or not visible from there
//!        |  rules     tables, a file a layer: fact -> code, with a weight and a proof
//!      judge          the first layer that fails; what is proven innocent; what to test next
//!        |
//!      Verdict        -> text, JSON, exit code
//! ```
//!
//! If a fact decides, it is the cause. Otherwise causes are "likely" and have weights from [`causes`]; what
//! cannot be seen from a vantage point is "not visible", which is never "pass" and never "fail".

#![forbid(unsafe_code)]

pub mod causes;
pub mod facts;
pub mod from;
pub mod host;
mod judge;
mod layers;
mod next;
pub mod rules;
mod seen;
pub mod text;
mod vantage;
mod verdict;

pub use adit_diag::Side;
pub use facts::Facts;
pub use judge::judge;
pub use seen::{At, Seen};
pub use vantage::{Position, Vantage};
pub use verdict::{Cause, Confidence, Evidence, Finding, Fired, LayerResult, Outcome, Owner, State, Verdict};
