//! Golden expansions: the code that the derive generates, stored in `expansions/` for review.
//!
//! A test fails if an expansion changes. `INSTA_UPDATE=always cargo test -p datagrammar-macros` stores the new
//! expansions: read the diff.

use proc_macro2::{Group, TokenStream, TokenTree};

/// Compares the expansion of a type with the stored one of the same name.
macro_rules! expansions {
    ($($(#[doc = $doc:literal])* $name:ident { $($input:tt)* })*) => { $(
        $(#[doc = $doc])*
        #[test]
        fn $name() {
            check(stringify!($name), crate::derive(&syn::parse_quote!($($input)*)));
        }
    )* };
}

/// Like [`expansions`], for `Protocol`.
macro_rules! protocols {
    ($($(#[doc = $doc:literal])* $name:ident { $($input:tt)* })*) => { $(
        $(#[doc = $doc])*
        #[test]
        fn $name() {
            check(stringify!($name), crate::protocol(&syn::parse_quote!($($input)*)));
        }
    )* };
}

fn check(name: &str, expansion: TokenStream) {
    let file = syn::parse2(without_macros(expansion)).expect("an expansion is items");
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("expansions");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, prettyplease::unparse(&file)));
}

/// Returns the code with a module in place of each call of `if_tokio`, so that its content is formatted.
fn without_macros(tokens: TokenStream) -> TokenStream {
    let mut shown: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "if_tokio" => {
                let is_path = |token: &TokenTree| match token {
                    TokenTree::Punct(punct) => punct.as_char() == ':',
                    TokenTree::Ident(_) => true,
                    _ => false,
                };
                while shown.last().is_some_and(is_path) {
                    shown.pop();
                }
                tokens.next();
                shown.extend(quote::quote!(mod #ident));
            }
            TokenTree::Group(group) => {
                let inner = without_macros(group.stream());
                shown.push(Group::new(group.delimiter(), inner).into());
            }
            token => shown.push(token),
        }
    }
    shown.into_iter().collect()
}

expansions! {
    /// Variants of every shape, and the fields that bypass serde.
    shapes {
        enum Request<'a> {
            #[message(tag = 1)]
            Ping,
            #[message(tag = 2)]
            Put { name: &'a str, mode: Option<Cow<'static, str>>, #[message(rest)] content: &'a [u8] },
            #[message(tag = 300)]
            Many(u8, Vec<u8>, Option<Box<[u8]>>, Cow<'static, [u8]>, [u8; 16], String),
        }
    }

    /// Descriptors: one, an optional one, any number, and ones that can only be sent.
    descriptors {
        enum Request<'a> {
            #[message(tag = 1)]
            Import { name: &'a str, #[message(fd)] file: File },
            #[message(tag = 2)]
            Adopt(#[message(fd, default)] Option<OwnedFd>, #[message(fd, default)] Vec<UnixStream>),
            #[message(tag = 3, extensible)]
            Lend(#[message(fd)] BorrowedFd<'a>),
        }
    }

    /// A struct, which has one tag.
    one_struct {
        #[message(tag = 7)]
        struct Beat {
            seq: u64,
            r#type: u8,
        }
    }

    /// Bounds on the parameters of fields through serde, and of fields with defaults.
    generics {
        enum Generic<'a, 'b: 'a, T: Clone, U, P: Protocol, const N: usize = 4>
        where
            U: Debug,
        {
            #[message(tag = 1)]
            One(&'a str, T, [u8; N], PhantomData<U>),
            #[message(tag = 2)]
            Two { list: Vec<P::Id>, #[message(default)] last: T, #[message(default)] more: Option<U> },
        }
    }

    /// Frames of older and of newer senders.
    evolution {
        #[message(reserved(2, 4..=6))]
        enum Grown {
            #[message(tag = 1)]
            Put { old: u8, #[message(default)] new: Vec<u8> },
            #[message(tag = 3, extensible)]
            Get(u8),
        }
    }

    /// Nested messages: with a length, as the rest, and in an extensible message.
    nested {
        enum Outer<'a> {
            #[message(tag = 1)]
            Wrapped { #[message(nested)] many: Vec<Inner<'a>>, #[message(nested, rest)] last: Inner<'a> },
            #[message(tag = 2, extensible)]
            Open(#[message(nested)] Option<Inner<'a>>),
        }
    }

    /// Unknown messages that borrow from the frame.
    other_lent {
        enum Request<'a> {
            #[message(tag = 1)]
            Ping,
            #[message(other)]
            Unknown(Unknown<'a>),
        }
    }

    /// Owned unknown messages.
    other_owned {
        enum Request {
            #[message(other)]
            Unknown(datagrammar::Unknown<'static>),
        }
    }

    /// Unknown messages that are dropped.
    other_dropped {
        enum Colour {
            #[message(tag = 1)]
            Red,
            #[message(other)]
            Newer,
        }
    }

    /// Fields with `with`.
    with {
        #[message(tag = 1)]
        struct Timed<'a, T> {
            #[message(with = seconds)]
            time: Vec<<Self as Clock>::Time>,
            #[message(with = "crate::quoted")]
            text: &'a str,
            value: T,
        }
    }

    /// The runtime under another name, and another codec.
    renamed {
        #[message(crate = wire::datagrammar, codec = wire::Json)]
        enum Request {
            #[message(tag = 1)]
            Put(u8, Vec<u8>),
        }
    }

    /// An enum without variants.
    empty {
        enum Never {}
    }

    /// The output with errors: an implementation that causes no further errors.
    mistaken {
        enum Request<'a, T: Clone> {
            #[message(tag = 0)]
            Ping,
            Put(&'a str, T),
        }
    }
}

protocols! {
    /// Calls of every kind: a reply that borrows, a plain one, items, and no answer.
    protocol {
        pub enum Blobs<'a> {
            /// Stores `content`. See [`Self::Get`].
            #[message(tag = 1, reply = Result<u64, Refused>)]
            Put { name: &'a str, #[message(rest)] content: &'a [u8] },
            #[message(tag = 2, reply = Result<Blob<'_>, Refused>)]
            Get { name: &'a str },
            #[message(tag = 3, items = Change<'_>)]
            Watch(&'a str),
            #[message(tag = 4)]
            Touch(Entry<'a>, #[message(fd)] File),
            #[message(other)]
            Unknown(Unknown<'a>),
        }
    }

    /// A reply without an error, another runtime, another codec, another name, and a lint that is allowed.
    protocol_renamed {
        #[message(crate = wire::datagrammar, codec = wire::Json)]
        #[allow(clippy::exhaustive_enums)]
        enum Clock {
            #[deprecated]
            #[message(tag = 1, reply = &str, name = time)]
            Now,
            #[message(tag = 2, reply = ())]
            Type { r#type: u8 },
        }
    }

    /// The output with errors: the valid calls.
    protocol_mistaken {
        enum Clock {
            #[message(tag = 1, reply = u64)]
            New,
            #[message(tag = 2, reply = u64, items = Tick)]
            Now,
        }
    }
}
