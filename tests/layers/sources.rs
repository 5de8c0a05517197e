//! The source files of a crate, as modules, and what each imports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module's path from the crate's root, which is empty.
pub(crate) type Module = Vec<String>;

/// A source file, and its lines of code: no comments, no documentation, no tests.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path under `src`.
    pub(crate) path: PathBuf,
    pub(crate) module: Module,
    pub(crate) text: String,
    pub(crate) code: Vec<String>,
}

impl Source {
    pub(crate) fn new(path: &Path, text: String) -> Self {
        let mut module: Module =
            path.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if let Some("mod" | "lib") = module.last().map(String::as_str) {
            module.pop();
        }
        let code = text
            .split("\nmod tests {\n")
            .next()
            .unwrap_or_default()
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .map(|line| line.split(" // ").next().unwrap_or_default().to_owned())
            .collect();
        Self { path: path.to_owned(), module, text, code }
    }

    /// Whether it is the `mod.rs` of a folder.
    pub(crate) fn is_folder(&self) -> bool {
        self.path.ends_with("mod.rs")
    }

    /// The module directly under the crate's root that contains it.
    pub(crate) fn top(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }
}

/// The files of a crate of this repository.
pub(crate) fn sources(krate: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(krate).join("src");
    let mut sources = Vec::new();
    let mut directories = vec![root.clone()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                sources.push(Source::new(path.strip_prefix(&root).unwrap(), text));
            }
        }
    }
    assert!(sources.len() > 5, "{krate} has moved");
    sources
}

/// Returns whether a line has `word` as a word of its own.
pub(crate) fn names(line: &str, word: &str) -> bool {
    places(line, word).next().is_some()
}

/// Returns the position at which a text has `word` as a word of its own.
fn places<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|&byte| is_word(byte));
    text.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let (before, after) = (&text.as_bytes()[..at], &text.as_bytes()[at + word.len()..]);
        !is_part(before.last()) && !is_part(after.first())
    })
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

/// The paths in a file's code that begin in its own crate, each as a list of names: `crate`, `super` or `self`, and so
/// on.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for start in ["crate", "super", "self"] {
        for at in places(code, start) {
            // A word after another name belongs to the path of that name.
            let before = code[..at].trim_end();
            if code[at + start.len()..].starts_with("::") && !before.ends_with("::") {
                let mut rest = &code[at..];
                read_paths(&mut rest, &[], &mut paths);
            }
        }
    }
    paths
}

/// Reads a path, or all of a group of them, from the front of `rest`.
fn read_paths(rest: &mut &str, prefix: &[String], paths: &mut Vec<Vec<String>>) {
    let mut path = prefix.to_vec();
    loop {
        *rest = rest.trim_start();
        if let Some(group) = rest.strip_prefix('{') {
            *rest = group;
            while !rest.trim_start().starts_with('}') {
                let before = rest.len();
                read_paths(rest, &path, paths);
                // Skips a comma, or the new name of a path: `as …`.
                let end = rest.find([',', '}']).unwrap_or(rest.len());
                *rest = rest[end..].strip_prefix(',').unwrap_or(&rest[end..]);
                assert!(rest.len() < before, "no list of paths: {rest}");
            }
            *rest = rest.trim_start().strip_prefix('}').unwrap_or(rest);
            return;
        }
        let len = rest.bytes().take_while(|&byte| is_word(byte)).count();
        let (name, after) = rest.split_at(len);
        match name {
            // `super::{self}` and `super::*` are `super`.
            "self" if !path.is_empty() => {}
            "" => {}
            name => path.push(name.to_owned()),
        }
        *rest = after;
        match rest.strip_prefix("::") {
            Some(after) if !name.is_empty() => *rest = after,
            _ => return paths.push(path),
        }
    }
}

/// A crate's modules.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) sources: Vec<Source>,
    modules: BTreeSet<Module>,
    /// The items that folders export and modules below them define: the folder, the name, and the source.
    exports: BTreeMap<(Module, String), Vec<String>>,
}

impl Tree {
    pub(crate) fn new(sources: Vec<Source>) -> Self {
        let modules = sources.iter().map(|source| source.module.clone()).collect();
        let mut tree = Self { sources, modules, exports: BTreeMap::new() };
        let folders = tree.sources.iter().filter(|source| source.is_folder());
        let exports = folders.flat_map(|folder| {
            let statements = folder.code.join("\n");
            let exported = statements.split(';').filter(|statement| {
                statement.trim_start().starts_with("pub") && names(statement, "use")
            });
            let module = folder.module.clone();
            let paths: Vec<_> = exported
                .flat_map(|statement| {
                    let (_, list) = statement.split_once("use ").unwrap_or_default();
                    let mut paths = Vec::new();
                    read_paths(&mut &*list, &[], &mut paths);
                    paths
                })
                .collect();
            paths.into_iter().filter_map(move |path| {
                let name = path.last()?.clone();
                // As `self::child::Name`, or `child::Name`.
                let own = match path.first().map(String::as_str) {
                    Some("crate" | "super" | "self") => path,
                    _ => [vec!["self".to_owned()], path].concat(),
                };
                Some(((module.clone(), name), own))
            })
        });
        tree.exports = exports.collect();
        tree
    }

    /// Resolves a path that is written in `module`: to a file, or to a folder that defines the name itself.
    fn resolve(&self, module: &Module, path: &[String]) -> Option<Module> {
        let (start, mut rest) = path.split_first()?;
        let mut at = match start.as_str() {
            "crate" => Module::new(),
            "self" => module.clone(),
            "super" => module.split_last()?.1.to_vec(),
            _ => return None,
        };
        while let Some(("super", after)) = rest.split_first().map(|(name, after)| (&**name, after))
        {
            at.pop();
            rest = after;
        }
        while let Some((name, after)) = rest.split_first() {
            let next = [&at[..], std::slice::from_ref(name)].concat();
            if self.modules.contains(&next) {
                (at, rest) = (next, after);
                continue;
            }
            return match self.exports.get(&(at.clone(), name.clone())) {
                Some(export) => self.resolve(&at, export),
                None => Some(at),
            };
        }
        Some(at)
    }

    /// Returns which module imports which, by any path in its code.
    pub(crate) fn imports(&self) -> BTreeSet<(Module, Module)> {
        let mut imports = BTreeSet::new();
        for source in &self.sources {
            for path in paths(&source.code.join("\n")) {
                if let Some(target) = self.resolve(&source.module, &path)
                    && target != source.module
                    && !target.is_empty()
                {
                    imports.insert((source.module.clone(), target));
                }
            }
        }
        imports
    }
}
