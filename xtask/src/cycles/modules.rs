//! The modules of a crate, read file by file.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};

use super::Arrows;
use super::items::{self, Child};
use super::module::{Id, Module};
use super::tokens::{self, Token};

/// Reads a source file; `None` when there is none.
type Read<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// The modules of one crate.
#[derive(Default)]
pub(super) struct Crate {
    pub(super) modules: Vec<Module>,
}

impl Crate {
    /// Reads a crate from its root file on, without the modules that only tests have.
    ///
    /// Error: a file is missing, or has brackets, comments or texts without an end.
    pub(super) fn load(root: &Path, read: Read<'_>) -> anyhow::Result<Crate> {
        let mut source = Crate::default();
        let folder = root.parent().unwrap_or(Path::new("")).to_path_buf();
        source.load_file(root, &folder, None, read)?;
        Ok(source)
    }

    /// Every arrow between two files, but those from a module to the modules below it: a module is made of its parts.
    pub(super) fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (from, module) in self.modules.iter().enumerate() {
            for mention in &module.mentions {
                for to in self.defining_modules(from, mention) {
                    let file = &self.modules[to].file;
                    if *file == module.file || self.is_below(to, from) {
                        continue;
                    }
                    let place = (mention.line, mention.path.join("::"));
                    let first =
                        arrows.entry((module.file.clone(), file.clone())).or_insert_with(|| place.clone());
                    if place.0 < first.0 {
                        *first = place;
                    }
                }
            }
        }
        arrows
    }

    /// Whether a module lies below another one.
    fn is_below(&self, module: Id, other: Id) -> bool {
        let mut above = self.modules[module].parent;
        while let Some(id) = above {
            if id == other {
                return true;
            }
            above = self.modules[id].parent;
        }
        false
    }

    /// Adds the module of a file; files of its children are under `folder`.
    fn load_file(
        &mut self,
        file: &Path,
        folder: &Path,
        parent: Option<Id>,
        read: Read<'_>,
    ) -> anyhow::Result<Id> {
        let text = read(file).with_context(|| format!("there is no {}", file.display()))?;
        let tokens = tokens::read(&text).map_err(|error| anyhow!("{}:{error}", file.display()))?;
        self.load_items(&tokens, file, folder, parent, read)
    }

    fn load_items(
        &mut self,
        tokens: &[Token],
        file: &Path,
        folder: &Path,
        parent: Option<Id>,
        read: Read<'_>,
    ) -> anyhow::Result<Id> {
        let id = self.modules.len();
        let mut module = Module { file: file.display().to_string(), parent, ..Module::default() };
        let children = items::collect(tokens, &mut module);
        self.modules.push(module);
        for child in children {
            let child_id = match &child.content {
                Some(tokens) => self.load_items(tokens, file, &folder.join(&child.name), Some(id), read)?,
                None => {
                    let (file, folder) = find(&child, file, folder, read)?;
                    self.load_file(&file, &folder, Some(id), read)?
                }
            };
            let module = &mut self.modules[id];
            module.children.insert(child.name, child_id);
            if child.is_macro_use {
                module.macro_children.push(child_id);
            }
        }
        Ok(id)
    }
}

/// The file of a module that is declared in `file`, and the folder of its children.
fn find(child: &Child, file: &Path, folder: &Path, read: Read<'_>) -> anyhow::Result<(PathBuf, PathBuf)> {
    let beside = |file: &Path| file.parent().unwrap_or(Path::new("")).to_path_buf();
    if let Some(path) = &child.path {
        let file = beside(file).join(path);
        let folder = beside(&file);
        return Ok((file, folder));
    }
    let inner = folder.join(&child.name);
    let candidates = [folder.join(format!("{}.rs", child.name)), inner.join("mod.rs")];
    match candidates.into_iter().find(|file| read(file).is_some()) {
        Some(file) => Ok((file, inner)),
        None => bail!("no file for the module {} of {}", child.name, file.display()),
    }
}
