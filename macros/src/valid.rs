//! The rules between the items of a message type, one function each.

use std::collections::HashMap;

use crate::ast::{Container, Data, Ending, Variant};
use crate::ctxt::Ctxt;
use crate::field::{Field, Form};
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
        fields_have_a_size(cx, container, field);
        fields_do_not_hide_their_types(cx, field);
        fields_do_not_outlive_frames(cx, field);
        fields_do_not_write_to_frames(cx, field);
        frames_lend_bytes_and_text_alone(cx, field);
        descriptors_are_marked(cx, field);
        one_descriptor_has_no_default(cx, field);
    }
}

/// A tag names one variant forever. Two variants cannot share a tag, and to an older peer, a reserved tag still
/// means its old variant.
fn tags_are_unique_and_not_retired(cx: &Ctxt, container: &Container<'_>) {
    let Data::Enum { variants, reserved, .. } = &container.data else { return };
    let mut free = FreeTags::new(variants.iter().map(|variant| variant.tag), reserved);
    let mut owners = HashMap::new();
    for Variant { ident, tag, .. } in variants {
        let number = tag.number;
        if reserved.iter().any(|range| range.contains(&number)) {
            let message = format!(
                "tag {number} is reserved, because an older version used it: write `tag = {}`",
                free.take(),
            );
            cx.error_at(tag.span, message);
        } else if let Some(owner) = owners.insert(number, ident) {
            let message =
                format!("`{owner}` already has tag {number}: write `tag = {}`", free.take());
            cx.error_at(tag.span, message);
        }
    }
}

/// `rest` takes all bytes up to the end of the frame, and leaves none for a field after it.
fn rest_is_last(cx: &Ctxt, variant: &Variant<'_>) {
    let Some((_, before_last)) = variant.fields.split_last() else { return };
    for field in before_last {
        if let Some(span) = field.rest() {
            let message = "a `rest` field takes all bytes up to the end of the frame, so no field can follow it: add the fields after it to a new variant instead; or, if this protocol was never released, move this field to the end, or remove `rest`";
            cx.error_at(span, message);
        }
    }
}

/// No byte follows a `rest` field. So `extensible` on the same variant has no effect: bytes that a newer sender
/// appends become part of the field.
fn rest_leaves_nothing_to_extend(cx: &Ctxt, variant: &Variant<'_>) {
    if let (Ending::Extensible(Some(span)), true) =
        (variant.ending, variant.fields.iter().any(Field::is_rest))
    {
        let message = "the `rest` field takes all bytes that a newer sender appends, so `extensible` has no effect: remove it";
        cx.error_at(span, message);
    }
}

/// In an older sender's frame, the `rest` field starts where a new `default` field before it would start. The
/// receiver would read the first bytes of the rest as the new field.
fn default_is_not_before_rest(cx: &Ctxt, variant: &Variant<'_>) {
    let Some(position) = variant.fields.iter().position(Field::is_rest) else { return };
    let (before, after) = variant.fields.split_at(position);
    let Some(rest) = after.first() else { return };
    for field in before.iter().chain([rest]) {
        let Some(span) = field.default else { continue };
        let message = match (field.is_rest(), field.is_nested()) {
            // If the frame ends before a nested message, the message is missing.
            (true, true) => continue,
            (true, false) => {
                "a `rest` field is empty if the frame ends before it, so `default` has no effect: remove it".to_owned()
            }
            (false, _) => format!(
                "no field can be added before the `rest` field `{}`, because the bytes of that field in an older sender's frame would be read as this one: add this field to a new variant instead; or, if this protocol was never released, remove `default`",
                rest.name,
            ),
        };
        cx.error_at(span, message);
    }
}

/// If a frame ends before a `default` field, it has no bytes for later fields either.
fn default_fields_are_last(cx: &Ctxt, variant: &Variant<'_>) {
    let mut first: Option<&Field<'_>> = None;
    for field in &variant.fields {
        if field.default.is_some() {
            first = first.or(Some(field));
        } else if let (Some(first), false) = (first, field.is_rest()) {
            let message = format!(
                "this field follows the `default` field `{}`, and an older sender's frame has bytes for neither: write #[message(default)] before this field too; or, if this protocol was never released, move this field before that one",
                first.name,
            );
            cx.error_on(field.ty, message);
        }
    }
}

/// A message is a value. (`field` refuses such a `rest` field.)
fn fields_have_a_size(cx: &Ctxt, container: &Container<'_>, field: &Field<'_>) {
    let own = container.generics.lifetimes().next();
    let lifetime = own.map_or_else(|| "'a".to_owned(), |own| own.lifetime.to_string());
    if let (false, Some(instead)) =
        (field.is_rest(), kind::instead_of_unsized(field.ty, &format!("&{lifetime} ")))
    {
        let message = format!("a field of this type has no known size: write {instead}");
        cx.error_on(field.ty, message);
    }
}

/// A frame does not say which type a trait stands for. (A `with` function may know it.)
fn fields_do_not_hide_their_types(cx: &Ctxt, field: &Field<'_>) {
    if matches!(field.form, Form::Plain(_) | Form::Answer) && kind::hides_type(field.ty) {
        cx.error_on(field.ty, kind::HIDDEN_TYPE);
    }
}

/// No frame lives for `'static`. (A `with` function may make a static value.)
fn fields_do_not_outlive_frames(cx: &Ctxt, field: &Field<'_>) {
    let is_static = match field.form {
        Form::With(_) => false,
        Form::Nested(_) => nest::has_static(field.ty),
        _ => kind::is_static_reference(field.ty),
    };
    if is_static {
        let message = "a field cannot borrow from the frame for `'static`: write a lifetime of the message type, as in `enum Request<'a>`, `'_` in an answer, or an owned type";
        cx.error_on(field.ty, message);
    }
}

/// A frame cannot be written. (`ast` refuses such a `rest` field.)
fn fields_do_not_write_to_frames(cx: &Ctxt, field: &Field<'_>) {
    if matches!(field.form, Form::Plain(_) | Form::Answer) && kind::is_mutable_reference(field.ty) {
        let message = "a field cannot borrow from the frame mutably: write `&'a` without `mut`, or an owned type";
        cx.error_on(field.ty, message);
    }
}

/// A frame holds numbers in another form than memory does. So it cannot lend numbers, or values made of them.
fn frames_lend_bytes_and_text_alone(cx: &Ctxt, field: &Field<'_>) {
    if let (Form::Plain(_) | Form::Answer, Some(instead)) =
        (&field.form, kind::instead_of_reference(field.ty))
        && !kind::is_mutable_reference(field.ty)
        && !kind::is_static_reference(field.ty)
    {
        let message =
            format!("a frame cannot lend the target of this reference: write `{instead}`");
        cx.error_on(field.ty, message);
    }
}

/// The number of a descriptor means nothing to another process, so the descriptor travels beside the frame. (A
/// `with` function may send something else instead.)
fn descriptors_are_marked(cx: &Ctxt, field: &Field<'_>) {
    if matches!(field.form, Form::Plain(_) | Form::Answer) && kind::holds_descriptors(field.ty) {
        let message = "a descriptor travels beside the frame: write #[message(fd)] before this field, or a path such as `self::File` if the type is your own";
        cx.error_on(field.ty, message);
    }
}

/// A field with exactly one descriptor takes no bytes, so the end of the frame does not show that it is missing.
/// Its type also has no default.
fn one_descriptor_has_no_default(cx: &Ctxt, field: &Field<'_>) {
    if let (Form::Fd(descriptors), Some(span)) = (&field.form, field.default)
        && descriptors.number == Number::One
    {
        let message =
            "a descriptor has no default value: write an `Option` of it, or remove `default`";
        cx.error_at(span, message);
    }
}
