//! `with = path`: wraps a field in a type whose serde implementations call the functions at `path`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{GenericParam, Path, Type};

use super::context::{Context, at_frame};
use crate::hygiene::{hygienic, hygienic_at};
use crate::nest::without_self;

/// Returns an expression: the field in a type that serialises it with `path`.
pub(super) fn serialize(
    cx: &Context<'_>,
    ty: &Type,
    path: &Path,
    value: &TokenStream,
) -> TokenStream {
    let where_clause = &cx.where_clause;
    let mut generics = cx.container.generics.clone();
    generics.params.insert(0, syn::parse_quote!('__message));
    let (impl_generics, ty_generics, _) = generics.split_for_impl();
    let (declared, this) = (declared(&generics), this(cx));
    let ty = without_self(ty.to_token_stream(), &this);
    let owner = owner(path);
    let body = hygienic_at!(path.span() => #owner::serialize(self.value, __serializer));
    hygienic! { {
        struct __With #declared #where_clause {
            value: &'__message #ty,
            of: __private::PhantomData<#this>,
        }

        impl #impl_generics __private::Serialize for __With #ty_generics #where_clause {
            fn serialize<__S: __private::Serializer>(
                &self,
                __serializer: __S,
            ) -> __private::Result<__S::Ok, __S::Error> {
                #body
            }
        }

        __With { value: #value, of: __private::PhantomData::<Self> }
    }}
}

/// Returns items, and the type among them that deserialises with `path` and holds the field as `value`.
pub(super) fn deserialize(cx: &Context<'_>, ty: &Type, path: &Path) -> (TokenStream, TokenStream) {
    let where_clause = &cx.where_clause;
    let generics = cx.container.generics;
    let (_, ty_generics, _) = generics.split_for_impl();
    let mut with_input = generics.clone();
    let mut input: syn::LifetimeParam = syn::parse_quote!('__input);
    input.bounds.extend(generics.lifetimes().map(|param| param.lifetime.clone()));
    with_input.params.insert(0, GenericParam::Lifetime(input));
    let (impl_generics, ..) = with_input.split_for_impl();
    let (declared, this) = (declared(generics), this(cx));
    let ty = without_self(ty.to_token_stream(), &this);
    let owner = owner(path);
    let value = hygienic_at!(path.span() => #owner::deserialize(__deserializer)?);
    let items = hygienic! {
        struct __With #declared #where_clause {
            value: #ty,
            of: __private::PhantomData<#this>,
        }

        impl #impl_generics __private::Deserialize<'__input> for __With #ty_generics #where_clause {
            fn deserialize<__D: __private::Deserializer<'__input>>(
                __deserializer: __D,
            ) -> __private::Result<Self, __D::Error> {
                __private::Ok(Self { value: #value, of: __private::PhantomData })
            }
        }
    };
    let with = Ident::new("__With", Span::mixed_site());
    (items, at_frame(&with, generics, &cx.lent))
}

/// Returns the module or the type with the functions, as it stands before `::`.
fn owner(path: &Path) -> TokenStream {
    match path.segments.iter().any(|segment| !segment.arguments.is_none()) {
        true => hygienic_at!(path.span() => <#path>),
        false => path.to_token_stream(),
    }
}

/// Returns the parameters as a type declares them: with bounds, but without defaults.
fn declared(generics: &syn::Generics) -> TokenStream {
    let (impl_generics, ..) = generics.split_for_impl();
    impl_generics.to_token_stream()
}

/// Returns the message type, by its name.
fn this(cx: &Context<'_>) -> TokenStream {
    let (ident, (_, ty_generics, _)) = (cx.container.ident, cx.container.generics.split_for_impl());
    hygienic!(#ident #ty_generics)
}
