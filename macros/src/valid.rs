//! The rules between the items of a message type, one function each.

use std::collections::HashMap;

use crate::ast::{Container, Data, Ending, Field, Form, Variant};
use crate::ctxt::Ctxt;
use crate::free::FreeTags;
use crate::kind::{self, Number};
use crate::nest;

/// Reports every broken rule.
pub(crate) fn check(cx: &Ctxt, container: &Container<'_>) {
    tags_are_unique_and_not_retired(cx, container);
    for variant in container.variants() {
        rest_is_last(cx, variant);
        rest_leaves_nothing_to_extend(cx, variant);
        default_is_not_before_rest(cx, variant);
        default_fields_are_last(cx, variant);
    }
    for field in container.variants().iter().flat_map(|variant| &variant.fields) {
        fields_do_not_outlive_frames(cx, field);
        fields_do_not_write_to_frames(cx, field);
        frames_lend_bytes_and_text_alone(cx, field);
        descriptors_are_marked(cx, field);
        one_descriptor_has_no_default(cx, field);
    }
}

/// A tag names one variant forever: two cannot share it, and one that was retired with `reserved`
/// still means its old variant to an older peer.
fn tags_are_unique_and_not_retired(cx: &Ctxt, container: &Container<'_>) {
    let Data::Enum { variants, reserved, .. } = &container.data else { return };
    let mut free = FreeTags::new(variants.iter().map(|variant| variant.tag), reserved);
    let mut owners = HashMap::new();
    for Variant { ident, tag, .. } in variants {
        let number = tag.number;
        if reserved.iter().any(|range| range.contains(&number)) {
            let message = format!(
                "tag {number} is reserved, so that it never gets a second meaning: write `tag = {}`",
                free.take(),
            );
            cx.error_at(tag.span, message);
        } else if let Some(owner) = owners.insert(number, ident) {
            let message =
                format!("tag {number} is that of `{owner}` already: write `tag = {}`", free.take());
            cx.error_at(tag.span, message);
        }
    }
}

/// `rest` takes every byte up to the frame's end, and leaves none for a field after it.
fn rest_is_last(cx: &Ctxt, variant: &Variant<'_>) {
    let Some((_, before_last)) = variant.fields.split_last() else { return };
    for field in before_last {
        if let Some(span) = field.rest() {
            let message = "`rest` takes every byte up to the end of the frame: add what comes after it to a new variant with a tag of its own; or, if no such message was ever sent, move this field to the end, or remove `rest` to send its length too";
            cx.error_at(span, message);
        }
    }
}

/// After a `rest` field no byte trails, so that `extensible` on the same variant would be a promise
/// that cannot be kept: what a newer sender appends ends up in the field.
fn rest_leaves_nothing_to_extend(cx: &Ctxt, variant: &Variant<'_>) {
    if let (Ending::Extensible(Some(span)), true) =
        (variant.ending, variant.fields.iter().any(Field::is_rest))
    {
        let message = "`rest` takes what a newer sender appends, so nothing is left to tolerate: remove `extensible`";
        cx.error_at(span, message);
    }
}

/// Where a `rest` field follows, an older sender's frame does not end where a `default` field would
/// start: the first bytes of the rest would be taken for it.
fn default_is_not_before_rest(cx: &Ctxt, variant: &Variant<'_>) {
    let Some(position) = variant.fields.iter().position(Field::is_rest) else { return };
    let (before, after) = variant.fields.split_at(position);
    let Some(rest) = after.first() else { return };
    for field in before.iter().chain([rest]) {
        let Some(span) = field.default else { continue };
        let message = match (field.is_rest(), field.is_nested()) {
            // A frame that ends before a nested message has none.
            (true, true) => continue,
            (true, false) => {
                "a `rest` field of a shorter frame is empty anyway: remove `default`".to_owned()
            }
            (false, _) => format!(
                "an older sender's frame has the bytes of the `rest` field `{}` here, and with `default` or without, they would be read as this field: leave this variant as it was, and add the field to a new variant with a tag of its own",
                rest.name,
            ),
        };
        cx.error_at(span, message);
    }
}

/// A frame that ends before a `default` field has no bytes for a later field either.
fn default_fields_are_last(cx: &Ctxt, variant: &Variant<'_>) {
    let mut first: Option<&Field<'_>> = None;
    for field in &variant.fields {
        if field.default.is_some() {
            first = first.or(Some(field));
        } else if let (Some(first), false) = (first, field.is_rest()) {
            let message = format!(
                "a frame that ends before the `default` field `{}` has no bytes for this one either: add #[message(default)] to it too; or, if no such message was ever sent, move it before that field",
                first.name,
            );
            cx.error_on(field.ty, message);
        }
    }
}

/// A frame is lent for less than `'static`. (A `with` function may have found a way.)
fn fields_do_not_outlive_frames(cx: &Ctxt, field: &Field<'_>) {
    let is_static = match field.form {
        Form::With(_) => false,
        Form::Nested(_) => nest::has_static(field.ty),
        _ => kind::is_static_reference(field.ty),
    };
    if is_static {
        let message = "a frame is not lent for `'static`: write a lifetime of the message type, as in `enum Request<'a>`, or a type that owns";
        cx.error_on(field.ty, message);
    }
}

/// A frame is lent to be read. (A `rest` field of such a type has been objected to.)
fn fields_do_not_write_to_frames(cx: &Ctxt, field: &Field<'_>) {
    if matches!(field.form, Form::Plain(_)) && kind::is_mutable_reference(field.ty) {
        let message = "a frame is lent to be read: write `&'a` without `mut`, or a type that owns";
        cx.error_on(field.ty, message);
    }
}

/// Numbers are in a frame in another form than in memory, and what is made of them too.
fn frames_lend_bytes_and_text_alone(cx: &Ctxt, field: &Field<'_>) {
    if let (Form::Plain(_), Some(instead)) = (&field.form, kind::instead_of_reference(field.ty))
        && !kind::is_mutable_reference(field.ty)
        && !kind::is_static_reference(field.ty)
    {
        let message = format!("a frame cannot lend what this refers to: write `{instead}`");
        cx.error_on(field.ty, message);
    }
}

/// A descriptor is a number that means nothing to another process: it travels beside the frame, or not
/// at all. (A `with` function may have found a way.)
fn descriptors_are_marked(cx: &Ctxt, field: &Field<'_>) {
    if matches!(field.form, Form::Plain(_)) && kind::holds_descriptors(field.ty) {
        let message =
            "a descriptor travels beside the frame: write #[message(fd)] before this field";
        cx.error_on(field.ty, message);
    }
}

/// A field that is one descriptor has no bytes that an older sender's frame could lack, and its type
/// no default.
fn one_descriptor_has_no_default(cx: &Ctxt, field: &Field<'_>) {
    if let (Form::Fd(descriptors), Some(span)) = (&field.form, field.default)
        && descriptors.number == Number::One
    {
        let message = "one descriptor has no default: put it in an `Option`, or remove `default`";
        cx.error_at(span, message);
    }
}
