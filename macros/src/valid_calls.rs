//! The rules between the calls of a protocol, one function each.

use std::collections::HashMap;

use syn::ext::IdentExt;
use syn::{Data, DataEnum, DeriveInput, Error, Generics};

use crate::call::{Call, Protocol, Returns};
use crate::ctxt::Ctxt;
use crate::valid;

/// Returns the enum, if the type can be a protocol.
pub(crate) fn protocol_enum(input: &DeriveInput) -> Result<&DataEnum, Error> {
    match &input.data {
        Data::Enum(data) => Ok(data),
        Data::Struct(data) => {
            let message = "a protocol is an enum, whose variants are the calls: write an enum with this struct's fields in one variant";
            Err(Error::new_spanned(data.struct_token, message))
        }
        Data::Union(data) => {
            let message = "a protocol is an enum, whose variants are the calls";
            Err(Error::new_spanned(data.union_token, message))
        }
    }
}

/// A client and a server are of one type, and an answer has one frame. Returns whether the parameters are valid.
pub(crate) fn parameters_are_valid(cx: &Ctxt, generics: &Generics) -> bool {
    let types = generics.type_params().map(|param| &param.ident);
    let consts = generics.const_params().map(|param| &param.ident);
    let mut is_valid = true;
    for param in types.chain(consts) {
        let message = format!(
            "a protocol has no type parameters: write the type that both sides use instead of `{param}`"
        );
        cx.error_on(param, message);
        is_valid = false;
    }
    for param in generics.lifetimes().skip(1) {
        let message = format!(
            "a protocol has one lifetime, that of the frame: write the first one instead of `{}`",
            param.lifetime
        );
        cx.error_on(&param.lifetime, message);
        is_valid = false;
    }
    is_valid
}

/// Reports every broken rule, and removes the calls that break it.
pub(crate) fn check(cx: &Ctxt, protocol: &mut Protocol<'_>) {
    answers_are_valid(cx, protocol);
    names_are_free(cx, protocol);
    names_are_unique(cx, protocol);
    answers_are_unique(cx, protocol);
}

/// No call has the name of a function that every client has. `into` and `try_into` come from the prelude: they take the
/// client by value, and so hide a method of the same name that borrows it.
fn names_are_free(cx: &Ctxt, protocol: &mut Protocol<'_>) {
    const OWN: &[&str] = &["clone", "connect", "deadline", "from", "into", "new", "try_into"];

    protocol.calls.retain(|Call { method, .. }| {
        let is_free = OWN.iter().all(|own| method.unraw() != own);
        if !is_free {
            let message = format!(
                "every client already has a function `{method}`: write #[message(name = other_name)]"
            );
            cx.error_at(method.span(), message);
        }
        is_free
    });
}

/// Calls have different names, because each call is a method.
fn names_are_unique(cx: &Ctxt, protocol: &mut Protocol<'_>) {
    let mut owners = HashMap::new();
    protocol.calls.retain(|Call { method, variant, .. }| {
        match owners.get(&method.unraw()) {
            Some(owner) => {
                let message = format!(
                    "the call of `{owner}` is also named `{method}`: write #[message(name = other_name)]"
                );
                cx.error_at(method.span(), message);
                false
            }
            None => {
                owners.insert(method.unraw(), variant.ident);
                true
            }
        }
    });
}

/// The names of variants that differ only in `_` give the same name to their answers.
fn answers_are_unique(cx: &Ctxt, protocol: &mut Protocol<'_>) {
    let mut owners = HashMap::new();
    protocol.calls.retain(|Call { variant, returns, .. }| {
        let Returns::Reply(reply) = returns else { return true };
        match owners.get(&reply.ident) {
            Some(owner) => {
                let message = format!(
                    "the answer of `{owner}` is also named `{}`: write another name here, which changes nothing on the wire",
                    reply.ident,
                );
                cx.error_on(variant.ident, message);
                false
            }
            None => {
                owners.insert(reply.ident.clone(), variant.ident);
                true
            }
        }
    });
}

/// Answers obey the rules of messages.
fn answers_are_valid(cx: &Ctxt, protocol: &Protocol<'_>) {
    for call in &protocol.calls {
        if let Returns::Reply(reply) = &call.returns {
            valid::check(cx, &reply.container(protocol, call));
        }
    }
}
