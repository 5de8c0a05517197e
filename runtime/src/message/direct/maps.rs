//! Maps: the number of entries, then the key and the value of each.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use super::traits::{Get, Put};
use crate::codec::Codec;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Decoder, Encoder};

macro_rules! maps {
    ($($map:ident<K, V $(, $hasher:ident)?> where K: $($get:ident),+;)*) => {$(
        impl<K: Put, V: Put $(, $hasher)?> Put for $map<K, V $(, $hasher)?> {
            #[inline]
            fn put<'m, C: Codec>(
                &'m self,
                field: &'static str,
                encoder: &mut Encoder<'m>,
            ) -> Result<(), EncodeError> {
                encoder.u64::<C>(field, &(self.len() as u64))?;
                // An entry counts as empty if its key is empty: see the guard in `codec`.
                if K::EMPTY {
                    encoder.count_empty(field, self.len())?;
                }
                for (key, value) in self {
                    key.put::<C>(field, encoder)?;
                    value.put::<C>(field, encoder)?;
                }
                Ok(())
            }
        }

        impl<'f, K: Get<'f> + $($get +)+, V: Get<'f> $(, $hasher: BuildHasher + Default)?> Get<'f>
            for $map<K, V $(, $hasher)?>
        {
            #[inline]
            fn get<C: Codec>(
                field: &'static str,
                decoder: &mut Decoder<'f, C>,
            ) -> Result<Self, DecodeError> {
                let count = match K::EMPTY {
                    true => decoder.empty_count(field)?,
                    false => decoder.count(field)?,
                };
                let mut map = Self::default();
                for _ in 0..count {
                    let key = K::get(field, decoder)?;
                    map.insert(key, V::get(field, decoder)?);
                }
                Ok(map)
            }
        }
    )*};
}

maps! {
    BTreeMap<K, V> where K: Ord;
    HashMap<K, V, S> where K: Eq, Hash;
}
