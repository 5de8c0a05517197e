//! Which type parameters the types of fields use.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream};
use syn::{
    AngleBracketedGenericArguments, GenericArgument, Generics, Path, PathArguments, Type, TypePath,
};

use crate::hygiene::hygienic;

/// The type parameters in the types of fields, and their associated types.
pub(crate) struct Usage<'a> {
    parameters: HashSet<&'a Ident>,
    /// In the order of the fields, so that every expansion is the same.
    found: Vec<TokenStream>,
    seen: HashSet<String>,
}

impl<'a> Usage<'a> {
    pub(crate) fn new(generics: &'a Generics) -> Self {
        let parameters = generics.type_params().map(|param| &param.ident).collect();
        Self { parameters, found: Vec::new(), seen: HashSet::new() }
    }

    /// Returns each type once, in the order of the fields.
    pub(crate) fn types(self) -> Vec<TokenStream> {
        self.found
    }

    pub(crate) fn visit(&mut self, ty: &Type) {
        match ty {
            Type::Array(array) => self.visit(&array.elem),
            Type::Group(group) => self.visit(&group.elem),
            Type::Paren(paren) => self.visit(&paren.elem),
            Type::Path(path) => self.visit_path_type(path),
            Type::Ptr(pointer) => self.visit(&pointer.elem),
            Type::Reference(reference) => self.visit(&reference.elem),
            Type::Slice(slice) => self.visit(&slice.elem),
            Type::Tuple(tuple) => tuple.elems.iter().for_each(|ty| self.visit(ty)),
            // Other types have no values for serde, or name no parameter.
            _ => {}
        }
    }

    fn visit_path_type(&mut self, ty: &TypePath) {
        // `<T as Trait>::Item`, `T::Item` and `T` get bounds as they are.
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
