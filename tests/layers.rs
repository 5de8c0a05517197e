//! The layers hold: who may name libc, write `unsafe`, name a codec's crate, and import whom.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The runtime's modules, from the ground up. A module imports from those below it, and from those
/// beside it only where that makes no circle.
const RUNTIME: &[&[&str]] = &[
    &["sys", "error"],
    &["wire", "codec", "message", "private", "memory", "peer", "frame"],
    &["limits", "policy", "options", "address", "backoff", "activation"],
    &["transport"],
    &[
        "outbox",
        "frames",
        "sender",
        "queue",
        "receiver",
        "connection",
        "listener",
        "socket",
        "child",
    ],
];

/// The derive's pipeline, from its first step to its last.
const MACROS: &[&[&str]] = &[
    &["symbol", "ctxt", "hygiene", "kind", "nest", "value"],
    &["attr", "free"],
    &["ast"],
    &["valid", "bound"],
    &["expand", "fallback"],
    &["lib"],
];

/// A source file, and its lines of code: no comments, no documentation, no tests.
struct Source {
    path: PathBuf,
    /// The module directly under the crate's root that it belongs to.
    module: String,
    code: Vec<String>,
}

fn sources(krate: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(krate).join("src");
    let mut sources = Vec::new();
    let mut directories = vec![root.clone()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inner = path.strip_prefix(&root).unwrap();
                let first = inner.iter().next().unwrap();
                let module = Path::new(first).file_stem().unwrap().to_str().unwrap().to_owned();
                let code = fs::read_to_string(&path)
                    .unwrap()
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//"))
                    .map(|line| line.split(" // ").next().unwrap().to_owned())
                    .collect();
                sources.push(Source { path: inner.to_owned(), module, code });
            }
        }
    }
    assert!(sources.len() > 5, "{krate} has moved");
    sources
}

/// Whether a line has `word` as a word of its own.
fn names(line: &str, word: &str) -> bool {
    let is_part =
        |byte: Option<&u8>| byte.is_some_and(|&byte| byte == b'_' || byte.is_ascii_alphanumeric());
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line.as_bytes()[..at], &line.as_bytes()[at + word.len()..]);
        !is_part(before.last()) && !is_part(after.first())
    })
}

#[test]
fn libc_and_unsafe_are_in_sys_alone() {
    for source in sources("runtime").iter().chain(&sources("macros")) {
        for line in &source.code {
            let at = format!("{}: {line}", source.path.display());
            if source.module != "sys" {
                assert!(!names(line, "libc"), "{at}");
                // The lints in `lib.rs` name it to forbid it.
                assert!(!names(line, "unsafe"), "{at}");
            }
        }
    }
    let sys = sources("runtime").into_iter().filter(|source| source.module == "sys");
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

/// The modules of the same crate that a line imports from.
fn imports(line: &str) -> Vec<String> {
    line.match_indices("crate::")
        .map(|(at, prefix)| {
            let rest = &line[at + prefix.len()..];
            rest.chars().take_while(|&next| next == '_' || next.is_ascii_lowercase()).collect()
        })
        .filter(|module: &String| !module.is_empty())
        .collect()
}

/// Checks a crate's modules against its layers, and that they make no circle.
fn check(krate: &str, layers: &[&[&str]]) {
    let layer = |module: &str| layers.iter().position(|layer| layer.contains(&module));
    let mut edges = BTreeMap::<String, Vec<String>>::new();
    for source in sources(krate) {
        // The root joins them all, and the derive's golden expansions are tests of it.
        if source.module == "lib" || source.module == "expansions" {
            continue;
        }
        let own = layer(&source.module)
            .unwrap_or_else(|| panic!("{krate}: `{}` belongs to no layer", source.module));
        for import in source.code.iter().flat_map(|line| imports(line)) {
            if import == source.module {
                continue;
            }
            let Some(other) = layer(&import) else {
                panic!("{krate}: `{}` imports `{import}`, which is in no layer", source.module);
            };
            assert!(other <= own, "{krate}: {} imports `{import}` above it", source.path.display());
            edges.entry(source.module.clone()).or_default().push(import);
        }
    }
    for start in edges.keys() {
        let mut reached = vec![start.clone()];
        let mut at = 0;
        while let Some(module) = reached.get(at).cloned() {
            for next in edges.get(&module).into_iter().flatten() {
                assert_ne!(next, start, "{krate}: `{start}` imports itself by way of `{module}`");
                if !reached.contains(next) {
                    reached.push(next.clone());
                }
            }
            at += 1;
        }
    }
    assert!(edges.len() > 3, "{krate}: this test no longer sees imports");
}

#[test]
fn imports_point_downwards() {
    check("runtime", RUNTIME);
    check("macros", MACROS);
}

#[test]
fn lib_only_reexports() {
    let sources = sources("runtime");
    let lib = sources.iter().find(|source| source.module == "lib").unwrap();
    for line in &lib.code {
        for word in ["fn", "impl", "struct", "enum", "trait", "macro_rules"] {
            assert!(!names(line, word), "lib.rs: {line}");
        }
    }
}

#[test]
fn files_are_short_and_say_their_job_first() {
    for krate in ["runtime", "macros"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(krate).join("src");
        for source in sources(krate) {
            let text = fs::read_to_string(root.join(&source.path)).unwrap();
            let at = source.path.display();
            assert!(
                text.starts_with("//! ") || text.contains("include_str!"),
                "{at} does not say its job"
            );
            assert!(text.lines().count() <= 450, "{at} is too long for one job");
        }
    }
}
