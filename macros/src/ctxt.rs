//! The context of one expansion. It collects the mistakes of the user, to report all of them at once.

use std::cell::RefCell;
use std::fmt::Display;
use std::{mem, thread};

use proc_macro2::Span;
use quote::ToTokens;
use syn::Error;

/// Collects errors. [`check`](Self::check) must consume it: dropping it without a check panics, so that no
/// mistake is forgotten.
pub(crate) struct Ctxt {
    errors: RefCell<Vec<Error>>,
    checked: bool,
}

impl Ctxt {
    pub(crate) fn new() -> Self {
        Self { errors: RefCell::new(Vec::new()), checked: false }
    }

    /// Reports a mistake at one span.
    pub(crate) fn error_at(&self, span: Span, message: impl Display) {
        self.push(Error::new(span, message));
    }

    /// Reports a mistake that covers all of `tokens`.
    pub(crate) fn error_on(&self, tokens: impl ToTokens, message: impl Display) {
        self.push(Error::new_spanned(tokens, message));
    }

    /// Reports the error of a parser.
    pub(crate) fn push(&self, error: Error) {
        self.errors.borrow_mut().push(error);
    }

    /// Returns all errors combined, if there are any.
    pub(crate) fn check(mut self) -> Result<(), Error> {
        self.checked = true;
        let errors = mem::take(&mut *self.errors.borrow_mut());
        let combined = errors.into_iter().reduce(|mut combined, error| {
            combined.combine(error);
            combined
        });
        combined.map_or(Ok(()), Err)
    }
}

impl Drop for Ctxt {
    fn drop(&mut self) {
        assert!(self.checked || thread::panicking(), "the errors were never checked");
    }
}
