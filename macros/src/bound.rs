//! The where-clause of the generated code: what the fields need of the type parameters.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{
    AngleBracketedGenericArguments, GenericArgument, Generics, Path, PathArguments, Type,
    TypeParamBound, TypePath, WherePredicate,
};

use crate::ast::{Container, Field, Form};
use crate::hygiene::hygienic;
use crate::kind::{Kind, ungroup};
use crate::nest::{Inner, Replace};

/// Types whose `Default` asks nothing of their type arguments.
const DEFAULT_FOR_ALL: &[&str] =
    &["Option", "Vec", "VecDeque", "BTreeMap", "BTreeSet", "HashMap", "HashSet"];

/// The user's own where-clause, with what the fields need added to it.
///
/// Like serde's derive, it bounds the type parameters that occur in a field, not the field's type,
/// which may be private. Where the user says what the bounds are, those are all.
pub(crate) fn where_clause(container: &Container<'_>) -> TokenStream {
    let own = container.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let lent = lent_parameters(container);
    // `Borrowed<'f>` has to exist for every `'f`, whatever the parameters hold.
    let any_lifetime = container.generics.type_params().map(|param| &param.ident);
    let any_lifetime =
        any_lifetime.filter(|param| container.is_borrowing() && !lent.contains(param));
    let lent_bounds = lent.iter().map(|param| bounds_when_lent(container.generics, param));
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

/// The type parameters that are messages in this one, which borrow from the frame as it does.
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

/// Whether a parameter is declared to outlive every frame, so that what is lent cannot be put in its place.
fn is_static(generics: &Generics, param: &Ident) -> bool {
    bounds_of(generics, param).any(
        |bound| matches!(bound, TypeParamBound::Lifetime(lifetime) if lifetime.ident == "static"),
    )
}

/// The bounds that the user writes on a parameter, wherever they are.
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

/// What the user demands of a parameter that is a message, of the same message when it is lent.
fn bounds_when_lent(generics: &Generics, param: &Ident) -> TokenStream {
    let bounds = bounds_of(generics, param).filter(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            bound.maybe.is_none()
                && bound.path.segments.last().is_none_or(|segment| segment.ident != "Message")
        }
        _ => false,
    });
    let bounds: Vec<_> = bounds.collect();
    let lent = (!bounds.is_empty()).then(|| {
        let lent = |lifetime| hygienic!(<#param as __private::Message>::Borrowed<#lifetime>);
        let (lent, again) = (lent(hygienic!('__lent)), lent(hygienic!('__again)));
        // A message that is lent, and lent again, is the same.
        hygienic! {
            for<'__lent, '__again> #lent: __private::Message<Borrowed<'__again> = #again>,
            for<'__lent> #lent: #(#bounds)+*,
        }
    });
    hygienic!(#param: __private::Message, #lent)
}

fn is_parameter(ty: &Type, param: &Ident) -> bool {
    matches!(ungroup(ty), Type::Path(path) if path.path.is_ident(param))
}

/// What the fields need of the type parameters.
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
            false => hygienic!(#ty: __private::OwnedFieldType,),
        }
    });
    let defaulted = defaulted.types();
    hygienic! {
        #(#own,)*
        #nested
        #(#through_serde)*
        #(#defaulted: __private::Default,)*
    }
}

/// That a type made of parameters is a message, and lends what this one holds. (A parameter alone has its
/// bound already, and the type itself must not need itself.)
fn of_nested(container: &Container<'_>, field: &Field<'_>, lent: &[&Ident]) -> Option<TokenStream> {
    let inner = Inner::of(field.ty);
    let mut usage = Usage::new(container.generics);
    usage.visit(inner.ty);
    let parameter = inner.parameter(container.generics);
    if parameter.is_some_and(|parameter| lent.contains(&parameter))
        || inner.is(container.ident)
        || usage.found.is_empty()
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

/// A type with `'__any` for each of the message type's lifetimes, and whether it has any.
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

/// A type as it is in a message that borrows from the frame.
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

/// The type parameters, and the types associated with them, that field types are made of.
struct Usage<'a> {
    parameters: HashSet<&'a Ident>,
    /// In the order in which they are met: the expansion is the same each time.
    found: Vec<TokenStream>,
    seen: HashSet<String>,
}

impl<'a> Usage<'a> {
    fn new(generics: &'a Generics) -> Self {
        let parameters = generics.type_params().map(|param| &param.ident).collect();
        Self { parameters, found: Vec::new(), seen: HashSet::new() }
    }

    fn types(self) -> Vec<TokenStream> {
        self.found
    }

    fn visit(&mut self, ty: &Type) {
        match ty {
            Type::Array(array) => self.visit(&array.elem),
            Type::Group(group) => self.visit(&group.elem),
            Type::Paren(paren) => self.visit(&paren.elem),
            Type::Path(path) => self.visit_path_type(path),
            Type::Ptr(pointer) => self.visit(&pointer.elem),
            Type::Reference(reference) => self.visit(&reference.elem),
            Type::Slice(slice) => self.visit(&slice.elem),
            Type::Tuple(tuple) => tuple.elems.iter().for_each(|ty| self.visit(ty)),
            // What else there is has no values that serde handles, or names no parameter.
            _ => {}
        }
    }

    fn visit_path_type(&mut self, ty: &TypePath) {
        // `<T as Trait>::Item`, `T::Item` and `T` are bounded as they stand.
        let first = ty.path.segments.first();
        let is_parameter = first.is_some_and(|segment| self.parameters.contains(&segment.ident));
        let is_qualified = ty.qself.as_ref().is_some_and(|qself| self.names_parameter(&qself.ty));
        if is_qualified || (is_parameter && ty.path.leading_colon.is_none()) {
            let tokens = hygienic!(#ty);
            if self.seen.insert(tokens.to_string()) {
                self.found.push(tokens);
            }
            return;
        }
        // A marker holds no value.
        if ty.path.segments.last().is_some_and(|segment| segment.ident != "PhantomData") {
            self.visit_path(&ty.path);
        }
    }

    fn visit_path(&mut self, path: &Path) {
        for segment in &path.segments {
            if let PathArguments::AngleBracketed(arguments) = &segment.arguments {
                self.visit_arguments(arguments);
            }
        }
    }

    fn visit_arguments(&mut self, arguments: &AngleBracketedGenericArguments) {
        for argument in &arguments.args {
            match argument {
                GenericArgument::Type(ty) => self.visit(ty),
                GenericArgument::AssocType(assoc) => self.visit(&assoc.ty),
                _ => {}
            }
        }
    }

    fn names_parameter(&self, ty: &Type) -> bool {
        let mut inner =
            Self { parameters: self.parameters.clone(), found: Vec::new(), seen: HashSet::new() };
        inner.visit(ty);
        !inner.found.is_empty()
    }
}
