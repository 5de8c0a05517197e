//! The calls that a script still expects.

use std::collections::VecDeque;

use super::step::Step;
use crate::message::Message;

/// The calls that are still expected.
pub(super) struct Steps<P: Message> {
    left: VecDeque<Step<P>>,
    is_any_order: bool,
}

/// The expectation that a call takes.
pub(super) enum Taken<P: Message> {
    /// It matches.
    Match(Step<P>),
    /// It is the next one, and does not match.
    Mismatch(Step<P>),
    /// Others are expected, but none matches.
    Nothing,
    /// No call is expected any more.
    TooMany,
}

impl<P: Message> Steps<P> {
    pub(super) fn new() -> Self {
        Self { left: VecDeque::new(), is_any_order: false }
    }

    pub(super) fn allow_any_order(&mut self) {
        self.is_any_order = true;
    }

    /// Adds an expectation after the others.
    pub(super) fn push(&mut self, step: Step<P>) -> &mut Step<P> {
        self.left.push_back(step);
        match self.left.back_mut() {
            Some(step) => step,
            None => unreachable!("a step was just added"),
        }
    }

    /// Takes the expectation for a request, or for one that cannot be decoded.
    pub(super) fn take(&mut self, request: Option<&P::Borrowed<'_>>) -> Taken<P> {
        let matches = |step: &Step<P>| request.is_some_and(|request| (step.matches)(request));
        if !self.is_any_order {
            return match self.left.pop_front() {
                Some(step) if matches(&step) => Taken::Match(step),
                Some(step) => Taken::Mismatch(step),
                None => Taken::TooMany,
            };
        }
        if self.left.is_empty() {
            return Taken::TooMany;
        }
        let found = self.left.iter().position(matches);
        found.and_then(|at| self.left.remove(at)).map_or(Taken::Nothing, Taken::Match)
    }

    pub(super) fn len(&self) -> usize {
        self.left.len()
    }

    /// Returns the expectations that no call has taken.
    pub(super) fn into_left(self) -> VecDeque<Step<P>> {
        self.left
    }
}
