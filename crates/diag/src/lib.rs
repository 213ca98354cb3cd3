//! The catalogue of everything that can go wrong: one Markdown file per code.
