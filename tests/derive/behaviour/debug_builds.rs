//! The check in builds with debug assertions: a sender refuses a value that would be received as another one.
#![cfg(debug_assertions)]

use datagrammar::codec::Postcard;
use datagrammar::{Message, to_vec};
use serde::{Deserialize, Serialize};

use crate::symmetry::{both, refusal};

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Skipping {
    #[serde(skip)]
    #[allow(dead_code, reason = "serde skips it")]
    A,
    B,
    C,
    D(u8),
    E {
        value: u8,
    },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Renaming {
    #[serde(rename(serialize = "old"))]
    A,
    #[serde(rename(serialize = "older", deserialize = "new"))]
    B,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Less(u8, #[serde(skip_serializing_if = "Option::is_none")] Option<u8>);

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct SendOnly {
    #[serde(skip_serializing, default)]
    secret: u8,
    open: u8,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
}

both!(Asks AsksPostcard (Untagged));
both!(Json JsonPostcard (serde_json::Value));
both!(Skips SkipsPostcard (Vec<Skipping>));
both!(Renames RenamesPostcard (Vec<Renaming>));
both!(Lessens LessensPostcard (Less));
both!(Sends SendsPostcard (SendOnly));

#[test]
fn h47_what_would_be_received_as_something_else_is_refused() {
    for (sent, text) in [
        (Skipping::B, "`Skipping::B` would be received as `Skipping::C`"),
        (Skipping::C, "`Skipping::C` would be received as `Skipping::D`"),
        (Skipping::D(1), "`Skipping::D` would be received as `Skipping::E`"),
        (Skipping::E { value: 1 }, "`Skipping::E` would be received as no variant"),
    ] {
        for refused in
            [refusal(&Skips(vec![sent.clone()])), refusal(&SkipsPostcard(vec![sent.clone()]))]
        {
            assert!(refused.contains(text), "{refused}");
        }
    }
    let secret = || SendOnly { secret: 1, open: 2 };
    for less in [
        refusal(&Lessens(Less(1, None))),
        refusal(&LessensPostcard(Less(1, None))),
        refusal(&Sends(secret())),
        refusal(&SendsPostcard(secret())),
    ] {
        assert!(less.contains("more bytes would be read than the 1 that was written"), "{less}");
    }
    let json = || serde_json::json!({ "a": [1, null] });
    for asks in [
        refusal(&Asks(Untagged::Number(1))),
        refusal(&AsksPostcard(Untagged::Number(1))),
        refusal(&Json(json())),
        refusal(&JsonPostcard(json())),
    ] {
        assert!(asks.contains("the type needs a format that describes itself"), "{asks}");
    }
    // A renamed variant is still the same variant.
    let renames = Renames(vec![Renaming::A, Renaming::B]);
    assert_eq!(Renames::decode(&to_vec(&renames).unwrap()).unwrap(), renames);
    let renames = RenamesPostcard(renames.0);
    assert_eq!(RenamesPostcard::decode(&to_vec(&renames).unwrap()).unwrap(), renames);
}
