//! Options as rows of a table. An option has a file of its own, which defines what we request and what we
//! answer ([`Negotiate`]); a control protocol is the table of its options ([`Negotiation`]), which makes it a
//! [`ControlProtocol`](crate::fsm::ControlProtocol).

mod option;
mod protocol;
mod table;

pub(crate) use option::{Context, Negotiate, Row};
pub(crate) use protocol::Negotiation;
pub(crate) use table::{Table, option_table};
