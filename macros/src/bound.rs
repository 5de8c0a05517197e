//! The where-clause of the derived code: the bounds that the fields need on the type parameters.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident};
use syn::{Generics, Type, TypeParamBound, WherePredicate};

use crate::ast::Container;
use crate::field::{Field, Form};
use crate::hygiene::{hygienic, hygienic_at};
use crate::kind::Kind;
use crate::nest::{Inner, Replace};
use crate::types::ungroup;
use crate::usage::Usage;

/// Types with a `Default` that needs no bounds on their type arguments.
const DEFAULT_FOR_ALL: &[&str] =
    &["Option", "Vec", "VecDeque", "BTreeMap", "BTreeSet", "HashMap", "HashSet"];

/// Traits that require nothing of serde.
const OF_STD: &[&str] = &[
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Display",
    "Eq",
    "Hash",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Send",
    "Sync",
    "Unpin",
];

/// Returns the where-clause of the user, with the bounds that the fields need.
///
/// Like serde's derive, it bounds the type parameters in a field, not the type of the field, which may be
/// private. If the user writes `bound`, its bounds replace those that the fields need.
pub(crate) fn where_clause(container: &Container<'_>) -> TokenStream {
    let own = container.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let lent = lent_parameters(container);
    // `Borrowed<'f>` must exist for every `'f`, whatever the parameters hold.
    let any_lifetime = container.generics.type_params().map(|param| &param.ident);
    let any_lifetime =
        any_lifetime.filter(|param| container.is_borrowing() && !lent.contains(param));
    // A bound on what such a parameter lends can use only a bound on the parameter itself.
    let mut nested = container.fields().filter(|field| field.is_nested());
    let names_lent = nested.any(|field| of_nested(container, field, &lent).is_some());
    let lent_bounds = lent.iter().map(|param| match bounds_when_lent(container.generics, param) {
        bounds if names_lent || !bounds.is_empty() => {
            hygienic!(#param: __private::Message, #bounds)
        }
        _ => argument(container, &param.to_token_stream(), &format_ident!("NestedArgument")),
    });
    let fields = match &container.bound {
        Some(bound) => hygienic!(#(#bound,)*),
        None => of_fields(container, &lent),
    };
    hygienic! {
        where
            #(#own,)*
            #(#any_lifetime: 'static,)*
            #(#lent_bounds)*
            #fields
    }
}

/// Returns the type parameters of `nested` fields, whose messages borrow from the frame.
pub(crate) fn lent_parameters<'a>(container: &'a Container<'_>) -> Vec<&'a Ident> {
    let mut lent = Vec::new();
    for field in container.fields().filter(|field| field.is_nested()) {
        if let Some(parameter) = Inner::of(field.ty).parameter(container.generics)
            && !lent.contains(&parameter)
            && !is_static(container.generics, parameter)
        {
            lent.push(parameter);
        }
    }
    lent
}

/// Returns whether a parameter must be `'static`, so that a message that borrows cannot take its place.
fn is_static(generics: &Generics, param: &Ident) -> bool {
    bounds_of(generics, param).any(
        |bound| matches!(bound, TypeParamBound::Lifetime(lifetime) if lifetime.ident == "static"),
    )
}

/// Returns the bounds that the user writes on a parameter, inline or in the where-clause.
fn bounds_of<'g>(
    generics: &'g Generics,
    param: &'g Ident,
) -> impl Iterator<Item = &'g TypeParamBound> {
    let inline = generics.type_params().filter(move |declared| declared.ident == *param);
    let inline = inline.flat_map(|declared| &declared.bounds);
    let clauses = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let clauses = clauses.filter_map(move |predicate| match predicate {
        WherePredicate::Type(predicate) if is_parameter(&predicate.bounded_ty, param) => {
            Some(&predicate.bounds)
        }
        _ => None,
    });
    inline.chain(clauses.flatten())
}

/// Returns the bounds of the user on the parameter of a `nested` field, for the message that borrows from the
/// frame.
fn bounds_when_lent(generics: &Generics, param: &Ident) -> TokenStream {
    let bounds = bounds_of(generics, param).filter(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            bound.maybe.is_none()
                && bound.path.segments.last().is_none_or(|segment| segment.ident != "Message")
        }
        _ => false,
    });
    let bounds: Vec<_> = bounds.collect();
    if bounds.is_empty() {
        return TokenStream::new();
    }
    let lent = |lifetime| hygienic!(<#param as __private::Message>::Borrowed<#lifetime>);
    let (lent, again) = (lent(hygienic!('__lent)), lent(hygienic!('__again)));
    // The `Borrowed` of a `Borrowed` is the same type.
    hygienic! {
        for<'__lent, '__again> #lent: __private::Message<Borrowed<'__again> = #again>,
        for<'__lent> #lent: #(#bounds)+*,
    }
}

/// Returns a bound on a type argument. It has the span of the message type, so that the compiler shows only that type
/// if the bound is not met.
fn argument(container: &Container<'_>, ty: &TokenStream, bound: &Ident) -> TokenStream {
    let bound = hygienic_at!(container.ident.span() => __private::#bound<#ty>);
    hygienic!(__private::Argument<#ty>: #bound,)
}

/// Returns whether a type is a parameter that the user bounds only by traits of the standard library.
fn asks_nothing_else(generics: &Generics, ty: &TokenStream) -> bool {
    let Ok(param) = syn::parse2::<Ident>(ty.clone()) else { return false };
    bounds_of(generics, &param).all(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last();
            bound.maybe.is_some()
                || last.is_some_and(|last| OF_STD.iter().any(|name| last.ident == name))
        }
        bound => matches!(bound, TypeParamBound::Lifetime(_)),
    })
}

fn is_parameter(ty: &Type, param: &Ident) -> bool {
    matches!(ungroup(ty), Type::Path(path) if path.path.is_ident(param))
}

/// Returns the bounds that the fields need on the type parameters.
fn of_fields(container: &Container<'_>, lent: &[&Ident]) -> TokenStream {
    let mut own: Vec<&WherePredicate> = Vec::new();
    let mut through_serde = Usage::new(container.generics);
    let mut defaulted = Usage::new(container.generics);
    let mut nested = TokenStream::new();
    for field in container.fields() {
        if let Some(bound) = &field.bound {
            own.extend(bound);
            continue;
        }
        match &field.form {
            Form::Plain(Kind::Plain | Kind::ByType | Kind::Elements) => {
                through_serde.visit(field.ty);
            }
            Form::Nested(_) => nested.extend(of_nested(container, field, lent)),
            _ => {}
        }
        if field.default.is_some() && !has_default_for_all(field.ty) {
            defaulted.visit(field.ty);
        }
    }
    let through_serde = through_serde.types().into_iter().map(|ty| {
        let (anywhere, lends) = at_any_lifetime(container, &ty);
        match lends {
            true => hygienic! {
                for<'__any> #anywhere: __private::Serialize + __private::Deserialize<'__any>,
            },
            false if asks_nothing_else(container.generics, &ty) => {
                argument(container, &ty, &format_ident!("OwnedArgument"))
            }
            false => {
                hygienic_at!(container.ident.span() => #ty: __private::OwnedFieldType,)
            }
        }
    });
    let defaulted = defaulted.types().into_iter();
    let defaulted = defaulted.map(|ty| argument(container, &ty, &format_ident!("DefaultArgument")));
    hygienic! {
        #(#own,)*
        #nested
        #(#through_serde)*
        #(#defaulted)*
    }
}

/// Returns the bound for a `nested` type that contains type parameters: it is a message, and its `Borrowed` is the
/// type that this message holds. (A parameter alone already has its bound. A type that holds itself must not
/// require itself.)
fn of_nested(container: &Container<'_>, field: &Field<'_>, lent: &[&Ident]) -> Option<TokenStream> {
    let inner = Inner::of(field.ty);
    let mut usage = Usage::new(container.generics);
    usage.visit(inner.ty);
    let parameter = inner.parameter(container.generics);
    if parameter.is_some_and(|parameter| lent.contains(&parameter))
        || inner.is(container.ident)
        || usage.types().is_empty()
    {
        return None;
    }
    let (anywhere, lends) = at_any_lifetime(container, &inner.ty.to_token_stream());
    let any = lends.then(|| hygienic!('__any,));
    let borrowed = at_frame(container, lent, inner.ty.to_token_stream());
    Some(hygienic! {
        for<#any '__frame> #anywhere: __private::Message<Borrowed<'__frame> = #borrowed>,
    })
}

/// Returns a type with `'__any` in place of each lifetime of the message type, and whether it names one.
fn at_any_lifetime(container: &Container<'_>, ty: &TokenStream) -> (TokenStream, bool) {
    let lends = std::cell::Cell::new(false);
    let lifetime = |lifetime: &syn::Lifetime| {
        let is_ours = container.generics.lifetimes().any(|param| param.lifetime == *lifetime);
        lends.set(lends.get() || is_ours);
        is_ours.then(|| hygienic!('__any))
    };
    let replaced = Replace { lifetime: &lifetime, ident: &|_, _| None }.all(ty.clone());
    (replaced, lends.get())
}

/// Returns a type as it is in a message that borrows from the frame.
pub(crate) fn at_frame(container: &Container<'_>, lent: &[&Ident], ty: TokenStream) -> TokenStream {
    let lifetime = |lifetime: &syn::Lifetime| {
        let is_ours = container.generics.lifetimes().any(|param| param.lifetime == *lifetime);
        is_ours.then(|| hygienic!('__frame))
    };
    let ident = |ident: &Ident, _: bool| {
        let is_lent = lent.contains(&ident);
        is_lent.then(|| hygienic!(<#ident as __private::Message>::Borrowed<'__frame>))
    };
    Replace { lifetime: &lifetime, ident: &ident }.all(ty)
}

fn has_default_for_all(ty: &Type) -> bool {
    let Type::Path(ty) = ungroup(ty) else { return false };
    let last = ty.path.segments.last();
    last.is_some_and(|segment| DEFAULT_FOR_ALL.iter().any(|name| segment.ident == name))
}
