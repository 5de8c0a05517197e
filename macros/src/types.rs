//! Types as the user wrote them: their names and their parts, by syntax alone.

use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{
    AngleBracketedGenericArguments, GenericArgument, Lifetime, PathArguments, PathSegment, Token,
    Type,
};

/// Returns the type as the user wrote it, for errors: without the spaces of printed tokens.
pub(crate) fn written(ty: &Type) -> String {
    let tight = ["& ", " <", "< ", " >", " ,", " ;", " ::", ":: "];
    tight
        .iter()
        .fold(ty.to_token_stream().to_string(), |ty, spaced| ty.replace(spaced, spaced.trim()))
}

/// Returns the type without parentheses and without the invisible groups of macro fragments.
pub(crate) fn ungroup(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Group(group) => &group.elem,
            Type::Paren(paren) => &paren.elem,
            _ => return ty,
        };
    }
}

pub(crate) fn is_named(ty: &Type, name: &str) -> bool {
    let segment = standard(ty);
    segment.is_some_and(|segment| segment.ident == name && segment.arguments.is_none())
}

pub(crate) fn is_one_of(ty: &Type, names: &[&str]) -> bool {
    let segment = standard(ty);
    segment.is_some_and(|segment| names.iter().any(|name| segment.ident == name))
}

pub(crate) fn is_static(lifetime: &Lifetime) -> bool {
    lifetime.ident == "static"
}

/// Returns the `T` of `Option<T>`.
pub(crate) fn option(ty: &Type) -> Option<&Type> {
    only_argument(ty, "Option")
}

/// Returns the `T` of `Vec<T>`.
pub(crate) fn vec(ty: &Type) -> Option<&Type> {
    only_argument(ty, "Vec")
}

/// Returns the `T` of `[T]`.
pub(crate) fn slice(ty: &Type) -> Option<&Type> {
    match ungroup(ty) {
        Type::Slice(slice) => Some(&slice.elem),
        _ => None,
    }
}

/// Returns the `T` of `name<T>`.
fn only_argument<'t>(ty: &'t Type, name: &str) -> Option<&'t Type> {
    let (segment, arguments) = generic(ty)?;
    match single(arguments) {
        Some(GenericArgument::Type(inner)) if segment.ident == name => Some(inner),
        _ => None,
    }
}

/// Returns whether the type is written as an `Option` or a `Vec`.
pub(crate) fn holds_several(ty: &Type) -> bool {
    option(ty).or_else(|| vec(ty)).is_some()
}

/// Returns the `'a` and the `T` of `Cow<'a, T>`.
pub(crate) fn cow(ty: &Type) -> Option<(&Lifetime, &Type)> {
    let (segment, arguments) = generic(ty)?;
    let mut arguments = arguments.args.iter();
    match (arguments.next(), arguments.next(), arguments.next()) {
        (
            Some(GenericArgument::Lifetime(lifetime)),
            Some(GenericArgument::Type(borrowed)),
            None,
        ) if segment.ident == "Cow" => Some((lifetime, borrowed)),
        _ => None,
    }
}

/// The content of a type with the name `Result`.
pub(crate) enum ResultType<'t> {
    /// It has another name.
    Other,
    /// The value and the error.
    Of(&'t Type, &'t Type),
    /// The value, the error or both are not written.
    Alias,
}

/// Returns the types in a `Result`.
pub(crate) fn result(ty: &Type) -> ResultType<'_> {
    let Some(last) = segments(ty).and_then(|segments| segments.last()) else {
        return ResultType::Other;
    };
    if last.ident != "Result" {
        return ResultType::Other;
    }
    let mut types = arguments(last).into_iter().flat_map(|arguments| &arguments.args);
    match (types.next(), types.next(), types.next()) {
        (Some(GenericArgument::Type(value)), Some(GenericArgument::Type(error)), None) => {
            ResultType::Of(value, error)
        }
        _ => ResultType::Alias,
    }
}

/// Returns the type, and all types that it certainly holds: those in a tuple, an `Option` and so on.
pub(crate) fn held(ty: &Type) -> Vec<&Type> {
    const HOLDERS: &[&str] = &["Box", "Option", "Vec", "VecDeque"];

    let ty = ungroup(ty);
    let inner: Vec<&Type> = match ty {
        Type::Array(array) => vec![&array.elem],
        Type::Tuple(tuple) => tuple.elems.iter().collect(),
        _ => match generic(ty).map(|(segment, arguments)| (segment, single(arguments))) {
            Some((segment, Some(GenericArgument::Type(inner))))
                if HOLDERS.iter().any(|name| segment.ident == name) =>
            {
                vec![inner]
            }
            _ => Vec::new(),
        },
    };
    inner.into_iter().flat_map(held).chain([ty]).collect()
}

/// Returns the types in a type that the compiler does not look at when it looks for messages: the values of tuples,
/// the keys of maps, and errors.
pub(crate) fn unseen(ty: &Type) -> Vec<&Type> {
    const HOLDERS: &[&str] = &[
        "Arc",
        "BTreeMap",
        "BTreeSet",
        "BinaryHeap",
        "Bound",
        "Box",
        "Cell",
        "Cow",
        "HashMap",
        "HashSet",
        "LinkedList",
        "Mutex",
        "Option",
        "Range",
        "RangeFrom",
        "RangeInclusive",
        "RangeTo",
        "Rc",
        "RefCell",
        "Result",
        "Reverse",
        "RwLock",
        "Saturating",
        "Vec",
        "VecDeque",
        "Wrapping",
    ];

    let (inside, unseen): (Vec<&Type>, Vec<&Type>) = match ungroup(ty) {
        Type::Array(array) => (vec![&array.elem], Vec::new()),
        Type::Slice(slice) => (vec![&slice.elem], Vec::new()),
        Type::Tuple(tuple) => (tuple.elems.iter().collect(), tuple.elems.iter().collect()),
        ty => match generic(ty) {
            Some((segment, arguments)) if HOLDERS.iter().any(|name| segment.ident == name) => {
                let types = arguments.args.iter().filter_map(|argument| match argument {
                    GenericArgument::Type(ty) => Some(ty),
                    _ => None,
                });
                let types: Vec<&Type> = types.collect();
                let unseen = match () {
                    () if segment.ident == "BTreeMap" || segment.ident == "HashMap" => {
                        types.first()
                    }
                    () if segment.ident == "Result" => types.get(1),
                    () => None,
                };
                let unseen = unseen.copied().into_iter().collect();
                (types, unseen)
            }
            _ => (Vec::new(), Vec::new()),
        },
    };
    inside.into_iter().flat_map(self::unseen).chain(unseen).collect()
}

/// Returns the last segment of a standard path, and its arguments.
pub(crate) fn generic(ty: &Type) -> Option<(&PathSegment, &AngleBracketedGenericArguments)> {
    let segment = standard(ty)?;
    Some((segment, arguments(segment)?))
}

/// Returns the last segment of a path, if the path has only one segment or is in the standard library. Only such
/// names have a known meaning.
fn standard(ty: &Type) -> Option<&PathSegment> {
    let segments = segments(ty)?;
    let first = &segments.first()?.ident;
    let is_standard =
        segments.len() == 1 || ["std", "core", "alloc"].iter().any(|&name| first == name);
    segments.last().filter(|_| is_standard)
}

pub(crate) fn segments(ty: &Type) -> Option<&Punctuated<PathSegment, Token![::]>> {
    match ungroup(ty) {
        Type::Path(ty) if ty.qself.is_none() => Some(&ty.path.segments),
        _ => None,
    }
}

pub(crate) fn arguments(segment: &PathSegment) -> Option<&AngleBracketedGenericArguments> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(arguments),
        _ => None,
    }
}

pub(crate) fn single(arguments: &AngleBracketedGenericArguments) -> Option<&GenericArgument> {
    let mut arguments = arguments.args.iter();
    arguments.next().filter(|_| arguments.next().is_none())
}
