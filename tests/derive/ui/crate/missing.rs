use datagrammar::Message;

mod hex {
    pub fn serialize<S: serde::Serializer>(value: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(*value)
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        serde::Deserialize::deserialize(deserializer)
    }
}

#[derive(Message)]
#[message(crate = wire)]
enum Request<T> {
    #[message(tag = 1)]
    Put(T, Vec<u8>, Option<String>),
    #[message(tag = 2)]
    Get(#[message(with = hex)] u32, #[message(default)] Option<u32>),
}

fn main() {}
