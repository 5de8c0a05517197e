//! The message type as the derive sees it. Every value of these types can be expanded.
//!
//! A mistake in one item is reported here, and a valid item takes its place. [`valid`](crate::valid) has the
//! rules between items.

use std::ops::RangeInclusive;

use proc_macro2::{Ident, Span, TokenStream};
use syn::{DataEnum, DataStruct, DeriveInput, Fields, Generics, Lifetime, Path, WherePredicate};

use crate::attr;
use crate::ctxt::Ctxt;
use crate::field::{Field, Form, fields};
use crate::free::FreeTags;
use crate::kind;
use crate::types;
use crate::value::Tag;

/// A message type.
pub(crate) struct Container<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    /// The codec, unless it is the default.
    pub(crate) codec: Option<Path>,
    /// The path of the runtime, unless it has its own name.
    pub(crate) krate: Option<Path>,
    /// The bounds on the type parameters that the user writes instead of those that the derive adds.
    pub(crate) bound: Option<Vec<WherePredicate>>,
    /// Whether something in it is deprecated. The derived code names it anyway.
    pub(crate) is_deprecated: bool,
    /// The lints that the user allows on it.
    pub(crate) lints: TokenStream,
    pub(crate) data: Data<'a>,
}

pub(crate) enum Data<'a> {
    Enum {
        variants: Vec<Variant<'a>>,
        other: Option<Other<'a>>,
        reserved: Vec<RangeInclusive<u32>>,
    },
    Struct(Variant<'a>),
}

/// A variant with a tag. A struct is like an enum with one variant.
pub(crate) struct Variant<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) tag: Tag,
    pub(crate) ending: Ending,
    pub(crate) fields: Vec<Field<'a>>,
}

/// What may follow the fields in a frame.
#[derive(Clone, Copy)]
pub(crate) enum Ending {
    /// Nothing.
    Exact,
    /// Bytes that a newer sender appends. The span is that of `extensible` on the variant itself.
    Extensible(Option<Span>),
}

/// The variant that takes all unknown tags.
pub(crate) struct Other<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) kept: Kept,
}

/// What an `other` variant keeps of a message.
pub(crate) enum Kept {
    /// Neither the tag nor the bytes: the variant has no field.
    Nothing,
    /// An `Unknown` that borrows from the frame.
    Lent,
    /// An `Unknown` that owns its bytes.
    Owned,
}

impl<'a> Container<'a> {
    pub(crate) fn new(
        cx: &Ctxt,
        input: &'a DeriveInput,
        attrs: attr::Container,
    ) -> Result<Self, syn::Error> {
        let data = match &input.data {
            syn::Data::Enum(data) => Data::of_enum(cx, &input.generics, &attrs, data),
            syn::Data::Struct(data) => Data::of_struct(cx, &input.ident, &attrs, data),
            syn::Data::Union(data) => {
                let message = "a union cannot be a message, because its bytes do not say which field they hold: write an enum with a tag on each variant";
                return Err(syn::Error::new_spanned(data.union_token, message));
            }
        };
        let attr::Container { codec, krate, bound, .. } = attrs;
        let (ident, generics) = (&input.ident, &input.generics);
        let is_deprecated = attr::is_deprecated(input);
        let lints = attr::allowed_lints(&input.attrs);
        Ok(Self { ident, generics, codec, krate, bound, is_deprecated, lints, data })
    }

    /// Returns the variants that have tags. For a struct, returns the struct.
    pub(crate) fn variants(&self) -> &[Variant<'a>] {
        match &self.data {
            Data::Enum { variants, .. } => variants,
            Data::Struct(variant) => std::slice::from_ref(variant),
        }
    }

    /// Returns the variant that takes all unknown tags.
    pub(crate) fn other(&self) -> Option<&Other<'a>> {
        match &self.data {
            Data::Enum { other, .. } => other.as_ref(),
            Data::Struct(_) => None,
        }
    }

    /// Returns whether the type has no variants, and so no values.
    pub(crate) fn is_empty(&self) -> bool {
        self.variants().is_empty() && self.other().is_none()
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field<'a>> {
        self.variants().iter().flat_map(|variant| &variant.fields)
    }

    /// Returns whether the message has `fd` fields itself.
    pub(crate) fn has_descriptors(&self) -> bool {
        self.fields().any(|field| matches!(field.form, Form::Fd(..)))
    }

    /// Returns whether the message holds nested messages, or may hold them.
    pub(crate) fn has_nested(&self) -> bool {
        self.fields().any(Field::may_nest)
    }

    pub(crate) fn is_borrowing(&self) -> bool {
        self.generics.lifetimes().next().is_some()
    }
}

impl<'a> Data<'a> {
    fn of_enum(
        cx: &Ctxt,
        generics: &'a Generics,
        container: &attr::Container,
        data: &'a DataEnum,
    ) -> Self {
        let attrs: Vec<_> =
            data.variants.iter().map(|variant| attr::Variant::read(cx, &variant.attrs)).collect();
        let mut free =
            FreeTags::new(attrs.iter().filter_map(|attrs| attrs.tag), &container.reserved);
        let mut variants = Vec::new();
        let mut other = None;
        for (variant, attrs) in data.variants.iter().zip(attrs) {
            let Some(span) = attrs.other else {
                variants.push(Variant::new(cx, variant, &attrs, container, &mut free));
                continue;
            };
            let found = Other::new(cx, variant, &attrs, generics);
            if other.replace(found).is_some() {
                cx.error_at(
                    span,
                    "only one variant can take the unknown tags: remove this `other`",
                );
            }
        }
        Self::Enum { variants, other, reserved: container.reserved.clone() }
    }

    fn of_struct(
        cx: &Ctxt,
        ident: &'a Ident,
        attrs: &attr::Container,
        data: &'a DataStruct,
    ) -> Self {
        let mut free = FreeTags::new([].into_iter(), &[]);
        let tag = attrs
            .tag
            .unwrap_or_else(|| missing_tag(cx, "struct", ident, attrs.tag_mistaken, &mut free));
        let ending = Ending::of(attrs.extensible, None);
        Self::Struct(Variant { ident, tag, ending, fields: fields(cx, ident, &data.fields) })
    }
}

impl<'a> Variant<'a> {
    fn new(
        cx: &Ctxt,
        variant: &'a syn::Variant,
        attrs: &attr::Variant,
        container: &attr::Container,
        free: &mut FreeTags<'_>,
    ) -> Self {
        let ident = &variant.ident;
        let tag = attrs.tag.unwrap_or_else(|| match attrs.serde_other && !attrs.tag_mistaken {
            true => {
                let message = format!(
                    "variant `{ident}` has no tag, and serde's `other` has no effect on messages: write #[message(other)]"
                );
                cx.error_on(ident, message);
                Tag { number: free.take(), span: ident.span() }
            }
            false => missing_tag(cx, "variant", ident, attrs.tag_mistaken, free),
        });
        let ending = Ending::of(container.extensible, attrs.extensible);
        Self { ident, tag, ending, fields: fields(cx, ident, &variant.fields) }
    }
}

impl Ending {
    fn of(container: Option<Span>, variant: Option<Span>) -> Self {
        match container.or(variant) {
            Some(_) => Self::Extensible(variant),
            None => Self::Exact,
        }
    }
}

impl<'a> Other<'a> {
    fn new(
        cx: &Ctxt,
        variant: &'a syn::Variant,
        attrs: &attr::Variant,
        generics: &'a Generics,
    ) -> Self {
        let ident = &variant.ident;
        if let Some(tag) = attrs.tag {
            cx.error_at(tag.span, "an `other` variant has no tag, because it takes the tags that no variant has: remove `tag`");
        }
        if let Some(span) = attrs.extensible {
            cx.error_at(span, "an `other` variant accepts any bytes after the tag, so `extensible` has no effect: remove it");
        }
        if variant.fields.is_empty() {
            return Self { ident, kept: Kept::Nothing };
        }
        let mut fields = variant.fields.iter();
        let lifetime = match (&variant.fields, fields.next(), fields.next()) {
            (Fields::Unnamed(_), Some(field), None) => {
                let attrs = attr::Field::read(cx, &field.attrs);
                let with = attrs.with.as_ref().and_then(|path| path.segments.last());
                let with = with.map(|segment| segment.ident.span());
                for span in
                    [attrs.rest, attrs.fd, attrs.default, attrs.nested, with].into_iter().flatten()
                {
                    cx.error_at(
                        span,
                        "the field of an `other` variant takes no attributes: remove this one",
                    );
                }
                kind::unknown(&field.ty)
            }
            _ => None,
        };
        let kept = match lifetime {
            Some(lifetime) if types::is_static(lifetime) => Kept::Owned,
            Some(_) => Kept::Lent,
            None => {
                let own = generics.lifetimes().next().map(|param| &param.lifetime);
                let lifetime = own.map_or_else(|| "'static".to_owned(), Lifetime::to_string);
                let message = format!(
                    "an `other` variant holds the unknown message, or nothing: write `{ident}(datagrammar::Unknown<{lifetime}>)`, which can be sent again, or `{ident}`, which drops the message"
                );
                cx.error_on(ident, message);
                Kept::Owned
            }
        };
        Self { ident, kept }
    }
}

/// Returns a tag for an item that has none, and reports it, unless a reported mistake may have hidden the tag.
fn missing_tag(
    cx: &Ctxt,
    what: &str,
    ident: &Ident,
    mistaken: bool,
    free: &mut FreeTags<'_>,
) -> Tag {
    let number = free.take();
    if !mistaken {
        let message = format!("{what} `{ident}` has no tag: write #[message(tag = {number})]");
        cx.error_on(ident, message);
    }
    Tag { number, span: ident.span() }
}
