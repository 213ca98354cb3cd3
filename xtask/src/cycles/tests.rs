use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;

/// The arrows of a crate of these files, as `from:line > to`; its root is the first.
fn arrows(files: &[(&str, &str)]) -> Vec<String> {
    let place = |((from, to), (line, _)): (&(String, String), &Place)| format!("{from}:{line} > {to}");
    load(files).arrows().iter().map(place).collect()
}

fn load(files: &[(&str, &str)]) -> Crate {
    let tree: BTreeMap<PathBuf, &str> =
        files.iter().map(|(name, text)| (PathBuf::from(name), *text)).collect();
    let read = |file: &Path| tree.get(file).map(|text| (*text).to_owned());
    Crate::load(Path::new(files[0].0), &read).unwrap()
}

#[test]
fn a_cycle_is_listed_with_the_lines_of_its_arrows() {
    let source = load(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;\n"),
        ("a.rs", "use crate::b::B;\n\npub struct A(B);\n"),
        ("b.rs", "\n\nuse super::c;\npub struct B;\nfn f() { c::f() }\n"),
        ("c.rs", "pub fn f() -> crate::a::A { todo!() }\n"),
    ]);
    let text = "3 files import each other: a.rs, b.rs, c.rs\n    a.rs:1 names crate::b::B of b.rs\n    \
                b.rs:5 names c::f of c.rs\n    c.rs:1 names crate::a::A of a.rs";
    assert_eq!(cycles(&source.arrows()), [text]);
}

#[test]
fn a_module_may_name_what_is_below_it_and_be_named_from_there() {
    let files = [
        ("lib.rs", "mod a;\nuse a::A;\npub struct Top;\nfn f() { a::part::g(A) }\n"),
        ("a.rs", "pub mod part;\nuse super::Top;\npub struct A(Top);\n"),
        ("a/part.rs", "use crate::{Top, a::A};\npub fn g(_: A) {}\n"),
    ];
    assert_eq!(arrows(&files), ["a.rs:2 > lib.rs", "a/part.rs:1 > a.rs", "a/part.rs:1 > lib.rs"]);
    assert!(cycles(&load(&files).arrows()).is_empty());
}

#[test]
fn the_name_of_a_module_is_no_arrow() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\n"),
        ("a.rs", "use crate::b::{self as other};\nuse super::b;\n"),
        ("b.rs", ""),
    ];
    assert_eq!(arrows(&files), [""; 0]);
}

#[test]
fn a_cycle_through_a_module_above_is_found() {
    let source = load(&[
        ("lib.rs", "mod a;\nmod b;\n"),
        ("a/mod.rs", "pub mod part;\nuse crate::b::B;\npub struct A(B);\n"),
        ("a/part.rs", "use super::A;\npub struct Part;\n"),
        ("b.rs", "pub struct B(crate::a::part::Part);\n"),
    ]);
    let found = cycles(&source.arrows());
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("3 files import each other: a/mod.rs, a/part.rs, b.rs\n"), "{}", found[0]);
}

#[test]
fn a_re_exported_item_belongs_to_the_file_that_defines_it() {
    let files = [
        ("lib.rs", "mod area;\n"),
        (
            "area/mod.rs",
            "mod one;\nmod two;\nmod three;\npub use one::{One, Other as Renamed};\npub use two::*;\n",
        ),
        ("area/one.rs", "pub struct One;\npub struct Other;\n"),
        ("area/two.rs", "use super::{One, Renamed};\npub struct Two;\n"),
        ("area/three.rs", "use crate::area::Two;\n"),
    ];
    let expected = ["area/three.rs:1 > area/two.rs", "area/two.rs:1 > area/one.rs"];
    assert_eq!(arrows(&files), expected);
    assert!(cycles(&load(&files).arrows()).is_empty());
}

#[test]
fn paths_without_use_are_arrows_also_in_macros_and_attributes() {
    let files = [
        ("main.rs", "mod a;\nmod b;\n"),
        ("a.rs", "pub enum Kind { One }\nfn f() {\n    format!(\"{}\", [crate::b::text(), x.b]);\n}\n"),
        (
            "b.rs",
            "#[derive(Clone)]\nstruct S {\n    #[serde(with = \"crate::a::codec\")]\n    field: u8,\n}\n",
        ),
    ];
    assert_eq!(arrows(&files), ["a.rs:3 > b.rs", "b.rs:3 > a.rs"]);
}

#[test]
fn imports_inside_macros_and_functions_are_arrows() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\nmod c;\n"),
        ("a.rs", "fn f() {\n    use super::c;\n    c::g();\n}\ntable! { use crate::b::{B, self}; }\n"),
        ("b.rs", "pub struct B;\n"),
        ("c.rs", "pub fn g() {}\n"),
    ];
    assert_eq!(arrows(&files), ["a.rs:5 > b.rs", "a.rs:3 > c.rs"]);
}

#[test]
fn a_macro_belongs_to_its_file() {
    let files = [
        ("lib.rs", "#[macro_use]\nmod log;\nmod a;\nmod b;\nmacro_rules! top { () => {} }\n"),
        ("log.rs", "macro_rules! say { () => {} }\n"),
        (
            "a.rs",
            "macro_rules! own { () => { crate::b::B } }\npub(crate) use own;\nfn f() { say!(); top!(); }\n",
        ),
        ("b.rs", "pub struct B;\nfn f() { crate::a::own!(); }\n"),
    ];
    assert_eq!(arrows(&files), ["a.rs:1 > b.rs", "a.rs:3 > lib.rs", "a.rs:3 > log.rs", "b.rs:2 > a.rs"]);
}

#[test]
fn what_a_macro_makes_belongs_to_the_file_of_the_call() {
    let files =
        [("lib.rs", "mod a;\nmod b;\n"), ("a.rs", "codes! { S01 }\n"), ("b.rs", "use crate::a::Code;\n")];
    assert_eq!(arrows(&files), ["b.rs:1 > a.rs"]);
}

#[test]
fn names_through_a_glob_are_found() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\nmod c;\n"),
        ("a.rs", "use crate::b::*;\nfn f(_: C) {}\n"),
        ("b.rs", "pub use crate::c::C;\n"),
        ("c.rs", "pub struct C;\n"),
    ];
    assert_eq!(arrows(&files), ["a.rs:1 > b.rs", "a.rs:2 > c.rs", "b.rs:1 > c.rs"]);
}

#[test]
fn tests_and_other_crates_are_left_out() {
    let files = [
        (
            "lib.rs",
            "mod a;\n#[cfg(all(test, unix))]\nmod testing;\n#[cfg(test)]\nuse a::A;\n#[test]\nfn t() { a::A; }\n",
        ),
        (
            "a.rs",
            "use std::a::A as B;\nuse ::a::C;\npub(in crate::a) struct A;\n#[cfg(test)]\nmod tests { use crate::T; }\n\
             impl A {\n    #[cfg(test)]\n    fn f() { crate::T; }\n}\n",
        ),
    ];
    assert_eq!(arrows(&files), [""; 0]);
    let not_test = [
        ("lib.rs", "mod a;\nmod b;\n"),
        ("a.rs", "pub struct A;\n"),
        ("b.rs", "#[cfg(not(test))]\nuse crate::a::A;\n"),
    ];
    assert_eq!(arrows(&not_test), ["b.rs:2 > a.rs"]);
}

#[test]
fn inline_modules_and_paths_of_modules_lead_to_their_files() {
    let files = [
        (
            "src/lib.rs",
            "mod outer {\n    pub mod inner;\n    pub struct O;\n}\n#[path = \"odd/name.rs\"]\nmod odd;\n",
        ),
        ("src/outer/inner.rs", "use super::O;\nuse super::super::odd::Odd;\n"),
        ("src/odd/name.rs", "mod below;\npub struct Odd;\n"),
        ("src/odd/below.rs", "use super::Odd;\n"),
    ];
    assert_eq!(
        arrows(&files),
        [
            "src/odd/below.rs:1 > src/odd/name.rs",
            "src/outer/inner.rs:1 > src/lib.rs",
            "src/outer/inner.rs:2 > src/odd/name.rs"
        ]
    );
}

#[test]
fn imports_in_a_circle_end() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\n"),
        ("a.rs", "pub use crate::b::*;\n"),
        ("b.rs", "pub use crate::a::*;\nfn f(_: X) {}\n"),
    ];
    assert_eq!(cycles(&load(&files).arrows()).len(), 1);
}

#[test]
fn a_missing_file_and_a_slip_are_errors() {
    let load = |text: &'static str| {
        let read = move |file: &Path| (file == Path::new("lib.rs")).then(|| text.to_owned());
        Crate::load(Path::new("lib.rs"), &read).map(drop).unwrap_err().to_string()
    };
    assert_eq!(load("mod a;\n"), "no file for the module a of lib.rs");
    assert_eq!(load("fn f() {}\nfn g() {\n"), "lib.rs:2: { is never closed");
}
