//! Quoting with spans at which the user's local names cannot be meant, nor ours by the user.

/// As `quote!`, hygienic.
macro_rules! hygienic {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site() => $($tokens)*)
    };
}

/// As [`hygienic`], for code that is wrong where what the user wrote at `$span` is.
macro_rules! hygienic_at {
    ($span:expr => $($tokens:tt)*) => {
        ::quote::quote_spanned!(
            ::proc_macro2::Span::resolved_at(&$span, ::proc_macro2::Span::mixed_site()) =>
            $($tokens)*
        )
    };
}

pub(crate) use {hygienic, hygienic_at};
