//! Quoting with hygienic spans: local names of the user and of derived code do not meet.

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
