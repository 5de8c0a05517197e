//! Lints that a crate may forbid. None of these items is used: a program that only calls has no handler, and a
//! program that only serves has no client.
#![forbid(
    unused_imports,
    unused_qualifications,
    unused_variables,
    unused_mut,
    dead_code,
    non_camel_case_types,
    missing_docs,
    missing_debug_implementations,
    unreachable_code,
    single_use_lifetimes,
    elided_lifetimes_in_paths,
    refining_impl_trait
)]

use datagrammar::{Message, Protocol, Unknown};

#[derive(Message, Protocol)]
enum Unused<'a> {
    #[message(tag = 1, reply = Result<&[u8], String>)]
    Get(&'a str),
    #[message(tag = 2, reply = u64)]
    Put { name: &'a str },
    #[message(tag = 3, items = Self)]
    All,
    #[message(tag = 4)]
    Forget(u64, Vec<u8>),
    #[message(other)]
    Newer(Unknown<'a>),
}

#[derive(Message, Protocol)]
enum Dropping {
    #[message(tag = 1, reply = u64)]
    Count,
    #[message(other)]
    Newer,
}

#[test]
fn nothing_is_reported() {
    assert_eq!(Dropping::Count.name(), "Count");
    assert_eq!(Unused::All.name(), "All");
    #[expect(deprecated, reason = "it is")]
    let old = old::Old::Sync;
    assert_eq!(old.name(), "Sync");
}

/// Code that names the protocol gets the warning, but derived code does not.
mod old {
    #![deny(deprecated)]

    use datagrammar::{Message, Protocol};

    #[deprecated]
    #[derive(Message, Protocol)]
    pub(super) enum Old<'a> {
        #[message(tag = 1, reply = Result<&str, u64>)]
        Get {
            #[deprecated]
            name: &'a str,
        },
        #[message(tag = 2, items = Self)]
        All(#[message(nested)] Option<Box<Self>>),
        #[deprecated]
        #[message(tag = 3, reply = ())]
        Sync,
    }
}

/// What the user allows is allowed in what the derive makes of it.
mod allowed {
    #![deny(non_snake_case)]

    use datagrammar::{Message, Protocol};

    #[allow(non_snake_case, reason = "for this test")]
    #[derive(Message, Protocol)]
    pub(super) enum Registers<'a> {
        #[message(tag = 1, reply = &str)]
        Load { R: u8, Name: &'a str },
    }

    #[derive(Message, Protocol)]
    #[expect(non_snake_case, reason = "for this test")]
    pub(super) enum Expected {
        #[message(tag = 1, reply = u8)]
        Load { R: u8 },
    }

    #[derive(Message, Protocol)]
    pub(super) enum OnVariants {
        #[message(tag = 1, items = Registers<'_>)]
        #[allow(non_snake_case, reason = "for this test")]
        Watch { R: u8 },
    }
}

#[test]
fn what_is_allowed_stays_allowed() {
    assert_eq!(allowed::Registers::Load { R: 1, Name: "a" }.tag(), 1);
    assert_eq!(allowed::Expected::Load { R: 1 }.tag(), 1);
    assert_eq!(allowed::OnVariants::Watch { R: 1 }.tag(), 1);
}
