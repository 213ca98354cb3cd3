//! The paths among tokens, and the names that `use` brings in.

use super::attributes::{self, is_for_tests, parts};
use super::module::{Import, Mention, Module};
use super::tokens::Token;

/// Adds every path among `tokens` to its module, without what is for tests alone.
pub(super) fn scan(tokens: &[Token], module: &mut Module) {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let (attributes, len) = attributes::leading(&tokens[at..]);
        if len > 0 {
            at += len;
            if attributes.iter().any(|attribute| is_for_tests(attribute)) {
                at += end(&tokens[at..]);
            } else {
                attributes.into_iter().for_each(|attribute| scan_attribute(attribute, module));
            }
            continue;
        }
        let is_start = at.checked_sub(1).is_none_or(|before| !continues(&tokens[..=before]));
        match token {
            Token::Group(_, inside) => scan(inside, module),
            Token::Word(word, _) if word == "use" && is_start && is_use(&tokens[at + 1..]) => {
                let len = tokens[at..].iter().position(|token| *token == Token::Sign(';'));
                let end = len.map_or(tokens.len(), |len| at + len);
                import(&tokens[at + 1..end], &[], module);
                at = end;
            }
            Token::Word(..) if is_start => at += path(&tokens[at..], module),
            _ => {}
        }
        at += 1;
    }
}

/// Whether what follows these tokens goes on with them: a field, a method, the rest of a path.
fn continues(before: &[Token]) -> bool {
    match before {
        [.., Token::Sign('.'), Token::Sign('.')] => false,
        [.., last] => matches!(last, Token::Colons | Token::Sign('.')),
        [] => false,
    }
}

/// Whether the tokens after the word `use` are a tree; `use<'a>` captures lifetimes.
fn is_use(tokens: &[Token]) -> bool {
    matches!(tokens.first(), Some(Token::Word(..) | Token::Colons | Token::Group('{', _)))
}

/// How many tokens the item, statement, field or arm at the beginning of `tokens` has.
fn end(tokens: &[Token]) -> usize {
    let is_ended_by_block = !tokens.first().is_some_and(|first| {
        ["let", "use", "const", "static", "type"].iter().any(|word| first.is_word(word))
            && !tokens.get(1).is_some_and(|second| second.is_word("fn"))
    });
    let last = tokens.iter().position(|token| match token {
        Token::Sign(sign) => matches!(sign, ';' | ','),
        Token::Group('{', _) => is_ended_by_block,
        _ => false,
    });
    last.map_or(tokens.len(), |last| last + 1)
}

/// Adds the path at the beginning of `tokens`; returns how many more tokens it has.
fn path(tokens: &[Token], module: &mut Module) -> usize {
    let mut names = Vec::new();
    let mut first_line = 0;
    let mut at = 0;
    while let Some(Token::Word(word, line)) = tokens.get(at) {
        if names.is_empty() {
            first_line = *line;
        }
        names.push(word.clone());
        match (tokens.get(at + 1), tokens.get(at + 2)) {
            (Some(Token::Colons), Some(Token::Word(..))) => at += 2,
            // A macro that holds a `use` may hold a tree.
            (Some(Token::Colons), Some(Token::Group('{', inside))) => {
                parts(inside).for_each(|part| import(part, &names, module));
                return at + 2;
            }
            _ => break,
        }
    }
    let is_macro = matches!(tokens.get(at + 1), Some(Token::Sign('!')))
        && matches!(tokens.get(at + 2), Some(Token::Group(..)));
    module.mentions.push(Mention { path: names, line: first_line, is_glob: false, is_macro });
    at
}

/// Adds what a tree of `use` brings in below `above`.
pub(super) fn import(tree: &[Token], above: &[String], module: &mut Module) {
    let mut path = above.to_vec();
    let mut rest = tree;
    // `use ::name` is outside the crate.
    while let [Token::Word(word, line), after @ ..] = rest {
        if let [Token::Colons, below @ ..] = after {
            path.push(word.clone());
            rest = below;
            continue;
        }
        let alias = match after {
            [as_word, Token::Word(alias, _)] if as_word.is_word("as") => Some(alias.clone()),
            _ => None,
        };
        if word != "self" || path.is_empty() {
            path.push(word.clone());
        }
        let name = alias.or_else(|| path.last().cloned());
        return add_import(name, path, *line, module);
    }
    match rest {
        [Token::Sign('*')] => {
            let line = tree.iter().find_map(|token| match token {
                Token::Word(_, line) => Some(*line),
                _ => None,
            });
            add_import(None, path, line.unwrap_or_default(), module);
        }
        [Token::Group('{', inside)] => parts(inside).for_each(|part| import(part, &path, module)),
        _ => {}
    }
}

fn add_import(name: Option<String>, path: Vec<String>, line: usize, module: &mut Module) {
    let is_glob = name.is_none();
    module.mentions.push(Mention { path: path.clone(), line, is_glob, is_macro: false });
    module.imports.push(Import { name, path });
}

/// Adds the paths in an attribute; serde has functions in texts.
pub(super) fn scan_attribute(attribute: &[Token], module: &mut Module) {
    if !attribute.first().is_some_and(|name| name.is_word("doc")) {
        scan(attribute, module);
        scan_texts(attribute, module);
    }
}

fn scan_texts(tokens: &[Token], module: &mut Module) {
    for token in tokens {
        match token {
            Token::Group(_, inside) => scan_texts(inside, module),
            Token::Text(text, line) => {
                let is_name =
                    |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
                if text.split("::").all(is_name) {
                    let path = text.split("::").map(str::to_owned).collect();
                    module.mentions.push(Mention { path, line: *line, is_glob: false, is_macro: false });
                }
            }
            _ => {}
        }
    }
}
