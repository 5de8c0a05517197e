//! Golden expansions: what the derive generates, kept in `expansions/` to be read and reviewed.
//!
//! A test fails when an expansion changes. `INSTA_UPDATE=always cargo test -p datagrammar-macros`
//! keeps the new ones; the difference shows in version control.

use syn::DeriveInput;

/// Checks the expansion of a type against the one that is kept under the same name.
macro_rules! expansions {
    ($($(#[doc = $doc:literal])* $name:ident { $($input:tt)* })*) => { $(
        $(#[doc = $doc])*
        #[test]
        fn $name() {
            check(stringify!($name), &syn::parse_quote!($($input)*));
        }
    )* };
}

fn check(name: &str, input: &DeriveInput) {
    let file = syn::parse2(crate::derive(input)).expect("an expansion is items");
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("expansions");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, prettyplease::unparse(&file)));
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

    /// Descriptors: one, one or none, any number, and some that are only sent.
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

    /// Bounds on the parameters that serde has to handle, and on those that have defaults.
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

    /// Frames of older senders, and of newer ones.
    evolution {
        #[message(reserved(2, 4..=6))]
        enum Grown {
            #[message(tag = 1)]
            Put { old: u8, #[message(default)] new: Vec<u8> },
            #[message(tag = 3, extensible)]
            Get(u8),
        }
    }

    /// Messages in a message: behind a length, up to its end, and where newer senders may add fields.
    nested {
        enum Outer<'a> {
            #[message(tag = 1)]
            Wrapped { #[message(nested)] many: Vec<Inner<'a>>, #[message(nested, rest)] last: Inner<'a> },
            #[message(tag = 2, extensible)]
            Open(#[message(nested)] Option<Inner<'a>>),
        }
    }

    /// Unknown messages, lent by the frame.
    other_lent {
        enum Request<'a> {
            #[message(tag = 1)]
            Ping,
            #[message(other)]
            Unknown(Unknown<'a>),
        }
    }

    /// Unknown messages, owned.
    other_owned {
        enum Request {
            #[message(other)]
            Unknown(datagrammar::Unknown<'static>),
        }
    }

    /// Fields that are as a module has them.
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

    /// The runtime under another name, and another encoding.
    renamed {
        #[message(crate = wire::datagrammar, codec = wire::Json)]
        enum Request {
            #[message(tag = 1)]
            Put(u8, Vec<u8>),
        }
    }

    /// No variant, and so no value.
    empty {
        enum Never {}
    }

    /// Beside errors: an implementation that lets nothing else fail.
    mistaken {
        enum Request<'a, T: Clone> {
            #[message(tag = 0)]
            Ping,
            Put(&'a str, T),
        }
    }
}
