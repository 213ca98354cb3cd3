//! The files as one tree in which every value has its location.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// The location of a value or a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    /// Index of the file.
    pub(crate) file: usize,
    /// Byte range in the file.
    pub(crate) span: Range<usize>,
}

/// A value and its location.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) spot: Spot,
}

/// A TOML value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Number(i64),
    /// A number with a decimal point, or one that is too large.
    Float,
    Bool(bool),
    Date,
    List(Vec<Node>),
    Table(Table),
}

/// A table: its entries, sorted by name.
pub(crate) type Table = BTreeMap<String, Entry>;

/// A key of a table with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Spot,
    pub(crate) node: Node,
    /// Locations of the same key in earlier files.
    pub(crate) hidden: Vec<Spot>,
}

impl Value {
    /// The name of the type, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) => "a text",
            Value::Number(_) => "a number",
            Value::Float => "a decimal number",
            Value::Bool(_) => "true or false",
            Value::Date => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

impl Node {
    /// The string, if the value is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The table, if the value is one.
    pub(crate) fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The value of a key of this table.
    pub(crate) fn node_at(&self, name: &str) -> Option<&Node> {
        self.table()?.get(name).map(|entry| &entry.node)
    }

    /// The entry at a path below this table.
    pub(crate) fn find(&self, path: &[&str]) -> Option<&Entry> {
        let (last, above) = path.split_last()?;
        let mut node = self;
        for part in above {
            node = &node.table()?.get(*part)?.node;
        }
        node.table()?.get(*last)
    }
}

/// Converts a parsed file.
pub(crate) fn table(parsed: &DeTable<'_>, file: usize) -> Table {
    let entries = parsed.iter().map(|(key, value)| {
        let key_spot = Spot { file, span: key.span() };
        let node = Node { value: take(value.get_ref(), file), spot: Spot { file, span: value.span() } };
        (key.get_ref().to_string(), Entry { key: key_spot, node, hidden: Vec::new() })
    });
    entries.collect()
}

/// Converts a parsed value.
pub(crate) fn take(value: &DeValue<'_>, file: usize) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Number(number),
            Err(_) => Value::Float,
        },
        DeValue::Float(_) => Value::Float,
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(items) => {
            let item = |item: &toml::Spanned<DeValue<'_>>| Node {
                value: take(item.get_ref(), file),
                spot: Spot { file, span: item.span() },
            };
            Value::List(items.iter().map(item).collect())
        }
        DeValue::Table(entries) => Value::Table(table(entries, file)),
    }
}

/// Merges a later file over earlier ones: tables are merged, other values are replaced. `whole` returns whether the
/// table at a path is a single value, such as a secret's.
pub(crate) fn merge(
    under: &mut Table,
    over: Table,
    path: &mut Vec<String>,
    whole: &dyn Fn(&[String]) -> bool,
) {
    for (name, mut entry) in over {
        path.push(name.clone());
        match under.get_mut(&name) {
            Some(old) => {
                let mergeable = !whole(path);
                match (&mut old.node.value, &mut entry.node.value) {
                    (Value::Table(old), Value::Table(new)) if mergeable => {
                        merge(old, std::mem::take(new), path, whole);
                    }
                    _ => {
                        entry.hidden = std::mem::take(&mut old.hidden);
                        entry.hidden.push(old.key.clone());
                        *old = entry;
                    }
                }
            }
            None => {
                under.insert(name, entry);
            }
        }
        path.pop();
    }
}
