//! Misplaced quotes of a CSV record.
//!
//! The reader accepts any text: it appends what follows a closing quote to the field, and ends an open quote at the end of
//! the file. Both change values silently, a password for example, so they are errors here.

use super::Fault;

/// A position in the file; both numbers begin at 1, columns count characters.
#[derive(Clone, Copy)]
struct Place {
    line: u64,
    column: u64,
}

impl core::fmt::Display for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The part of a field before a character.
#[derive(Clone, Copy)]
enum State {
    /// Nothing: a quote here opens a quoted field.
    Start,
    /// A field without quotes; a quote inside it stands for itself.
    Plain,
    /// A quoted field that began at this place.
    Quoted { begin: Place },
    /// A quoted field and its closing quote, unless a second quote follows.
    Closed { begin: Place, end: Place },
}

/// The first misplaced quote of a record, which begins in this line; line ends before it are ignored.
pub(super) fn misplaced_quote(record: &str, line: u64) -> Option<Fault> {
    let record = record.trim_start_matches(['\r', '\n']);
    let mut at = Place { line, column: 1 };
    let mut state = State::Start;
    for character in record.chars() {
        state = match (state, character) {
            (State::Start, '"') => State::Quoted { begin: at },
            (State::Quoted { begin }, '"') => State::Closed { begin, end: at },
            (State::Closed { begin, .. }, '"') => State::Quoted { begin },
            (State::Quoted { begin }, _) => State::Quoted { begin },
            (_, ',' | '\r' | '\n') => State::Start,
            (State::Closed { begin, end }, _) => {
                // The text itself is not shown: it may be a password, or a part of one.
                let message =
                    format!("text follows the closing quote at {end}; the field's quote began at {begin}");
                return Some((message, "end the field with its quote, or double a quote inside it: \"\""));
            }
            (State::Start | State::Plain, _) => State::Plain,
        };
        at = match character {
            '\n' => Place { line: at.line + 1, column: 1 },
            _ => Place { column: at.column + 1, ..at },
        };
    }
    match state {
        State::Quoted { begin } => {
            let message = format!("the quote at {begin} is not closed before the end of the file");
            Some((message, "add the closing quote; a quote inside a field is doubled: \"\""))
        }
        _ => None,
    }
}
