//! Shadows every name that the derive may use, in the namespaces of types, values, functions, macros and modules.
#![allow(
    dead_code,
    missing_docs,
    unused_imports,
    unused_macros,
    clippy::wrong_self_convention,
    non_camel_case_types,
    non_upper_case_globals,
    reason = "they are there to be in the way"
)]

pub(super) mod core {}
pub(super) mod datagrammar {}
pub(super) mod serde {}
pub(super) mod std {}

pub(super) struct Borrowed;
pub(super) struct Cow;
pub(super) struct Decoder;
pub(super) struct DecodeError;
pub(super) struct Default;
pub(super) struct Encoder;
pub(super) struct EncodeError;
pub(super) struct Err;
pub(super) struct None;
pub(super) struct Ok;
pub(super) struct Option;
pub(super) struct PhantomData;
pub(super) struct Result;
pub(super) struct Serialize;
pub(super) struct Serializer;
pub(super) struct Some;
pub(super) struct Unknown;
pub(super) struct With;

pub(super) struct bool;
pub(super) struct str;
pub(super) struct u8;
pub(super) struct u32;

pub(super) const decoder: () = ();
pub(super) const deserializer: () = ();
pub(super) const encoder: () = ();
pub(super) const field_0: () = ();
pub(super) const frame: () = ();
pub(super) const held: () = ();
pub(super) const serializer: () = ();
pub(super) const tag: () = ();
pub(super) const unknown: () = ();
pub(super) const value: () = ();

macro_rules! unreachable {
    () => {
        not an expression
    };
}
pub(super) use unreachable;

/// Methods on all values, with the names that the derive calls.
pub(super) trait Clash {
    fn as_ref(&self) {}
    fn bytes(&self) {}
    fn clone(&self) {}
    fn decode(&self) {}
    fn encode(&self) {}
    fn field(&self) {}
    fn finish(&self) {}
    fn into(&self) {}
    fn into_owned(&self) {}
    fn map(&self) {}
    fn name(&self) {}
    fn rest(&self) {}
    fn tag(&self) {}
    fn text(&self) {}
}
impl<T: ?::core::marker::Sized> Clash for T {}
