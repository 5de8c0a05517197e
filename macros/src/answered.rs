//! The types that answer calls. A type that certainly cannot is reported here, and a valid one takes its place.

use syn::{Type, parse_quote};

use crate::ctxt::Ctxt;
use crate::kind;
use crate::types::{self, ResultType};

/// Returns the type of a reply or of its error, or another one if it has no values.
pub(crate) fn with_value(cx: &Ctxt, ty: &Type) -> Type {
    let mistake = match kind::instead_of_unsized(ty, "&") {
        Some(instead) => format!("a value of this type has no known size: write {instead}"),
        None if kind::hides_type(ty) => kind::HIDDEN_TYPE.to_owned(),
        None => return ty.clone(),
    };
    cx.error_on(ty, mistake);
    parse_quote!(())
}

/// Returns the type of items, or another one if it is certainly no message. (The compiler reports other types that are
/// no messages.)
pub(crate) fn with_items(cx: &Ctxt, ty: &Type) -> Type {
    let several = types::vec(ty).or_else(|| types::slice(ty));
    let message = match several {
        Some(item) => format!(
            "a call is answered with any number of items, and each is one message: write `items = {}`, or a struct that derives `Message`",
            types::written(item),
        ),
        None if !matches!(types::result(ty), ResultType::Other) => {
            "each item is one message: write an enum that derives `Message`, with a variant for the error".to_owned()
        }
        None if kind::hides_type(ty) || kind::instead_of_unsized(ty, "").is_some() => {
            "each item is one message: write a type that derives `Message`".to_owned()
        }
        None => return ty.clone(),
    };
    cx.error_on(ty, message);
    parse_quote!(())
}
