//! The JSON Schema of the configuration file, for editors.

use schemars::Schema;
use serde_json::{Map, Value as Json, json};

use crate::keys::{KEYS, Key};

/// The schema of `adit.toml`, made from the table of keys.
pub fn schema() -> Schema {
    let mut root = Map::new();
    root.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    root.insert("title".into(), json!("adit.toml"));
    root.insert("type".into(), json!("object"));
    root.insert("additionalProperties".into(), json!(false));
    for key in KEYS {
        for section in key.sections {
            insert(&mut root, section.split('.').filter(|part| !part.is_empty()), key);
        }
    }
    Schema::from(root)
}

/// Inserts a key into the table at a path, and creates the tables on the way.
fn insert<'a>(table: &mut Map<String, Json>, mut path: impl Iterator<Item = &'a str>, key: &Key) {
    match path.next() {
        None => {
            if let Some(properties) = object(table, "properties") {
                properties.insert(key.name.to_owned(), property(key));
            }
        }
        Some("*") => {
            if let Some(below) = object(table, "additionalProperties") {
                table_of(below);
                insert(below, path, key);
            }
        }
        Some(name) => {
            if let Some(below) = object(table, "properties").and_then(|properties| object(properties, name)) {
                table_of(below);
                insert(below, path, key);
            }
        }
    }
}

fn table_of(table: &mut Map<String, Json>) {
    table.entry("type").or_insert(json!("object"));
    table.entry("additionalProperties").or_insert(json!(false));
}

/// The object of a name, created if missing; `additionalProperties: false` becomes an object.
fn object<'m>(map: &'m mut Map<String, Json>, name: &str) -> Option<&'m mut Map<String, Json>> {
    let value = map.entry(name.to_owned()).or_insert_with(|| json!({}));
    if !value.is_object() {
        *value = json!({});
    }
    value.as_object_mut()
}

fn property(key: &Key) -> Json {
    let mut schema = key.kind.schema();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".into(), json!(key.about));
        if let Some(default) = json_of(key.default) {
            schema.insert("default".into(), default);
        }
    }
    schema
}

/// Converts a TOML value to JSON.
fn json_of(text: &str) -> Option<Json> {
    let table: toml::Table = toml::from_str(&format!("x = {text}")).ok()?;
    serde_json::to_value(table.get("x")?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_it_and_nothing_else_is_allowed() {
        let schema = schema().to_value();
        let at = |pointer: &str| schema.pointer(pointer).cloned().unwrap_or_else(|| panic!("{pointer}"));
        assert_eq!(at("/properties/link/properties/mtu/default"), json!(1400));
        assert_eq!(at("/properties/link/additionalProperties"), json!(false));
        assert_eq!(at("/properties/link/properties/reorder/properties/packets/maximum"), json!(256));
        let group = "/properties/groups/additionalProperties";
        assert_eq!(
            at(&format!("{group}/properties/link/properties/mppe/enum")),
            json!(["require", "allow", "off"])
        );
        assert_eq!(at(&format!("{group}/additionalProperties")), json!(false));
        assert_eq!(at("/properties/pools/additionalProperties/properties/net/type"), json!("string"));
        assert_eq!(at("/properties/store/properties/seal_key/maxProperties"), json!(1));
        for key in KEYS {
            for section in key.sections {
                let mut pointer = String::new();
                for part in section.split('.').filter(|part| !part.is_empty()) {
                    match part {
                        "*" => pointer.push_str("/additionalProperties"),
                        part => pointer.push_str(&format!("/properties/{part}")),
                    }
                }
                at(&format!("{pointer}/properties/{}/description", key.name));
            }
        }
    }
}
