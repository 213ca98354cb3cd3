//! adit.toml: TOML with spans, defaults and their origin, checks with a fix.
