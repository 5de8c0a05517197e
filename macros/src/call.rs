//! A protocol as the derive sees it: a message type whose variants are calls.
//!
//! Like in [`ast`], a mistake in one item is reported here, and a valid item takes its place.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, DataEnum, DeriveInput, Generics, Lifetime, Member, Type, Visibility, parse_quote,
};

use crate::answered;
use crate::ast::{self, Container, Ending, Variant};
use crate::attr;
use crate::case::{camel, camel_start, snake};
use crate::ctxt::Ctxt;
use crate::field::{Field, Form};
use crate::hygiene::hygienic;
use crate::kind::{self, Descriptors};
use crate::lifetime::{self, Named};
use crate::nest::without_self;
use crate::types::{self, ResultType};
use crate::value::Tag;

/// A message type whose variants are calls.
pub(crate) struct Protocol<'a> {
    pub(crate) message: &'a Container<'a>,
    pub(crate) vis: &'a Visibility,
    /// The start of the names of the generated types.
    pub(crate) prefix: String,
    /// The lifetime of the message type, or the one that its answers get.
    pub(crate) lifetime: Lifetime,
    pub(crate) calls: Vec<Call<'a>>,
    /// Whether mistakes are reported, so that the code never runs.
    pub(crate) is_mistaken: bool,
}

/// A variant that can be called.
pub(crate) struct Call<'a> {
    pub(crate) variant: &'a Variant<'a>,
    pub(crate) method: Ident,
    pub(crate) arguments: Vec<Argument<'a>>,
    pub(crate) returns: Returns,
    pub(crate) docs: Vec<&'a Attribute>,
    pub(crate) deprecated: Option<&'a Attribute>,
    /// The lints that the user allows on the variant and its fields.
    pub(crate) lints: TokenStream,
}

/// A field of the variant.
pub(crate) struct Argument<'a> {
    pub(crate) member: &'a Member,
    pub(crate) name: Ident,
    /// The type, without the lifetime of the message type.
    pub(crate) ty: TokenStream,
}

/// How a call is answered.
pub(crate) enum Returns {
    Nothing,
    Reply(Box<Reply>),
    Items(Box<Type>),
}

/// The answer of a call, as a message of its own.
pub(crate) struct Reply {
    /// The name of the message type.
    pub(crate) ident: Ident,
    /// Its parameter: the lifetime, if it borrows.
    pub(crate) generics: Generics,
    pub(crate) value: Type,
    pub(crate) error: Option<Type>,
    /// The names of the variants.
    variants: [Ident; 2],
}

impl Reply {
    pub(crate) fn is_borrowing(&self) -> bool {
        !self.generics.params.is_empty()
    }

    /// Returns the answer as a message type: an enum with the variants `Ok` and `Err`.
    pub(crate) fn container<'r>(
        &'r self,
        protocol: &Protocol<'_>,
        call: &Call<'_>,
    ) -> Container<'r> {
        let variants = self.variants.iter().zip([Some(&self.value), self.error.as_ref()]).zip(1..);
        let variants = variants.filter_map(|((ident, ty), number)| {
            let ty = ty?;
            let field = Field {
                member: Member::Unnamed(0.into()),
                ty,
                name: format!("{}.{ident}", self.ident),
                form: Form::of_answer(ty),
                default: None,
                bound: None,
            };
            let tag = Tag { number, span: ty.span() };
            Some(Variant { ident, tag, ending: Ending::Exact, fields: vec![field] })
        });
        let data =
            ast::Data::Enum { variants: variants.collect(), other: None, reserved: Vec::new() };
        Container {
            ident: &self.ident,
            generics: &self.generics,
            codec: protocol.message.codec.clone(),
            krate: protocol.message.krate.clone(),
            bound: None,
            is_deprecated: protocol.message.is_deprecated,
            lints: [&protocol.message.lints, &call.lints].into_iter().cloned().collect(),
            data,
        }
    }
}

impl<'a> Protocol<'a> {
    /// Reads the attributes of the calls. `message` is the same type as the derive of `Message` sees it.
    pub(crate) fn new(
        cx: &Ctxt,
        input: &'a DeriveInput,
        data: &'a DataEnum,
        message: &'a Container<'a>,
    ) -> Self {
        let own = message.generics.lifetimes().next().map(|param| param.lifetime.clone());
        let lifetime = own.unwrap_or_else(|| Lifetime::new("'a", Span::mixed_site()));
        let prefix = camel_start(&input.ident.unraw().to_string());
        let (vis, calls) = (&input.vis, Vec::new());
        let mut protocol = Self { message, vis, prefix, lifetime, calls, is_mistaken: false };
        let mut variants = message.variants().iter().peekable();
        for variant in &data.variants {
            let attrs = attr::Call::read(cx, variant);
            if attrs.other.is_some() {
                other_is_no_call(cx, &attrs);
                // After a mistake in `other`, the message has a variant in its place.
                variants.next_if(|next| *next.ident == variant.ident);
            } else if let Some(variant) = variants.next() {
                let call = protocol.call(cx, variant, attrs);
                protocol.calls.push(call);
            }
        }
        protocol
    }

    /// Returns the message type with `lifetime`, if it has one.
    pub(crate) fn message_with(&self, lifetime: &TokenStream) -> TokenStream {
        let ident = self.message.ident;
        match self.message.is_borrowing() {
            true => hygienic!(#ident<#lifetime>),
            false => hygienic!(#ident),
        }
    }

    /// Returns the name of a generated type.
    pub(crate) fn ident(&self, rest: &str) -> Ident {
        format_ident!("{}{rest}", self.prefix, span = self.message.ident.span())
    }

    fn call(&self, cx: &Ctxt, variant: &'a Variant<'a>, attrs: attr::Call<'a>) -> Call<'a> {
        let method = attrs.name.unwrap_or_else(|| method(cx, variant.ident));
        let returns = match (attrs.reply, attrs.items) {
            (Some(reply), items) => {
                if let Some((span, _)) = items {
                    let message = "a call is answered with one `reply`, or with any number of `items`: remove one of them";
                    cx.error_at(span, message);
                }
                Returns::Reply(Box::new(self.reply(cx, variant, &reply.1)))
            }
            (None, Some((_, items))) => {
                Returns::Items(Box::new(self.named(cx, &answered::with_items(cx, &items)).ty))
            }
            (None, None) => Returns::Nothing,
        };
        let named = variant.fields.len();
        let arguments = variant.fields.iter().enumerate();
        let arguments = arguments.map(|(index, field)| {
            if let Form::Fd(Descriptors { borrowed: true, .. }) = field.form {
                cx.error_on(field.ty, RECEIVE_BORROWED);
            }
            self.argument(index, named, field)
        });
        let arguments = arguments.collect();
        let attr::Call { docs, deprecated, lints, .. } = attrs;
        Call { variant, method, arguments, returns, docs, deprecated, lints }
    }

    fn argument(&self, index: usize, fields: usize, field: &'a Field<'a>) -> Argument<'a> {
        let name = match &field.member {
            Member::Named(name) => name.clone(),
            Member::Unnamed(_) if fields == 1 => Ident::new("value", Span::mixed_site()),
            Member::Unnamed(_) => format_ident!("value_{index}", span = Span::mixed_site()),
        };
        let ty = lifetime::elide(&self.without_self(field.ty), &self.lifetime);
        Argument { member: &field.member, name, ty }
    }

    fn reply(&self, cx: &Ctxt, variant: &Variant<'_>, ty: &Type) -> Reply {
        let (value, error) = match types::result(ty) {
            ResultType::Other => (ty, None),
            ResultType::Of(value, error) => (value, Some(error)),
            ResultType::Alias => {
                let message = "the error is part of the protocol, too: write `Result<Value, Error>` with both types";
                cx.error_on(ty, message);
                (ty, None)
            }
        };
        for ty in [Some(value), error].into_iter().flatten() {
            if kind::holds_descriptors(ty) && Descriptors::of(ty).borrowed {
                cx.error_on(ty, RECEIVE_BORROWED);
            }
        }
        let named = |ty| self.named(cx, &answered::with_value(cx, ty));
        let (value, error) = (named(value), error.map(named));
        let mut generics = Generics::default();
        if value.borrows || error.as_ref().is_some_and(|error| error.borrows) {
            let lifetime = &self.lifetime;
            generics.params.push(parse_quote!(#lifetime));
        }
        let ident = variant.ident.unraw().to_string();
        let ident =
            format_ident!("{}{}Answer", self.prefix, camel(&ident), span = variant.ident.span());
        let variants = ["Ok", "Err"].map(|name| Ident::new(name, Span::mixed_site()));
        Reply { ident, generics, value: value.ty, error: error.map(|error| error.ty), variants }
    }

    /// Returns a type of an answer with the lifetime by its name.
    fn named(&self, cx: &Ctxt, ty: &Type) -> Named {
        // Replace `Self` first, because the message type may have the lifetime.
        let named = syn::parse2(self.without_self(ty))
            .and_then(|ty| lifetime::name_all(&ty, &self.lifetime))
            .unwrap_or_else(|error| {
                cx.push(error);
                Named { ty: ty.clone(), borrows: false, unknown: Vec::new() }
            });
        for lifetime in &named.unknown {
            let message = format!(
                "an answer borrows from its own frame, so `{lifetime}` has no meaning here: write `'_`"
            );
            cx.error_at(lifetime.span(), message);
        }
        named
    }

    /// Returns a type without `Self`, which is another type where the type will stand.
    fn without_self(&self, ty: &Type) -> TokenStream {
        let this = self.message_with(&self.lifetime.to_token_stream());
        without_self(ty.to_token_stream(), &this)
    }
}

const RECEIVE_BORROWED: &str = "the other side cannot receive a `BorrowedFd`: write `OwnedFd`";

/// An `other` variant is not a call: only a newer peer knows what it means.
fn other_is_no_call(cx: &Ctxt, attrs: &attr::Call<'_>) {
    let words = [&attrs.reply, &attrs.items].into_iter().flatten().map(|(span, _)| *span);
    for span in words.chain(attrs.name.as_ref().map(Ident::span)) {
        let message = "an `other` variant is not a call, because only a newer peer knows what it means: remove `reply`, `items` and `name`";
        cx.error_at(span, message);
    }
}

/// Returns the name of the method for a variant.
fn method(cx: &Ctxt, variant: &Ident) -> Ident {
    let name = snake(&variant.unraw().to_string());
    if let Ok(ident) = syn::parse_str::<Ident>(&name)
        && name != "gen"
    {
        return Ident::new(&ident.to_string(), variant.span());
    }
    if ["self", "super", "crate"].contains(&name.as_str()) {
        let message =
            format!("`{name}` cannot be the name of a method: write #[message(name = other_name)]");
        cx.error_on(variant, message);
        return Ident::new("mistaken", variant.span());
    }
    Ident::new_raw(&name, variant.span())
}
