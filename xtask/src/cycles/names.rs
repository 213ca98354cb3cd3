//! From a path to the files that define what it names.

use std::collections::BTreeSet;

use super::module::{Id, Mention};
use super::modules::Crate;

/// What a path leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Target {
    /// A module.
    Module(Id),
    /// An item that this module defines, or something inside one: a variant, an associated function.
    Item(Id),
}

/// Names that are being looked up, so that imports in a circle end.
type Visited = BTreeSet<(Id, String)>;

impl Crate {
    /// The modules that define what a mention in the module `from` names. A name from outside the crate has none; nor has
    /// a module by itself, since only what is named through it is used. `use module::*` uses the module.
    pub(super) fn defining_modules(&self, from: Id, mention: &Mention) -> Vec<Id> {
        let mut targets = self.resolve(from, &mention.path, &mut Visited::new());
        if let ([name], true) = (mention.path.as_slice(), mention.is_macro)
            && targets.is_empty()
        {
            targets.extend(self.macro_in_scope(from, name).map(Target::Item));
        }
        let defining = |target| match target {
            Target::Item(id) => Some(id),
            Target::Module(id) => mention.is_glob.then_some(id),
        };
        targets.into_iter().filter_map(defining).collect()
    }

    /// What a path that is written in the module `from` leads to: several where a name is a module and a function.
    fn resolve(&self, from: Id, path: &[String], visited: &mut Visited) -> Vec<Target> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let mut targets = match first.as_str() {
            "crate" => vec![Target::Module(0)],
            "self" => vec![Target::Module(from)],
            "super" => self.modules[from].parent.map(Target::Module).into_iter().collect(),
            name => self.look_up(from, name, visited),
        };
        for name in rest {
            let module = targets.iter().find_map(|target| match target {
                Target::Module(id) => Some(*id),
                Target::Item(_) => None,
            });
            // The rest names something inside an item, or something outside the crate.
            let Some(module) = module else { return targets };
            targets = match name.as_str() {
                "super" => self.modules[module].parent.map(Target::Module).into_iter().collect(),
                name => self.look_up(module, name, visited),
            };
            if targets.is_empty() && !self.is_import(module, name) {
                // What a macro call of that module makes has no name that a parser sees.
                return vec![Target::Item(module)];
            }
        }
        targets
    }

    /// What a name means in a module.
    fn look_up(&self, id: Id, name: &str, visited: &mut Visited) -> Vec<Target> {
        let module = &self.modules[id];
        let mut targets: Vec<Target> =
            module.children.get(name).copied().map(Target::Module).into_iter().collect();
        if module.items.contains(name) {
            targets.push(Target::Item(id));
        }
        if !visited.insert((id, name.to_owned())) {
            return targets;
        }
        for import in module.imports.iter().filter(|import| import.name.as_deref() == Some(name)) {
            targets.extend(self.resolve(id, &import.path, visited));
        }
        if targets.is_empty() {
            for glob in module.imports.iter().filter(|import| import.name.is_none()) {
                for target in self.resolve(id, &glob.path, visited) {
                    if let Target::Module(glob) = target {
                        targets.extend(self.look_up(glob, name, visited));
                    }
                }
            }
        }
        visited.remove(&(id, name.to_owned()));
        targets
    }

    /// Whether a module has a name by a `use`, even if it leads out of the crate.
    fn is_import(&self, id: Id, name: &str) -> bool {
        self.modules[id].imports.iter().any(|import| import.name.as_deref() == Some(name))
    }

    /// The module whose macro a plain `name!` in the module `from` is: macros are in scope in every module below.
    fn macro_in_scope(&self, from: Id, name: &str) -> Option<Id> {
        let mut above = Some(from);
        while let Some(id) = above {
            let module = &self.modules[id];
            let near = std::iter::once(&id).chain(&module.macro_children);
            if let Some(found) = near.copied().find(|id| self.modules[*id].macros.contains(name)) {
                return Some(found);
            }
            above = module.parent;
        }
        None
    }
}
