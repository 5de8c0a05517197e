//! Import cycles in every folder, and the rules for `mod.rs` files.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{Module, Source, Tree};

/// Returns the faults in the imports of a crate, folder by folder.
pub(crate) fn faults(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    // For each folder, the imports between its modules, with an example of each.
    let mut folders = BTreeMap::<Module, BTreeMap<(String, String), String>>::new();
    for (from, to) in tree.imports() {
        let common = from.iter().zip(&to).take_while(|(from, to)| from == to).count();
        match (from.get(common), to.get(common)) {
            (Some(child), Some(other)) => {
                let example = format!("{} imports {}", from.join("::"), to.join("::"));
                let edges = folders.entry(from[..common].to_vec()).or_default();
                edges.insert((child.clone(), other.clone()), example);
            }
            // The `mod.rs` of a folder names the modules below it.
            (None, _) => {}
            (Some(_), None) => faults.push(format!(
                "{} imports what {}/mod.rs defines",
                from.join("::"),
                to.join("/")
            )),
        }
    }
    for (folder, edges) in &folders {
        for start in edges.keys().map(|(from, _)| from).collect::<BTreeSet<_>>() {
            if let Some(circle) = circle(start, edges) {
                faults.push(format!("a circle in {:?}: {}", folder.join("/"), circle.join(", ")));
            }
        }
    }
    for source in tree.sources.iter().filter(|source| source.is_folder()) {
        if let Some(found) = definition(source) {
            faults.push(format!("{} defines something: {found}", source.path.display()));
        }
    }
    faults
}

/// Returns the imports that lead from `start` back to it.
fn circle<'e>(start: &str, edges: &'e BTreeMap<(String, String), String>) -> Option<Vec<&'e str>> {
    let mut reached = vec![(start, Vec::new())];
    let mut at = 0;
    while let Some((module, way)) = reached.get(at).cloned() {
        for ((_, to), example) in edges.iter().filter(|((from, _), _)| from == module) {
            let way = [&way[..], &[example.as_str()]].concat();
            if to == start {
                return Some(way);
            }
            if reached.iter().all(|(seen, _)| seen != to) {
                reached.push((to, way));
            }
        }
        at += 1;
    }
    None
}

/// Returns the content of a `mod.rs` besides modules and exports.
fn definition(folder: &Source) -> Option<String> {
    let code = folder.code.join("\n");
    let statements = code.split(';').map(|statement| {
        let lines = statement.lines().map(str::trim);
        lines.filter(|line| !line.is_empty() && !line.starts_with("#")).collect::<String>()
    });
    let is_allowed = |statement: &str| {
        let (visibility, rest) = match statement.strip_prefix("pub") {
            Some(rest) => (true, rest.strip_prefix("(crate)").unwrap_or(rest).trim_start()),
            None => (false, statement),
        };
        statement.is_empty() || rest.starts_with("mod ") || visibility && rest.starts_with("use ")
    };
    statements.into_iter().find(|statement| !is_allowed(statement))
}
