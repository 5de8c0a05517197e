//! The derive macro of the crate `datagrammar`. Depend on that crate: it re-exports and documents the macro.
//!
//! The files are the steps. `attr` parses the attributes, `field` and `ast` describe the message type, `valid`
//! checks it, and `expand` generates the code.
#![forbid(unsafe_code)]

mod answered;
mod ast;
mod attr;
mod bound;
mod call;
mod case;
mod ctxt;
mod expand;
#[cfg(test)]
mod expansions;
mod fallback;
mod field;
mod free;
mod hygiene;
mod kind;
mod lifetime;
mod nest;
mod symbol;
mod types;
mod usage;
mod valid;
mod valid_calls;
mod value;

use proc_macro::TokenStream;
use syn::{DeriveInput, Error, parse_macro_input};

use crate::call::Protocol;
use crate::ctxt::Ctxt;
use crate::symbol::Place;

#[expect(missing_docs, reason = "rustdoc would append them to those of the re-export")]
#[proc_macro_derive(Message, attributes(message))]
pub fn derive_message(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive(&input).into()
}

#[expect(missing_docs, reason = "rustdoc would append them to those of the re-export")]
#[proc_macro_derive(Protocol, attributes(message))]
pub fn derive_protocol(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    protocol(&input).into()
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

/// Expands a protocol. The derive of `Message` expands the message type, and reports the mistakes in it.
fn protocol(input: &DeriveInput) -> proc_macro2::TokenStream {
    expand_protocol(input).unwrap_or_else(|mistakes| mistakes.to_compile_error())
}

fn expand_protocol(input: &DeriveInput) -> Result<proc_macro2::TokenStream, Error> {
    let data = valid_calls::protocol_enum(input)?;
    let reported = Ctxt::new();
    let attrs = attr::Container::read(&reported, &input.attrs, Place::Enum);
    let message = ast::Container::new(&reported, input, attrs);
    let message = message.inspect(|message| valid::check(&reported, message));
    let is_reported = reported.check().is_err();
    let message = message?;

    let cx = Ctxt::new();
    let has_valid_parameters = valid_calls::parameters_are_valid(&cx, &input.generics);
    let mut protocol = Protocol::new(&cx, input, data, &message);
    valid_calls::check(&cx, &mut protocol);
    let mistakes = cx.check().err();
    if let (false, Some(mistakes)) = (has_valid_parameters, &mistakes) {
        return Err(mistakes.clone());
    }
    protocol.is_mistaken = is_reported || mistakes.is_some();
    let mistakes = mistakes.map(|mistakes| mistakes.to_compile_error());
    Ok(mistakes.into_iter().chain([expand::protocol(&protocol)]).collect())
}
