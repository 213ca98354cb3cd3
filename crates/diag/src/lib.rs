//! The catalogue of everything that can go wrong: one Markdown file per code.
//!
//! Log line, exit code, doctor line and page are all made from it, so they cannot disagree. [`explain`] finds the page
//! for a code of ours, a number of Windows, pppd, PPTP, MS-CHAP or RADIUS, or a line of a foreign log.

#![forbid(unsafe_code)]

mod cause;
mod code;
mod counters;
mod diagnostic;
mod entry;
pub mod event;
mod explain;
mod foreign;
mod layer;
mod method;
mod near;
pub mod note;
#[cfg(test)]
mod pages;
mod pattern;
mod printable;
mod protocol;
mod reference;
mod refusal;
mod side;
mod source_fault;
mod text;

pub use cause::Cause;
pub use code::{Code, UnknownCode};
pub use counters::{Counters, Traffic};
pub use diagnostic::Diagnostic;
pub use entry::{Elsewhere, Entry};
pub use event::{EventFacts, EventKind, Recorded};
pub use explain::{Explanation, NotKnown, explain};
pub use foreign::{Foreign, foreign};
pub use layer::Layer;
pub use method::{AuthMethod, UnknownMethod};
pub use near::nearest;
pub use note::Note;
pub use pattern::{Pattern, patterns};
pub use printable::{is_unprintable, printable};
pub use protocol::Protocol;
pub use reference::reference;
pub use refusal::{FactorFault, LiveSession, LoginRefusal, NameForm};
pub use side::Side;
pub use source_fault::{SourceFault, SourceUnavailable};
