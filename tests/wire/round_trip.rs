//! Round trips of generated values, through both codecs.

use datagrammar::{Message, to_vec};
use proptest::prelude::*;

use crate::enums::{
    Compounds, Containers, PostcardCompounds, PostcardContainers, PostcardScalars, Scalars,
};

macro_rules! round_trips {
    ($($test:ident: $message:ty,)+) => {
        proptest! {
            $(
                #[test]
                fn $test(message: $message, extra: u8, cut: prop::sample::Index) {
                    let mut frame = to_vec(&message).unwrap();
                    prop_assert_eq!(&<$message>::decode(&frame).unwrap(), &message);
                    // A shorter or longer frame is not this message, and nothing panics.
                    prop_assert!(<$message>::decode(&frame[..cut.index(frame.len())]).is_err());
                    frame.push(extra);
                    prop_assert!(<$message>::decode(&frame).is_err());
                }
            )+
        }
    };
}

round_trips! {
    scalars: Scalars,
    containers: Containers,
    compounds: Compounds,
    postcard_scalars: PostcardScalars,
    postcard_containers: PostcardContainers,
    postcard_compounds: PostcardCompounds,
}

proptest! {
    #[test]
    fn noise_is_never_worse_than_an_error(frame: Vec<u8>) {
        _ = Scalars::decode(&frame);
        _ = Containers::decode(&frame);
        _ = Compounds::decode(&frame);
        _ = PostcardScalars::decode(&frame);
        _ = PostcardContainers::decode(&frame);
        _ = PostcardCompounds::decode(&frame);
    }
}
