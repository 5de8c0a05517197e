//! `with = path`: types of our own around a field, whose serde implementations are the path's.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{GenericParam, Path, Type};

use super::at_frame;
use crate::ast::Container;

/// An expression: the field, as a type that serialises as `path` does.
pub(super) fn serialize(
    container: &Container<'_>,
    private: &TokenStream,
    where_clause: &TokenStream,
    ty: &Type,
    path: &Path,
    value: &Ident,
) -> TokenStream {
    let mut generics = container.generics.clone();
    generics.params.insert(0, syn::parse_quote!('__message));
    let (impl_generics, ty_generics, _) = generics.split_for_impl();
    let (declared, ty, this) = (declared(&generics), without_self(ty, container), this(container));
    let body = hygienic_at!(path.span() => #path::serialize(self.value, __serializer));
    hygienic! { {
        struct __With #declared #where_clause {
            value: &'__message #ty,
            of: #private::PhantomData<#this>,
        }

        impl #impl_generics #private::Serialize for __With #ty_generics #where_clause {
            fn serialize<__S: #private::Serializer>(
                &self,
                __serializer: __S,
            ) -> #private::Result<__S::Ok, __S::Error> {
                #body
            }
        }

        __With { value: #value, of: #private::PhantomData::<Self> }
    }}
}

/// Items, and the type among them that deserialises as `path` does and holds the field as `value`.
pub(super) fn deserialize(
    container: &Container<'_>,
    private: &TokenStream,
    where_clause: &TokenStream,
    ty: &Type,
    path: &Path,
) -> (TokenStream, TokenStream) {
    let generics = container.generics;
    let (_, ty_generics, _) = generics.split_for_impl();
    let mut with_input = generics.clone();
    let mut input: syn::LifetimeParam = syn::parse_quote!('__input);
    input.bounds.extend(generics.lifetimes().map(|param| param.lifetime.clone()));
    with_input.params.insert(0, GenericParam::Lifetime(input));
    let (impl_generics, ..) = with_input.split_for_impl();
    let (declared, ty, this) = (declared(generics), without_self(ty, container), this(container));
    let value = hygienic_at!(path.span() => #path::deserialize(__deserializer)?);
    let items = hygienic! {
        struct __With #declared #where_clause {
            value: #ty,
            of: #private::PhantomData<#this>,
        }

        impl #impl_generics #private::Deserialize<'__input> for __With #ty_generics #where_clause {
            fn deserialize<__D: #private::Deserializer<'__input>>(
                __deserializer: __D,
            ) -> #private::Result<Self, __D::Error> {
                #private::Ok(Self { value: #value, of: #private::PhantomData })
            }
        }
    };
    let with = Ident::new("__With", Span::mixed_site());
    (items, at_frame(&with, generics))
}

/// The parameters as a type declares them: with their bounds, and without their defaults.
fn declared(generics: &syn::Generics) -> TokenStream {
    let (impl_generics, ..) = generics.split_for_impl();
    impl_generics.to_token_stream()
}

/// The message type, by its name.
fn this(container: &Container<'_>) -> TokenStream {
    let (ident, (_, ty_generics, _)) = (container.ident, container.generics.split_for_impl());
    hygienic!(#ident #ty_generics)
}

/// The field's type as items of a function can name it: they have another `Self`.
fn without_self(ty: &Type, container: &Container<'_>) -> TokenStream {
    fn replace(tokens: TokenStream, this: &TokenStream) -> TokenStream {
        let replaced = tokens.into_iter().map(|token| match token {
            TokenTree::Ident(ident) if ident == "Self" => this.clone(),
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), replace(group.stream(), this));
                inner.set_span(group.span());
                inner.to_token_stream()
            }
            other => other.into(),
        });
        replaced.collect()
    }
    replace(ty.to_token_stream(), &this(container))
}
