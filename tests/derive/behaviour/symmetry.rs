//! Symmetry: the encoder refuses every value that the decoder would refuse.

use std::collections::BTreeMap;

use datagrammar::codec::{MAX_DEPTH, Postcard};
use datagrammar::{DecodeError, EncodeError, Fault, Message, to_vec};
use serde::{Deserialize, Serialize};

/// Types that both codecs send.
macro_rules! both {
    ($(#[$attr:meta])* $bincode:ident $postcard:ident ($($field:ty),*)) => {
        #[derive(Message, Debug, PartialEq)]
        #[message(tag = 1)]
        struct $bincode($($field),*);

        #[derive(Message, Debug, PartialEq)]
        #[message(tag = 1, codec = Postcard)]
        struct $postcard($($field),*);
    };
}

pub(crate) fn refusal(message: &impl Message) -> String {
    match to_vec(message) {
        Err(EncodeError::Field { field, reason }) => format!("{field}: {reason}"),
        other => panic!("{other:?}"),
    }
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Item {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<u8>,
    mode: u8,
    uid: u8,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Change {
    Set {
        value: u8,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<u8>,
    },
}

#[cfg(debug_assertions)]
pub(crate) use both;

both!(Items ItemsPostcard (Item, Vec<Item>));
both!(Changes ChangesPostcard (Vec<Change>));

#[test]
fn h47_a_field_that_is_left_out_is_refused_by_its_name() {
    let whole = Item { owner: Some(1), mode: 2, uid: 3 };
    let items = Items(whole.clone(), vec![whole.clone()]);
    assert_eq!(Items::decode(&to_vec(&items).unwrap()).unwrap(), items);
    let less = Item { owner: None, mode: 0, uid: 42 };
    for text in
        [refusal(&Items(less.clone(), vec![])), refusal(&ItemsPostcard(less.clone(), vec![]))]
    {
        assert!(text.starts_with("Items"), "{text}");
        assert!(text.contains(".0: `Item` skips its field `owner`, but "), "{text}");
        assert!(text.ends_with("remove `skip_serializing_if` (`None` takes one byte)"));
    }
    let text = refusal(&Items(whole, vec![less]));
    assert!(text.starts_with("Items.1: `Item` skips its field `owner`"), "{text}");
    let change = || vec![Change::Set { value: 1, owner: None }];
    for text in [refusal(&Changes(change())), refusal(&ChangesPostcard(change()))] {
        assert!(text.contains(".0: `Set` skips its field `owner`"), "{text}");
    }
}

// Depth

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Json {
    Null,
    List(Vec<Self>),
    Map(BTreeMap<String, Self>),
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Node {
    next: Option<Box<Self>>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Expression {
    Number(u8),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    If { condition: Box<Self>, otherwise: Option<Box<Self>> },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Newtype(Option<Box<Self>>);

both!(Deep DeepPostcard (Json, Node, Expression, Newtype));

fn deep(json: Json, nodes: u32, expression: Expression, newtypes: u32) -> Deep {
    let node = (0..nodes).fold(Node { next: None }, |node, _| Node { next: Some(Box::new(node)) });
    let newtype = (0..newtypes).fold(Newtype(None), |inner, _| Newtype(Some(Box::new(inner))));
    Deep(json, node, expression, newtype)
}

fn lists(levels: u32) -> Json {
    (0..levels).fold(Json::Null, |json, _| Json::List(vec![json]))
}

fn maps(levels: u32) -> Json {
    (0..levels).fold(Json::Null, |json, _| Json::Map([("a".to_owned(), json)].into()))
}

fn nots(levels: u32) -> Expression {
    (0..levels).fold(Expression::Number(1), |inner, _| Expression::Not(Box::new(inner)))
}

fn ands(levels: u32) -> Expression {
    let one = || Box::new(Expression::Number(1));
    (0..levels).fold(Expression::Number(1), |inner, _| Expression::And(one(), Box::new(inner)))
}

fn ifs(levels: u32) -> Expression {
    let one = || Box::new(Expression::Number(1));
    (0..levels).fold(Expression::Number(1), |inner, _| Expression::If {
        condition: one(),
        otherwise: Some(Box::new(inner)),
    })
}

/// Users count levels like this: a list in a list, a struct in a struct.
#[test]
fn as_deep_as_people_count_is_sent_and_received() {
    let null = || Expression::Number(1);
    let level = MAX_DEPTH;
    assert_eq!(level, 128);
    for (deepest, too_deep) in [
        (deep(lists(128), 0, null(), 0), deep(lists(129), 0, null(), 0)),
        (deep(maps(128), 0, null(), 0), deep(maps(129), 0, null(), 0)),
        (deep(Json::Null, 127, null(), 0), deep(Json::Null, 128, null(), 0)),
        (deep(Json::Null, 0, ands(128), 0), deep(Json::Null, 0, ands(129), 0)),
        (deep(Json::Null, 0, ifs(128), 0), deep(Json::Null, 0, ifs(129), 0)),
        // The first two wrappers in a row are not a level.
        (deep(Json::Null, 0, nots(129), 0), deep(Json::Null, 0, nots(130), 0)),
        (deep(Json::Null, 0, null(), 64), deep(Json::Null, 0, null(), 65)),
    ] {
        let frame = to_vec(&deepest).unwrap();
        assert_eq!(Deep::decode(&frame).unwrap(), deepest);
        let text = refusal(&too_deep);
        assert!(text.contains("nested deeper than 128 levels"), "{text}");

        let Deep(json, node, expression, newtype) = deepest;
        let deepest = DeepPostcard(json, node, expression, newtype);
        assert_eq!(DeepPostcard::decode(&to_vec(&deepest).unwrap()).unwrap(), deepest);
        let Deep(json, node, expression, newtype) = too_deep;
        refusal(&DeepPostcard(json, node, expression, newtype));
    }
}

/// Returns the bytes that a sender without the guard would send.
#[test]
fn h48_what_is_too_deep_is_refused_by_the_receiver_too() {
    let list: Vec<u8> = [1, 1].repeat(100_000);
    let error = Deep::decode(&[&[1], &list[..]].concat()).unwrap_err();
    let DecodeError::Field { field: "Deep.0", fault: Fault::TooDeep { limit: 128 }, .. } = error
    else {
        panic!("{error}")
    };
    let options = [&[1, 0, 0, 0, 1], &[1; 100_000][..]].concat();
    let error = Deep::decode(&options).unwrap_err().to_string();
    assert!(error.contains("nested deeper than 128 levels"), "{error}");
}

// Elements of no bytes

both!(Empties EmptiesPostcard (Vec<()>, Vec<[u8; 0]>, BTreeMap<(), u8>, Option<Vec<((), [u16; 0])>>));

#[test]
fn h48_elements_of_no_bytes_are_counted_by_both_sides() {
    let few = |units: usize, arrays: usize| {
        Empties(vec![(); units], vec![[]; arrays], [((), 1)].into(), Some(vec![((), []); 3]))
    };
    let most = few(1000, 20);
    assert_eq!(Empties::decode(&to_vec(&most).unwrap()).unwrap(), most);
    for more in [few(1001, 20), few(1000, 21), few(2000, 0), few(0, 1025)] {
        let text = refusal(&more);
        assert!(text.contains("more than 1024 elements that take no bytes"), "{text}");
    }
    let two_thousand = [1, 251, 208, 7, 0, 0, 0];
    let error = Empties::decode(&two_thousand).unwrap_err().to_string();
    assert!(error.contains("more than 1024 elements that take no bytes"), "{error}");
    let arrays = [1, 0, 251, 208, 7, 0, 0];
    let error = Empties::decode(&arrays).unwrap_err().to_string();
    assert!(error.contains("more than 1024 elements that take no bytes"), "{error}");
    let text = refusal(&EmptiesPostcard(vec![(); 2000], vec![], [].into(), None));
    assert!(text.contains("more than 1024 elements that take no bytes"), "{text}");
}

// Types that need a format that describes itself

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
    Text(String),
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Flat {
    id: u8,
    #[serde(flatten)]
    more: BTreeMap<String, u8>,
}

both!(Asking AskingPostcard (Untagged));
both!(Flattened FlattenedPostcard (Flat));

#[test]
fn what_asks_the_bytes_is_told_that_they_do_not_say() {
    for error in
        [Asking::decode(&[1, 7]).unwrap_err(), AskingPostcard::decode(&[1, 7]).unwrap_err()]
    {
        let DecodeError::Field { fault: Fault::SelfDescribing, .. } = error else {
            panic!("{error}")
        };
        let text = error.to_string();
        assert!(text.contains("the type needs a format that describes itself"), "{text}");
        assert!(text.contains("`untagged`") && text.contains("#[message(with = path)]"), "{text}");
    }
    let flat = || Flat { id: 1, more: [].into() };
    for text in [refusal(&Flattened(flat())), refusal(&FlattenedPostcard(flat()))] {
        assert!(text.contains("of unknown length (as `#[serde(flatten)]` makes)"), "{text}");
    }
}

/// The error of a `Serialize` implementation is passed on unchanged.
#[test]
fn errors_speak_to_people() {
    #[derive(Message)]
    #[message(tag = 1)]
    struct Refusing(Refused);

    struct Refused;

    impl Serialize for Refused {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not today"))
        }
    }

    impl<'de> Deserialize<'de> for Refused {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Err(serde::de::Error::custom("not today"))
        }
    }

    let error = to_vec(&Refusing(Refused)).unwrap_err().to_string();
    assert_eq!(error, "field `Refusing.0` cannot be encoded: not today");
}

/// The deepest type: one level and two wrappers, again and again.
#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Default)]
struct Level {
    wrapped: Wrapped,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Default)]
enum Wrapped {
    #[default]
    Nothing,
    Next(Option<Box<Level>>),
}

both!(Wrappers WrappersPostcard (Level));

/// Each level needs stack, and most of it in unoptimised builds.
#[test]
fn the_deepest_values_fit_a_thread_of_one_mib() {
    let round_trips = || {
        let null = || Expression::Number(1);
        for deepest in [
            deep(lists(128), 0, null(), 0),
            deep(maps(128), 0, null(), 0),
            deep(Json::Null, 127, null(), 0),
            deep(Json::Null, 0, ifs(128), 0),
            deep(Json::Null, 0, null(), 64),
        ] {
            drop(Deep::decode(&to_vec(&deepest).unwrap()).unwrap());
        }
        let wrapped = |level, _| Level { wrapped: Wrapped::Next(Some(Box::new(level))) };
        let level = (0..127).fold(Level::default(), wrapped);
        drop(WrappersPostcard::decode(&to_vec(&WrappersPostcard(level.clone())).unwrap()).unwrap());
        drop(Wrappers::decode(&to_vec(&Wrappers(level)).unwrap()).unwrap());
    };
    let thread = std::thread::Builder::new().stack_size(1024 * 1024);
    thread.spawn(round_trips).unwrap().join().unwrap();
}
