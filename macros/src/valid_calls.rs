//! The rules between the calls of a protocol, one function each.

use std::collections::HashMap;

use syn::ext::IdentExt;

use crate::call::{Call, Protocol, Returns};
use crate::ctxt::Ctxt;
use crate::valid;

/// Reports every broken rule, and removes the calls that break it.
pub(crate) fn check(cx: &Ctxt, protocol: &mut Protocol<'_>) {
    names_are_free(cx, protocol);
    names_are_unique(cx, protocol);
    answers_are_valid(cx, protocol);
}

/// A client has functions of its own.
fn names_are_free(cx: &Ctxt, protocol: &mut Protocol<'_>) {
    const OWN: &[&str] = &["clone", "connect", "deadline", "new"];

    protocol.calls.retain(|Call { method, .. }| {
        let is_free = OWN.iter().all(|own| method.unraw() != own);
        if !is_free {
            let message = format!(
                "every client has a function `{method}` already: write #[message(name = other_name)]"
            );
            cx.error_at(method.span(), message);
        }
        is_free
    });
}

/// Each call is one method.
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

/// An answer is a message.
fn answers_are_valid(cx: &Ctxt, protocol: &Protocol<'_>) {
    for call in &protocol.calls {
        if let Returns::Reply(reply) = &call.returns {
            valid::check(cx, &reply.container(protocol));
        }
    }
}
