//! The items of a module.

use super::attributes::{self, is_for_tests, is_macro_use};
use super::mentions::{import, scan, scan_attribute};
use super::module::Module;
use super::tokens::Token;

/// A module that is declared in another one.
pub(super) struct Child {
    pub(super) name: String,
    /// The file of `#[path]`.
    pub(super) path: Option<String>,
    /// Its macros are in scope after it.
    pub(super) is_macro_use: bool,
    /// What it holds; `None` when that is a file.
    pub(super) content: Option<Vec<Token>>,
}

/// Adds what the items among `tokens` define, import and name to their module, without what is for tests alone.
/// Returns the modules that are declared.
pub(super) fn collect(tokens: &[Token], module: &mut Module) -> Vec<Child> {
    let mut children = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        // An inner attribute belongs to the whole module.
        if let [Token::Sign('#'), Token::Sign('!'), Token::Group('[', inside), ..] = &tokens[at..] {
            if is_for_tests(inside) {
                return Vec::new();
            }
            at += 3;
            continue;
        }
        let (attributes, len) = attributes::leading(&tokens[at..]);
        at += len;
        let item = &tokens[at..at + end(&tokens[at..])];
        at += item.len();
        if !attributes.iter().any(|attribute| is_for_tests(attribute)) {
            attributes.iter().for_each(|attribute| scan_attribute(attribute, module));
            children.extend(add(item, &attributes, module));
        }
    }
    children
}

/// An item without its visibility.
fn without_visibility(item: &[Token]) -> &[Token] {
    match item {
        [first, Token::Group('(', _), rest @ ..] if first.is_word("pub") => rest,
        [first, rest @ ..] if first.is_word("pub") => rest,
        _ => item,
    }
}

/// How many tokens the item at the beginning of `tokens` has.
fn end(tokens: &[Token]) -> usize {
    let item = without_visibility(tokens);
    let word = |at: usize, words: &[&str]| {
        item.get(at).is_some_and(|token| words.iter().any(|word| token.is_word(word)))
    };
    let is_const = word(0, &["const"]) && !word(1, &["fn", "unsafe", "async", "extern"]);
    let is_ended_by_block = !is_const && !word(0, &["use", "static", "type"]);
    let last = tokens.iter().position(|token| match token {
        Token::Sign(';') => true,
        Token::Group('{', _) => is_ended_by_block,
        _ => false,
    });
    last.map_or(tokens.len(), |last| last + 1)
}

/// Adds one item; returns the module that it declares.
fn add(item: &[Token], attributes: &[&[Token]], module: &mut Module) -> Option<Child> {
    let item = without_visibility(item);
    match item {
        [first, tree @ .., Token::Sign(';')] if first.is_word("use") => import(tree, &[], module),
        [first, Token::Word(name, _), rest @ ..] if first.is_word("mod") => {
            let content = match rest {
                [Token::Group('{', content)] => Some(content.clone()),
                _ => None,
            };
            let path = attributes.iter().find_map(|attribute| attributes::path(attribute)).map(str::to_owned);
            let is_macro_use = attributes.iter().any(|attribute| is_macro_use(attribute));
            return Some(Child { name: name.clone(), path, is_macro_use, content });
        }
        [first, Token::Sign('!'), Token::Word(name, _), body @ ..] if first.is_word("macro_rules") => {
            module.items.insert(name.clone());
            module.macros.insert(name.clone());
            scan(body, module);
        }
        _ => {
            module.items.extend(name(item));
            scan(item, module);
        }
    }
    None
}

/// The name that an item defines; a block of `impl` and a macro call have none.
fn name(item: &[Token]) -> Option<String> {
    const QUALIFIERS: &[&str] = &["unsafe", "async", "extern", "default"];
    const KINDS: &[&str] = &["fn", "struct", "enum", "union", "trait", "type", "static", "const"];
    let mut kind = "";
    for token in item {
        match token {
            Token::Text(..) => {}
            Token::Word(word, _) if QUALIFIERS.contains(&word.as_str()) || word == "mut" => {}
            Token::Word(word, _) if KINDS.contains(&word.as_str()) => kind = word,
            Token::Word(word, _) if !kind.is_empty() => return Some(word.clone()),
            _ => return None,
        }
    }
    None
}
