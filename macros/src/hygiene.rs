//! Quoting with hygienic spans: local names of the user and of derived code do not meet.

use proc_macro2::{Span, TokenStream};

/// Returns the tokens with the same meaning at another place, where the compiler then reports errors.
pub(crate) fn located_at(tokens: &TokenStream, place: Span) -> TokenStream {
    let tokens = tokens.clone().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(place));
        token
    });
    tokens.collect()
}

/// Quotes like `quote!`, with hygienic spans.
macro_rules! hygienic {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site() => $($tokens)*)
    };
}

/// Quotes like [`hygienic`]. The compiler reports errors in the code at `$span`.
macro_rules! hygienic_at {
    ($span:expr => $($tokens:tt)*) => {
        ::quote::quote_spanned!(
            ::proc_macro2::Span::resolved_at(&$span, ::proc_macro2::Span::mixed_site()) =>
            $($tokens)*
        )
    };
}

pub(crate) use {hygienic, hygienic_at};
