//! Checks whether a script fits a received call.

use super::step::{Action, Given, What};
use crate::calls::returns::Returns;

/// Why a script does not fit the call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Misfit {
    /// The call has another answer.
    Other(Given),
    /// The client asked for no answer.
    NotAsked(Given),
    /// The call has ended before.
    Late(Given),
    /// The call does not end.
    Endless,
}

/// Checks the actions of a script for a call whose answer is `returns`.
pub(super) fn check(actions: &[Action], returns: Returns, is_asked: bool) -> Result<(), Misfit> {
    let mut has_ended = false;
    for action in actions {
        let given = match action {
            Action::Wait(_) => continue,
            Action::Die => return Ok(()),
            Action::Send { given, .. } => *given,
        };
        let fits = match given.what {
            What::Value(value) => returns.fits(value),
            What::End => returns.has_items() || returns.is_unknown(),
            What::Error => true,
        };
        if !fits {
            return Err(Misfit::Other(given));
        }
        if !is_asked {
            return Err(Misfit::NotAsked(given));
        }
        if has_ended {
            return Err(Misfit::Late(given));
        }
        has_ended = !matches!(given.what, What::Value(value) if value.has_items());
    }
    if is_asked && !has_ended { Err(Misfit::Endless) } else { Ok(()) }
}
