//! Checks the type of an answer before a call is made.

use crate::calls::protocol::Protocol;
use crate::calls::returns::Returns;
use crate::error::CallError;
use crate::message::Message as _;

/// Checks that the answer of `request` has the type that the caller asks for: an answer may decode as another type, and
/// be a wrong value.
///
/// # Errors
///
/// [`CallError::WrongType`].
#[inline]
pub(crate) fn check<P: Protocol>(
    request: &P::Borrowed<'_>,
    asked: Returns,
) -> Result<(), CallError> {
    let returns = P::returns(request.tag());
    if returns.fits(asked) { Ok(()) } else { Err(wrong_type(request.name(), returns, asked)) }
}

#[cold]
fn wrong_type(call: &'static str, returns: Returns, asked: Returns) -> CallError {
    let [returns, asked] = [returns, asked].map(|returns| returns.to_string().into());
    CallError::WrongType { call, returns, asked }
}
