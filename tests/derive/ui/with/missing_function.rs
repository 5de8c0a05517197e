use datagrammar::Message;

mod hex {
    pub fn serialize<S: serde::Serializer>(value: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(*value)
    }
}

#[derive(Message)]
enum Request {
    #[message(tag = 1)]
    Put(#[message(with = hex)] u32),
}

fn main() {}
