//! Functions that never run, for types with mistakes.

use proc_macro2::TokenStream;

use crate::hygiene::hygienic;

/// Returns the functions of an implementation of `Message`.
pub(crate) fn mistaken() -> TokenStream {
    hygienic! {
        fn tag(&self) -> __private::u32 {
            __private::mistaken()
        }
        fn name(&self) -> &'static __private::str {
            __private::mistaken()
        }
        fn tag_of(
            __frame: &[__private::u8],
        ) -> __private::Result<__private::u32, __private::DecodeError> {
            __private::mistaken()
        }
        fn encode<'__message>(
            &'__message self,
            __encoder: &mut __private::Encoder<'__message>,
        ) -> __private::Result<(), __private::EncodeError> {
            __private::mistaken()
        }
        fn decode<'__frame>(
            __frame: &'__frame [__private::u8],
        ) -> __private::Result<<Self as __private::Message>::Borrowed<'__frame>, __private::DecodeError> {
            __private::mistaken()
        }
    }
}
