//! `adit explain key`: description of a configuration key.

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::style::Tone;

/// What `adit explain key --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Keys {
    /// The keys, in the order of the questions.
    keys: Vec<KeyBody>,
}

impl Document for Keys {
    const NAME: &'static str = "adit.explain-key/1";
}

#[derive(Serialize, JsonSchema)]
struct KeyBody {
    /// The key as requested, such as groups.staff.idle
    key: String,
    /// The accepted values.
    takes: String,
    /// Its default, as TOML; empty where there is none.
    default: &'static str,
    /// An example, as TOML.
    example: &'static str,
    about: &'static str,
    /// Other tables that may contain it.
    also: Vec<String>,
}

pub(super) fn run(wanted: &[&str], output: &Output) -> Result<Exit, Failure> {
    let keys = wanted.iter().map(|key| find(key)).collect::<Result<Vec<_>, _>>()?;
    if !output.is_text() {
        output.document(&Keys { keys })?;
        return Ok(Exit::Done);
    }
    for key in &keys {
        output.text(&text(key, output))?;
    }
    Ok(Exit::Done)
}

/// The paths of a key: `access.idle`, `groups.*.idle`.
fn paths(key: &'static adit_config::Key) -> impl Iterator<Item = String> {
    key.sections.iter().map(move |section| match section.is_empty() {
        true => key.name.to_owned(),
        false => format!("{section}.{}", key.name),
    })
}

/// Whether this is a key with its section.
pub(super) fn is_one(word: &str) -> bool {
    word.contains('.') && find(word).is_ok()
}

/// The keys of this name, with their sections.
pub(super) fn named(name: &str) -> Vec<String> {
    let name = name.to_lowercase();
    adit_config::keys().iter().filter(|key| key.name == name).flat_map(paths).collect()
}

fn find(wanted: &str) -> Result<KeyBody, Failure> {
    // `groups.staff.idle` is requested, and the table has `groups.*.idle`.
    let fits = |path: &str| {
        let (known, asked): (Vec<&str>, Vec<&str>) = (path.split('.').collect(), wanted.split('.').collect());
        known.len() == asked.len()
            && known.iter().zip(&asked).all(|(known, asked)| *known == "*" || known == asked)
    };
    let Some(key) = adit_config::keys().iter().find(|key| paths(key).any(|path| fits(&path))) else {
        let all: Vec<String> = adit_config::keys().iter().flat_map(paths).collect();
        let near = adit_diag::nearest(wanted, all.iter().map(String::as_str));
        let failure = Failure::new(Exit::NotFound, format!("there is no key \"{wanted}\""));
        return Err(failure.fix(
            near.map_or("adit.toml(5) lists them".to_owned(), |near| format!("adit explain key {near}")),
        ));
    };
    Ok(KeyBody {
        key: wanted.to_owned(),
        takes: key.takes(),
        default: key.default,
        example: key.example,
        about: key.about,
        also: paths(key).filter(|path| !fits(path)).collect(),
    })
}

fn text(key: &KeyBody, output: &Output) -> String {
    let fact = |word: &str, text: &str| {
        if text.is_empty() { String::new() } else { format!("  {word:<8} {text}\n") }
    };
    let mut text = format!("{}\n", output.paint(Tone::Head, &key.key));
    text.push_str(&fact("takes", &key.takes));
    text.push_str(&fact("default", key.default));
    text.push_str(&fact("example", key.example));
    text.push_str(&fact("", key.about).replace("           ", "  "));
    text.push_str(&fact("also", &key.also.join(", ")));
    text
}
