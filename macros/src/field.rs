//! A field as the derive sees it, and how it travels.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::{Fields, Member, Path, Type, WherePredicate};

use crate::attr;
use crate::ctxt::Ctxt;
use crate::kind::{self, Content, Descriptors, Held, Kind, Slice};
use crate::types;

/// A field of a variant or a struct.
pub(crate) struct Field<'a> {
    pub(crate) member: Member,
    pub(crate) ty: &'a Type,
    /// The name in errors: `Variant.name`, `Variant.0`.
    pub(crate) name: String,
    pub(crate) form: Form,
    /// The span of `default`.
    pub(crate) default: Option<Span>,
    /// The bounds on the type parameters that the user writes instead of those that the derive adds for the field.
    pub(crate) bound: Option<Vec<WherePredicate>>,
}

/// How a field travels.
pub(crate) enum Form {
    Plain(Kind),
    /// In the frame, up to its end. The span is that of `rest`.
    Rest(Held, Span),
    /// Beside the frame, as descriptors.
    Fd(Descriptors),
    /// As the functions at this path write it.
    With(Path),
    /// As a nested frame, after its length. With a span of `rest`, the nested frame has no length and extends to
    /// the end of the outer frame.
    Nested(Option<Span>),
    /// As a nested frame without a length, if the compiler finds that the type is a message, or else as a plain
    /// field. Only the value of an answer travels like this.
    Answer,
}

/// Returns the fields of the variant or struct `owner`.
pub(crate) fn fields<'a>(cx: &Ctxt, owner: &Ident, fields: &'a Fields) -> Vec<Field<'a>> {
    let owner = owner.unraw();
    let field = |(member, field): (Member, &'a syn::Field)| {
        let attrs = attr::Field::read(cx, &field.attrs);
        let name = match &member {
            Member::Named(ident) => format!("{owner}.{}", ident.unraw()),
            Member::Unnamed(index) => format!("{owner}.{}", index.index),
        };
        let (default, bound) = (attrs.default, attrs.bound.clone());
        let form = Form::new(cx, &field.ty, attrs);
        Field { member, ty: &field.ty, name, form, default, bound }
    };
    fields.members().zip(fields).map(field).collect()
}

impl Field<'_> {
    pub(crate) fn is_rest(&self) -> bool {
        self.rest().is_some()
    }

    /// Returns the span of `rest`.
    pub(crate) fn rest(&self) -> Option<Span> {
        match self.form {
            Form::Rest(_, span) | Form::Nested(Some(span)) => Some(span),
            _ => None,
        }
    }

    pub(crate) fn is_nested(&self) -> bool {
        matches!(self.form, Form::Nested(_))
    }

    /// Returns whether reading the field may take descriptors of a nested message.
    pub(crate) fn may_nest(&self) -> bool {
        matches!(self.form, Form::Nested(_) | Form::Answer)
    }
}

impl Form {
    fn new(cx: &Ctxt, ty: &Type, attrs: attr::Field) -> Self {
        let attr::Field { rest, fd, fd_mistaken, nested, with, .. } = attrs;
        if let Some(span) = nested {
            if fd.is_some() {
                let message =
                    "a nested message has its own `fd` fields: remove `fd` here, or `nested`";
                cx.error_at(span, message);
            } else if with.is_some() {
                let message = "a `nested` field is a frame, so `with` has no effect: remove `with`, or `nested`";
                cx.error_at(span, message);
            } else if rest.is_some() && types::holds_several(ty) {
                let message = "a `nested` field that is also the `rest` is exactly one message: remove `rest`, or the `Option` or `Vec`";
                cx.error_on(ty, message);
            } else if let Type::Reference(reference) = ty {
                let owned = types::written(&reference.elem);
                let message = format!(
                    "a `nested` field cannot be a reference, because a frame holds no `{owned}` to lend: write `{owned}` or `Box<{owned}>`",
                );
                cx.error_on(ty, message);
            }
            return Self::Nested(rest);
        }
        if fd.is_some() || fd_mistaken {
            if let Some(span) = fd.filter(|_| rest.is_some() || with.is_some()) {
                let message = "an `fd` field travels beside the frame, so `rest` and `with` have no effect: remove them, or `fd`";
                cx.error_at(span, message);
            }
            return Self::Fd(Descriptors::of(ty));
        }
        match (rest, with) {
            (Some(span), Some(_)) => {
                let message = "a `rest` field is plain bytes, so `with` has no effect: remove `with`, or `rest`";
                cx.error_at(span, message);
                Self::Rest(Held::ByType, span)
            }
            (Some(span), None) => match Kind::of(ty) {
                Kind::Slice(Slice { content: Content::Bytes, held, optional: false }) => {
                    Self::Rest(held, span)
                }
                // A type with another name may be bytes: the compiler checks it.
                Kind::ByType if kind::is_name(ty) => Self::Rest(Held::ByType, span),
                Kind::Slice(Slice { content: Content::Text, .. }) => {
                    let message = "a `rest` field is bytes, not text: remove `rest`, and the text travels after its length";
                    cx.error_on(ty, message);
                    Self::Rest(Held::ByType, span)
                }
                _ => {
                    let message = format!(
                        "a `rest` field is bytes, not `{}`: write `&'a [u8]`, `Vec<u8>`, `Cow<'a, [u8]>` or `Box<[u8]>`",
                        types::written(ty),
                    );
                    cx.error_on(ty, message);
                    Self::Rest(Held::ByType, span)
                }
            },
            (None, Some(path)) => Self::With(path),
            (None, None) => Self::Plain(Kind::of(ty)),
        }
    }

    /// Returns how a value in an answer travels, which no attribute says.
    pub(crate) fn of_answer(ty: &Type) -> Self {
        match Kind::of(ty) {
            _ if kind::holds_descriptors(ty) => Self::Fd(Descriptors::of(ty)),
            Kind::ByType => Self::Answer,
            kind => Self::Plain(kind),
        }
    }
}
