//! Options that the two sides of a link negotiate differently.

use adit_wire::cp::Opt;

use super::context::Context;
use crate::fsm::Judge;
use crate::negotiate::Row;

/// An option, with the state of the server side or of the client side.
#[derive(Clone, Debug)]
pub(super) enum Sided<S, C> {
    Server(S),
    /// Boxed, because a server has thousands of the other variant.
    Client(Box<C>),
}

impl<S: Row<Context>, C: Row<Context>> Sided<S, C> {
    fn row(&self) -> &dyn Row<Context> {
        match self {
            Sided::Server(row) => row,
            Sided::Client(row) => &**row,
        }
    }

    fn row_mut(&mut self) -> &mut dyn Row<Context> {
        match self {
            Sided::Server(row) => row,
            Sided::Client(row) => &mut **row,
        }
    }
}

impl<S: Row<Context>, C: Row<Context>> Row<Context> for Sided<S, C> {
    fn is_kind(&self, kind: u8) -> bool {
        self.row().is_kind(kind)
    }

    fn reset(&mut self, context: &mut Context) {
        self.row_mut().reset(context);
    }

    fn request(&self, out: &mut Vec<u8>) {
        self.row().request(out);
    }

    fn judge(&mut self, option: &Opt<'_>, naks_left: bool, context: &mut Context) -> Judge {
        self.row_mut().judge(option, naks_left, context)
    }

    fn missing(&mut self, request: &[Opt<'_>], naks_left: bool, context: &mut Context, out: &mut Vec<u8>) {
        self.row_mut().missing(request, naks_left, context, out);
    }

    fn accepted(&mut self, request: &[Opt<'_>], context: &mut Context) {
        self.row_mut().accepted(request, context);
    }

    fn acked(&mut self, context: &mut Context) {
        self.row_mut().acked(context);
    }

    fn naked(&mut self, option: &Opt<'_>, context: &mut Context) {
        self.row_mut().naked(option, context);
    }

    fn rejected(&mut self, option: &Opt<'_>, context: &mut Context) {
        self.row_mut().rejected(option, context);
    }
}
