//! What `--json` prints is what `adit schema` says.

use serde_json::Value;

use crate::{World, log, sessions, user};

/// Every way in which a value is not what a schema says. Knows the part of JSON Schema that our schemas use, and fails on
/// any other word, so that nothing is passed over.
fn faults(value: &Value, schema: &Value, root: &Value, at: &str) -> Vec<String> {
    let schema = &merged(schema, root);
    let Some(rules) = schema.as_object() else {
        return if schema == &Value::Bool(true) { vec![] } else { vec![format!("{at}: not allowed")] };
    };
    let mut found = Vec::new();
    for (word, rule) in rules {
        match word.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" | "format" | "default" | "readOnly" => {}
            "$ref" => {
                found.extend(faults(value, referred(rule, root), root, at));
            }
            "type" => {
                let is = |kind: &Value| match kind.as_str().unwrap() {
                    "null" => value.is_null(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "number" => value.is_number(),
                    "array" => value.is_array(),
                    "object" => value.is_object(),
                    other => panic!("type {other}"),
                };
                let fits = rule.as_array().map_or_else(|| is(rule), |kinds| kinds.iter().any(is));
                found.extend((!fits).then(|| format!("{at}: {value} is no {rule}")));
            }
            "minimum" => found
                .extend(value.as_f64().filter(|n| *n < rule.as_f64().unwrap()).map(|n| format!("{at}: {n}"))),
            "maximum" => found
                .extend(value.as_f64().filter(|n| *n > rule.as_f64().unwrap()).map(|n| format!("{at}: {n}"))),
            "const" => found.extend((value != rule).then(|| format!("{at}: {value} is not {rule}"))),
            "enum" => {
                found.extend((!rule.as_array().unwrap().contains(value)).then(|| format!("{at}: {value}")))
            }
            "properties" => {
                // What is no object is told by "type".
                let Some(fields) = value.as_object() else { continue };
                for (name, part) in rule.as_object().unwrap() {
                    if let Some(value) = fields.get(name) {
                        found.extend(faults(value, part, root, &format!("{at}.{name}")));
                    }
                }
                let is_open = rules.contains_key("additionalProperties");
                let unknown = fields.keys().filter(|name| !is_open && rule.get(name).is_none());
                found.extend(unknown.map(|name| format!("{at}.{name}: not in the schema")));
            }
            "required" => {
                let missing = rule
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|name| value.get(name.as_str().unwrap()).is_none());
                found.extend(missing.map(|name| format!("{at}.{name}: missing")));
            }
            "additionalProperties" => {}
            // The one of codes; anything else is to be taught first.
            "pattern" => {
                assert_eq!(rule, "^[A-Z][0-9]{2}$", "{at}");
                let text = value.as_str().unwrap_or_default().as_bytes();
                let fits = matches!(text, [b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9']);
                found.extend((!fits).then(|| format!("{at}: {value} is no code")));
            }
            "minItems" | "maxItems" => {
                let (length, limit) = (value.as_array().map_or(0, Vec::len) as u64, rule.as_u64().unwrap());
                let fits = if word == "minItems" { length >= limit } else { length <= limit };
                found.extend((!fits).then(|| format!("{at}: {length} items")));
            }
            "prefixItems" => {
                let items = value.as_array().into_iter().flatten().zip(rule.as_array().unwrap());
                found.extend(items.flat_map(|(item, rule)| faults(item, rule, root, at)));
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(faults(item, rule, root, &format!("{at}[{index}]")));
                }
            }
            "anyOf" | "oneOf" => {
                let each: Vec<_> =
                    rule.as_array().unwrap().iter().map(|one| faults(value, one, root, at)).collect();
                if each.iter().all(|faults| !faults.is_empty()) {
                    found.extend(each.into_iter().flatten());
                }
            }
            other => panic!("{at}: the schema says {other:?}, which this test does not know"),
        }
    }
    found
}

/// What `$ref` names.
fn referred<'a>(name: &Value, root: &'a Value) -> &'a Value {
    &root["$defs"][name.as_str().unwrap().strip_prefix("#/$defs/").unwrap()]
}

/// A schema with properties beside a reference, as a tagged enum has it: one schema with the properties of both.
fn merged(schema: &Value, root: &Value) -> Value {
    let (Some(name), Some(own)) = (schema.get("$ref"), schema.get("properties")) else {
        return schema.clone();
    };
    let mut all = referred(name, root).clone();
    all["properties"].as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    all["required"].as_array_mut().unwrap().extend(schema["required"].as_array().unwrap().iter().cloned());
    all
}

fn check(world: &World, arguments: &[&str]) {
    let value = world.json(arguments);
    let name = value["schema"].as_str().unwrap();
    let schema = world.json(&["schema", name]);
    let faults = faults(&value, &schema, &schema, name);
    assert!(faults.is_empty(), "adit {}: {faults:#?}", arguments.join(" "));
}

#[test]
fn documents_match_their_schemas() {
    let people = user::peopled();
    for arguments in [
        &["user", "list"][..],
        &["user", "show", "carol"],
        &["user", "set", "alice", "--note", "x"],
        &["user", "disable", "alice"],
        &["user", "remove", "bob", "--yes"],
        &["user", "show", "unknown"],
        &["user", "unlock", "carol", "--from", "198.51.100.9"],
        &["ban", "add", "203.0.113.9", "--reason", "scan"],
        &["ban", "list"],
        &["ban", "remove", "203.0.113.9"],
        &["nonsense"],
        &["check", "--depth", "meaning"],
        &["version"],
        &["undo"],
        &["init", "--dry-run", "-c", "/nowhere/adit.toml", "--listen", "127.0.0.1", "--pool", "10.77.8.0/24"],
        &["explain", "G01", "619"],
        &["explain"],
        &["status"],
        &["disconnect"],
        &["doctor", "127.0.0.1:9", "--layers", "control"],
        &["doctor", "nowhere.invalid", "--timeout", "1s"],
    ] {
        check(&people, arguments);
    }
    let file = people.path("users.csv");
    std::fs::write(&file, "name,group\nerin,staff\nfay,sales\n").unwrap();
    check(&people, &["user", "export", "--with-hashes"]);
    check(&people, &["user", "handout", "alice"]);
    check(&people, &["user", "import", file.to_str().unwrap()]);
    let past = sessions::past();
    check(&past, &["sessions", "--past"]);
    check(&past, &["session", "s1"]);
    check(&past, &["session", "s2"]);
    check(&log::logged(), &["log"]);
    check(&World::new(), &["log"]);
}

#[test]
fn broken_files_too() {
    let world = World::new();
    std::fs::write(world.path("adit.toml"), "[pool]\nnet = 7\nnot = { closed\n").unwrap();
    check(&world, &["check"]);
}

#[test]
fn a_document_that_differs_is_noticed() {
    let world = World::new();
    let schema = world.json(&["schema", "version"]);
    let mut value = world.json(&["version"]);
    assert_eq!(faults(&value, &schema, &schema, "v"), [] as [String; 0]);
    value["version"] = 7.into();
    value["more"] = Value::Null;
    value.as_object_mut().unwrap().remove("system");
    assert_eq!(faults(&value, &schema, &schema, "v").len(), 3);
}
