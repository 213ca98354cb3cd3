//! What `--json` prints: documents that name their schema, and the list of all schemas.

pub(crate) use adit_api::Utc;
use jiff::Timestamp;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use crate::failure::Failure;

/// The body of a JSON document. Bytes, seconds and counts are integers; lists are never null.
pub(crate) trait Document: Serialize + JsonSchema {
    /// Name and version, such as `adit.users/1`. Fields are never renamed within a version.
    const NAME: &'static str;
}

/// A document as it is printed.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Envelope<'a, T> {
    /// Name and version of this document's schema.
    schema: &'static str,
    /// When the document was created, UTC.
    generated: Utc,
    #[serde(flatten)]
    body: &'a T,
}

/// Adds the schema name and the time to a body.
pub(crate) fn envelope<T: Document>(body: &T, now: Timestamp) -> Envelope<'_, T> {
    Envelope { schema: T::NAME, generated: Utc(now), body }
}

/// What `--json` prints if a command fails. The exit code of the program is `exit`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ErrorDocument {
    /// The error.
    error: ErrorBody,
}

#[derive(Serialize, JsonSchema)]
struct ErrorBody {
    /// The exit code.
    exit: u8,
    /// The stable diagnosis code, if there is one.
    code: Option<String>,
    /// The error in one sentence.
    message: String,
    /// The first thing to do.
    fix: Option<String>,
}

impl Document for ErrorDocument {
    const NAME: &'static str = "adit.error/1";
}

impl From<&Failure> for ErrorDocument {
    fn from(failure: &Failure) -> ErrorDocument {
        ErrorDocument {
            error: ErrorBody {
                exit: failure.exit.number(),
                code: failure.code.map(|code| code.to_string()),
                message: failure.message.clone(),
                fix: failure.fix.clone(),
            },
        }
    }
}

/// An entry of the list of schemas.
pub(crate) struct Known {
    /// Name and version, such as `adit.users/1`.
    pub(crate) name: &'static str,
    /// Generates the schema.
    pub(crate) schema: fn() -> Schema,
}

/// The entry of a document type in the list of schemas.
pub(crate) const fn known<T: Document + 'static>() -> Known {
    Known { name: T::NAME, schema: schema::<T> }
}

fn schema<T: Document + 'static>() -> Schema {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Envelope<'static, T>>();
    schema.insert("$id".into(), T::NAME.into());
    schema.insert("title".into(), T::NAME.into());
    if let Some(name) = schema.get_mut("properties").and_then(|p| p.get_mut("schema")) {
        *name = serde_json::json!({ "const": T::NAME });
    }
    schema
}
