//! Names, replaces or removes the lifetimes of types outside the message type.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Lifetime, Type};

use crate::hygiene::hygienic;

/// The result of [`name_all`] for a type.
pub(crate) struct Named {
    pub(crate) ty: Type,
    /// Whether the type borrows.
    pub(crate) borrows: bool,
    /// The lifetimes that nothing declares.
    pub(crate) unknown: Vec<Lifetime>,
}

/// Returns the type with the lifetime `name` where it has `'_`, or a reference without a lifetime.
pub(crate) fn name_all(ty: &Type, name: &Lifetime) -> Result<Named, syn::Error> {
    let (mut borrows, mut unknown) = (false, Vec::new());
    let tokens = each(ty.to_token_stream(), &mut |lifetime, _| match lifetime {
        Some(lifetime) if lifetime.ident == "static" => lifetime.to_token_stream(),
        Some(lifetime) if lifetime.ident != "_" && lifetime != name => {
            borrows = true;
            unknown.push(lifetime.clone());
            name.to_token_stream()
        }
        lifetime => {
            borrows = true;
            let span = lifetime.map_or_else(Span::mixed_site, Lifetime::span);
            Lifetime { apostrophe: span, ident: name.ident.clone() }.to_token_stream()
        }
    });
    Ok(Named { ty: syn::parse2(tokens)?, borrows, unknown })
}

/// Returns the type with `other` in place of the lifetime `name`.
pub(crate) fn replace(ty: &impl ToTokens, name: &Lifetime, other: &TokenStream) -> TokenStream {
    each(ty.to_token_stream(), &mut |lifetime, _| match lifetime {
        Some(lifetime) if lifetime == name => other.clone(),
        lifetime => lifetime.to_token_stream(),
    })
}

/// Returns the type as the type of an argument: without the lifetime `name`.
pub(crate) fn elide(ty: &impl ToTokens, name: &Lifetime) -> TokenStream {
    each(ty.to_token_stream(), &mut |lifetime, in_reference| match lifetime {
        Some(lifetime) if lifetime == name && in_reference => TokenStream::new(),
        Some(lifetime) if lifetime == name => hygienic!('_),
        lifetime => lifetime.to_token_stream(),
    })
}

/// Calls `change` for each lifetime, and for each reference without one. The `bool` says whether it is a reference.
fn each(
    tokens: TokenStream,
    change: &mut dyn FnMut(Option<&Lifetime>, bool) -> TokenStream,
) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut changed = TokenStream::new();
    let mut in_reference = false;
    while let Some(token) = tokens.next() {
        if let TokenTree::Punct(quote) = &token
            && quote.as_char() == '\''
            && let Some(TokenTree::Ident(ident)) = tokens.next()
        {
            let lifetime = Lifetime { apostrophe: quote.span(), ident };
            changed.extend(change(Some(&lifetime), in_reference));
            in_reference = false;
            continue;
        }
        if in_reference {
            changed.extend(change(None, true));
        }
        in_reference = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '&');
        match token {
            // What follows is a length, and braces hold a constant: there, `&` is no reference.
            TokenTree::Punct(semicolon) if semicolon.as_char() == ';' => {
                semicolon.to_tokens(&mut changed);
                changed.extend(tokens.by_ref());
            }
            TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => {
                let mut inner = Group::new(group.delimiter(), each(group.stream(), change));
                inner.set_span(group.span());
                inner.to_tokens(&mut changed);
            }
            token => token.to_tokens(&mut changed),
        }
    }
    changed
}
