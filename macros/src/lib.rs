//! placeholder
use proc_macro::TokenStream;
/// x
#[proc_macro_derive(Message, attributes(message))]
pub fn derive_message(_input: TokenStream) -> TokenStream {
    TokenStream::new()
}
