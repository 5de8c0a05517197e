//! The same enums through an independent implementation of the format: both write the same bytes, and each reads
//! the bytes of the other.

use datagrammar::{Message, to_vec};
use proptest::prelude::*;
use wincode::config::{self, Configuration};

use crate::enums::{Compounds, Containers, Scalars};

macro_rules! same_bytes {
    ($($test:ident: $message:ty,)+) => {
        proptest! {
            $(
                #[test]
                fn $test(message: $message) {
                    let varints = Configuration::default().with_varint_encoding();
                    let ours = to_vec(&message).unwrap();
                    let theirs = config::serialize(&message, varints).unwrap();
                    prop_assert_eq!(&ours, &theirs);
                    let read: $message = config::deserialize_exact(&ours, varints).unwrap();
                    prop_assert_eq!(&read, &message);
                    prop_assert_eq!(<$message>::decode(&theirs).unwrap(), message);
                }
            )+
        }
    };
}

same_bytes! {
    scalars: Scalars,
    containers: Containers,
    compounds: Compounds,
}

macro_rules! same_verdict {
    ($($test:ident: $message:ty,)+) => {
        proptest! {
            /// Damaged frames: both decode the same values, and we refuse all frames that they refuse.
            /// (We may refuse more, because of depth and elements of no bytes.)
            $(
                #[test]
                fn $test(message: $message, at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
                    let varints = Configuration::default().with_varint_encoding();
                    let mut frame = to_vec(&message).unwrap();
                    let at = at.index(frame.len());
                    frame[at] = byte;
                    frame.truncate(1 + cut.index(frame.len()));
                    let theirs: Result<$message, _> = config::deserialize_exact(&frame, varints);
                    if let Ok(ours) = <$message>::decode(&frame) {
                        prop_assert_eq!(
                            format!("{:?}", Some(&ours)),
                            format!("{:?}", theirs.ok().as_ref()),
                        );
                    }
                }
            )+
        }
    };
}

same_verdict! {
    damaged_scalars: Scalars,
    damaged_containers: Containers,
    damaged_compounds: Compounds,
}
