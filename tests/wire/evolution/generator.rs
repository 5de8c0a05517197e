//! Generates random protocols in three versions that follow the evolution rules. The output is `generated.rs`,
//! with the seed in its first lines.
//!
//! `DATAGRAMMAR_PROTOCOLS=7 cargo test --test wire` rewrites it from the seed 7. The next run tests it.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use datagrammar_tests::Random;

const PROTOCOLS: u64 = 6;

/// A message may directly contain only a later one of these, so that messages are finite.
const TYPES: [&str; 4] = ["Top", "Middle", "Part", "Leaf"];

#[derive(Clone)]
struct Type {
    name: &'static str,
    other: &'static str,
    variants: Vec<Variant>,
}

#[derive(Clone)]
struct Variant {
    tag: u32,
    is_extensible: bool,
    /// Each field with its type and its attributes.
    fields: Vec<String>,
    /// Whether the last field is the rest, so that no field can follow.
    is_closed: bool,
}

/// Returns the protocols of a seed, as the source of a module.
fn generate(seed: u64) -> String {
    let mut random = Random(seed);
    let mut text = format!(
        "//! Random protocols, written by `generator.rs`. That file says how to generate others.\n//!\n//! Seed: {seed}\n#![cfg_attr(rustfmt, rustfmt_skip)]\n"
    );
    for protocol in 0..PROTOCOLS {
        let mut version: Vec<Type> = (0..TYPES.len()).map(|at| first(&mut random, at)).collect();
        write!(
            text,
            "\npub(crate) mod protocol_{protocol} {{\n    use super::super::versions::*;\n"
        )
        .unwrap();
        for number in 1..=3 {
            print(&mut text, number, &version);
            version.iter_mut().enumerate().for_each(|(at, ty)| grow(&mut random, at, ty));
        }
        text.push_str("}\n");
    }
    text
}

fn first(random: &mut Random, at: usize) -> Type {
    let other = match random.below(10) {
        0..3 => " [other (Unknown<'static>)]",
        3..6 => " [other]",
        _ => "",
    };
    let mut ty = Type { name: TYPES[at], other, variants: Vec::new() };
    for _ in 0..1 + random.below(3) {
        add(random, at, &mut ty);
    }
    ty
}

/// Makes the changes that the rules allow: adds variants with new tags, and appends `default` fields.
fn grow(random: &mut Random, at: usize, ty: &mut Type) {
    for variant in ty.variants.iter_mut().filter(|variant| !variant.is_closed) {
        for _ in 0..random.below(3) {
            let number = variant.fields.len();
            variant.fields.push(field(random, at, number, true));
        }
    }
    if random.below(10) < 6 {
        add(random, at, ty);
    }
}

fn add(random: &mut Random, at: usize, ty: &mut Type) {
    let tag = ty.variants.last().map_or(0, |variant| variant.tag) + 1 + random.below(200) as u32;
    let mut fields: Vec<String> =
        (0..random.below(4) as usize).map(|number| field(random, at, number, false)).collect();
    let is_closed = at + 1 < TYPES.len() && random.below(8) == 0;
    if is_closed {
        fields.push(format!("rest: {} [nested rest]", TYPES[at + 1]));
    }
    let is_extensible = !is_closed && random.below(10) < 8;
    ty.variants.push(Variant { tag, is_extensible, fields, is_closed });
}

fn field(random: &mut Random, at: usize, number: usize, is_default: bool) -> String {
    let any = TYPES[random.below(TYPES.len() as u64) as usize];
    let later = TYPES.get(at + 1 + random.below(2) as usize);
    let (ty, attribute) = match (random.below(12), later) {
        (0, _) => ("u32".to_owned(), ""),
        (1, _) => ("bool".to_owned(), ""),
        (2, _) => ("String".to_owned(), ""),
        (3, _) => ("Vec<Option<u32>>".to_owned(), ""),
        (4, _) => ("Option<OwnedFd>".to_owned(), "fd"),
        (5, _) => ("Vec<OwnedFd>".to_owned(), "fd"),
        (6, _) if !is_default => ("OwnedFd".to_owned(), "fd"),
        (7, Some(later)) if !is_default => ((*later).to_owned(), "nested"),
        (8, Some(later)) if !is_default => (format!("Box<{later}>"), "nested"),
        (9, _) => (format!("Vec<{any}>"), "nested"),
        (10, _) => (format!("Vec<Option<Box<{any}>>>"), "nested"),
        _ => (format!("Option<Box<{any}>>"), "nested"),
    };
    let default = if is_default { "default" } else { "" };
    let attributes = format!("{attribute} {default}");
    format!("field_{number}: {ty} [{}]", attributes.trim())
}

fn print(text: &mut String, number: u32, version: &[Type]) {
    write!(text, "\n    version! {{ v{number};\n").unwrap();
    for Type { name, other, variants } in version {
        writeln!(text, "        enum {name}{other} {{").unwrap();
        for Variant { tag, is_extensible, fields, .. } in variants {
            let extensible = if *is_extensible { "extensible" } else { "" };
            let fields = fields.join(", ");
            writeln!(text, "            {tag} Variant{tag} [{extensible}] {{ {fields} }}").unwrap();
        }
        text.push_str("        }\n");
    }
    text.push_str("    }\n");
}

#[test]
fn the_protocols_are_those_of_their_seed() {
    if let Ok(seed) = env::var("DATAGRAMMAR_PROTOCOLS") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("wire/evolution/generated.rs");
        fs::write(&path, generate(seed.parse().unwrap())).unwrap();
        return;
    }
    let text = include_str!("generated.rs");
    let seed = text.lines().find_map(|line| line.strip_prefix("//! Seed: ")).unwrap();
    assert_eq!(text, generate(seed.parse().unwrap()));
}
