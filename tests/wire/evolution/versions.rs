//! Three versions of one protocol, which follow the evolution rules.

use std::fs::File;
use std::os::fd::AsFd;
pub(crate) use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::sync::LazyLock;

use datagrammar::{DecodeError, Descriptors, EncodeError};
pub(crate) use datagrammar::{Message, Unknown, to_vec};
pub(crate) use datagrammar_tests::Random;

pub(crate) use super::model::{Field, Node, Other, Schema, Type, Value, Variant};

/// The files whose descriptors are sent, and the number of each.
pub(crate) static FILES: LazyLock<Vec<(u64, File)>> = LazyLock::new(|| {
    let file = |_| {
        let file = tempfile::tempfile().expect("a file");
        (file.metadata().expect("an inode").ino(), file)
    };
    (0..6).map(file).collect()
});

/// The type of a field: its values, and their form in the tree.
pub(crate) trait Modelled {
    /// Its message type, if it nests.
    const NESTED: Option<&'static str> = None;

    fn random(random: &mut Random, depth: u32) -> Self;
    fn model(&self) -> Value;
    fn default() -> Option<Value>;
}

impl Modelled for u32 {
    fn random(random: &mut Random, _: u32) -> Self {
        // One value for each length of the encoding.
        (random.below(1 << 32) >> (8 * random.below(4))) as Self
    }

    fn model(&self) -> Value {
        Value::Number(u64::from(*self))
    }

    fn default() -> Option<Value> {
        Some(Value::Number(0))
    }
}

impl Modelled for bool {
    fn random(random: &mut Random, _: u32) -> Self {
        random.below(2) == 1
    }

    fn model(&self) -> Value {
        Value::Number(u64::from(*self))
    }

    fn default() -> Option<Value> {
        Some(Value::Number(0))
    }
}

impl Modelled for String {
    fn random(random: &mut Random, _: u32) -> Self {
        let len = if random.below(20) == 0 { 5000 } else { random.below(8) as usize };
        "a".repeat(len)
    }

    fn model(&self) -> Value {
        Value::Text(self.clone())
    }

    fn default() -> Option<Value> {
        Some(Value::Text(Self::new()))
    }
}

impl Modelled for OwnedFd {
    fn random(random: &mut Random, _: u32) -> Self {
        let at = random.below(FILES.len() as u64) as usize;
        FILES[at].1.as_fd().try_clone_to_owned().expect("a descriptor")
    }

    fn model(&self) -> Value {
        let file = File::from(self.try_clone().expect("a descriptor"));
        Value::File(file.metadata().expect("an inode").ino())
    }

    fn default() -> Option<Value> {
        None
    }
}

impl<T: Modelled> Modelled for Option<T> {
    const NESTED: Option<&'static str> = T::NESTED;

    fn random(random: &mut Random, depth: u32) -> Self {
        (depth > 0 && random.below(2) == 1).then(|| T::random(random, depth - 1))
    }

    fn model(&self) -> Value {
        Value::Maybe(self.as_ref().map(|value| Box::new(value.model())))
    }

    fn default() -> Option<Value> {
        Some(Value::Maybe(None))
    }
}

impl<T: Modelled> Modelled for Vec<T> {
    const NESTED: Option<&'static str> = T::NESTED;

    fn random(random: &mut Random, depth: u32) -> Self {
        let len = if depth > 0 { random.below(4) } else { 0 };
        (0..len).map(|_| T::random(random, depth - 1)).collect()
    }

    fn model(&self) -> Value {
        Value::List(self.iter().map(T::model).collect())
    }

    fn default() -> Option<Value> {
        Some(Value::List(Vec::new()))
    }
}

impl<T: Modelled> Modelled for Box<T> {
    const NESTED: Option<&'static str> = T::NESTED;

    fn random(random: &mut Random, depth: u32) -> Self {
        Self::new(T::random(random, depth))
    }

    fn model(&self) -> Value {
        T::model(self)
    }

    fn default() -> Option<Value> {
        None
    }
}

/// Decodes a message with the descriptors of its tree.
pub(crate) fn received<M>(frame: &[u8], files: &[u64]) -> Result<Value, DecodeError>
where
    M: for<'f> Message<Borrowed<'f> = M> + Modelled,
{
    let descriptor = |wanted: &u64| {
        let (_, file) = FILES.iter().find(|(ino, _)| ino == wanted).expect("one of ours");
        file.as_fd().try_clone_to_owned().expect("a descriptor")
    };
    let descriptors: Vec<OwnedFd> = files.iter().map(descriptor).collect();
    // As in endpoints: the kernel closes descriptors for a type that accepts none.
    let message = match M::DESCRIPTORS {
        true => M::decode_with(frame, &mut Descriptors::from(descriptors)),
        false => M::decode(frame),
    };
    message.map(|message| {
        let value = message.model();
        assert_eq!(value.can_be_sent(), !frame_of(&message).is_empty(), "{value:?}");
        value
    })
}

/// Returns the frame of a message; no bytes for one that cannot be sent, because it holds an unknown message that was
/// dropped.
pub(crate) fn frame_of(message: &impl Message) -> Vec<u8> {
    match to_vec(message) {
        Err(EncodeError::UnknownTag(_)) => Vec::new(),
        frame => frame.expect("a frame"),
    }
}

/// Declares the types of a version, their form in the tree, and their schema.
macro_rules! version {
    ($version:ident; $(
        enum $name:ident $([$other:ident $($held:tt)?])? {
            $($tag:literal $variant:ident [$($word:ident)?] {
                $($field:ident: $type:ty [$($attribute:ident)*]),* $(,)?
            })*
        }
    )*) => {
        #[allow(dead_code, unused_variables, reason = "protocols made at random may have a use for neither")]
        pub(crate) mod $version {
            use super::*;

            $(
                #[derive(Message, Debug)]
                pub(crate) enum $name {
                    $(
                        #[message(tag = $tag $(, $word)?)]
                        $variant { $(#[message($($attribute),*)] $field: $type),* },
                    )*
                    $(#[message($other)] Unknown $($held)?,)?
                }

                impl Modelled for $name {
                    const NESTED: Option<&'static str> = Some(stringify!($name));

                    fn random(random: &mut Random, depth: u32) -> Self {
                        const TAGS: &[u32] = &[$($tag),*];
                        // At the depth limit, the first variant ends the tree.
                        let at = if depth > 0 { random.below(TAGS.len() as u64) as usize } else { 0 };
                        let depth = depth.saturating_sub(1);
                        match TAGS[at] {
                            $($tag => Self::$variant {
                                $($field: <$type as Modelled>::random(random, depth)),*
                            },)*
                            _ => unreachable!(),
                        }
                    }

                    fn model(&self) -> Value {
                        let is_unknown = match self {
                            $(Self::$variant { .. } => false,)*
                            #[allow(unreachable_patterns, reason = "not all have an `other`")]
                            _ => true,
                        };
                        let fields = match self {
                            $(Self::$variant { $($field),* } => vec![$($field.model()),*],)*
                            #[allow(unreachable_patterns, reason = "not all have an `other`")]
                            _ => Vec::new(),
                        };
                        let frame = frame_of(self);
                        Value::Message(Node { tag: self.tag(), fields, frame, is_unknown })
                    }

                    fn default() -> Option<Value> {
                        None
                    }
                }
            )*

            pub(crate) fn schema() -> Schema {
                #[allow(unused_mut, reason = "no type is without variants")]
                let mut types = Schema::new();
                $(
                    let mut variants = std::collections::BTreeMap::new();
                    $(
                        let fields = vec![$({
                            let attributes: &[&str] = &[$(stringify!($attribute)),*];
                            let is_default = attributes.contains(&"default");
                            Field {
                                nested: <$type as Modelled>::NESTED,
                                default: <$type as Modelled>::default().filter(|_| is_default),
                            }
                        }),*];
                        let words: &[&str] = &[$(stringify!($word))?];
                        variants.insert($tag, Variant { is_extensible: !words.is_empty(), fields });
                    )*
                    let others: &[&str] = &[$(stringify!($($held)?))?];
                    let other = others.first().map(|held| match *held {
                        "" => Other::Dropped,
                        _ => Other::Kept,
                    });
                    types.insert(stringify!($name), Type { other, variants });
                )*
                types
            }
        }
    };
}

pub(crate) use version;

version! { v1;
    enum Top {
        1 Hello [extensible] { name: String [], log: Option<OwnedFd> [fd], part: Part [nested] }
        2 Many [extensible] { parts: Vec<Part> [nested], count: u32 [] }
        3 Exact [] { value: u32 [], leaf: Leaf [nested] }
        4 Maybe [extensible] { files: Vec<OwnedFd> [fd], part: Option<Box<Part>> [nested] }
        300 Rest [] { id: u32 [], part: Part [nested rest] }
    }
    enum Part [other (Unknown<'static>)] {
        1 Text [extensible] { text: String [], style: Style [nested] }
        2 Tree [extensible] { file: Option<OwnedFd> [fd], children: Vec<Part> [nested] }
        3 Strict [] { leaf: Box<Leaf> [nested] }
    }
    enum Style [other] {
        1 Plain [] {}
    }
    enum Leaf {
        1 Leaf [extensible] { id: u32 [] }
    }
}

version! { v2;
    enum Top {
        1 Hello [extensible] {
            name: String [], log: Option<OwnedFd> [fd], part: Part [nested], urgent: bool [default]
        }
        2 Many [extensible] { parts: Vec<Part> [nested], count: u32 [], leaf: Option<Leaf> [nested default] }
        3 Exact [] { value: u32 [], leaf: Leaf [nested] }
        4 Maybe [extensible] {
            files: Vec<OwnedFd> [fd], part: Option<Box<Part>> [nested], more: Vec<OwnedFd> [fd default]
        }
        300 Rest [] { id: u32 [], part: Part [nested rest] }
        5 New [extensible] { leaves: Vec<Leaf> [nested] }
    }
    enum Part [other (Unknown<'static>)] {
        1 Text [extensible] { text: String [], style: Style [nested], colour: Option<u32> [default] }
        2 Tree [extensible] {
            file: Option<OwnedFd> [fd], children: Vec<Part> [nested], extra: Vec<Leaf> [nested default]
        }
        3 Strict [] { leaf: Box<Leaf> [nested], id: u32 [default] }
        4 Number [extensible] { number: u32 [], file: Option<OwnedFd> [fd] }
    }
    enum Style [other] {
        1 Plain [] {}
        2 Bold [] {}
        3 Big [extensible] { size: u32 [] }
    }
    enum Leaf {
        1 Leaf [extensible] { id: u32 [], name: Option<String> [default] }
    }
}

version! { v3;
    enum Top {
        1 Hello [extensible] {
            name: String [], log: Option<OwnedFd> [fd], part: Part [nested], urgent: bool [default],
            parts: Vec<Part> [nested default], file: Option<OwnedFd> [fd default]
        }
        2 Many [extensible] { parts: Vec<Part> [nested], count: u32 [], leaf: Option<Leaf> [nested default] }
        3 Exact [] { value: u32 [], leaf: Leaf [nested], second: u32 [default] }
        4 Maybe [extensible] {
            files: Vec<OwnedFd> [fd], part: Option<Box<Part>> [nested], more: Vec<OwnedFd> [fd default],
            last: Option<String> [default]
        }
        300 Rest [] { id: u32 [], part: Part [nested rest] }
        5 New [extensible] { leaves: Vec<Leaf> [nested], part: Option<Part> [nested default] }
        6 Newer [] { id: u32 [] }
    }
    enum Part [other (Unknown<'static>)] {
        1 Text [extensible] { text: String [], style: Style [nested], colour: Option<u32> [default], bold: bool [default] }
        2 Tree [extensible] {
            file: Option<OwnedFd> [fd], children: Vec<Part> [nested], extra: Vec<Leaf> [nested default]
        }
        3 Strict [] { leaf: Box<Leaf> [nested], id: u32 [default] }
        4 Number [extensible] { number: u32 [], file: Option<OwnedFd> [fd], files: Vec<OwnedFd> [fd default] }
        5 Nothing [] {}
    }
    enum Style [other] {
        1 Plain [] {}
        2 Bold [] {}
        3 Big [extensible] { size: u32 [], part: Option<Box<Part>> [nested default] }
        400 Font [] { file: OwnedFd [fd], style: Option<Box<Style>> [nested] }
    }
    enum Leaf {
        1 Leaf [extensible] {
            id: u32 [], name: Option<String> [default], file: Option<OwnedFd> [fd default],
            leaves: Vec<Leaf> [nested default]
        }
        2 Other [] {}
    }
}
