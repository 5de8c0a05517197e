//! The derive macro of the crate `datagrammar`. Depend on that crate: it re-exports and documents the macro.
//!
//! The files are the steps. `attr` parses the attributes, `ast` describes the message type, `valid` checks it,
//! and `expand` generates the code.
#![forbid(unsafe_code)]

mod ast;
mod attr;
mod bound;
mod ctxt;
mod expand;
#[cfg(test)]
mod expansions;
mod fallback;
mod free;
mod hygiene;
mod kind;
mod nest;
mod symbol;
mod usage;
mod valid;
mod value;

use proc_macro::TokenStream;
use syn::{DeriveInput, Error, parse_macro_input};

use crate::ctxt::Ctxt;
use crate::symbol::Place;

#[expect(missing_docs, reason = "rustdoc would append them to those of the re-export")]
#[proc_macro_derive(Message, attributes(message))]
pub fn derive_message(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive(&input).into()
}

fn derive(input: &DeriveInput) -> proc_macro2::TokenStream {
    let cx = Ctxt::new();
    let place = match input.data {
        syn::Data::Enum(_) => Place::Enum,
        syn::Data::Struct(_) | syn::Data::Union(_) => Place::Struct,
    };
    let attrs = attr::Container::read(&cx, &input.attrs, place);
    let krate = attrs.krate.clone();
    match expand(cx, input, attrs) {
        Ok(implementation) => implementation,
        Err(error) => fallback::message(input, krate.as_ref(), &error),
    }
}

fn expand(
    cx: Ctxt,
    input: &DeriveInput,
    attrs: attr::Container,
) -> Result<proc_macro2::TokenStream, Error> {
    let container = ast::Container::new(&cx, input, attrs);
    match &container {
        Ok(container) => valid::check(&cx, container),
        Err(error) => cx.push(error.clone()),
    }
    cx.check()?;
    container.map(|container| expand::message(&container))
}
