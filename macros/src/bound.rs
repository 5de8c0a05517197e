//! The where-clause of the generated code: what the fields need of the type parameters.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{
    AngleBracketedGenericArguments, GenericArgument, Generics, Path, PathArguments, Type, TypePath,
};

use crate::ast::{Container, Form};
use crate::kind::{Kind, ungroup};

/// Types whose `Default` asks nothing of their type arguments.
const DEFAULT_FOR_ALL: &[&str] =
    &["Option", "Vec", "VecDeque", "BTreeMap", "BTreeSet", "HashMap", "HashSet"];

/// The user's own where-clause, with what the fields need added to it.
///
/// Like serde's derive, it bounds the type parameters that occur in a field, not the field's type,
/// which may be private. `krate` is the path of the runtime.
pub(crate) fn where_clause(container: &Container<'_>, krate: &TokenStream) -> TokenStream {
    let mut through_serde = Usage::new(container.generics);
    let mut defaulted = Usage::new(container.generics);
    for field in container.variants().iter().flat_map(|variant| &variant.fields) {
        if matches!(field.form, Form::Plain(Kind::Serde)) {
            through_serde.visit(field.ty);
        }
        if field.default.is_some() && !has_default_for_all(field.ty) {
            defaulted.visit(field.ty);
        }
    }
    let own = container.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let (through_serde, defaulted) = (through_serde.types(), defaulted.types());
    // `Borrowed<'f>` has to exist for every `'f`, whatever the parameters hold.
    let any_lifetime = container.generics.type_params().filter(|_| container.is_borrowing());
    let any_lifetime = any_lifetime.map(|param| &param.ident);
    quote! {
        where
            #(#own,)*
            #(#any_lifetime: 'static,)*
            #(#through_serde: #krate::__private::Serialize + #krate::__private::DeserializeOwned,)*
            #(#defaulted: #krate::__private::Default,)*
    }
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
            let tokens = quote!(#ty);
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
