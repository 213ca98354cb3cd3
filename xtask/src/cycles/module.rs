//! One module: what it defines, imports and names.

use std::collections::{BTreeMap, BTreeSet};

/// The number of a module in its crate; the crate's root is 0.
pub(super) type Id = usize;

/// One module, in a file of its own or inline.
#[derive(Default)]
pub(super) struct Module {
    /// The file that holds it, as findings name it.
    pub(super) file: String,
    /// The module above; the root has none.
    pub(super) parent: Option<Id>,
    /// Modules declared in this one.
    pub(super) children: BTreeMap<String, Id>,
    /// Children whose macros are in scope after them (`#[macro_use]`).
    pub(super) macro_children: Vec<Id>,
    /// Names of the items defined here, macros too.
    pub(super) items: BTreeSet<String>,
    /// Macros defined here.
    pub(super) macros: BTreeSet<String>,
    /// Names that a `use` brings in, also inside functions.
    pub(super) imports: Vec<Import>,
    /// Every path that is written here.
    pub(super) mentions: Vec<Mention>,
}

/// A path as it is written.
#[derive(Debug)]
pub(super) struct Mention {
    /// Its segments, without generic arguments.
    pub(super) path: Vec<String>,
    /// The line, from 1.
    pub(super) line: usize,
    /// Ends with `::*`, which is not a segment.
    pub(super) is_glob: bool,
    /// Names a macro that is called.
    pub(super) is_macro: bool,
}

/// A name that a `use` brings in.
pub(super) struct Import {
    /// The name here; `None` for `*`.
    pub(super) name: Option<String>,
    /// What it stands for.
    pub(super) path: Vec<String>,
}
