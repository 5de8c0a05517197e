//! Recognises the types of fields by how they are written.

use syn::{GenericArgument, Lifetime, Type, TypeReference};

use crate::types::{
    arguments, cow, generic, held, is_named, is_one_of, is_static, option, segments, single,
    ungroup, unseen, vec, written,
};

/// What the written form of a type says about its bytes.
pub(crate) enum Kind {
    /// A type of the standard library that certainly holds no message.
    Plain,
    /// Bytes or text. Large ones are not copied on sending, and the frame lends them if the type can borrow.
    Slice(Slice),
    /// `[u8; N]`.
    Array,
    /// `[T; N]` of any other type.
    Elements,
    /// A type that only the compiler can recognise.
    ByType,
    /// `u32`.
    U32,
    /// `u64`.
    U64,
}

/// `&[u8]`, `Option<String>`, `Cow<'a, str>` and the like.
#[derive(Clone, Copy)]
pub(crate) struct Slice {
    pub(crate) content: Content,
    pub(crate) held: Held,
    /// Whether it is in an `Option`.
    pub(crate) optional: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Content {
    Bytes,
    Text,
}

/// How a decoded slice gets its value.
#[derive(Clone, Copy)]
pub(crate) enum Held {
    /// By a conversion of its type: borrowed from the frame, or copied.
    ByType,
    /// As an owned copy: a `Cow<'static, _>` cannot borrow from the frame.
    Cow,
}

impl Kind {
    pub(crate) fn of(ty: &Type) -> Self {
        if let Some((content, held)) = slice(ty) {
            return Self::Slice(Slice { content, held, optional: false });
        }
        if let Some((content, held)) = option(ty).and_then(slice) {
            return Self::Slice(Slice { content, held, optional: true });
        }
        match ungroup(ty) {
            Type::Array(array) if is_named(&array.elem, "u8") => Self::Array,
            Type::Array(array) if !is_plain(&array.elem) => Self::Elements,
            ty if is_named(ty, "u32") => Self::U32,
            ty if is_named(ty, "u64") => Self::U64,
            ty if is_plain(ty) => Self::Plain,
            _ => Self::ByType,
        }
    }
}

/// Returns whether the type certainly holds no message. Most types hold none, and need no check.
fn is_plain(ty: &Type) -> bool {
    if is_one_of(ty, SCALARS) || is_named(ty, "String") {
        return true;
    }
    if let Type::Array(array) = ungroup(ty) {
        return is_plain(&array.elem);
    }
    match generic(ty).map(|(segment, arguments)| (&segment.ident, single(arguments))) {
        Some((holder, Some(GenericArgument::Type(inner))))
            if holder == "Option" || holder == "Vec" =>
        {
            is_plain(inner)
        }
        Some((marker, _)) => marker == "PhantomData",
        None => false,
    }
}

/// Numbers and the like.
const SCALARS: &[&str] = &[
    "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "u128", "u16", "u32",
    "u64", "u8", "usize",
];

/// The descriptors of a field: how many, and whether it owns them.
#[derive(Clone, Copy)]
pub(crate) struct Descriptors {
    pub(crate) number: Number,
    /// Whether the type is a `BorrowedFd`, which can be sent but not received.
    pub(crate) borrowed: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Number {
    One,
    /// One or none, in an `Option`.
    Optional,
    /// Any number, in a `Vec`.
    Many,
}

impl Descriptors {
    /// Returns the descriptors that a field of type `ty` holds.
    pub(crate) fn of(ty: &Type) -> Self {
        let (number, one) = match (option(ty), vec(ty)) {
            (Some(inner), _) => (Number::Optional, inner),
            (None, Some(inner)) => (Number::Many, inner),
            (None, None) => (Number::One, ty),
        };
        Self { number, borrowed: is_one_of(one, &["BorrowedFd"]) }
    }
}

/// Returns whether the type is a descriptor of the standard library or of the runtime, or an `Option` or a `Vec` of
/// one. serde does not handle these.
pub(crate) fn holds_descriptors(ty: &Type) -> bool {
    const DESCRIPTORS: &[&str] = &[
        "BorrowedFd",
        "File",
        "OwnedFd",
        "PipeReader",
        "PipeWriter",
        "SharedBytes",
        "TcpListener",
        "TcpStream",
        "UdpSocket",
        "UnixDatagram",
        "UnixListener",
        "UnixStream",
    ];
    let one = option(ty).or_else(|| vec(ty)).unwrap_or(ty);
    is_one_of(one, DESCRIPTORS) || is_shared_bytes(one)
}

/// Returns whether the type is `datagrammar::SharedBytes`.
fn is_shared_bytes(ty: &Type) -> bool {
    let path = segments(ty).map(|segments| segments.iter().map(|segment| &segment.ident));
    path.is_some_and(|path| path.eq(["datagrammar", "SharedBytes"]))
}

/// Returns whether the type is a name that may stand for any type. Containers of the standard library do not.
pub(crate) fn is_name(ty: &Type) -> bool {
    const HOLDERS: &[&str] =
        &["Box", "BTreeMap", "Cow", "HashMap", "Option", "Vec", "VecDeque", "str"];

    segments(ty).is_some() && !is_one_of(ty, HOLDERS)
}

/// Returns the lifetime of `Unknown<'a>`, if the type is written like this.
pub(crate) fn unknown(ty: &Type) -> Option<&Lifetime> {
    let segment = segments(ty)?.last()?;
    match single(arguments(segment)?) {
        Some(GenericArgument::Lifetime(lifetime)) if segment.ident == "Unknown" => Some(lifetime),
        _ => None,
    }
}

/// Returns whether the type has a `'static` reference, which no frame can lend.
pub(crate) fn is_static_reference(ty: &Type) -> bool {
    held(ty).into_iter().any(|ty| match ty {
        Type::Reference(reference) => reference.lifetime.as_ref().is_some_and(is_static),
        _ => false,
    })
}

/// Returns whether the type has a mutable reference, which no frame can lend.
pub(crate) fn is_mutable_reference(ty: &Type) -> bool {
    held(ty).into_iter().any(|ty| match ty {
        Type::Reference(reference) => reference.mutability.is_some(),
        _ => false,
    })
}

/// What to write instead of a reference that the type holds, if no frame can lend its target.
pub(crate) fn instead_of_reference(ty: &Type) -> Option<String> {
    held(ty).into_iter().find_map(|ty| match ty {
        Type::Reference(reference) => lendable_instead(reference),
        _ => None,
    })
}

/// Returns whether the type itself has no known size, and what to write instead of it. `reference` is how one
/// begins here.
pub(crate) fn instead_of_unsized(ty: &Type, reference: &str) -> Option<String> {
    match ungroup(ty) {
        Type::Slice(slice) if is_named(&slice.elem, "u8") => {
            Some(format!("`{reference}[u8]`, which borrows from the frame, or `Vec<u8>`"))
        }
        Type::Slice(slice) => Some(format!("`Vec<{}>`", written(&slice.elem))),
        ty if is_named(ty, "str") => {
            Some(format!("`{reference}str`, which borrows from the frame, or `String`"))
        }
        _ => None,
    }
}

/// What to do about a type that [hides another](hides_type).
pub(crate) const HIDDEN_TYPE: &str = "the receiver cannot know which type this trait stands for: write that type, an enum with a variant for each type, or `String` for the text of an error";

/// Returns whether the type has a trait in place of a type.
pub(crate) fn hides_type(ty: &Type) -> bool {
    let hidden = |ty: &Type| matches!(ungroup(ty), Type::TraitObject(_) | Type::ImplTrait(_));
    held(ty).into_iter().any(|ty| match ty {
        Type::Reference(reference) => hidden(&reference.elem),
        ty => hidden(ty),
    })
}

fn lendable_instead(TypeReference { lifetime, elem, .. }: &TypeReference) -> Option<String> {
    let lent = |content: &str| match lifetime {
        Some(lifetime) => format!("&{lifetime} {content}"),
        None => format!("&{content}"),
    };
    let elem = ungroup(elem);
    match (elem, slice(elem)) {
        (Type::Slice(_), _) if content(elem).is_some() => None,
        (Type::Slice(slice), _) => Some(format!("Vec<{}>", written(&slice.elem))),
        (_, Some((Content::Bytes, _))) => Some(lent("[u8]")),
        (_, Some((Content::Text, _))) => Some(lent("str")),
        _ => (is_one_of(elem, SCALARS)
            || is_one_of(elem, &["Vec"])
            || matches!(elem, Type::Array(_)))
        .then(|| written(elem)),
    }
}

/// Returns the types inside a type that the compiler must check for messages one by one. It looks into containers by
/// itself, but not into all of them.
pub(crate) fn checked(ty: &Type) -> Vec<&Type> {
    unseen(ty).into_iter().filter(|ty| !is_plain(ty)).collect()
}

/// Returns the content of a type that borrows or owns bytes or text, and how it gets its value.
fn slice(ty: &Type) -> Option<(Content, Held)> {
    if let Type::Reference(reference) = ungroup(ty) {
        let content = content(&reference.elem).filter(|_| reference.mutability.is_none())?;
        return Some((content, Held::ByType));
    }
    if let Some((lifetime, borrowed)) = cow(ty) {
        let held = if is_static(lifetime) { Held::Cow } else { Held::ByType };
        return Some((content(borrowed)?, held));
    }
    if is_named(ty, "String") {
        return Some((Content::Text, Held::ByType));
    }
    let (segment, arguments) = generic(ty)?;
    let Some(GenericArgument::Type(inner)) = single(arguments) else { return None };
    match () {
        () if segment.ident == "Vec" && is_named(inner, "u8") => {
            Some((Content::Bytes, Held::ByType))
        }
        () if segment.ident == "Box" => Some((content(inner)?, Held::ByType)),
        () => None,
    }
}

/// Recognises `[u8]` and `str`.
fn content(ty: &Type) -> Option<Content> {
    match ungroup(ty) {
        Type::Slice(slice) => is_named(&slice.elem, "u8").then_some(Content::Bytes),
        ty => is_named(ty, "str").then_some(Content::Text),
    }
}
