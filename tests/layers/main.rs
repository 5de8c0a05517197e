//! The layers hold: which files may name libc, write `unsafe`, name a codec's crate, and import each other.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod circles;
mod sources;

use std::path::Path;

use crate::circles::faults;
use crate::sources::{Source, Tree, names, sources};

/// The runtime's modules, from the ground up. A module may import from those below it, and from those beside it if that
/// makes no cycle.
const RUNTIME: &[&[&str]] = &[
    &["sys", "error"],
    &[
        "wire",
        "codec",
        "message",
        "memory",
        "peer",
        "address",
        "options",
        "limits",
        "budget",
        "policy",
        "backoff",
        "spare",
        "activation",
        "wait",
    ],
    &["transport"],
    &[
        "frame",
        "owned_frame",
        "outbox",
        "sender",
        "backlog",
        "batch",
        "bundle",
        "receiver",
        "connection",
        "listener",
        "socket",
        "child",
    ],
    &["calls"],
    &["tokio"],
    // Names for derived code, and pages that are only documentation.
    &["private", "guide"],
];

/// The derive's pipeline, from the first step to the last.
const MACROS: &[&[&str]] = &[
    &["symbol", "ctxt", "hygiene", "types", "kind", "nest", "usage", "value", "case", "lifetime"],
    &["attr", "free", "answered"],
    &["field"],
    &["ast"],
    &["call"],
    &["valid", "valid_calls", "bound"],
    &["expand", "fallback"],
];

#[test]
fn libc_and_unsafe_are_in_sys_alone() {
    for source in sources("runtime").iter().chain(&sources("macros")) {
        for line in &source.code {
            let at = format!("{}: {line}", source.path.display());
            if source.top() != "sys" {
                assert!(!names(line, "libc"), "{at}");
                // The lints in `lib.rs` name `unsafe` to forbid it.
                assert!(!names(line, "unsafe"), "{at}");
            }
        }
    }
    let sys = sources("runtime").into_iter().filter(|source| source.top() == "sys");
    let unsafes = sys.flat_map(|source| source.code).filter(|line| names(line, "unsafe")).count();
    assert!(unsafes > 10, "this test no longer sees `unsafe`");
}

#[test]
fn the_formats_are_named_in_their_codec_files_alone() {
    for (format, file) in [("bincode", "codec/bincode.rs"), ("postcard", "codec/postcard.rs")] {
        let mut seen = false;
        for source in sources("runtime") {
            for line in &source.code {
                let uses = names(line, format) && line.contains(&format!("{format}::"));
                // `mod bincode;` and `self::bincode::Bincode` are our own module.
                if uses && !line.contains(&format!("self::{format}::")) {
                    assert_eq!(source.path, Path::new(file), "{line}");
                    seen = true;
                }
            }
        }
        assert!(seen, "{file} does not use {format}");
    }
}

/// Checks a crate's modules against its layers, and that no folder has a cycle.
fn check(krate: &str, layers: &[&[&str]]) {
    // The derive's golden expansions are tests.
    let sources = sources(krate).into_iter().filter(|source| source.top() != "expansions");
    let tree = Tree::new(sources.collect());
    let layer = |module: &str| layers.iter().position(|layer| layer.contains(&module));
    for source in &tree.sources {
        let (top, at) = (source.top(), source.path.display());
        assert!(top == "lib" || layer(top).is_some(), "{krate}: {at} belongs to no layer");
    }
    let imports = tree.imports();
    for (from, to) in &imports {
        // The root module uses all of them.
        let (Some(own), Some(other)) = (from.first(), to.first()) else { continue };
        let is_above = layer(other) > layer(own);
        assert!(!is_above, "{krate}: {} imports {} above it", from.join("::"), to.join("::"));
    }
    let faults = faults(&tree);
    assert!(faults.is_empty(), "{krate}:\n{}", faults.join("\n"));
    assert!(imports.len() > 20, "{krate}: this test no longer sees imports");
}

#[test]
fn imports_point_downwards_and_make_no_circle_in_any_folder() {
    check("runtime", RUNTIME);
    check("macros", MACROS);
}

/// Returns the faults of a crate of these files.
fn faults_of(files: &[(&str, &str)]) -> Vec<String> {
    let sources = files.iter().map(|(path, text)| Source::new(Path::new(path), (*text).to_owned()));
    faults(&Tree::new(sources.collect()))
}

#[test]
fn circles_are_found_however_they_are_written() {
    let folder = "mod a;\nmod b;\nmod c;\npub(crate) use self::a::Alpha;\npub use c::Gamma;";
    let circles = [
        // Between two files, by `super`, by `crate`, and within an expression.
        ("use super::b::Beta;", "use super::a::Alpha;", ""),
        ("use crate::folder::b;", "use crate::folder::{a};", ""),
        ("use super::b;", "fn beta() { super::a::alpha() }", ""),
        // By the exports of the folder.
        ("use super::b;", "use super::Alpha;", ""),
        ("use super::{b::{self, Beta}};", "use crate::{folder::{Alpha as Other, c}};", ""),
        // Through a third file.
        ("use super::b::Beta;", "use super::Gamma;", "use super::super::folder::a::*;"),
    ];
    for (a, b, c) in circles {
        let files = [
            ("lib.rs", "mod folder;"),
            ("folder/mod.rs", folder),
            ("folder/a.rs", a),
            ("folder/b.rs", b),
            ("folder/c.rs", c),
        ];
        let found = faults_of(&files);
        assert!(found.iter().any(|fault| fault.starts_with("a circle in \"folder\"")), "{a} {b}");
        // Without the first import, there is no cycle.
        let found = faults_of(&[&files[..2], &[("folder/a.rs", "")], &files[3..]].concat());
        assert_eq!(found, [""; 0], "{b} {c}");
    }
    // Between folders: different files make the cycle.
    let found = faults_of(&[
        ("one/mod.rs", "mod a;\nmod b;"),
        ("one/a.rs", "use crate::two::a;"),
        ("one/b.rs", ""),
        ("two/mod.rs", "mod a;\nmod b;"),
        ("two/a.rs", ""),
        ("two/b.rs", "use crate::one::b;"),
    ]);
    assert!(found[0].starts_with("a circle in \"\": one::a imports two::a"), "{found:?}");
}

#[test]
fn a_folders_file_only_declares_and_exports() {
    let faults = |folder: &str, child: &str| {
        faults_of(&[("folder/mod.rs", folder), ("folder/a.rs", child), ("folder/b.rs", "")])
    };
    let good = "//! A folder.\n#![allow(unsafe_code)]\n\nmod a;\n#[cfg(any())]\npub(crate) mod b;\n\
        pub use self::a::{\n    Alpha, Beta,\n};\npub(crate) use b::Gamma;\n";
    assert_eq!(faults(good, "use super::Gamma;"), [""; 0]);
    for bad in
        ["use std::fmt;", "const MAX: usize = 1;", "fn f() {}", "pub struct Own;", "impl X {}"]
    {
        let found = faults(&format!("mod a;\n{bad}"), "");
        assert!(found.len() == 1 && found[0].contains("defines something"), "{bad}: {found:?}");
    }
    for child in ["use super::Own;", "use crate::folder::Own;", "fn f() { super::own() }"] {
        let found = faults("mod a;\nmod b;", child);
        assert_eq!(found, ["folder::a imports what folder/mod.rs defines"], "{child}");
    }
    // Imports of tests do not count.
    let tests = "#[cfg(test)]\nmod tests {\n    use super::*;\n    use super::super::Own;\n}";
    assert_eq!(faults("mod a;", tests), [""; 0]);
}

#[test]
fn lib_only_reexports() {
    let sources = sources("runtime");
    let lib = sources.iter().find(|source| source.top() == "lib").unwrap();
    for line in &lib.code {
        for word in ["fn", "impl", "struct", "enum", "trait", "macro_rules"] {
            assert!(!names(line, word), "lib.rs: {line}");
        }
    }
}

#[test]
fn files_are_short_and_say_their_job_first() {
    for krate in ["runtime", "macros"] {
        for source in sources(krate) {
            let text = &source.text;
            let at = source.path.display();
            assert!(
                text.starts_with("//! ") || text.contains("include_str!"),
                "{at} does not say its job"
            );
            assert!(text.lines().count() <= 450, "{at} is too long for one job");
        }
    }
}
