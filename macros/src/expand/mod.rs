//! The implementation of `Message`, once everything is known to be right.
//!
//! Every path is absolute and every function is called by its path, so that nothing the user has in
//! scope can be meant instead. Names of our own start with `__`: a constant or a type of the user's
//! that is in scope under the same name would be taken for them, whatever their span.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{GenericParam, Generics, Member, Path};

use crate::ast::{Container, Data, Variant};
use crate::bound;
use crate::kind::{Content, Slice};

/// As `quote!`, with spans at which local names of the user cannot be meant, nor ours by the user.
macro_rules! hygienic {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site() => $($tokens)*)
    };
}

pub(crate) use hygienic;

/// As [`hygienic`], for code that is wrong where what the user wrote at `$span` is.
macro_rules! hygienic_at {
    ($span:expr => $($tokens:tt)*) => {
        ::quote::quote_spanned!(
            ::proc_macro2::Span::resolved_at(&$span, ::proc_macro2::Span::mixed_site()) =>
            $($tokens)*
        )
    };
}

mod decode;
mod encode;
mod with;

/// The paths that the generated code starts from.
pub(crate) struct Names {
    /// The runtime.
    pub(crate) krate: TokenStream,
    /// What the runtime has for generated code alone.
    private: TokenStream,
    codec: TokenStream,
    /// Whether the runtime is where the user says, and so has their span.
    renamed: bool,
}

impl Names {
    pub(crate) fn new(crate_path: Option<&Path>, codec: Option<&Path>) -> Self {
        let krate =
            crate_path.map_or_else(|| hygienic!(::datagrammar), ToTokens::into_token_stream);
        let codec =
            codec.map_or_else(|| hygienic!(#krate::codec::Bincode), ToTokens::into_token_stream);
        let renamed = crate_path.is_some();
        Self { private: hygienic!(#krate::__private), krate, codec, renamed }
    }

    /// The same paths for code that is wrong where what the user wrote at `span` is.
    fn at(&self, span: Span) -> Self {
        let krate = match self.renamed {
            true => self.krate.clone(),
            false => hygienic_at!(span => ::datagrammar),
        };
        let private = hygienic_at!(span => #krate::__private);
        Self { krate, private, codec: self.codec.clone(), renamed: self.renamed }
    }
}

/// The implementation of `Message`.
pub(crate) fn message(container: &Container<'_>) -> TokenStream {
    let names = Names::new(container.krate.as_ref(), container.codec.as_ref());
    let where_clause = bound::where_clause(container, &names.krate);
    let tag = tag(container, &names);
    let name = name(container, &names);
    let encode = encode::function(container, &names, &where_clause);
    let decode = decode::function(container, &names, &where_clause);
    let descriptors = container.has_descriptors().then(|| {
        let private = &names.private;
        hygienic!(const DESCRIPTORS: #private::bool = true;)
    });
    let items = hygienic!(#descriptors #tag #name #encode #decode);
    // Where it is not one, that is reported once, here, and nowhere in the functions.
    let codec = container.codec.as_ref().map(|codec| {
        let Names { krate, .. } = names.at(codec.span());
        hygienic_at!(codec.span() => #codec: #krate::codec::Codec,)
    });
    let where_clause = hygienic!(#where_clause #codec);
    implementation(&names, container.ident, container.generics, &where_clause, &items)
}

/// The block around the functions.
pub(crate) fn implementation(
    Names { krate, .. }: &Names,
    ident: &Ident,
    generics: &Generics,
    where_clause: &TokenStream,
    items: &TokenStream,
) -> TokenStream {
    let (impl_generics, ty_generics, _) = generics.split_for_impl();
    let borrowed = match generics.lifetimes().next() {
        Some(_) => at_frame(ident, generics),
        None => hygienic!(Self),
    };
    hygienic! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #krate::Message for #ident #ty_generics #where_clause {
            type Borrowed<'__frame> = #borrowed;
            #items
        }
    }
}

/// The type with every lifetime replaced by that of the frame.
fn at_frame(ident: &Ident, generics: &Generics) -> TokenStream {
    let arguments = generics.params.iter().map(|param| match param {
        GenericParam::Lifetime(_) => hygienic!('__frame),
        GenericParam::Type(param) => param.ident.to_token_stream(),
        GenericParam::Const(param) => param.ident.to_token_stream(),
    });
    hygienic!(#ident<#(#arguments),*>)
}

fn tag(container: &Container<'_>, Names { krate, private, .. }: &Names) -> TokenStream {
    let arms = container.variants().iter().map(|variant| {
        let (path, number) = (path(container, variant), variant.tag.number);
        hygienic!(#path { .. } => #number,)
    });
    let other = container.other().map(|other| {
        let ident = other.ident;
        hygienic!(Self::#ident { 0: __unknown } => #krate::Unknown::tag(__unknown),)
    });
    let matched = matched(container);
    hygienic! {
        #[inline]
        fn tag(&self) -> #private::u32 {
            match #matched {
                #(#arms)*
                #other
            }
        }
    }
}

fn name(container: &Container<'_>, Names { private, .. }: &Names) -> TokenStream {
    let arms = container.variants().iter().map(|variant| {
        let (path, name) = (path(container, variant), variant.ident.unraw().to_string());
        hygienic!(#path { .. } => #name,)
    });
    let other = container.other().map(|other| {
        let (ident, name) = (other.ident, other.ident.unraw().to_string());
        hygienic!(Self::#ident { .. } => #name,)
    });
    let matched = matched(container);
    hygienic! {
        #[inline]
        fn name(&self) -> &'static #private::str {
            match #matched {
                #(#arms)*
                #other
            }
        }
    }
}

/// What is matched against the variants. A reference to an enum without any could not be matched by
/// no arm.
fn matched(container: &Container<'_>) -> TokenStream {
    match container.is_empty() {
        true => hygienic!(*self),
        false => hygienic!(self),
    }
}

/// How a variant, or the struct, is named in a pattern.
fn path(container: &Container<'_>, variant: &Variant<'_>) -> TokenStream {
    match container.data {
        Data::Enum { .. } => {
            let ident = variant.ident;
            hygienic!(Self::#ident)
        }
        Data::Struct(_) => hygienic!(Self),
    }
}

/// `name: __field_0, other: __field_1`: a pattern and an expression alike, for every shape of variant.
fn bindings(variant: &Variant<'_>) -> TokenStream {
    let bindings = variant.fields.iter().enumerate().map(|(index, field)| {
        let (member, binding): (&Member, _) = (&field.member, binding(index));
        hygienic!(#member: #binding)
    });
    hygienic!(#(#bindings),*)
}

fn binding(index: usize) -> Ident {
    format_ident!("__field_{index}", span = Span::mixed_site())
}

/// The function that encodes a slice, and the one that decodes it.
fn function_of(slice: Slice) -> TokenStream {
    match (slice.content, slice.optional) {
        (Content::Bytes, false) => hygienic!(bytes),
        (Content::Bytes, true) => hygienic!(optional_bytes),
        (Content::Text, false) => hygienic!(text),
        (Content::Text, true) => hygienic!(optional_text),
    }
}
